"""The uwsgi processes of open_paas: their ports, addresses and queues."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    add_address,
    address,
    await_http,
    await_states,
    edit,
    host,
    inner,
    remove_address,
    restart,
    restore,
    signal_processes,
    supervisorctl,
)
from lab.faults.fault import Act, Fault
from lab.faults.supervision import SECTION, cleaned_up, ini, paas

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


def start_second_master(lab: Lab, second: int = SECOND_PORT) -> None:
    """A process with another port was left running in a screen session; the file has the right port."""
    name, path, port = paas(lab), ini(lab, "login"), lab.layout.ports["login"]
    edit(lab, name, path, f"s/^\\(http = .*\\):{port}$/\\1:{second}/")
    session = f"{lab.layout.home}/.envs/login/bin/uwsgi --ini {path} </dev/null\nwait"
    lab.run(name, f"setsid bash -s <<< $'{session}' >/dev/null 2>&1 &")
    await_http(lab, name, f"http://{inner(lab, name)}:{second}/healthz/", "200")
    restore(lab, name, path)


def end_second_master(lab: Lab) -> None:
    restore(lab, paas(lab), ini(lab, "login"))
    cleaned_up(lab)


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


def bind_loopback(service: str) -> Act:
    def break_(lab: Lab) -> None:
        name = paas(lab)
        edit(lab, name, ini(lab, service), "s/^http = .*:/http = 127.0.0.1:/")
        supervisorctl(lab, name, f"restart {service}")
        await_http(lab, name, f"http://127.0.0.1:{lab.layout.ports[service]}/")

    return break_


def unbind_loopback(service: str) -> Act:
    def heal(lab: Lab) -> None:
        restore(lab, paas(lab), ini(lab, service))
        restart(lab, paas(lab), service)

    return heal


def bind_right(lab: Lab) -> None:
    name = paas(lab)
    restore(lab, name, ini(lab, "login"))
    restart(lab, name, "login")
    remove_address(lab, name)


def hang(lab: Lab) -> None:
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


def crowd(lab: Lab, clients: int = CLIENTS) -> None:
    """esb takes its time for each of its callers, and one of them asks without a pause."""
    name, client = paas(lab), host(lab, "cmdb")
    edit(lab, name, ini(lab, "esb"), "s/^http = /http-socket = /")
    slow = "import time; prompt = application; application = lambda *asked: (time.sleep(0.05), prompt(*asked))[1]"
    edit(lab, name, wsgi(lab), f"$ a {slow}")
    restart(lab, name, "esb")
    program = CROWD.replace("ADDRESS", f'"{address(lab, name)}"').replace(
        "PORT", str(lab.layout.ports["esb"])
    )
    program = program.replace("CLIENTS", str(clients))
    lab.run(client, f"setsid python3 -c '{program}' >/dev/null 2>&1 & echo $! > {CROWD_PID}")


def crowd_no_more(lab: Lab) -> None:
    lab.run(host(lab, "cmdb"), f"[ ! -e {CROWD_PID} ] || {{ kill -9 $(cat {CROWD_PID}); rm {CROWD_PID}; }}")
    for path in (ini(lab, "esb"), wsgi(lab)):
        restore(lab, paas(lab), path)
    restart(lab, paas(lab), "esb")


def crowd_for_a_while(lab: Lab) -> None:
    """Let the queue of esb be full until uwsgi has written it, and be well again."""
    log = f"{lab.layout.home}/logs/open_paas/esb_uwsgi.log"
    crowd(lab, 2 * CLIENTS)
    lab.wait(
        lambda: "yes" in lab.run(paas(lab), f"grep -q 'listen queue of' {log} && echo yes || true"),
        40,
        "esb's queue is full",
    )
    crowd_no_more(lab)


FAULTS = (
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
        "second-master-8010",
        "uwsgi-single-master",
        SECTION,
        "a second uwsgi of login was started by hand on the port of the app hosts' nginx",
        "手工在 app 主机 nginx 的端口上启动了 login 的第二个 uwsgi",
        lambda lab: start_second_master(lab, lab.layout.ports["agent_nginx"]),
        end_second_master,
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
        "login accepts connections and does not answer",
        "login 接受连接但没有应答",
        freeze_login,
        thaw_login,
    ),
    Fault(
        "bind-wrong",
        "bind-address-consistent",
        "login-502",
        "login listens on another address of its host than nginx uses",
        "login 监听的地址不是 nginx 所访问的地址",
        bind_elsewhere,
        bind_right,
    ),
    Fault(
        "login-bound-to-loopback",
        "bind-address-consistent",
        "login-502",
        "login listens on loopback, nginx and the settings of paas use its address",
        "login 只监听回环地址，nginx 和 paas 的配置使用其网卡地址",
        bind_loopback("login"),
        unbind_loopback("login"),
    ),
    Fault(
        "appengine-bound-to-loopback",
        "bind-address-consistent",
        "login-502",
        "appengine listens on loopback, nginx and the settings of paas use its address",
        "appengine 只监听回环地址，nginx 和 paas 的配置使用其网卡地址",
        bind_loopback("appengine"),
        unbind_loopback("appengine"),
    ),
    Fault(
        "login-waits",
        "paas-ports-local",
        "login-502",
        "login is RUNNING, but waits for something before it opens its port",
        "login 状态为 RUNNING，但启动时一直等待，没有打开端口",
        hang,
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
        "esb-was-crowded",
        "listen-queue",
        "login-502",
        "the queue of esb was full a short while ago, and nothing waits now",
        "esb 的连接队列不久前曾被占满，现在没有等待的连接",
        crowd_for_a_while,
        crowd_no_more,
    ),
    Fault(
        "frozen-appengine",
        "services-answer",
        "platform-healthy",
        "appengine accepts connections and does not answer",
        "appengine 接受连接但没有应答",
        lambda lab: signal_processes(lab, paas(lab), "STOP", "/.*uwsgi-open_paas-appengine.ini"),
        lambda lab: signal_processes(lab, paas(lab), "CONT", "/.*uwsgi-open_paas-appengine.ini"),
    ),
)
