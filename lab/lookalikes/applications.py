"""Applications and app hosts that are set up otherwise, and work as well."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import await_http, host
from lab.faults.agents import run_folder, start_application
from lab.faults.applications import answering, rewrite, serve_over_tcp, serve_over_unix
from lab.faults.log_cleanup import application_log
from lab.faults.log_files import page
from lab.faults.other_nginx import other_nginx
from lab.lookalikes.lookalike import Lookalike


def projects(lab: Lab) -> str:
    return f"{lab.layout.home}/paas_agent/apps"


def leave_offline(lab: Lab) -> None:
    """An application was taken offline: its code, logs and environment are left, without a pid file."""
    apps = projects(lab)
    lab.run(
        host(lab, "appo"),
        f"mkdir -p {apps}/projects/bk_old/run {apps}/logs/bk_old && cp -r {apps}/projects/bk_framework/code"
        f" {apps}/projects/bk_old/ && echo 'INFO [2026-10-01 10:00:00] bk_old 1 stopped' > {apps}/logs/bk_old/bk_old.log &&"
        f" touch -d '40 days ago' {apps}/logs/bk_old/bk_old.log && python3 -c \"import socket;"
        f" socket.socket(socket.AF_UNIX).bind('{apps}/projects/bk_old/run/uwsgi.sock')\"",
    )


def remove_offline(lab: Lab) -> None:
    lab.run(host(lab, "appo"), f"rm -rf {projects(lab)}/projects/bk_old {projects(lab)}/logs/bk_old")


def other_product(lab: Lab) -> None:
    """The nginx of another product runs on the app host, with a dead upstream and a -c of its own."""
    lab.run(host(lab, "appt"), f"{other_nginx()} && curl -s -m 5 http://127.0.0.1:8099/ >/dev/null; true")


def no_other_product(lab: Lab) -> None:
    lab.run(
        host(lab, "appt"),
        "[ ! -e /run/nginx-other.pid ] || kill $(cat /run/nginx-other.pid); rm -f /etc/nginx-other.conf",
    )


def rotate(lab: Lab) -> None:
    """The log was renamed, and the application was reloaded and writes to a new file."""
    log = application_log(lab)
    lab.run(host(lab, "appo"), f"mv {log} {log}.1 && kill -HUP $(cat {run_folder(lab)}/uwsgi.pid)")
    lab.wait(lambda: lab.run(host(lab, "appo"), f"[ ! -s {log} ] || echo new"), 20, f"{log} is made anew")


def link_logs(lab: Lab) -> None:
    """The logs were moved to another disk, with a link at their old place."""
    name, logs = host(lab, "appt"), f"{projects(lab)}/logs"
    lab.run(name, f"mkdir -p /data/disk2 && mv {logs} /data/disk2/logs && ln -s /data/disk2/logs {logs}")
    start_application(lab, "appt")
    await_http(lab, name, page(lab, "appt"), "200")


def unlink_logs(lab: Lab) -> None:
    logs = f"{projects(lab)}/logs"
    lab.run(host(lab, "appt"), f"[ ! -L {logs} ] || {{ rm {logs} && mv /data/disk2/logs {logs}; }}")
    start_application(lab, "appt")


def unrotate(lab: Lab) -> None:
    lab.run(host(lab, "appo"), f"rm -f {application_log(lab)}.1")


SLOW = """import time
def application(environ, start_response):
    time.sleep(3)
    start_response('200 OK', [('Content-Type', 'text/html')])
    return [b'slow']"""


def as_alive(name: str, role: str, text: str, status: str, en: str, zh: str) -> Lookalike:
    apply, undo = rewrite(role, text, status)
    return Lookalike(name, en, zh, apply, undo)


LOOKALIKES = (
    as_alive(
        "saas-redirects",
        "appo",
        answering("302 Found", ", ('Location', '/login/?c_url=x')"),
        "302",
        "an application redirects to the login",
        "应用重定向到登录页",
    ),
    as_alive(
        "saas-wants-login",
        "appt",
        answering("401 Unauthorized"),
        "401",
        "an application answers 401 without a login",
        "应用未登录时返回 401",
    ),
    as_alive(
        "saas-forbids",
        "appo",
        answering("403 Forbidden"),
        "403",
        "an application answers 403 at its root",
        "应用的根路径返回 403",
    ),
    as_alive(
        "saas-without-root",
        "appt",
        answering("404 Not Found"),
        "404",
        "an application has no page at its root and answers 404 itself",
        "应用根路径没有页面，自己返回 404",
    ),
    as_alive(
        "saas-slow-page", "appo", SLOW, "200", "an application answers after three seconds", "应用三秒后应答"
    ),
    Lookalike(
        "saas-offline-leftovers",
        "an application was taken offline, its code, log and socket are left",
        "应用已下线，代码、日志和套接字仍在",
        leave_offline,
        remove_offline,
    ),
    Lookalike(
        "saas-over-tcp",
        "an application has a TCP socket",
        "应用使用 TCP 套接字",
        lambda lab: serve_over_tcp(lab, "appo"),
        lambda lab: serve_over_unix(lab, "appo"),
    ),
    Lookalike(
        "saas-other-nginx",
        "the nginx of another product runs on the app host, its upstream is dead",
        "app 主机上运行着其他产品的 nginx，其 upstream 不可用",
        other_product,
        no_other_product,
    ),
    Lookalike(
        "saas-log-rotated",
        "the log of an application was rotated a moment ago",
        "应用日志刚刚轮转",
        rotate,
        unrotate,
    ),
    Lookalike(
        "saas-logs-on-another-disk",
        "the logs of the applications are on another disk, behind a link",
        "应用日志位于另一块磁盘，通过软链接访问",
        link_logs,
        unlink_logs,
    ),
    Lookalike(
        "saas-restarted",
        "an application was restarted a moment ago",
        "应用刚刚重启",
        lambda lab: start_application(lab, "appo"),
        lambda lab: lab.run(host(lab, "appo"), f"ls {run_folder(lab)} >/dev/null"),
    ),
)
