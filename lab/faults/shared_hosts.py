"""Layout b: few hosts, many roles on each, another home and other ports than usual."""

from __future__ import annotations

from pathlib import Path

from lab.control import Lab
from lab.faults.actions import (
    address,
    await_http,
    await_states,
    edit,
    host,
    keep,
    restart,
    restart_nginx,
    restore,
    start_roles,
    supervisorctl,
    unblock,
)
from lab.faults.agents import site, start_after_the_file, start_before_the_file
from lab.faults.fault import Act, Fault
from lab.faults.search_engine import signal_search

LAYOUT = "b"
OTHER_HOME = "/data/bkce"


def ini(lab: Lab, service: str) -> str:
    return f"{lab.layout.home}/etc/uwsgi-open_paas-{service}.ini"


def listen_on_loopback(lab: Lab) -> None:
    name, port = host(lab, "appo"), lab.layout.ports["agent_nginx"]
    edit(lab, name, site(lab), f"s/listen {port};/listen 127.0.0.1:{port};/")
    restart_nginx(lab, name)


def listen_everywhere(lab: Lab) -> None:
    restore(lab, host(lab, "appo"), site(lab))
    restart_nginx(lab, host(lab, "appo"))


def inventory(lab: Lab, name: str) -> tuple[Path, Path]:
    """A file of the inventory, and where it is kept meanwhile."""
    return lab.state_dir / "inventory" / name, lab.state_dir / f"{name}.kept"


def edit_inventory(lab: Lab, name: str, right: str, wrong: str) -> None:
    file, kept = inventory(lab, name)
    kept.write_text(file.read_text("utf-8"), "utf-8")
    file.write_text(kept.read_text("utf-8").replace(right, wrong), "utf-8")


def right_inventory(lab: Lab, name: str) -> None:
    file, kept = inventory(lab, name)
    if kept.exists():
        kept.replace(file)


def usual_port(lab: Lab) -> None:
    right = f"APP_NGXPROXY_PORT={lab.layout.ports['agent_nginx']}"
    edit_inventory(lab, "ports.env", right, "APP_NGXPROXY_PORT=8010")


def other_key(lab: Lab) -> None:
    """The inventory names a key that no host knows."""
    key = lab.state_dir / "id_other"
    key.unlink(missing_ok=True)
    lab.exec(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)])
    edit_inventory(lab, "deployment.yaml", "id_ed25519", key.name)


def service(name: str, sed: str) -> tuple[Act, Act]:
    """Another uwsgi file for one service of open_paas, which is restarted; {address} is the host's, {home} the site's."""

    def break_(lab: Lab) -> None:
        paas = host(lab, "paas")
        expression = sed.format(address=address(lab, paas), home=lab.layout.home)
        edit(lab, paas, ini(lab, name), expression)
        supervisorctl(lab, paas, f"restart {name}")

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, "paas"), ini(lab, name))
        restart(lab, host(lab, "paas"), name)

    return break_, heal


LOOPBACK = service("login", "s/^http = {address}:/http = 127.0.0.1:/")
COPIED = service("login", f"s#{{home}}/#{OTHER_HOME}/#g")


def bind_loopback(lab: Lab) -> None:
    LOOPBACK[0](lab)
    paas = host(lab, "paas")
    await_states(lab, paas, "RUNNING", "login")
    await_http(lab, paas, f"http://127.0.0.1:{lab.layout.ports['login']}/")


def copy_from_the_other_edition(lab: Lab) -> None:
    COPIED[0](lab)
    await_states(lab, host(lab, "paas"), "FATAL", "login")


def cut_off_platforms(lab: Lab) -> None:
    """The firewall of a host with cmdb, job and paas blocks connections to the domain."""
    gate, port = address(lab, host(lab, "nginx")), lab.layout.ports["http"]
    rule = f"OUTPUT -d {gate} -p tcp --dport {port} -j REJECT --reject-with tcp-reset"
    lab.run(host(lab, "cmdb"), f"iptables -I {rule}")


def let_out(lab: Lab) -> None:
    lab.run(host(lab, "cmdb"), "iptables -F OUTPUT")


def forward_nothing(lab: Lab) -> None:
    """Only what shares nginx's host loses its way: the other app host is not touched."""
    name = host(lab, "appo")
    source, port = address(lab, host(lab, "nginx")), lab.layout.ports["agent_nginx"]
    lab.run(name, f"iptables -I INPUT -s {source} -p tcp --dport {port} -j DROP")


def lose_a_site(lab: Lab) -> None:
    keep(lab, host(lab, "nginx"), gate(lab))
    lab.run(host(lab, "nginx"), f"rm {gate(lab)}")
    restart_nginx(lab, host(lab, "nginx"))


def find_the_site(lab: Lab) -> None:
    restore(lab, host(lab, "nginx"), gate(lab))
    restart_nginx(lab, host(lab, "nginx"))


def gate(lab: Lab) -> str:
    return f"{lab.layout.home}/etc/nginx/paas.conf"


def cable(lab: Lab, state: str) -> None:
    lab.exec(["ip", "link", "set", f"v-{host(lab, 'nginx')}", state])


FAULTS = (
    Fault(
        "shared-nginx-not-reloaded",
        "agent-nginx-8010",
        "appt-502",
        "the nginx that serves the domain and appt was started before the agent's site was there",
        "同时服务域名和 appt 的 nginx 启动早于 agent 站点配置，之后从未重载",
        start_before_the_file,
        start_after_the_file,
        LAYOUT,
    ),
    Fault(
        "agent-nginx-on-loopback",
        "agent-nginx-8010",
        "appt-502",
        "nginx on the appo host listens on 127.0.0.1 only",
        "appo 上的 nginx 只监听 127.0.0.1",
        listen_on_loopback,
        listen_everywhere,
        LAYOUT,
    ),
    Fault(
        "inventory-port-wrong",
        "agent-nginx-8010",
        "appt-502",
        "ports.env has the usual port of the agent's nginx, the hosts have another one",
        "ports.env 中 agent nginx 的端口是默认值，与主机上的实际端口不同",
        usual_port,
        lambda lab: right_inventory(lab, "ports.env"),
        LAYOUT,
    ),
    Fault(
        "key-of-another-site",
        "controller-connectivity",
        "foundations",
        "the inventory names a key that no host accepts",
        "清单中的密钥不被任何主机接受",
        other_key,
        lambda lab: right_inventory(lab, "deployment.yaml"),
        LAYOUT,
    ),
    Fault(
        "login-on-loopback",
        "bind-address-consistent",
        "login-502",
        "login listens on 127.0.0.1 only",
        "login 只监听 127.0.0.1",
        bind_loopback,
        LOOPBACK[1],
        LAYOUT,
    ),
    Fault(
        "login-of-other-edition",
        "supervisor-status",
        "fatal-exited-too-quickly",
        "login's uwsgi file was copied from a community edition: its paths lead to /data/bkce",
        "login 的 uwsgi 配置拷贝自社区版，路径指向 /data/bkce",
        copy_from_the_other_edition,
        COPIED[1],
        LAYOUT,
    ),
    Fault(
        "shared-host-cut-off",
        "login-is-login-domain",
        "login-redirect-loop",
        "the host of paas, cmdb and job may not connect to the domain",
        "paas、cmdb、job 共用的主机无法连接 PaaS 域名",
        cut_off_platforms,
        let_out,
        LAYOUT,
    ),
    Fault(
        "one-es-of-three-stopped",
        "es-health",
        "no-logs",
        "of three search engines, the one that paas uses does not run",
        "三台 Elasticsearch 中 paas 使用的那台没有运行",
        lambda lab: signal_search(lab, "TERM"),
        lambda lab: start_roles(lab, host(lab, "es")),
        LAYOUT,
    ),
    Fault(
        "agent-firewalled-from-shared-nginx",
        "agent-8010-from-nginx",
        "appt-502",
        "a firewall drops what nginx sends to the appo host, while the appt host is nginx's own",
        "防火墙丢弃 nginx 发往 appo 的报文，而 appt 与 nginx 同机",
        forward_nothing,
        lambda lab: unblock(lab, host(lab, "appo")),
        LAYOUT,
    ),
    Fault(
        "front-site-missing",
        "nginx-conf-port80",
        "login-502",
        "nginx in front has lost paas.conf; the agent's site on the same nginx works",
        "入口 nginx 缺少 paas.conf，同一 nginx 上的 agent 站点正常",
        lose_a_site,
        find_the_site,
        LAYOUT,
    ),
    Fault(
        "front-host-down",
        "host-reachable",
        "foundations",
        "the network cable of the host with nginx, appt and a search engine is out",
        "nginx、appt、Elasticsearch 共用的主机网线被拔掉",
        lambda lab: cable(lab, "down"),
        lambda lab: cable(lab, "up"),
        LAYOUT,
    ),
)
