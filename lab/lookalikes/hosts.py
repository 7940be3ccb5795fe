"""Hosts that are set up otherwise, and work as well."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    address,
    edit,
    fqdn,
    host,
    keep,
    reload_nginx,
    restart_nginx,
    restart_time_daemon,
    restore,
    set_clock,
    stop_time_daemon,
)
from lab.faults.gateway import SITES, site
from lab.faults.log_search import zone
from lab.lookalikes.lookalike import Lookalike

ENVIRONMENT = "/etc/environment"
SYNCHRONIZED = "/run/systemd/timesync"
PROXY = "http://10.66.0.99:3128"


def link_logs(lab: Lab) -> None:
    """The logs were moved to a data disk, a link leads there."""
    logs = f"{lab.layout.home}/logs"
    lab.run(host(lab, "paas"), f"mkdir -p /data1 && mv {logs} /data1/logs && ln -s /data1/logs {logs}")


def logs_at_home(lab: Lab) -> None:
    logs = f"{lab.layout.home}/logs"
    lab.run(host(lab, "paas"), f"[ ! -L {logs} ] || {{ rm {logs} && mv /data1/logs {logs}; }}")


def listen_on_both(lab: Lab) -> None:
    """One socket for IPv4 and IPv6."""
    name, port = host(lab, "nginx"), lab.layout.ports["http"]
    for each in SITES:
        only = " ipv6only=off" if each == "default" else ""
        edit(lab, name, site(lab, each), f"s/listen {port}\\(.*\\);/listen [::]:{port}\\1{only};/")
    restart_nginx(lab, name)


def listen_on_one(lab: Lab) -> None:
    for each in SITES:
        restore(lab, host(lab, "nginx"), site(lab, each))
    restart_nginx(lab, host(lab, "nginx"))


def status_page(lab: Lab) -> None:
    """A server for nginx's own status, on the loopback address of the same port."""
    name, port = host(lab, "nginx"), lab.layout.ports["http"]
    server = f"server {{ listen 127.0.0.1:{port}; server_name localhost; location / {{ stub_status; }} }}"
    lab.run(name, f"echo '{server}' > {site(lab, 'status')}")
    reload_nginx(lab, name)


def no_status_page(lab: Lab) -> None:
    lab.run(host(lab, "nginx"), f"rm -f {site(lab, 'status')}")
    reload_nginx(lab, host(lab, "nginx"))


def set_complete_proxy(lab: Lab) -> None:
    """A way to the internet on a paas host and on cmdb's, that PaaS and all addresses are excepted from."""
    for name in (host(lab, "paas"), host(lab, "cmdb")):
        keep(lab, name, ENVIRONMENT)
        addresses = ",".join(each.address for each in lab.layout.hosts)
        no_proxy = f"localhost,127.0.0.1,.{lab.layout.domain},.service.consul,{addresses}"
        lab.run(name, f"echo 'http_proxy={PROXY}\nhttps_proxy={PROXY}\nno_proxy={no_proxy}' >> {ENVIRONMENT}")


def remove_proxy(lab: Lab) -> None:
    for name in (host(lab, "paas"), host(lab, "cmdb")):
        restore(lab, name, ENVIRONMENT)


def talk_at_login(lab: Lab) -> None:
    keep(lab, host(lab, "paas"), "/root/.bashrc")
    commands = "echo 'Welcome! Only authorised access.'; echo 'no tty' >&2; stty -echo 2>&1"
    lab.run(host(lab, "paas"), f'sed -i "1i {commands}" /root/.bashrc')


def permit(lab: Lab) -> None:
    """A firewall that accepts only the network of the deployment."""
    network = lab.layout.network
    for name in (host(lab, "paas"), host(lab, "appt"), host(lab, "nginx")):
        lab.run(
            name,
            "iptables -A INPUT -i lo -j ACCEPT && iptables -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT"
            f" && iptables -A INPUT -s {network} -j ACCEPT && iptables -P INPUT DROP",
        )


def permit_all(lab: Lab) -> None:
    for name in (host(lab, "paas"), host(lab, "appt"), host(lab, "nginx")):
        lab.run(name, "iptables -P INPUT ACCEPT && iptables -F INPUT")


def write_names(lab: Lab) -> None:
    """The installer wrote the names into /etc/hosts too, and left what was there before in a comment."""
    name, gate = host(lab, "cmdb"), address(lab, host(lab, "nginx"))
    old = f"# 10.66.0.99 {fqdn(lab, 'paas')}"
    edit(lab, name, "/etc/hosts", f"$ a {old}\\n{gate}\\t{fqdn(lab, 'paas')} {fqdn(lab, 'cmdb')}  # bkce")


def use_timesyncd(lab: Lab) -> None:
    """Its name and the file that it makes are all that can be seen of it."""
    name, program = host(lab, "job"), "/lib/systemd/systemd-timesyncd"
    stop_time_daemon(lab, name)
    lab.run(
        name,
        f"mkdir -p {SYNCHRONIZED} /lib/systemd && cp /bin/sleep {program} && : > {SYNCHRONIZED}/synchronized",
    )
    lab.run(name, f"setsid {program} 86400 >/dev/null 2>&1 &")


def use_chronyd(lab: Lab) -> None:
    program = "/lib/systemd/systemd-timesyncd"
    lab.run(host(lab, "job"), f"pkill -f '^{program}'; rm -rf {program} {SYNCHRONIZED}")
    restart_time_daemon(lab, host(lab, "job"))


LOOKALIKES = (
    Lookalike(
        "zone-by-another-name",
        "the appt host's time zone is PRC, the others' Asia/Shanghai",
        "appt 的时区是 PRC，其他主机是 Asia/Shanghai",
        lambda lab: zone(lab, "PRC"),
        lambda lab: zone(lab, lab.layout.timezone),
    ),
    Lookalike(
        "clock-one-second",
        "the clock of the second paas host is a second ahead",
        "第二台 paas 的时间快 1 秒",
        lambda lab: set_clock(lab, host(lab, "paas", 1), 1),
        lambda lab: set_clock(lab, host(lab, "paas", 1), 0),
    ),
    Lookalike(
        "timesyncd",
        "systemd-timesyncd instead of chronyd keeps the job host's clock",
        "job 主机使用 systemd-timesyncd 而不是 chronyd 同步时间",
        use_timesyncd,
        use_chronyd,
    ),
    Lookalike(
        "logs-behind-a-link",
        "the logs of the first paas host lie on another disk, a link leads there",
        "第一台 paas 的日志目录是指向其他磁盘的链接",
        link_logs,
        logs_at_home,
    ),
    Lookalike(
        "listener-of-both-families",
        "nginx listens on [::]:80, which accepts IPv4 too",
        "nginx 监听 [::]:80，同时接受 IPv4",
        listen_on_both,
        listen_on_one,
    ),
    Lookalike(
        "status-on-loopback",
        "another server of nginx names 127.0.0.1:80",
        "nginx 另有一个 server 监听 127.0.0.1:80",
        status_page,
        no_status_page,
    ),
    Lookalike(
        "proxy-with-exceptions",
        "a proxy is set, and no_proxy excepts everything of PaaS",
        "设置了代理，但 no_proxy 已完整排除 PaaS",
        set_complete_proxy,
        remove_proxy,
    ),
    Lookalike(
        "talkative-profile",
        "the root user's .bashrc prints at every login",
        "root 的 .bashrc 在每次登录时输出文字",
        talk_at_login,
        lambda lab: restore(lab, host(lab, "paas"), "/root/.bashrc"),
    ),
    Lookalike(
        "firewall-permits",
        "a firewall is active and admits all hosts of the deployment",
        "防火墙已启用，但放行部署内的所有主机",
        permit,
        permit_all,
    ),
    Lookalike(
        "names-in-hosts-file",
        "the cmdb host's /etc/hosts has the right address of the domain, and the old one in a comment",
        "cmdb 主机的 /etc/hosts 中域名地址正确，旧地址在注释中",
        write_names,
        lambda lab: restore(lab, host(lab, "cmdb"), "/etc/hosts"),
    ),
)
