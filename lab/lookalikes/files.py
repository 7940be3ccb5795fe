"""Files that are written otherwise, and mean the same."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import edit, host, keep, reload_nginx, restart, restore
from lab.faults.deploying import agent_file, paas_file, restart_agent
from lab.faults.gateway import site
from lab.lookalikes.lookalike import Lookalike

REWRITTEN = r"""
import re
path = PATH
text = open(path, encoding="utf-8").read()
head, databases, rest = re.fullmatch(r"(.*?)(^DATABASES = \{.*?^\}\n)(.*)", text, re.S | re.M).groups()
lines = [line for line in rest.splitlines() if line.startswith(("#", "")) and line and not line.startswith("#")]
lines = [line.replace("'", '"').replace(" = ", "=  ") + "    # as on the other host" for line in reversed(lines)]
new = "# edited by hand\n\n" + "\n".join(lines) + "\n\n" + databases + "\n\n" + head
open(path, "w", encoding="utf-8", newline="").write(new.replace("\n", "\r\n"))
"""


JOBS = "/etc/cron.d/lab-jobs"
HARMLESS_JOBS = """# the logs are opened again, a service is watched, and paas is restarted once a night
0 0 * * * root [ -f /run/nginx.pid ] && kill -USR1 $(cat /run/nginx.pid)
*/5 * * * * root /usr/sbin/nginx -t -q && /usr/sbin/nginx -s reload
* * * * * root HOME/bin/process_watch paas_agent >/dev/null 2>&1
30 3 * * * root HOME/.envs/open_paas/bin/supervisorctl -c HOME/etc/supervisor-open_paas.conf restart paas
#* * * * * root pkill -9 uwsgi
10 1 * * * root find HOME/logs -name 'uwsgi*.log' -mtime +30 -delete; pkill -f backup.sh
"""


def add_jobs(lab: Lab) -> None:
    text = HARMLESS_JOBS.replace("HOME", lab.layout.home)
    for role in ("paas", "nginx", "appo"):
        lab.run(host(lab, role), f"mkdir -p /etc/cron.d && cat > {JOBS} <<'END'\n{text}END")


def remove_jobs(lab: Lab) -> None:
    for role in ("paas", "nginx", "appo"):
        lab.run(host(lab, role), f"rm -f {JOBS}")


def settings(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/login/conf/settings_production.py"


def rewrite_settings(lab: Lab) -> None:
    """Another order, other quotes, spaces, comments and line ends on the second paas host."""
    name = host(lab, "paas", 1)
    keep(lab, name, settings(lab))
    program = REWRITTEN.replace("PATH", repr(settings(lab)), 1)
    lab.run(name, f"python3 - <<'END'\n{program}\nEND")
    restart(lab, name, "login")


def settings_as_before(lab: Lab) -> None:
    restore(lab, host(lab, "paas", 1), settings(lab))
    restart(lab, host(lab, "paas", 1), "login")


def hosts_by_name(lab: Lab) -> None:
    """Each developer center asks its own host, by the name that this has."""
    for number in (0, 1):
        name = host(lab, "paas", number)
        edit(
            lab,
            name,
            developer_center(lab),
            f'/^\\(ENGINE\\|LOGIN\\)_HOST/s/[0-9.]*\\(:[0-9]*\\)"/{name}\\1"/',
        )
        restart(lab, name, "paas")


def hosts_by_address(lab: Lab) -> None:
    for number in (0, 1):
        restore(lab, host(lab, "paas", number), developer_center(lab))
        restart(lab, host(lab, "paas", number), "paas")


def developer_center(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/paas/conf/settings_production.py"


def add_decoys(lab: Lab) -> None:
    """Old values in comments, in a docstring and under another key; the limit itself in quotes."""
    old = "# EVENT_STATE_EXPIRE_SECONDS = 100\\n#EVENT_STATE_EXPIRE_SECONDS=60"
    for number in (0, 1):
        edit(lab, host(lab, "paas", number), paas_file(lab), f"/^EVENT_STATE/ {{i {old}\na {old}\n}}")
        restart(lab, host(lab, "paas", number), "paas")
    limit = 's/^  EXECUTE_TIME_LIMIT: 300.*/  # EXECUTE_TIME_LIMIT: 3000\\n  EXECUTE_TIME_LIMIT: "300"  # not 3000/'
    edit(lab, host(lab, "appt"), agent_file(lab), f"{limit}\n$ a java_settings:\\n  EXECUTE_TIME_LIMIT: 900")
    restart_agent(lab)


def remove_decoys(lab: Lab) -> None:
    for number in (0, 1):
        restore(lab, host(lab, "paas", number), paas_file(lab))
        restart(lab, host(lab, "paas", number), "paas")
    restore(lab, host(lab, "appt"), agent_file(lab))
    restart_agent(lab)


def offset_as_product(lab: Lab) -> None:
    edit(
        lab,
        host(lab, "paas", 1),
        login_default(lab),
        "s/^\\(BK_TOKEN_OFFSET_ERROR_TIME\\) = 60$/\\1 = 2 * 30/",
    )
    restart(lab, host(lab, "paas", 1), "login")


def offset_as_number(lab: Lab) -> None:
    restore(lab, host(lab, "paas", 1), login_default(lab))
    restart(lab, host(lab, "paas", 1), "login")


def login_default(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/login/conf/default.py"


def comment_upstreams(lab: Lab) -> None:
    """The hosts from before the move stand in comments, a whole upstream among them."""
    old = "    # server 10.66.0.19:8003 max_fails=1  fail_timeout=30s;"
    block = "# upstream PAAS_AGENT_TEST {\\n#     server 10.66.0.19:8010;\\n# }"
    edit(lab, host(lab, "nginx"), site(lab, "paas"), f"/^upstream / a \\{old}\n1 a {block}")
    reload_nginx(lab, host(lab, "nginx"))


def leave_upstream(lab: Lab) -> None:
    """The desktop was never installed: its upstream is there, no location leads to it."""
    first = lab.layout.host(host(lab, "paas")).address
    edit(
        lab,
        host(lab, "nginx"),
        site(lab, "paas"),
        f"1 a upstream OPEN_PAAS_CONSOLE {{ server {first}:8004; }}",
    )
    reload_nginx(lab, host(lab, "nginx"))


def nginx_as_before(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), site(lab, "paas"))
    reload_nginx(lab, host(lab, "nginx"))


LOOKALIKES = (
    Lookalike(
        "settings-rewritten",
        "login's settings on the second paas host in another order, with other quotes, comments and CRLF",
        "第二台 paas 上 login 的配置顺序、引号、注释和换行符（CRLF）不同，内容相同",
        rewrite_settings,
        settings_as_before,
    ),
    Lookalike(
        "cron-jobs-harmless",
        "jobs of cron reload nginx, open logs again, watch paas_agent and restart paas once a night",
        "cron 任务重载 nginx、重新打开日志、检查 paas_agent，并在夜间重启一次 paas",
        add_jobs,
        remove_jobs,
    ),
    Lookalike(
        "own-host-by-name",
        "ENGINE_HOST and LOGIN_HOST name each paas host itself",
        "ENGINE_HOST 和 LOGIN_HOST 在每台 paas 上使用本机主机名",
        hosts_by_name,
        hosts_by_address,
    ),
    Lookalike(
        "time-out-decoys",
        "old time-outs in comments, another of the same name under another key, and one in quotes",
        "注释中的旧超时值、其他键下的同名项，以及带引号的值",
        add_decoys,
        remove_decoys,
    ),
    Lookalike(
        "offset-as-product",
        "BK_TOKEN_OFFSET_ERROR_TIME is 60 on one paas host and 2 * 30 on the other",
        "BK_TOKEN_OFFSET_ERROR_TIME 在一台 paas 上写作 60，在另一台上写作 2 * 30",
        offset_as_product,
        offset_as_number,
    ),
    Lookalike(
        "upstreams-in-comments",
        "nginx's file has old hosts in comments",
        "nginx 配置的注释中有旧主机",
        comment_upstreams,
        nginx_as_before,
    ),
    Lookalike(
        "upstream-of-nothing",
        "an upstream of the desktop, which is not installed, and to which no location leads",
        "有 console 的 upstream，但没有部署 console，也没有 location 使用它",
        leave_upstream,
        nginx_as_before,
    ),
)
