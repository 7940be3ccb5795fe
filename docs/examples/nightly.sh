#!/usr/bin/env bash
# nightly.sh INVENTORY STATE: one run, its report in STATE/reports/DATE, kept for 30 days. It prints nothing when all is
# well, so that cron sends a mail only when something is not.
# nightly.sh 清单目录 状态目录：执行一次，报告在 STATE/reports/日期，保留 30 天。一切正常时没有输出，因此 cron 只在有异常时发邮件。
set -euo pipefail
umask 077
if [ $# -ne 2 ]; then
    echo "usage / 用法: nightly.sh INVENTORY STATE" >&2
    exit 64
fi
inventory=$(realpath "$1")
state=$(realpath "$2")
report=$state/reports/$(date +%F)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

exec 9>"$state/lock"
if ! flock --nonblock 9; then
    echo "the run before this one has not ended / 上一次运行尚未结束" >&2
    exit 75
fi
mkdir -p "$report"
find "$state/reports" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} +

status=0
.venv/bin/python -m pytest -p no:cacheprovider --inventory "$inventory" --report "$report" \
    --history "$state/history" --summary "$report/summary.txt" >"$report/output.txt" 2>&1 || status=$?
if [ "$status" != 0 ]; then
    if [ -s "$report/summary.txt" ]; then cat "$report/summary.txt"; else cat "$report/output.txt"; fi
fi
exit "$status"
