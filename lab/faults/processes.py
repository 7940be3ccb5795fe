"""supervisord, its socket, and the uwsgi processes of open_paas on the first paas host."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.fault import Act, Fault
from lab.faults.hands import (
    add_address,
    address,
    await_http,
    await_states,
    edit,
    host,
    inner,
    keep,
    remove_address,
    restart,
    restart_open_paas,
    restore,
    signal_processes,
    start_supervisord,
    supervisorctl,
)

SECTION = "fatal-exited-too-quickly"
SUPERVISORD = "/.*/supervisord -c .*/supervisor-open_paas.conf"
SECOND_PORT = 9003
ENDLESS = "sleep 86400"
CLIENTS = 90  # of the hundred that may wait
CROWD = """
import socket, threading
def ask():
    while True:
        with socket.create_connection((ADDRESS, PORT)) as connection:
            connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            while connection.recv(4096): pass
for _ in range(CLIENTS): threading.Thread(target=ask).start()
"""
CROWD_PID = "/run/lab-crowd.pid"


def paas(lab: Lab) -> str:
    return host(lab, "paas")


def socket(lab: Lab) -> str:
    return f"{lab.layout.home}/logs/open_paas/supervisor.sock"


def ini(lab: Lab, service: str) -> str:
    return f"{lab.layout.home}/etc/uwsgi-open_paas-{service}.ini"


def conf(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/supervisor-open_paas.conf"


def cleaned_up(lab: Lab) -> None:
    restart_open_paas(lab, paas(lab))


def remove_socket(lab: Lab) -> None:
    lab.run(paas(lab), f"rm {socket(lab)}")


def start_over_lost_socket(lab: Lab) -> None:
    remove_socket(lab)
    start_supervisord(lab, paas(lab))
    await_states(lab, paas(lab), "FATAL")


def second_supervisord_stopped_all(lab: Lab) -> None:
    remove_socket(lab)
    start_supervisord(lab, paas(lab))
    supervisorctl(lab, paas(lab), "stop all")
    await_states(lab, paas(lab), "STOPPED")


def kill_supervisord(lab: Lab) -> None:
    signal_processes(lab, paas(lab), "KILL", SUPERVISORD)
    lab.run(paas(lab), f"while pgrep -f '^{SUPERVISORD}' >/dev/null; do sleep 0.05; done")


def start_over_orphans(lab: Lab) -> None:
    kill_supervisord(lab)
    start_supervisord(lab, paas(lab))
    await_states(lab, paas(lab), "FATAL")


def start_second_master(lab: Lab) -> None:
    """Somebody tried another port by hand, put the file back and forgot the process in a screen session."""
    name, path, port = paas(lab), ini(lab, "login"), lab.layout.ports["login"]
    edit(lab, name, path, f"s/^\\(http = .*\\):{port}$/\\1:{SECOND_PORT}/")
    session = f"{lab.layout.home}/.envs/login/bin/uwsgi --ini {path} </dev/null\nwait"
    lab.run(name, f"setsid bash -s <<< $'{session}' >/dev/null 2>&1 &")
    await_http(lab, name, f"http://{inner(lab, name)}:{SECOND_PORT}/healthz/", "200")
    restore(lab, name, path)


def end_second_master(lab: Lab) -> None:
    restore(lab, paas(lab), ini(lab, "login"))
    cleaned_up(lab)


def stop_program(lab: Lab) -> None:
    supervisorctl(lab, paas(lab), "stop esb")
    await_states(lab, paas(lab), "STOPPED", "esb")


def start_program(lab: Lab) -> None:
    supervisorctl(lab, paas(lab), "start esb")
    await_states(lab, paas(lab), "RUNNING", "esb")


def crash_and_crash(lab: Lab) -> None:
    """esb ends as soon as it starts, and supervisord was told never to mind."""
    name = paas(lab)
    edit(lab, name, ini(lab, "esb"), "s/^\\(chdir = .*\\)$/\\1_old/")
    edit(lab, name, conf(lab), "/^\\[program:esb\\]/a startsecs=0")
    supervisorctl(lab, name, "update")
    first = supervisorctl(lab, name, "pid esb")
    lab.wait(lambda: supervisorctl(lab, name, "pid esb") != first, 20, "esb gets another pid")


def crash_no_more(lab: Lab) -> None:
    name = paas(lab)
    restore(lab, name, ini(lab, "esb"))
    restore(lab, name, conf(lab))
    supervisorctl(lab, name, "update")
    await_states(lab, name, "RUNNING")


def take_port(lab: Lab) -> None:
    name, port = paas(lab), lab.layout.ports["login"]
    supervisorctl(lab, name, "stop login")
    await_states(lab, name, "STOPPED", "login")
    where = f"{port} --bind {inner(lab, name)} --directory /srv"
    lab.run(name, f"setsid python3 -m http.server {where} >/dev/null 2>&1 &")
    await_http(lab, name, f"http://{inner(lab, name)}:{port}/")
    supervisorctl(lab, name, "start login")
    await_states(lab, name, "FATAL", "login")


def give_port_back(lab: Lab) -> None:
    name = paas(lab)
    lab.run(name, "pkill -f '^python3 -m http.server' || true")
    restart(lab, name, "login")


def freeze_login(lab: Lab) -> None:
    signal_processes(lab, paas(lab), "STOP", "/.*uwsgi-open_paas-login.ini")


def thaw_login(lab: Lab) -> None:
    signal_processes(lab, paas(lab), "CONT", "/.*uwsgi-open_paas-login.ini")


def bind_elsewhere(lab: Lab) -> None:
    """The address of the wrong network card was written into login's file."""
    name = paas(lab)
    other = add_address(lab, name)
    edit(lab, name, ini(lab, "login"), f"s/^http = .*:/http = {other}:/")
    supervisorctl(lab, name, "restart login")
    await_http(lab, name, f"http://{other}:{lab.layout.ports['login']}/healthz/", "200")


def bind_right(lab: Lab) -> None:
    name = paas(lab)
    restore(lab, name, ini(lab, "login"))
    restart(lab, name, "login")
    remove_address(lab, name)


def forget_program(lab: Lab) -> None:
    """Somebody tidied supervisor's file, and esb with it."""
    edit(lab, paas(lab), conf(lab), "/^\\[program:esb\\]/,/^$/d")
    supervisorctl(lab, paas(lab), "update")


def remember_program(lab: Lab) -> None:
    restore(lab, paas(lab), conf(lab))
    supervisorctl(lab, paas(lab), "update")
    await_states(lab, paas(lab), "RUNNING")


def pid_file(lab: Lab) -> str:
    return f"{lab.layout.home}/logs/open_paas/supervisord.pid"


def other_pid(lab: Lab) -> None:
    keep(lab, paas(lab), pid_file(lab))
    lab.run(paas(lab), f"echo 4711 > {pid_file(lab)}")


def wait_for_ever(lab: Lab) -> None:
    """login waits for something before it opens its port; supervisor calls that RUNNING."""
    edit(lab, paas(lab), ini(lab, "login"), f"/^master/ a exec-asap = {ENDLESS}")
    supervisorctl(lab, paas(lab), "restart login")
    await_states(lab, paas(lab), "RUNNING", "login")


def wait_no_more(lab: Lab) -> None:
    restore(lab, paas(lab), ini(lab, "login"))
    lab.run(paas(lab), f"pkill -f '^{ENDLESS}' || true")
    restart(lab, paas(lab), "login")


def wsgi(lab: Lab) -> str:
    return f"{lab.layout.home}/open_paas/esb/wsgi.py"


def crowd(lab: Lab) -> None:
    """esb takes its time for each of its callers, and one of them asks without a pause."""
    name, client = paas(lab), host(lab, "cmdb")
    edit(lab, name, ini(lab, "esb"), "s/^http = /http-socket = /")
    slow = "import time; prompt = application; application = lambda *asked: (time.sleep(0.05), prompt(*asked))[1]"
    edit(lab, name, wsgi(lab), f"$ a {slow}")
    restart(lab, name, "esb")
    program = CROWD.replace("ADDRESS", f'"{address(lab, name)}"').replace(
        "PORT", str(lab.layout.ports["esb"])
    )
    program = program.replace("CLIENTS", str(CLIENTS))
    lab.run(client, f"setsid python3 -c '{program}' >/dev/null 2>&1 & echo $! > {CROWD_PID}")


def crowd_no_more(lab: Lab) -> None:
    lab.run(host(lab, "cmdb"), f"[ ! -e {CROWD_PID} ] || {{ kill -9 $(cat {CROWD_PID}); rm {CROWD_PID}; }}")
    for path in (ini(lab, "esb"), wsgi(lab)):
        restore(lab, paas(lab), path)
    restart(lab, paas(lab), "esb")


def on_second(words: str, state: str) -> Act:
    def act(lab: Lab) -> None:
        supervisorctl(lab, host(lab, "paas", 1), words)
        await_states(lab, host(lab, "paas", 1), state, words.split()[-1])

    return act


FAULTS = (
    Fault(
        "sock-removed",
        "supervisor-sock",
        SECTION,
        "supervisor.sock was removed while everything runs",
        "一切正常运行时 supervisor.sock 被删除",
        remove_socket,
        cleaned_up,
    ),
    Fault(
        "faq-fatal",
        "supervisor-proc",
        SECTION,
        "supervisor.sock was removed and open_paas started again: four times FATAL, the old processes serve on",
        "supervisor.sock 被删除后又启动 open_paas：四个 FATAL，旧进程仍在服务",
        start_over_lost_socket,
        cleaned_up,
    ),
    Fault(
        "two-supervisord",
        "supervisor-proc",
        SECTION,
        "a second supervisord has the socket and all its programs stopped; the first serves",
        "第二个 supervisord 占有 socket，且其程序全部停止；第一个仍在服务",
        second_supervisord_stopped_all,
        cleaned_up,
    ),
    Fault(
        "sock-mode",
        "supervisor-sock",
        SECTION,
        "supervisor.sock may be used by everybody",
        "supervisor.sock 的权限对所有人开放",
        lambda lab: lab.run(paas(lab), f"chmod 0777 {socket(lab)}"),
        lambda lab: lab.run(paas(lab), f"chmod 0700 {socket(lab)}"),
    ),
    Fault(
        "supervisord-killed",
        "supervisor-proc",
        SECTION,
        "supervisord was killed, its programs serve on without a parent",
        "supervisord 被杀死，其程序成为孤儿进程继续服务",
        kill_supervisord,
        cleaned_up,
    ),
    Fault(
        "orphans-fatal",
        "uwsgi-orphans",
        SECTION,
        "supervisord was killed and started again: FATAL, since the orphans hold the ports",
        "supervisord 被杀死后又启动：孤儿进程占用端口，状态 FATAL",
        start_over_orphans,
        cleaned_up,
    ),
    Fault(
        "second-master",
        "uwsgi-single-master",
        SECTION,
        "a second uwsgi of login was started by hand on another port",
        "手工在另一个端口上启动了 login 的第二个 uwsgi",
        start_second_master,
        end_second_master,
    ),
    Fault(
        "program-stopped",
        "supervisor-status",
        SECTION,
        "esb was stopped",
        "esb 被停止",
        stop_program,
        start_program,
    ),
    Fault(
        "crash-loop",
        "supervisor-status",
        SECTION,
        "esb ends at once and is started again and again: RUNNING, every time with another pid",
        "esb 不断退出并被重新拉起：状态 RUNNING，但每次 pid 不同",
        crash_and_crash,
        crash_no_more,
    ),
    Fault(
        "port-taken",
        "port-owner",
        SECTION,
        "a foreign program holds login's port",
        "其他程序占用了 login 的端口",
        take_port,
        give_port_back,
    ),
    Fault(
        "frozen-login",
        "services-answer",
        "platform-healthy",
        "login takes connections and never answers",
        "login 接受连接但从不应答",
        freeze_login,
        thaw_login,
    ),
    Fault(
        "bind-wrong",
        "bind-address-consistent",
        "login-502",
        "login listens on another address of its host than nginx asks",
        "login 监听的地址不是 nginx 所访问的地址",
        bind_elsewhere,
        bind_right,
    ),
    Fault(
        "program-forgotten",
        "supervisor-status",
        SECTION,
        "esb is missing in supervisor's file",
        "supervisor 的配置中缺少 esb",
        forget_program,
        remember_program,
    ),
    Fault(
        "program-stopped-second",
        "supervisor-status",
        SECTION,
        "esb was stopped on the second paas host",
        "第二台 paas 上的 esb 被停止",
        on_second("stop esb", "STOPPED"),
        on_second("start esb", "RUNNING"),
    ),
    Fault(
        "supervisord-pid-stale",
        "supervisor-proc",
        SECTION,
        "supervisord's pid file names another process",
        "supervisord 的 pid 文件内容不对",
        other_pid,
        lambda lab: restore(lab, paas(lab), pid_file(lab)),
    ),
    Fault(
        "sock-owner",
        "supervisor-sock",
        SECTION,
        "supervisor.sock belongs to another user than supervisord runs as",
        "supervisor.sock 的属主不是 supervisord 的运行用户",
        lambda lab: lab.run(paas(lab), f"chown nobody {socket(lab)}"),
        lambda lab: lab.run(paas(lab), f"chown root {socket(lab)}"),
    ),
    Fault(
        "login-waits",
        "paas-ports-local",
        "login-502",
        "login is RUNNING, but waits for something before it opens its port",
        "login 状态为 RUNNING，但启动时一直等待，没有打开端口",
        wait_for_ever,
        wait_no_more,
    ),
    Fault(
        "esb-crowded",
        "listen-queue",
        "login-502",
        "more callers wait for esb than it can serve",
        "等待 esb 的请求超过其处理能力",
        crowd,
        crowd_no_more,
    ),
    Fault(
        "frozen-appengine",
        "services-answer",
        "platform-healthy",
        "appengine takes connections and never answers",
        "appengine 接受连接但从不应答",
        lambda lab: signal_processes(lab, paas(lab), "STOP", "/.*uwsgi-open_paas-appengine.ini"),
        lambda lab: signal_processes(lab, paas(lab), "CONT", "/.*uwsgi-open_paas-appengine.ini"),
    ),
)
