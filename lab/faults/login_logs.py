"""What login's own logs tell, and what keeps them from telling it."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address, edit, gate_url, host, reload_nginx, restart, restore
from lab.faults.data import freeze_database, start_database, stop_database, thaw_database
from lab.faults.fault import Fault

SECTION = "login-no-response"
CALLS = 12
SLOW = 6  # seconds; more than a call of is_login may take
ASK = "curl -s -o /dev/null -m 30 {url}"
CACHE = (
    "location = /login/accounts/is_login/ { proxy_cache login; proxy_cache_valid any 10m; proxy_cache_key $uri; proxy_ignore_headers Vary "
    "Set-Cookie Cache-Control Expires; proxy_pass http://OPEN_PAAS_LOGIN/accounts/is_login/; }"
)


def logs(lab: Lab) -> str:
    return f"{lab.layout.home}/logs/open_paas"


def login_anew(lab: Lab) -> None:
    """login opens its logs when it starts."""
    for number in (0, 1):
        restart(lab, host(lab, "paas", number), "login")


def remove_log(lab: Lab) -> None:
    lab.run(host(lab, "paas"), f"rm {logs(lab)}/login.log")


def link_to_nowhere(lab: Lab) -> None:
    """The log was moved to a data disk that is not mounted since the last boot."""
    name, log = host(lab, "paas"), f"{logs(lab)}/login_uwsgi.log"
    lab.run(name, f"mv {log} {log}.moved && ln -s /data1/logs/login_uwsgi.log {log}")


def link_no_more(lab: Lab) -> None:
    log = f"{logs(lab)}/login_uwsgi.log"
    lab.run(host(lab, "paas"), f"[ ! -L {log} ] || {{ rm {log} && mv {log}.moved {log}; }}")
    login_anew(lab)


def rotate_under_login(lab: Lab) -> None:
    """logrotate moved the file away and made an empty one; uwsgi writes to the old one."""
    for number in (0, 1):
        log = f"{logs(lab)}/login_uwsgi.log"
        archive = f"mkdir -p {logs(lab)}/archive && mv {log} {logs(lab)}/archive/"
        lab.run(host(lab, "paas", number), f"{archive} && : > {log}")


def rotate_no_more(lab: Lab) -> None:
    for number in (0, 1):
        lab.run(host(lab, "paas", number), f"rm -rf {logs(lab)}/archive")
    login_anew(lab)


def site(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/nginx/paas.conf"


def cache_answers(lab: Lab) -> None:
    name = host(lab, "nginx")
    path = "proxy_cache_path /var/cache/nginx-login keys_zone=login:1m;"
    edit(lab, name, site(lab), f"1 a {path}\n/^    # login$/ i {CACHE}")
    reload_nginx(lab, name)
    lab.run(name, ASK.format(url=gate_url(lab, "/login/accounts/is_login/")))


def cache_no_more(lab: Lab) -> None:
    name = host(lab, "nginx")
    restore(lab, name, site(lab))
    reload_nginx(lab, name)
    lab.run(name, "rm -rf /var/cache/nginx-login")


def ask_in_vain(lab: Lab) -> None:
    """The database was away for a moment, and many asked meanwhile."""
    name = host(lab, "paas")
    url = f"http://{address(lab, name)}:{lab.layout.ports['login']}/accounts/get_user/"
    stop_database(lab)
    lab.run(name, f"for i in $(seq {CALLS}); do {ASK.format(url=url)}; done")
    start_database(lab)


def ask_slowly(lab: Lab) -> None:
    """The database hung for some seconds, twice; it has recovered."""
    name = host(lab, "paas")
    url = f"http://{address(lab, name)}:{lab.layout.ports['login']}/accounts/get_user/"
    for _ in range(2):
        freeze_database(lab)
        lab.run(name, f"{ASK.format(url=url)} & {ASK.format(url=url)} & sleep {SLOW}")
        thaw_database(lab)
        lab.wait(lambda: not lab.run(name, "pgrep -x curl || true").strip(), 20, "the callers are answered")


FAULTS = (
    Fault(
        "login-log-removed",
        "login-log-dir",
        SECTION,
        "a cleanup removed login.log on the first paas host, login writes on into the removed file",
        "清理任务删除了第一台 paas 的 login.log，login 仍写入已删除的文件",
        remove_log,
        login_anew,
    ),
    Fault(
        "login-log-dangling",
        "login-log-dir",
        SECTION,
        "login's access log on the first paas host is a link to a disk that is not mounted",
        "第一台 paas 上 login 的访问日志是指向未挂载磁盘的链接",
        link_to_nowhere,
        link_no_more,
    ),
    Fault(
        "access-log-rotated",
        "login-request-arrives",
        SECTION,
        "logrotate put an empty access log in the place of login's, which writes on into the old one",
        "logrotate 用空文件替换了 login 的访问日志，login 仍写入旧文件",
        rotate_under_login,
        rotate_no_more,
    ),
    Fault(
        "login-answers-cached",
        "nginx-passes-requests",
        SECTION,
        "nginx answers is_login from a cache, login never sees the request",
        "nginx 用缓存应答 is_login，请求从未到达 login",
        cache_answers,
        cache_no_more,
    ),
    Fault(
        "login-errors-in-log",
        "login-access-log-status",
        SECTION,
        "the database was away for a moment, login has answered many with an error",
        "数据库曾短暂不可用，login 对许多请求返回了错误",
        ask_in_vain,
        start_database,
    ),
    Fault(
        "login-slow-in-log",
        "login-access-log-latency",
        SECTION,
        "the database hung for a while, login has answered late",
        "数据库曾卡顿，login 应答缓慢",
        ask_slowly,
        thaw_database,
    ),
)
