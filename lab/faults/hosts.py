"""Whole hosts that cannot be looked at, and names that lead elsewhere."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import address, edit, fqdn, host, keep, restart_time_daemon, restore
from lab.faults.fault import Fault

KEYS = "/etc/ssh/authorized_keys"
JOB = "/etc/cron.d/lab-nightly"
UNUSED_ADDRESS = "10.66.0.99"
OTHERS = "for p in /proc/[0-9]*; do p=${p#/proc/}; [ $p = 1 ] || [ $p = $$ ] || [ $p = $PPID ] || kill -STOP $p; done"


def cable(lab: Lab, state: str) -> None:
    lab.exec(["ip", "link", "set", f"v-{host(lab, 'appt')}", state])


def hang(lab: Lab) -> None:
    """Every process stands still; the kernel still answers pings and takes connections."""
    lab.run(host(lab, "appo"), OTHERS + " 2>/dev/null; true")


def wake(lab: Lab) -> None:
    """A time daemon that slept has lost its source for a while."""
    lab.run(host(lab, "appo"), "kill -CONT -1")
    restart_time_daemon(lab, host(lab, "appo"))


def move_pythons(lab: Lab, sed: str) -> None:
    lab.run(
        host(lab, "es"),
        f'for p in /usr/bin/python3*; do q=$(echo $p | sed "{sed}"); [ $p = $q ] || mv $p $q; done',
    )


def stale_name(lab: Lab) -> None:
    edit(lab, host(lab, "cmdb"), "/etc/hosts", f"$ a {UNUSED_ADDRESS} {fqdn(lab, 'paas')}")


def dead_resolver(lab: Lab) -> None:
    edit(lab, host(lab, "job"), "/etc/resolv.conf", f"s/^nameserver .*/nameserver {UNUSED_ADDRESS}/")


def drop_key(lab: Lab) -> None:
    keep(lab, host(lab, "es"), KEYS)
    lab.run(host(lab, "es"), f": > {KEYS}")


def duplicate_address(lab: Lab) -> None:
    """A host was cloned, or an address was given out twice."""
    taken = address(lab, host(lab, "paas", 1))
    lab.run(host(lab, "cmdb"), f"ip addr add {taken}/{lab.layout.prefix} dev eth0")


def own_address(lab: Lab) -> None:
    taken = address(lab, host(lab, "paas", 1))
    lab.run(host(lab, "cmdb"), f"ip addr del {taken}/{lab.layout.prefix} dev eth0 2>/dev/null || true")


def add_job(lab: Lab) -> None:
    """Someone keeps the memory low by killing the workers every night; here the job is only written, no cron runs."""
    line = "17 4 * * * root ps -ef | grep uwsgi | awk '{print $2}' | xargs kill -9"
    lab.run(host(lab, "paas"), f"mkdir -p /etc/cron.d && cat > {JOB} <<'END'\n# added by hand\n{line}\nEND")


FAULTS = (
    Fault(
        "cron-kills-workers",
        "cron-jobs",
        "fatal-exited-too-quickly",
        "a job of cron on the first paas host kills every uwsgi at night",
        "第一台 paas 上的 cron 任务在夜间杀掉所有 uwsgi",
        add_job,
        lambda lab: lab.run(host(lab, "paas"), f"rm -f {JOB}"),
    ),
    Fault(
        "address-twice",
        "address-unique",
        "login-502",
        "the cmdb host also has the address of the second paas host",
        "cmdb 主机上也有第二台 paas 的地址",
        duplicate_address,
        own_address,
    ),
    Fault(
        "domain-hosts-override",
        "domain-resolve",
        "login-redirect-loop",
        "the cmdb host's /etc/hosts has an old address for the PaaS domain",
        "cmdb 主机的 /etc/hosts 中 PaaS 域名指向旧地址",
        stale_name,
        lambda lab: restore(lab, host(lab, "cmdb"), "/etc/hosts"),
    ),
    Fault(
        "resolver-dead",
        "domain-resolve",
        "login-redirect-loop",
        "the job host's name server does not answer",
        "job 主机的域名服务器没有应答",
        dead_resolver,
        lambda lab: restore(lab, host(lab, "job"), "/etc/resolv.conf"),
    ),
    Fault(
        "names-without-dns",
        "domain-resolve",
        "login-redirect-loop",
        "a hardening script left only files in nsswitch.conf of the cmdb host",
        "安全加固脚本使 cmdb 主机的 nsswitch.conf 只剩 files",
        lambda lab: edit(lab, host(lab, "cmdb"), "/etc/nsswitch.conf", "s/^hosts:.*/hosts: files/"),
        lambda lab: restore(lab, host(lab, "cmdb"), "/etc/nsswitch.conf"),
    ),
    Fault(
        "host-down",
        "host-reachable",
        "foundations",
        "the appt host's network cable is out",
        "appt 主机的网线被拔掉",
        lambda lab: cable(lab, "down"),
        lambda lab: cable(lab, "up"),
    ),
    Fault(
        "host-hung",
        "host-reachable",
        "foundations",
        "the appo host hangs: it accepts connections, and no process runs",
        "appo 主机挂死：能建立连接，但没有进程在运行",
        hang,
        wake,
    ),
    Fault(
        "no-python",
        "host-reachable",
        "foundations",
        "the es host has no Python to look at it with",
        "es 主机上没有可用于检查的 Python",
        lambda lab: move_pythons(lab, "s/$/.off/"),
        lambda lab: move_pythons(lab, "s/.off$//"),
    ),
    Fault(
        "key-refused",
        "host-reachable",
        "foundations",
        "the es host no longer accepts the suite's key",
        "es 主机不再接受登录密钥",
        drop_key,
        lambda lab: restore(lab, host(lab, "es"), KEYS),
    ),
    Fault(
        "sshd-stopped",
        "host-reachable",
        "foundations",
        "sshd does not run on the cmdb host",
        "cmdb 主机上的 sshd 没有运行",
        lambda lab: lab.run(host(lab, "cmdb"), "pkill -f ^sshd:.*listener"),
        lambda lab: lab.run(host(lab, "cmdb"), "pgrep -f ^sshd:.*listener >/dev/null || /usr/sbin/sshd"),
    ),
)
