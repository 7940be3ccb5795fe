"""Layout c: certificates, the virtual address of two nginx hosts, an account that is not root."""

from __future__ import annotations

from lab import certificates
from lab.control import TLS, Lab
from lab.faults.actions import (
    await_http,
    edit,
    fqdn,
    host,
    keep,
    reload_nginx,
    restart_nginx,
    restore,
    stop_nginx,
)
from lab.faults.fault import Act, Fault
from lab.faults.settings import production

LAYOUT = "c"
SECTION = "login-502"
STORE = "/etc/ssl/certs/ca-certificates.crt"
SITES = ("paas", "cmdb", "job")
SUDOERS = "/etc/sudoers.d/ops"


def certificate(lab: Lab) -> str:
    return f"{lab.layout.home}/cert/bk_domain.crt"


def present(*numbers: int, days: float = certificates.DAYS, names: tuple[str, ...] = ()) -> tuple[Act, Act]:
    """Another certificate of the site's authority on the nginx hosts with those numbers; names: below the domain."""

    def break_(lab: Lab) -> None:
        wanted = [f"{name}.{lab.layout.domain}" for name in names] or list(lab.layout.names)
        pem = certificates.issue(lab.state_dir / TLS, wanted, days=days)
        for number in numbers:
            name = host(lab, "nginx", number)
            keep(lab, name, certificate(lab))
            lab.run(name, f"cat > {certificate(lab)} <<'PEM'\n{pem}PEM")
            reload_nginx(lab, name)

    def heal(lab: Lab) -> None:
        for number in numbers:
            restore(lab, host(lab, "nginx", number), certificate(lab))
            reload_nginx(lab, host(lab, "nginx", number))

    return break_, heal


def forget_authority(lab: Lab) -> None:
    """The site's authority stands last in the host's store."""
    lines = len((lab.state_dir / TLS / certificates.AUTHORITY).read_text("ascii").splitlines())
    name = host(lab, "appo")
    keep(lab, name, STORE)
    lab.run(name, f"head -n -{lines} {STORE} > /tmp/store && cp /tmp/store {STORE} && rm /tmp/store")


def virtual(lab: Lab) -> str:
    return lab.layout.names[fqdn(lab, "paas")]


def take(lab: Lab, number: int) -> None:
    lab.run(
        host(lab, "nginx", number),
        f"ip addr add {virtual(lab)}/{lab.layout.prefix} dev eth0 2>/dev/null || true",
    )
    forget_neighbours(lab)


def give_up(lab: Lab, number: int) -> None:
    lab.run(
        host(lab, "nginx", number),
        f"ip addr del {virtual(lab)}/{lab.layout.prefix} dev eth0 2>/dev/null || true",
    )
    forget_neighbours(lab)


def forget_neighbours(lab: Lab) -> None:
    """What keepalived brings about by announcing that an address has moved."""
    lab.exec(["ip", "neigh", "flush", "all"])
    for each in lab.layout.hosts:
        lab.run(each.name, "ip neigh flush all")


def listen_on_own_address(lab: Lab) -> None:
    """The sites listen on the address of their host only, as if there were no virtual one."""
    for number in (0, 1):
        name = host(lab, "nginx", number)
        own = lab.layout.host(name).address
        for site in SITES:
            path = f"{lab.layout.home}/etc/nginx/{site}.conf"
            edit(lab, name, path, f"s/listen \\([0-9]*\\)/listen {own}:\\1/")
        restart_nginx(lab, name)


def listen_on_all(lab: Lab) -> None:
    for number in (0, 1):
        name = host(lab, "nginx", number)
        for site in SITES:
            restore(lab, name, f"{lab.layout.home}/etc/nginx/{site}.conf")
        restart_nginx(lab, name)


def ask_for_password(lab: Lab) -> None:
    edit(lab, host(lab, "appo"), SUDOERS, "s/NOPASSWD: //")


def stale_name(lab: Lab) -> None:
    """An address of before, in front of the right line: the first one counts."""
    old = virtual(lab).rpartition(".")[0] + ".99"
    edit(lab, host(lab, "cmdb"), "/etc/hosts", f"1 i {old} {fqdn(lab, 'paas')}")


def unknown_name(lab: Lab) -> None:
    edit(lab, host(lab, "appt"), "/etc/hosts", f"/ {fqdn(lab, 'paas')}$/d")


def refuse_logins(lab: Lab) -> None:
    """Where the first nginx is, nginx runs no more; the address has moved to the second."""
    give_up(lab, 0)
    stop_nginx(lab, host(lab, "nginx"))
    take(lab, 1)
    await_http(lab, host(lab, "nginx", 1), f"https://{fqdn(lab, 'paas')}/healthz/", "200")


def back_to_the_first(lab: Lab) -> None:
    restart_nginx(lab, host(lab, "nginx"))
    give_up(lab, 1)
    take(lab, 0)


FAULTS = (
    Fault(
        "certificate-expired",
        "domain-certificate",
        SECTION,
        "the certificate of the domain ended yesterday",
        "域名证书昨天到期",
        *present(0, 1, days=-1),
        LAYOUT,
    ),
    Fault(
        "certificate-of-another-name",
        "domain-certificate",
        SECTION,
        "nginx presents a certificate that was made for another name",
        "nginx 使用的证书属于另一个域名",
        *present(0, 1, names=("bkpaas",)),
        LAYOUT,
    ),
    Fault(
        "standby-certificate-expired",
        "domain-certificate",
        SECTION,
        "the certificate was renewed on the first nginx host only",
        "证书只在第一台 nginx 上更新过，第二台的已到期",
        *present(1, days=-30),
        LAYOUT,
    ),
    Fault(
        "certificate-ends-soon",
        "domain-certificate-expiry",
        SECTION,
        "the certificate of the domain expires in five days",
        "域名证书五天后到期",
        *present(0, 1, days=5),
        LAYOUT,
    ),
    Fault(
        "authority-unknown",
        "domain-certificate-trusted",
        SECTION,
        "the appo host does not trust the site's authority",
        "appo 主机不信任站点的签发机构",
        forget_authority,
        lambda lab: restore(lab, host(lab, "appo"), STORE),
        LAYOUT,
    ),
    Fault(
        "virtual-address-lost",
        "virtual-address-held",
        SECTION,
        "no nginx host holds the virtual address",
        "没有 nginx 主机持有虚拟地址",
        lambda lab: give_up(lab, 0),
        lambda lab: take(lab, 0),
        LAYOUT,
    ),
    Fault(
        "virtual-address-twice",
        "virtual-address-held",
        SECTION,
        "both nginx hosts hold the virtual address",
        "两台 nginx 同时持有虚拟地址",
        lambda lab: take(lab, 1),
        lambda lab: give_up(lab, 1),
        LAYOUT,
    ),
    Fault(
        "virtual-address-not-listened-on",
        "virtual-address-held",
        SECTION,
        "nginx listens on the hosts' own addresses only",
        "nginx 只监听主机自身的地址",
        listen_on_own_address,
        listen_on_all,
        LAYOUT,
    ),
    Fault(
        "standby-nginx-stopped",
        "nginx-conf-port80",
        SECTION,
        "nginx does not run on the host that does not hold the virtual address; the domain works",
        "未持有虚拟地址的 nginx 主机上 nginx 没有运行，域名仍可访问",
        lambda lab: stop_nginx(lab, host(lab, "nginx", 1)),
        lambda lab: restart_nginx(lab, host(lab, "nginx", 1)),
        LAYOUT,
    ),
    Fault(
        "failed-over",
        "nginx-conf-port80",
        SECTION,
        "nginx on the first host has died and the virtual address has moved to the second",
        "第一台主机的 nginx 已停止，虚拟地址已切换到第二台",
        refuse_logins,
        back_to_the_first,
        LAYOUT,
    ),
    Fault(
        "scheme-http-behind-https",
        "scheme-matches",
        "login-redirect-loop",
        "login's settings have http, the domain is served under https",
        "login 配置为 http，而域名使用 https",
        *production("s/^HTTP_SCHEMA = .*/HTTP_SCHEMA = 'http'/", 0, 1),
        LAYOUT,
    ),
    Fault(
        "sudo-asks-for-password",
        "host-reachable",
        "foundations",
        "sudo requires a password on the appo host",
        "appo 主机上的 sudo 需要密码",
        ask_for_password,
        lambda lab: restore(lab, host(lab, "appo"), SUDOERS),
        LAYOUT,
    ),
    Fault(
        "hosts-file-stale",
        "domain-resolve",
        "login-redirect-loop",
        "the cmdb host's /etc/hosts has an old address for the PaaS domain in front of the right one",
        "cmdb 主机的 /etc/hosts 中 PaaS 域名的旧地址排在正确地址之前",
        stale_name,
        lambda lab: restore(lab, host(lab, "cmdb"), "/etc/hosts"),
        LAYOUT,
    ),
    Fault(
        "hosts-file-forgotten",
        "domain-resolve",
        "login-redirect-loop",
        "the appt host's /etc/hosts does not have the PaaS domain",
        "appt 主机的 /etc/hosts 中没有 PaaS 域名",
        unknown_name,
        lambda lab: restore(lab, host(lab, "appt"), "/etc/hosts"),
        LAYOUT,
    ),
)
