"""The tables of cron: what ends or restarts programs of the platform."""

from __future__ import annotations

from typing import Any

import pytest

from bkpaas.facts.cron import action_of, cron
from bkpaas.facts.secrets import Secrets


def table(path: str, text: str | None, **values: Any) -> dict[str, Any]:
    entry = {"path": path, "type": "file", "mode": 0o644, "uid": 0, "size": len(text or "")}
    return entry | ({} if text is None else {"text": text}) | values


@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("pkill -9 uwsgi", "ends"),
        ("killall -9 -q paas_agent", "ends"),
        ("ps -ef | grep uwsgi | awk '{print $2}' | xargs kill -9", "ends"),
        ("kill -9 `cat /data/bkce/logs/open_paas/login_uwsgi.pid`", "ends"),
        ("service nginx stop", "ends"),
        ("docker stop bk-paas-login", "ends"),
        ("/x/supervisorctl -c /x/supervisor-open_paas.conf stop all", "ends"),
        ("supervisorctl stop login; supervisorctl start login", "restarts"),
        ("systemctl restart bk-paas-login", "restarts"),
        ("nginx -s stop; sleep 1; /usr/sbin/nginx", "restarts"),
        ("[ -f /run/nginx.pid ] && kill -USR1 $(cat /run/nginx.pid)", None),
        ("pkill -HUP nginx", None),
        ("kill -s HUP $(cat /x/uwsgi.pid)", None),
        ("/usr/sbin/nginx -s reload", None),
        ("systemctl reload nginx", None),
        ("/data/bkce/bin/process_watch paas_agent >/dev/null 2>&1", None),
        ("find /data/bkce/logs -mtime +7 -delete; pkill -f backup.sh", None),
        ("test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.daily )", None),
    ],
)
def test_what_a_command_does(command: str, action: str | None) -> None:
    assert action_of(command) == action


def test_lines_of_the_system_and_of_accounts() -> None:
    files = {
        "cron": [
            table(
                "/etc/crontab", "SHELL=/bin/sh\n# 1 2 * * * root pkill uwsgi\n17 4 * * * root pkill uwsgi\n"
            ),
            table(
                "/var/spool/cron/root",
                "*/5 * * * * pkill -9 paas_agent --password=hunter2secret\n@daily pkill nginx\n",
            ),
            {"path": "/etc/cron.d/*", "type": "missing"},
        ]
    }
    found = cron(files, Secrets())
    assert [(one.path, one.line, one.schedule, one.is_rare) for one in found.jobs] == [
        ("/etc/crontab", 3, "17 4 * * *", True),
        ("/var/spool/cron/root", 1, "*/5 * * * *", False),
        ("/var/spool/cron/root", 2, "@daily", True),
    ]
    assert found.files == 2
    assert "hunter2secret" not in found.jobs[1].command


def test_a_table_that_was_not_read_is_kept_as_such() -> None:
    found = cron({"cron": [table("/etc/cron.d/x", None, error="Permission denied")]}, Secrets())
    assert found.jobs == ()
    assert len(found.unread) == 1
