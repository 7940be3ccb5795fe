"""nginx, paas_agent and the SaaS on the appo and appt hosts."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.fault import Fault
from lab.faults.hands import (
    KEPT,
    address,
    block,
    edit,
    host,
    keep,
    reload_nginx,
    restart_nginx,
    restore,
    signal_processes,
    start_roles,
    stop_nginx,
    supervisorctl,
    unblock,
)

SECTION = "appt-502"


def site(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/nginx/paasagent.conf"


def start_before_the_file(lab: Lab) -> None:
    """nginx ran already when the agent's site was installed, and nobody reloaded it."""
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


def kill_application(lab: Lab) -> None:
    signal_processes(lab, host(lab, "appo"), "KILL", "/.*/Envs/bk_framework/bin/uwsgi")


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
        "saas-dead",
        "saas-run-state",
        SECTION,
        "bk_framework on the appo host died and left its pid file",
        "appo 上的 bk_framework 已异常退出，留下了 pid 文件",
        kill_application,
        lambda lab: start_roles(lab, host(lab, "appo")),
    ),
)
