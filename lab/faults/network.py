"""Routes and nameservers between the hosts, and file descriptors that are used up."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    address,
    edit,
    fqdn,
    host,
    restart,
    restart_nginx,
    restart_open_paas,
    restore,
    supervisorctl,
)
from lab.faults.fault import Act, Fault

RESOLV = "/etc/resolv.conf"
DNS = "es"  # where another nameserver runs
LOWER = (
    "for pid in $(pgrep -f {pattern!r}); do used=$(ls /proc/$pid/fd | wc -l);"
    " prlimit --pid $pid --nofile=$((used {spare})):; done"
)


def lower_limit(role: str, number: int, pattern: str, spare: str = "") -> Act:
    """Lower the limit of open files of processes to what they have open, or to that and some to spare."""

    def break_(lab: Lab) -> None:
        lab.run(host(lab, role, number), LOWER.format(pattern=pattern, spare=spare))

    return break_


def service_files(service: str, number: int) -> tuple[Act, Act]:
    def heal(lab: Lab) -> None:
        restart(lab, host(lab, "paas", number), service)

    return lower_limit("paas", number, f"uwsgi-open_paas-{service}.ini"), heal


def nginx_files(lab: Lab) -> None:
    restart_nginx(lab, host(lab, "nginx"))


def agent_files(lab: Lab) -> None:
    supervisorctl(lab, host(lab, "appo"), "restart paas_agent", "paas_agent")


def rejecting_route(kind: str, role: str, number: int, other: str, other_number: int = 0) -> tuple[Act, Act]:
    """Add a route that rejects what is for another host."""

    def break_(lab: Lab) -> None:
        place = address(lab, host(lab, other, other_number))
        lab.run(host(lab, role, number), f"ip route add {kind} {place}/32")

    def heal(lab: Lab) -> None:
        place = address(lab, host(lab, other, other_number))
        lab.run(host(lab, role, number), f"ip route del {kind} {place}/32 2>/dev/null || true")
        for name in (one for one in ((role, number), (other, other_number)) if one[0] == "paas"):
            restart_open_paas(lab, host(lab, *name))  # a worker keeps its broken connection to the database

    return break_, heal


def lossy_link(role: str, number: int, others: tuple[tuple[str, int], ...], share: float) -> tuple[Act, Act]:
    """Drop a share of the packets that a host exchanges with these other ones, in both directions."""

    def break_(lab: Lab) -> None:
        places = [address(lab, host(lab, *other)) for other in others]
        rule = f"-m statistic --mode random --probability {share} -j DROP"
        lab.run(
            host(lab, role, number),
            "; ".join(
                f"iptables -I INPUT -s {one} {rule}; iptables -I OUTPUT -d {one} {rule}" for one in places
            ),
        )

    def heal(lab: Lab) -> None:
        lab.run(host(lab, role, number), "iptables -F INPUT; iptables -F OUTPUT")
        for at in (0, 1):  # a request that hangs ends after minutes only
            restart_open_paas(lab, host(lab, "paas", at))

    return break_, heal


def large_packets(role: str, number: int, other: str, other_number: int = 0) -> tuple[Act, Act]:
    """Drop the large packets that a host sends to another one, without a word, as behind a tunnel with a smaller MTU."""

    def break_(lab: Lab) -> None:
        place = address(lab, host(lab, other, other_number))
        lab.run(
            host(lab, role, number), f"iptables -I OUTPUT -p tcp -d {place} -m length --length 1400: -j DROP"
        )

    def heal(lab: Lab) -> None:
        lab.run(host(lab, role, number), "iptables -F OUTPUT")

    return break_, heal


STALE = "--address=/{domain}/10.66.0.99"
WITHOUT = "--local=/#/"


def other_nameserver(options: str, sed: str, role: str, number: int = 0) -> tuple[Act, Act]:
    """Run another nameserver, and put it into resolv.conf of a host; sed has {server}."""

    def break_(lab: Lab) -> None:
        server = address(lab, host(lab, DNS))
        lab.run(
            host(lab, DNS),
            "/usr/sbin/dnsmasq --user=root --group=root --conf-file=/dev/null --pid-file=/run/other-dns.pid"
            f" --no-resolv --no-hosts --local-ttl=0 --listen-address={server} --bind-interfaces"
            f" {options.format(domain=fqdn(lab, 'paas'), nginx=address(lab, host(lab, 'nginx')))}",
        )
        edit(lab, host(lab, role, number), RESOLV, sed.format(server=server))

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, role, number), RESOLV)
        lab.run(
            host(lab, DNS),
            "[ ! -e /run/other-dns.pid ] || { kill $(cat /run/other-dns.pid); rm -f /run/other-dns.pid; }",
        )

    return break_, heal


APPEND, PREPEND = "$ a nameserver {server}", "1i nameserver {server}"
SECTION = "foundations"
FAULTS = (
    Fault("login-files-used-up", "open-files", "login-no-response", "login on the first paas host has no file descriptors left", "第一台 paas 上 login 的文件描述符用尽", *service_files("login", 0)),
    Fault("esb-files-used-up", "open-files", SECTION, "esb on the second paas host has no file descriptors left", "第二台 paas 上 esb 的文件描述符用尽", *service_files("esb", 1)),
    Fault("nginx-files-used-up", "open-files", "login-502", "nginx in front has no file descriptors left", "前端 nginx 的文件描述符用尽", lower_limit("nginx", 0, "^nginx: "), nginx_files),
    Fault("agent-files-used-up", "open-files", SECTION, "paas_agent on the appo host has no file descriptors left", "appo 主机上 paas_agent 的文件描述符用尽", lower_limit("appo", 0, "bin/paas_agent"), agent_files),
    Fault("route-blackhole-data", "host-routes", SECTION, "a blackhole route on the first paas host for the host with the database and redis", "第一台 paas 上有一条指向数据库和 redis 所在主机的 blackhole 路由", *rejecting_route("blackhole", "paas", 0, "mysql")),
    Fault("route-unreachable-app", "host-routes", "appt-502", "a route of the type unreachable on the nginx host for the appt host", "nginx 主机上有一条指向 appt 主机的 unreachable 路由", *rejecting_route("unreachable", "nginx", 0, "appt")),
    Fault("route-prohibit-back", "host-routes", SECTION, "a route of the type prohibit on the host of the database for the second paas host", "数据库主机上有一条指向第二台 paas 的 prohibit 路由", *rejecting_route("prohibit", "mysql", 0, "paas", 1)),
    Fault("packets-lost-paas", "packet-loss", SECTION, "a third of the packets between nginx and the first paas host is lost", "nginx 与第一台 paas 之间三分之一的包丢失", *lossy_link("nginx", 0, (("paas", 0),), 0.35)),
    Fault("packets-lost-data", "packet-loss", SECTION, "a third of the packets of the host with the database and redis is lost", "数据库和 redis 所在主机三分之一的包丢失", *lossy_link("mysql", 0, (("paas", 0), ("paas", 1), ("appo", 0)), 0.35)),
    Fault("large-answers-lost", "large-packets", SECTION, "large packets of the first paas host to nginx are lost: short answers arrive", "第一台 paas 发往 nginx 的大包丢失：短应答正常", *large_packets("paas", 0, "nginx")),
    Fault("large-requests-lost", "large-packets", SECTION, "large packets of nginx to the second paas host are lost: requests with many cookies hang", "nginx 发往第二台 paas 的大包丢失：带较多 cookie 的请求卡住", *large_packets("nginx", 0, "paas", 1)),
    Fault("large-requests-lost-agent", "large-packets", SECTION, "large packets of the appo host to nginx are lost", "appo 主机发往 nginx 的大包丢失", *large_packets("appo", 0, "nginx")),
    Fault("nameserver-second-stale", "nameservers-agree", SECTION, "the second nameserver of the job host has an old address of the domain", "job 主机的第二个 DNS 服务器中是域名的旧地址", *other_nameserver(STALE, APPEND, "job")),
    Fault("nameserver-second-without", "nameservers-agree", SECTION, "the second nameserver of the first paas host does not have the domain", "第一台 paas 的第二个 DNS 服务器中没有该域名", *other_nameserver(WITHOUT, APPEND, "paas")),
    Fault("nameserver-first-stale", "domain-resolve", SECTION, "the first nameserver of the appo host has an old address of the domain", "appo 主机的第一个 DNS 服务器中是域名的旧地址", *other_nameserver(STALE, PREPEND, "appo")),
)  # fmt: skip
