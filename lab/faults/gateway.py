"""nginx in front, its upstreams, and the firewall between it and the paas hosts."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.fault import Act, Fault
from lab.faults.hands import (
    add_address,
    address,
    await_http,
    block,
    edit,
    gate_url,
    host,
    reload_nginx,
    remove_address,
    restart_nginx,
    restore,
    stop_nginx,
    unblock,
)

SECTION = "login-502"
SITES = ("default", "paas", "cmdb", "job")
OLD_LOGIN = "10.66.0.19"  # of a host that is no more


def nginx(lab: Lab) -> str:
    return host(lab, "nginx")


def site(lab: Lab, name: str) -> str:
    return f"{lab.layout.home}/etc/nginx/{name}.conf"


def firewall(verdict: str) -> tuple[Act, Act]:
    """The first paas host lets nobody from nginx to login."""

    def break_(lab: Lab) -> None:
        source = address(lab, nginx(lab))
        block(lab, host(lab, "paas"), lab.layout.ports["login"], source, verdict)

    return break_, lambda lab: unblock(lab, host(lab, "paas"))


def upstreams(sed: str) -> tuple[Act, Act]:
    """Other upstreams in paas.conf; {first} and {second} stand for the addresses of the paas hosts."""

    def break_(lab: Lab) -> None:
        first, second = (address(lab, host(lab, "paas", number)) for number in (0, 1))
        edit(lab, nginx(lab), site(lab, "paas"), sed.format(first=first, second=second))
        reload_nginx(lab, nginx(lab))

    def heal(lab: Lab) -> None:
        restore(lab, nginx(lab), site(lab, "paas"))
        reload_nginx(lab, nginx(lab))

    return break_, heal


def listen_elsewhere(lab: Lab) -> None:
    """All of nginx on the second network card only, while the names lead to the first."""
    name, port = nginx(lab), lab.layout.ports["http"]
    second = add_address(lab, name)
    for each in SITES:
        edit(lab, name, site(lab, each), f"s/listen {port}/listen {second}:{port}/")
    restart_nginx(lab, name)


def listen_right(lab: Lab) -> None:
    name = nginx(lab)
    for each in SITES:
        restore(lab, name, site(lab, each))
    restart_nginx(lab, name)
    remove_address(lab, name)


def shadow(lab: Lab) -> None:
    """An old site that names the address itself gets all requests for it, whatever their Host."""
    name, port = nginx(lab), lab.layout.ports["http"]
    server = f"listen {address(lab, name)}:{port}; server_name portal.{lab.layout.domain}; return 404;"
    lab.run(name, f"echo 'server {{ {server} }}' > {site(lab, 'portal')}")
    reload_nginx(lab, name)
    await_http(lab, name, gate_url(lab, "/healthz/"), "404")


def unshadow(lab: Lab) -> None:
    lab.run(nginx(lab), f"rm -f {site(lab, 'portal')}")
    reload_nginx(lab, nginx(lab))


FAULTS = (
    Fault(
        "firewall-drop",
        "paas-ports-from-nginx",
        SECTION,
        "a firewall drops what nginx sends to login on the first paas host",
        "防火墙丢弃 nginx 发往第一台 paas 上 login 的报文",
        *firewall("DROP"),
    ),
    Fault(
        "firewall-reject",
        "paas-ports-from-nginx",
        SECTION,
        "a firewall rejects what nginx sends to login on the first paas host",
        "防火墙拒绝 nginx 发往第一台 paas 上 login 的报文",
        *firewall("REJECT --reject-with icmp-host-prohibited"),
    ),
    Fault(
        "upstream-stale",
        "nginx-conf-upstreams",
        SECTION,
        "nginx sends half of the logins to the address of a host that is no more",
        "nginx 把一半的登录请求发往已不存在的主机地址",
        *upstreams(f"/upstream OPEN_PAAS_LOGIN /,/}}}}/s/{{first}}/{OLD_LOGIN}/"),
    ),
    Fault(
        "upstream-missing-host",
        "nginx-upstreams-complete",
        SECTION,
        "nginx does not know the second paas host",
        "nginx 的 upstream 中没有第二台 paas",
        *upstreams("/server {second}:/d"),
    ),
    Fault(
        "nginx-other-nic",
        "nginx-listen-vs-domain",
        SECTION,
        "nginx listens on its second address only, the names lead to the first",
        "nginx 只监听第二个地址，而域名指向第一个",
        listen_elsewhere,
        listen_right,
    ),
    Fault(
        "nginx-shadowed",
        "nginx-listen-vs-domain",
        SECTION,
        "another server block names nginx's address itself and gets all its requests",
        "另一个 server 块明确监听 nginx 的地址，抢走了全部请求",
        shadow,
        unshadow,
    ),
    Fault(
        "nginx-stopped",
        "nginx-conf-port80",
        SECTION,
        "nginx in front does not run",
        "入口 nginx 没有运行",
        lambda lab: stop_nginx(lab, nginx(lab)),
        lambda lab: restart_nginx(lab, nginx(lab)),
    ),
)
