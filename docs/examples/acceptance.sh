#!/usr/bin/env bash
# acceptance.sh before|after INVENTORY DIR: what an upgrade changed. DIR keeps the snapshot of before, the key that makes
# secrets comparable, and both reports.
# acceptance.sh before|after 清单目录 目录：升级改变了什么。目录中保存升级前的快照、使机密可比较的密钥，以及前后两份报告。
set -euo pipefail
umask 077
when=$1
inventory=$(realpath "$2")
mkdir -p "$3"
state=$(realpath "$3")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

options=(--secret-key-file "$state/secret-key" --report "$state/$when" --summary "$state/$when.md")
case $when in
before)
    [ -e "$state/secret-key" ] || head -c 32 /dev/urandom | base64 >"$state/secret-key"
    options+=(--save-snapshot "$state/before.json")
    ;;
after)
    options+=(--baseline "$state/before.json")
    ;;
*)
    echo "acceptance.sh before|after INVENTORY DIR" >&2
    exit 64
    ;;
esac
exec .venv/bin/python -m pytest -p no:cacheprovider --inventory "$inventory" "${options[@]}"
