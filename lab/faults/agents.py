"""nginx, paas_agent and the SaaS on the appo and appt hosts."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    KEPT,
    address,
    await_http,
    block,
    edit,
    host,
    keep,
    reload_nginx,
    restart_nginx,
    restore,
    signal_processes,
    stop_nginx,
    supervisorctl,
    unblock,
)
from lab.faults.fault import Act, Fault

SECTION = "appt-502"
UWSGI = "/.*/Envs/bk_framework/bin/uwsgi"


def site(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/nginx/paasagent.conf"


def start_before_the_file(lab: Lab) -> None:
    """nginx was not reloaded after the agent's site was installed."""
    name = host(lab, "appt")
    keep(lab, name, site(lab))
    stop_nginx(lab, name)
    lab.run(name, f"rm {site(lab)} && /usr/sbin/nginx && cp {KEPT}{site(lab)} {site(lab)}")


def start_after_the_file(lab: Lab) -> None:
    restore(lab, host(lab, "appt"), site(lab))
    restart_nginx(lab, host(lab, "appt"))


def block_applications(lab: Lab) -> None:
    source = address(lab, host(lab, "nginx"))
    block(lab, host(lab, "appt"), lab.layout.ports["agent_nginx"], source, "DROP")


def block_agent(lab: Lab) -> None:
    source = address(lab, host(lab, "paas"))
    block(lab, host(lab, "appo"), lab.layout.ports["agent"], source, "DROP")


def swap(lab: Lab) -> None:
    """The test host's address stands where the production host's belongs, and the other way round."""
    production, test = address(lab, host(lab, "appo")), address(lab, host(lab, "appt"))
    sed = f"/PAAS_AGENT_PROD {{/,/}}/s/{production}/{test}/; /PAAS_AGENT_TEST {{/,/}}/s/{test}/{production}/"
    edit(lab, host(lab, "nginx"), gate_site(lab), sed)
    reload_nginx(lab, host(lab, "nginx"))


def swap_back(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), gate_site(lab))
    reload_nginx(lab, host(lab, "nginx"))


def gate_site(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/nginx/paas.conf"


def stop_agent(lab: Lab) -> None:
    supervisorctl(lab, host(lab, "appo"), "stop paas_agent", module="paas_agent")


def start_agent(lab: Lab) -> None:
    supervisorctl(lab, host(lab, "appo"), "start paas_agent", module="paas_agent")


def lose_agent_program(lab: Lab) -> None:
    """The program of paas_agent was removed, and the agent was restarted."""
    stop_agent(lab)
    lab.run(host(lab, "appo"), f"mv {agent_program(lab)} {agent_program(lab)}.old")


def find_agent_program(lab: Lab) -> None:
    lab.run(
        host(lab, "appo"),
        f"[ ! -e {agent_program(lab)}.old ] || mv {agent_program(lab)}.old {agent_program(lab)}",
    )
    start_agent(lab)


def agent_conf(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/supervisor-paas_agent.conf"


def start_agent_with_proxy(lab: Lab) -> None:
    """The proxy of an administrator's shell was written into the file of the agent's supervisord."""
    proxy = ".".join((*address(lab, host(lab, "appo")).split(".")[:3], "99"))
    line = f'environment=http_proxy="http://{proxy}:3128"'
    edit(lab, host(lab, "appo"), agent_conf(lab), f"/^\\[program:paas_agent\\]/a {line}")
    supervisorctl(lab, host(lab, "appo"), "update", module="paas_agent")


def start_agent_without_proxy(lab: Lab) -> None:
    restore(lab, host(lab, "appo"), agent_conf(lab))
    supervisorctl(lab, host(lab, "appo"), "update", module="paas_agent")
    url = f"http://{address(lab, host(lab, 'appo'))}:{lab.layout.ports['agent']}/healthz"
    await_http(lab, host(lab, "appo"), url, "200")


def agent_program(lab: Lab) -> str:
    return f"{lab.layout.home}/paas_agent/paas_agent/bin/paas_agent"


def kill_application(lab: Lab) -> None:
    signal_processes(lab, host(lab, "appo"), "KILL", "/.*/Envs/bk_framework/bin/uwsgi")


def lose_agent_site(lab: Lab) -> None:
    edit(lab, host(lab, "appo"), site(lab), "d")
    reload_nginx(lab, host(lab, "appo"))


def find_agent_site(lab: Lab) -> None:
    restore(lab, host(lab, "appo"), site(lab))
    reload_nginx(lab, host(lab, "appo"))


def listen_on_loopback(lab: Lab) -> None:
    """Someone hardened the site: nginx of the appt host listens on loopback only."""
    name, port = host(lab, "appt"), lab.layout.ports["agent_nginx"]
    edit(lab, name, site(lab), f"s/listen .*{port}.*;/listen 127.0.0.1:{port};/")
    restart_nginx(lab, name)


def take_port(lab: Lab) -> None:
    """A file server that was started by hand has nginx's port."""
    name, port = host(lab, "appt"), lab.layout.ports["agent_nginx"]
    stop_nginx(lab, name)
    lab.run(name, f"setsid python3 -m http.server {port} --directory /srv >/dev/null 2>&1 &")
    await_http(lab, name, f"http://{address(lab, name)}:{port}/", "200")


def give_port_back(lab: Lab) -> None:
    lab.run(host(lab, "appt"), "pkill -f '^python3 -m http.server' || true")
    restart_nginx(lab, host(lab, "appt"))


def configured(sed: str) -> tuple[Act, Act]:
    """Another line in the file of the agent on the appo host, which was restarted to know it."""

    def path(lab: Lab) -> str:
        return f"{lab.layout.home}/etc/paas_agent_config.yaml"

    def break_(lab: Lab) -> None:
        edit(lab, host(lab, "appo"), path(lab), sed)
        supervisorctl(lab, host(lab, "appo"), "restart paas_agent", module="paas_agent")

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, "appo"), path(lab))
        supervisorctl(lab, host(lab, "appo"), "restart paas_agent", module="paas_agent")

    return break_, heal


def run_folder(lab: Lab) -> str:
    return f"{lab.layout.home}/paas_agent/apps/projects/bk_framework/run"


def start_application(lab: Lab, role: str) -> None:
    """Start the application again with its ini, whatever is left of it."""
    name, apps = host(lab, role), f"{lab.layout.home}/paas_agent/apps"
    lab.run(
        name, f"pkill -KILL -f '^{UWSGI}'; while pgrep -f '^{UWSGI}' >/dev/null; do sleep 0.05; done; true"
    )
    lab.run(
        name,
        f"rm -f {run_folder(lab)}/uwsgi.pid {run_folder(lab)}/uwsgi.sock &&"
        f" {apps}/Envs/bk_framework/bin/uwsgi --ini {apps}/projects/bk_framework/conf/bk_framework.ini",
    )


def tidy_sockets(lab: Lab) -> None:
    lab.run(host(lab, "appt"), f"mv {run_folder(lab)}/uwsgi.sock {run_folder(lab)}/uwsgi.sock.old")


def untidy_sockets(lab: Lab) -> None:
    old = f"{run_folder(lab)}/uwsgi.sock.old"
    lab.run(host(lab, "appt"), f"[ ! -e {old} ] || mv {old} {run_folder(lab)}/uwsgi.sock")


FAULTS = (
    Fault(
        "agent-nginx-not-listening",
        "agent-nginx-8010",
        SECTION,
        "nginx on the appt host was started before its site was there, and never reloaded",
        "appt 上的 nginx 启动早于站点配置，之后从未重载",
        start_before_the_file,
        start_after_the_file,
    ),
    Fault(
        "agent-nginx-stopped",
        "agent-nginx-8010",
        SECTION,
        "nginx on the appo host does not run",
        "appo 上的 nginx 没有运行",
        lambda lab: stop_nginx(lab, host(lab, "appo")),
        lambda lab: restart_nginx(lab, host(lab, "appo")),
    ),
    Fault(
        "agent-8010-firewalled",
        "agent-8010-from-nginx",
        SECTION,
        "a firewall drops what nginx sends to the appt host",
        "防火墙丢弃 nginx 发往 appt 的报文",
        block_applications,
        lambda lab: unblock(lab, host(lab, "appt")),
    ),
    Fault(
        "agent-firewalled-from-paas",
        "agent-from-paas",
        SECTION,
        "a firewall drops what the first paas host sends to paas_agent on the appo host",
        "防火墙丢弃第一台 paas 发往 appo 上 paas_agent 的报文",
        block_agent,
        lambda lab: unblock(lab, host(lab, "appo")),
    ),
    Fault(
        "agent-swapped-upstreams",
        "agent-upstream-map",
        SECTION,
        "nginx sends production's requests to the test host and the other way round",
        "nginx 把正式环境的请求发往测试服务器，反之亦然",
        swap,
        swap_back,
    ),
    Fault(
        "agent-stopped",
        "agent-process",
        SECTION,
        "paas_agent on the appo host is stopped",
        "appo 上的 paas_agent 已停止",
        stop_agent,
        start_agent,
    ),
    Fault(
        "agent-program-lost",
        "agent-process",
        SECTION,
        "paas_agent on the appo host is stopped, and its program is gone",
        "appo 上的 paas_agent 已停止，其程序不存在",
        lose_agent_program,
        find_agent_program,
    ),
    Fault(
        "agent-behind-proxy",
        "http-proxy-env",
        SECTION,
        "paas_agent on the appo host was started with a proxy that does not exist",
        "appo 上的 paas_agent 启动时带有不存在的代理",
        start_agent_with_proxy,
        start_agent_without_proxy,
    ),
    Fault(
        "agent-app-path-lost",
        "agent-app-path",
        SECTION,
        "BASE_APP_PATH of the agent on the appo host is a directory that is not there",
        "appo 上 agent 的 BASE_APP_PATH 指向不存在的目录",
        *configured("s#^\\( *BASE_APP_PATH:\\).*#\\1 '/data/apps/paas_agent'#"),
    ),
    Fault(
        "saas-dead",
        "saas-run-state",
        SECTION,
        "bk_framework on the appo host died and left its pid file",
        "appo 上的 bk_framework 已异常退出，留下了 pid 文件",
        kill_application,
        lambda lab: start_application(lab, "appo"),
    ),
    Fault(
        "agent-site-lost",
        "agent-nginx-8010",
        SECTION,
        "the site of nginx on the appo host is empty",
        "appo 上 nginx 的 paasagent.conf 是空文件",
        lose_agent_site,
        find_agent_site,
    ),
    Fault(
        "agent-site-on-loopback",
        "agent-nginx-8010",
        SECTION,
        "nginx on the appt host listens on 127.0.0.1 only",
        "appt 上的 nginx 只监听 127.0.0.1",
        listen_on_loopback,
        start_after_the_file,
    ),
    Fault(
        "agent-port-taken",
        "agent-nginx-8010",
        SECTION,
        "another program has nginx's port on the appt host",
        "appt 上 nginx 的 8010 端口被其他程序占用",
        take_port,
        give_port_back,
    ),
    Fault(
        "agent-frozen",
        "agent-process",
        SECTION,
        "paas_agent on the appo host accepts connections and does not answer",
        "appo 上的 paas_agent 接受连接但没有应答",
        lambda lab: signal_processes(lab, host(lab, "appo"), "STOP", "/.*/bin/paas_agent"),
        lambda lab: signal_processes(lab, host(lab, "appo"), "CONT", "/.*/bin/paas_agent"),
    ),
    Fault(
        "agent-loopback-only",
        "agent-from-paas",
        SECTION,
        "paas_agent on the appo host listens on its loopback address only",
        "appo 上的 paas_agent 只监听回环地址",
        *configured("s/^ip: .*/ip: '127.0.0.1'/"),
    ),
    Fault(
        "agent-token-wrong",
        "agent-registered",
        SECTION,
        "paas_agent on the appo host has another token than the database",
        "appo 上 paas_agent 的 token 与数据库中的不同",
        *configured("s/^  token: .*/  token: 'd4c0b3a2-0000-4000-8000-1f2e3d4c5b6a'/"),
    ),
    Fault(
        "saas-socket-missing",
        "saas-run-state",
        SECTION,
        "the socket of bk_framework on the appt host was tidied away",
        "appt 上 bk_framework 的 socket 被清理",
        tidy_sockets,
        untidy_sockets,
    ),
)
