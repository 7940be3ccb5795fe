"""Hosts and networks that are neither down nor well."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address, edit, host, restart_time_daemon, restore, stop_time_daemon
from lab.faults.fault import Act, Fault
from lab.faults.gateway import in_front, site_right

SILENT = "es"  # its port 53 drops what arrives
CHRONY = "/etc/chrony/chrony.conf"
RESOLV = "/etc/resolv.conf"


def first_nameserver_dead(role: str, number: int = 0) -> tuple[Act, Act]:
    """Put a nameserver that does not answer before the one that does."""

    def break_(lab: Lab) -> None:
        lab.run(host(lab, SILENT), "iptables -I INPUT -p udp --dport 53 -j DROP")
        edit(lab, host(lab, role, number), RESOLV, f"1i nameserver {address(lab, host(lab, SILENT))}")

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, role, number), RESOLV)
        lab.run(host(lab, SILENT), "iptables -F INPUT")

    return break_, heal


def own_clock(role: str) -> tuple[Act, Act]:
    """Let the time daemon follow the clock of its own host."""

    def break_(lab: Lab) -> None:
        name = host(lab, role)
        stop_time_daemon(lab, name)
        edit(lab, name, CHRONY, "s/^server .*/local stratum 8/")
        lab.run(name, "/usr/sbin/chronyd -x -u root")
        lab.wait(lambda: "7F7F" in lab.run(name, "chronyc tracking || true"), 20, "chronyd follows itself")

    def heal(lab: Lab) -> None:
        restore(lab, host(lab, role), CHRONY)
        restart_time_daemon(lab, host(lab, role))

    return break_, heal


def kill_workers(service: str, number: int, times: int, signal: str = "KILL") -> Act:
    """Kill a worker of a service, and its successors."""

    def break_(lab: Lab) -> None:
        name = host(lab, "paas", number)
        ini = f"uwsgi-open_paas-{service}.ini"
        for _ in range(times):
            lab.run(
                name,
                f"master=$(pgrep -of {ini}); old=$(pgrep -P $master -f {ini} | head -n 1); kill -{signal} $old;"
                f" for i in $(seq 100); do kill -0 $old 2>/dev/null || break; sleep 0.05; done; sleep 1.2",
            )

    return break_


def nothing(lab: Lab) -> None:
    """Do nothing: clear_logs removes it."""


def nginx_line(level: str, text: str, log: str = "error.log", number: int = 1) -> tuple[Act, Act]:
    """Write a line of now into nginx's error log, as often as given."""

    def break_(lab: Lab) -> None:
        line = f"$(date '+%Y/%m/%d %H:%M:%S') [{level}] 31#31: {text}"
        path = f"{lab.layout.home}/logs/nginx/{log}"
        lab.run(host(lab, "nginx"), f'for n in $(seq {number}); do echo "{line}" >> {path}; done')

    return break_, nothing


def forget_upstream_name(lab: Lab) -> None:
    """An upstream names a paas host by /etc/hosts, and the line was removed after the reload."""
    name, paas = host(lab, "nginx"), address(lab, host(lab, "paas"))
    lab.run(name, f"cp /etc/hosts /run/hosts.before; echo '{paas} paas-old' >> /etc/hosts")
    in_front(f"s/server {paas}:/server paas-old:/")[0](lab)
    lab.run(name, "cat /run/hosts.before > /etc/hosts")


UPLOAD = "head -c 3000000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' --data-binary @- http://paas.bklab.test/login/"


def lose_body_size(lab: Lab) -> None:
    """The line client_max_body_size was lost, and a user uploads 3 MB."""
    in_front("/client_max_body_size/d")[0](lab)
    lab.wait(lambda: "413" in lab.run(host(lab, "nginx"), UPLOAD), 20, "nginx refuses the upload")


def no_local_port(lab: Lab) -> None:
    """The range of local ports has one port, which a program has bound."""
    hold = 'import socket,time; s=socket.socket(); s.bind(("",40000)); s.listen(1); time.sleep(9**6)'
    lab.run(
        host(lab, "nginx"),
        f"setsid python3 -c '{hold}' </dev/null >/dev/null 2>&1 & echo $! > /run/ports.pid; sleep 1;"
        " echo '40000 40000' > /proc/sys/net/ipv4/ip_local_port_range;"
        " for n in 1 2 3 4; do curl -s -o /dev/null -m 5 http://127.0.0.1/login/; done; true",
    )


def few_ports(lab: Lab) -> None:
    """A range of 64 ports, without traffic that needs more."""
    lab.run(host(lab, "nginx"), "echo '40000 40063' > /proc/sys/net/ipv4/ip_local_port_range")


def local_ports(lab: Lab) -> None:
    lab.run(
        host(lab, "nginx"),
        "echo '32768 60999' > /proc/sys/net/ipv4/ip_local_port_range;"
        " [ ! -e /run/ports.pid ] || { kill -- -$(cat /run/ports.pid); rm /run/ports.pid; }",
    )


def second_nginx(lab: Lab) -> None:
    """Start nginx again while it runs."""
    lab.run(host(lab, "nginx"), "/usr/sbin/nginx || true; sleep 3")


def full_mount(role: str, path: str, options: str, fill: str) -> tuple[Act, Act]:
    """Mount a small file system of its own at a path."""

    def where(lab: Lab) -> str:
        return path.replace("HOME", lab.layout.home)

    def break_(lab: Lab) -> None:
        lab.run(
            host(lab, role),
            f"mkdir -p {where(lab)} && mount -t tmpfs -o size=1m,nr_inodes=64 lab {where(lab)} && cd {where(lab)} && {fill};"
            f" {'mount -o remount,ro ' + where(lab) if options == 'ro' else 'true'}",
        )

    def heal(lab: Lab) -> None:
        lab.run(host(lab, role), f"cd /; ! mountpoint -q {where(lab)} || umount -l {where(lab)}")

    return break_, heal


def keep_removed_open(lab: Lab) -> None:
    """A program writes on into a file that was removed, until its file system is full."""
    full_mount("cmdb", "/var/tmp", "rw", "true")[0](lab)
    lab.run(
        host(lab, "cmdb"),
        "cd /var/tmp && { setsid sleep 100000 >> lost.log 2>&1 </dev/null & } && echo $! > /run/holder.pid &&"
        f" sleep 0.5 && ({SPACE.replace('> full', '>> lost.log')}) && rm lost.log",
    )


def end_holder(lab: Lab) -> None:
    lab.run(
        host(lab, "cmdb"),
        "[ ! -e /run/holder.pid ] || { kill $(cat /run/holder.pid); rm /run/holder.pid; }; true",
    )
    full_mount("cmdb", "/var/tmp", "rw", "true")[1](lab)


SECTION = "platform-healthy"
SPACE = "head -c 2000000 /dev/zero > full || true"
INODES = "touch $(seq 100) 2>/dev/null || true"


def deny_workers(lab: Lab) -> None:
    """The account of nginx's workers may not connect, as under SELinux; root may."""
    rule = (
        "OUTPUT -p tcp -m owner --uid-owner www-data --dport {} -j REJECT --reject-with icmp-admin-prohibited"
    )
    ports = [lab.layout.ports[one] for one in ("paas", "esb", "login", "appengine")]
    lab.run(host(lab, "nginx"), "; ".join(f"iptables -A {rule.format(port)}" for port in ports))


def allow_workers(lab: Lab) -> None:
    lab.run(host(lab, "nginx"), "iptables -F OUTPUT")


BODIES = ("/var/lib/nginx/body", "/var/lib/nginx/proxy")
"""Directories of nginx for the bodies of requests and answers, as its package is built."""


def directory(role: str, command: str, undo: str) -> tuple[Act, Act]:
    """Change the directories for bodies of a host's nginx."""
    return (
        lambda lab: lab.run(host(lab, role), command.format(*BODIES)),
        lambda lab: lab.run(host(lab, role), undo.format(*BODIES)),
    )


FAULTS = (
    Fault("resolver-first-dead-agent", "resolver-slow", SECTION, "the first nameserver of the appo host does not answer", "appo 主机的第一个 DNS 服务器没有应答", *first_nameserver_dead("appo")),
    Fault("resolver-first-dead-paas", "resolver-slow", SECTION, "the first nameserver of the second paas host does not answer", "第二台 paas 的第一个 DNS 服务器没有应答", *first_nameserver_dead("paas", 1)),
    Fault("chronyd-follows-itself", "time-daemon", SECTION, "chronyd on the job host follows its own clock", "job 主机的 chronyd 以本机时钟为源", *own_clock("job")),
    Fault("login-workers-killed", "worker-deaths", SECTION, "workers of login on the first paas host are killed again and again", "第一台 paas 上 login 的 worker 反复被终止", kill_workers("login", 0, 3), nothing),
    Fault("esb-workers-crash", "worker-deaths", SECTION, "workers of esb on the second paas host crash again and again", "第二台 paas 上 esb 的 worker 反复崩溃", kill_workers("esb", 1, 2, "SEGV"), nothing),
    Fault("nginx-started-twice", "nginx-error-log", SECTION, "nginx was started a second time: bind() fails", "nginx 被再次启动：bind() 失败", second_nginx, nothing),
    Fault("nginx-connections-used-up", "nginx-limits", SECTION, "nginx has no worker_connections left", "nginx 的 worker_connections 用尽", *nginx_line("alert", "1024 worker_connections are not enough", number=4)),
    Fault("nginx-body-size-lost", "nginx-upload-size", SECTION, "client_max_body_size was lost: nginx refuses an upload of 3 MB", "client_max_body_size 丢失：nginx 拒绝 3 MB 的上传", lose_body_size, site_right),
    Fault("nginx-body-size-default", "nginx-upload-size", SECTION, "client_max_body_size was lost, without an upload since", "client_max_body_size 丢失，之后还没有人上传", *in_front("/client_max_body_size/d")),
    Fault("nginx-connect-denied", "nginx-limits", SECTION, "nginx's account may not connect to the services, as under SELinux", "nginx 的账号不被允许连接各服务，如同 SELinux 所为", deny_workers, allow_workers),
    Fault("nginx-upstream-name-lost", "nginx-conf-upstreams", SECTION, "the name of a paas host in the upstreams no longer resolves on the nginx host", "upstream 中一台 paas 的名称在 nginx 主机上已无法解析", forget_upstream_name, site_right),
    Fault("nginx-no-local-port", "nginx-limits", SECTION, "nginx has no local port left for connections to the services", "nginx 连接各服务时没有可用的本地端口", no_local_port, local_ports),
    Fault("nginx-few-local-ports", "nginx-limits", SECTION, "the nginx host allows 64 local ports only, and few requests arrive", "nginx 主机只允许 64 个本地端口，目前请求很少", few_ports, local_ports),
    Fault("nginx-body-not-writable", "nginx-error-log", SECTION, "nginx may not write the body of an upload to a file", "nginx 无权写入上传内容的临时文件", *nginx_line("crit", "*7 open() \\\"/var/lib/nginx/body/0000000001\\\" failed (13: Permission denied), client: 10.66.0.1, server: paas.bklab.test, request: \\\"POST /login/ HTTP/1.1\\\", host: \\\"paas.bklab.test\\\"", "paas_web_error.log")),
    Fault("nginx-limits-requests", "nginx-error-log", SECTION, "a limit of nginx refuses requests for the domain", "nginx 的限流拒绝了对域名的请求", *nginx_line("error", "*9 limiting requests, excess: 5.100 by zone \\\"one\\\", client: 10.66.0.1, server: paas.bklab.test, request: \\\"GET / HTTP/1.1\\\", host: \\\"paas.bklab.test\\\"", "paas_web_error.log")),
    Fault("nginx-too-many-files", "nginx-limits", SECTION, "nginx has too many open files", "nginx 打开的文件过多", *nginx_line("crit", "accept4() failed (24: Too many open files)", number=4)),
    Fault("var-tmp-full", "disk-space", SECTION, "/var/tmp of the cmdb host is a full file system of its own", "cmdb 主机的 /var/tmp 是单独的文件系统且已写满", *full_mount("cmdb", "/var/tmp", "rw", SPACE)),
    Fault("var-log-inodes", "disk-space", SECTION, "/var/log of the job host is a file system of its own without inodes left", "job 主机的 /var/log 是单独的文件系统且 inode 用尽", *full_mount("job", "/var/log", "rw", INODES)),
    Fault("plugin-logs-full", "disk-space", SECTION, "the logs of the log plugins on the appo host are a full file system of its own", "appo 主机的日志插件日志目录是单独的文件系统且已写满", *full_mount("appo", "HOME/logs/paas_plugins", "rw", SPACE)),
    Fault("removed-file-open", "disk-space", SECTION, "a removed file that a program has open fills /var/tmp of the cmdb host", "cmdb 主机的 /var/tmp 被一个程序仍打开的已删除文件占满", keep_removed_open, end_holder),
    Fault("full-and-read-only", "disk-space", SECTION, "/var/tmp of the job host is read-only, and full", "job 主机的 /var/tmp 为只读且已写满", *full_mount("job", "/var/tmp", "ro", SPACE)),
    Fault("agent-logs-read-only", "disk-space", SECTION, "the SaaS logs of the appt host are on a read-only file system", "appt 主机的 SaaS 日志目录所在文件系统为只读", *full_mount("appt", "/var/tmp", "ro", "true")),
    Fault("nginx-directories-of-root", "nginx-limits", SECTION, "chown -R gave the directories for uploads to root", "chown -R 把上传用的暂存目录交给了 root", *directory("nginx", "chown root:root {0} {1}", "chown www-data:root {0} {1}")),
    Fault("nginx-directory-removed", "nginx-limits", SECTION, "a cleaning job removed the directory for the bodies of uploads", "清理任务删除了暂存上传内容的目录", *directory("nginx", "mv {0} /run/body", "[ ! -d /run/body ] || {{ rm -rf {0}; cp -a /run/body {0} && rm -rf /run/body; }}")),
    Fault("agent-nginx-directories-of-root", "agent-nginx-8010", "appt-502", "the directories for uploads of the app host's nginx belong to root", "app 主机 nginx 的暂存目录属于 root", *directory("appo", "chown root:root {0} {1}", "chown www-data:root {0} {1}")),
)  # fmt: skip
