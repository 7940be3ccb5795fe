"""Programs that only look like those that are judged, and traces of what is long over."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    address,
    await_http,
    await_states,
    edit,
    host,
    reload_nginx,
    restart,
    restore,
    start_roles,
    supervisorctl,
)
from lab.faults.agents import run_folder
from lab.faults.ports import FAR, move, move_back
from lab.faults.supervision import conf, paas
from lab.lookalikes.lookalike import Lookalike

CONSUL = """[unix_http_server]
file={home}/logs/consul/supervisor.sock
[supervisord]
pidfile={home}/logs/consul/supervisord.pid
logfile={home}/logs/consul/supervisord.log
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:consul]
command=/bin/sleep 86400
"""
BYSTANDERS = "/run/lab-bystanders"  # their pids
BACKUP = "/var/tmp/backup.sh"
DAY = 86400  # seconds
OLD_LINES = r"""
import time
then = time.gmtime(time.time() - DAY + 8 * 3600)
stamp, access = time.strftime("%Y-%m-%d %H:%M:%S", then), time.strftime("%a %b %d %H:%M:%S %Y", then)
error = time.strftime("%Y/%m/%d %H:%M:%S", then)
for name, line in (
    ("open_paas/paas.log", "ERROR [%s] /data/bkce/open_paas/paas/components/login.py 33 _call_login_api 1 2 \n \t "
     "请求login接口失败: method=http_get, api=is_login, message=登录态有效期不合法 \n\n" % stamp),
    ("open_paas/login_uwsgi.log", "[10.66.0.30] [%s] [GET] [/accounts/is_login/] [HTTP/1.0] [500] [30000] [-] [x]\n"
     % access),
    ("nginx/paas_web_error.log", '%s [error] 1#0: *1 connect() failed (111: Connection refused) while connecting to '
     'upstream, client: 10.66.0.9, server: p, request: "GET /login/ HTTP/1.1", upstream: "http://10.66.0.11:8003/", '
     'host: "p"\n' % error),
):
    path = HOME + "/logs/" + name
    try:
        new = open(path, encoding="utf-8").read()
    except OSError:
        continue
    with open(path, "r+", encoding="utf-8") as log:
        log.write(20 * line + new)
"""


def edit_and_watch(lab: Lab) -> None:
    """An operator has a service's file in an editor, follows its log and searches; a backup runs over it."""
    etc, log = f"{lab.layout.home}/etc", f"{lab.layout.home}/logs/open_paas/login_uwsgi.log"
    lab.run(paas(lab), f"echo 'sleep {DAY}; :' > {BACKUP}")
    for command in (
        f"exec -a vim tail -f {etc}/uwsgi-open_paas-paas.ini",
        f"exec -a less tail -f {etc}/supervisor-open_paas.conf",
        f"exec tail -f {log}",
        "exec grep -e uwsgi-open_paas-login.ini < <(exec tail -f /dev/null)",
        f"exec bash {BACKUP} --ini {etc}/uwsgi-open_paas-esb.ini",
    ):
        lab.run(paas(lab), f"setsid bash -c '{command}' >/dev/null 2>&1 & echo $! >> {BYSTANDERS}")


def go_home(lab: Lab) -> None:
    lab.run(paas(lab), f"for p in $(cat {BYSTANDERS}); do kill -- -$p; done; rm -f {BYSTANDERS} {BACKUP}")


def run_consul(lab: Lab) -> None:
    home, binaries = lab.layout.home, f"{lab.layout.home}/.envs/open_paas/bin"
    file = f"{home}/etc/supervisor-consul.conf"
    lab.run(
        paas(lab),
        f"mkdir -p {home}/logs/consul && cat > {file} <<'END'\n{CONSUL.format(home=home)}END\n"
        f"{binaries}/python {binaries}/supervisord -c {file}",
    )


def end_consul(lab: Lab) -> None:
    home = lab.layout.home
    pid = f"{home}/logs/consul/supervisord.pid"
    lab.run(
        paas(lab),
        f"if [ -e {pid} ]; then p=$(cat {pid}); kill $p; while kill -0 $p 2>/dev/null; do sleep 0.05; done; fi;"
        f" rm -rf {home}/logs/consul {home}/etc/supervisor-consul.conf",
    )


def program_for_hands(lab: Lab) -> None:
    """A program of supervisor that is started by hand when it is wanted."""
    section = "[program:reset_tool]\\ncommand=/bin/sleep 60\\nautostart=false\\n"
    edit(lab, paas(lab), conf(lab), f"/^\\[program:paas\\]/i {section}")
    supervisorctl(lab, paas(lab), "update")


def no_program_for_hands(lab: Lab) -> None:
    restore(lab, paas(lab), conf(lab))
    supervisorctl(lab, paas(lab), "update")
    await_states(lab, paas(lab), "RUNNING")


def add_old_lines(lab: Lab) -> None:
    for role, number in (("paas", 0), ("paas", 1), ("nginx", 0)):
        program = OLD_LINES.replace("HOME", repr(lab.layout.home)).replace("DAY", str(DAY))
        lab.run(host(lab, role, number), f"python3 - <<'END'\n{program}\nEND")


def take_down(lab: Lab) -> None:
    """bk_framework was taken off the test host, or never deployed there."""
    name, folder = host(lab, "appt"), run_folder(lab)
    lab.run(
        name, f"kill -INT $(cat {folder}/uwsgi.pid); while [ -e {folder}/uwsgi.pid ]; do sleep 0.05; done"
    )
    lab.run(name, f"mv {folder[: -len('/run')]} /var/tmp/bk_framework")
    await_http(lab, name, f"http://{lab.layout.host(name).address}:8010/t/bk_framework/", "404")


def deploy(lab: Lab) -> None:
    name, folder = host(lab, "appt"), run_folder(lab)
    lab.run(name, f"[ ! -e /var/tmp/bk_framework ] || mv /var/tmp/bk_framework {folder[: -len('/run')]}")
    start_roles(lab, name)


def users_of_login(lab: Lab) -> tuple[tuple[str, str], ...]:
    """Return (host, file) of all that requests login on the second paas host by its port."""
    home, name = lab.layout.home, host(lab, "paas", 1)
    return (
        (host(lab, "nginx"), f"{home}/etc/nginx/paas.conf"),
        (name, f"{home}/open_paas/paas/conf/settings_production.py"),
        (name, f"{home}/open_paas/esb/configs/default.py"),
    )


def move_login(lab: Lab) -> None:
    """Login of one host has a port of its own, and everything that requests it knows that."""
    name = host(lab, "paas", 1)
    place, right = address(lab, name), lab.layout.ports["login"]
    for where, file in users_of_login(lab):
        edit(lab, where, file, f"s/{place}:{right}/{place}:{right + FAR}/")
    move("login", 1)(lab)
    restart(lab, name, "paas", "esb")
    reload_nginx(lab, host(lab, "nginx"))


def move_login_back(lab: Lab) -> None:
    for where, file in users_of_login(lab):
        restore(lab, where, file)
    move_back("login", 1)(lab)
    restart(lab, host(lab, "paas", 1), "paas", "esb")
    reload_nginx(lab, host(lab, "nginx"))


LOOKALIKES = (
    Lookalike(
        "login-on-another-port",
        "login of one host has another port, which nginx and the settings have as well",
        "一台主机的 login 使用另一个端口，nginx 和配置也一致",
        move_login,
        move_login_back,
    ),
    Lookalike(
        "editors-and-tails",
        "an editor, tail, less, grep and a backup whose command lines name files of open_paas",
        "编辑器、tail、less、grep 和备份脚本的命令行中出现 open_paas 的文件名",
        edit_and_watch,
        go_home,
    ),
    Lookalike(
        "supervisord-of-consul",
        "another supervisord, consul's, on the first paas host",
        "第一台 paas 上还有 consul 的 supervisord",
        run_consul,
        end_consul,
    ),
    Lookalike(
        "program-by-hand",
        "supervisor has a program that is not started automatically",
        "supervisor 中有一个不自动启动的程序",
        program_for_hands,
        no_program_for_hands,
    ),
    Lookalike(
        "old-lines",
        "errors of yesterday in the logs of login, paas and nginx",
        "login、paas 和 nginx 的日志中有昨天的错误",
        add_old_lines,
    ),
    Lookalike(
        "saas-not-deployed",
        "bk_framework is not deployed on the appt host: 404 on 8010",
        "appt 上没有部署 bk_framework：8010 返回 404",
        take_down,
        deploy,
    ),
    Lookalike(
        "epmd-alone",
        "epmd was left on a host from which RabbitMQ was moved away",
        "RabbitMQ 迁走后，主机上只剩 epmd",
        lambda lab: lab.run(host(lab, "job"), "epmd -daemon"),
        lambda lab: lab.run(host(lab, "job"), "pkill -x epmd"),
    ),
)
