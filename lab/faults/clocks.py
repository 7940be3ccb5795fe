"""Clocks of the two paas hosts, and what login tolerates of their difference."""

from __future__ import annotations

from lab.control import Lab
from lab.faults.actions import (
    edit,
    host,
    restart,
    restart_time_daemon,
    restore,
    set_clock,
    stop_time_daemon,
)
from lab.faults.browser_session import be_refused
from lab.faults.fault import Act, Fault

SKEW = 90  # seconds; login tolerates 60
DRIFT = 7  # seconds; enough to be seen, too little for a refusal
SECTION = "login-validity-illegal"
TIME_FILE = "/etc/chrony/chrony.conf"
OFFSET = "BK_TOKEN_OFFSET_ERROR_TIME"


def ahead(lab: Lab) -> None:
    set_clock(lab, host(lab, "paas", 1), SKEW)
    be_refused(lab, issuer=host(lab, "paas", 1), verifier=host(lab, "paas", 0))


def behind(lab: Lab) -> None:
    set_clock(lab, host(lab, "paas", 1), -SKEW)
    be_refused(lab, issuer=host(lab, "paas", 0), verifier=host(lab, "paas", 1))


def drifted(lab: Lab) -> None:
    set_clock(lab, host(lab, "paas", 1), DRIFT)


def refused_once(lab: Lab) -> None:
    ahead(lab)
    right(lab)


def right(lab: Lab) -> None:
    set_clock(lab, host(lab, "paas", 1), 0)


def offset(value: str, *numbers: int) -> tuple[Act, Act]:
    """Another tolerance on the paas hosts with those numbers, and login restarted to know it."""

    def path(lab: Lab) -> str:
        return f"{lab.layout.home}/open_paas/login/conf/default.py"

    def break_(lab: Lab) -> None:
        for number in numbers:
            name = host(lab, "paas", number)
            edit(lab, name, path(lab), f"s/^{OFFSET} = 60$/{OFFSET} = {value}/")
            restart(lab, name, "login")

    def heal(lab: Lab) -> None:
        for number in numbers:
            name = host(lab, "paas", number)
            restore(lab, name, path(lab))
            restart(lab, name, "login")

    return break_, heal


def both_ahead(lab: Lab) -> None:
    for number in (0, 1):
        set_clock(lab, host(lab, "paas", number), SKEW)


def both_right(lab: Lab) -> None:
    for number in (0, 1):
        set_clock(lab, host(lab, "paas", number), 0)


def lose_source(lab: Lab) -> None:
    """The time server has another address, and the host has the old one."""
    name = host(lab, "job")
    edit(lab, name, TIME_FILE, f"s/{lab.layout.controller}/10.66.0.99/")
    stop_time_daemon(lab, name)
    lab.run(name, "/usr/sbin/chronyd -x -u root")


def find_source(lab: Lab) -> None:
    restore(lab, host(lab, "job"), TIME_FILE)
    restart_time_daemon(lab, host(lab, "job"))


FAULTS = (
    Fault(
        "clock-ahead",
        "paas-clock-skew",
        SECTION,
        f"the second paas host is {SKEW} s ahead, tokens it issues are refused by the first",
        f"第二台 paas 的时间快 {SKEW} 秒，它签发的登录态被第一台拒绝",
        ahead,
        right,
    ),
    Fault(
        "clock-behind",
        "paas-clock-skew",
        SECTION,
        f"the second paas host is {SKEW} s behind, it refuses tokens of the first",
        f"第二台 paas 的时间慢 {SKEW} 秒，拒绝第一台签发的登录态",
        behind,
        right,
    ),
    Fault(
        "clock-drift",
        "paas-clock-drift",
        SECTION,
        f"the second paas host is {DRIFT} s ahead",
        f"第二台 paas 的时间快 {DRIFT} 秒",
        drifted,
        right,
    ),
    Fault(
        "refused-tokens-in-log",
        "login-illegal-in-logs",
        SECTION,
        "tokens were refused a moment ago; the clocks are right again",
        "刚才有登录态被拒绝；时间现已恢复一致",
        refused_once,
        right,
    ),
    Fault(
        "time-daemon-stopped",
        "time-daemon",
        SECTION,
        "chronyd does not run on the appo host",
        "appo 主机上的 chronyd 没有运行",
        lambda lab: stop_time_daemon(lab, host(lab, "appo")),
        lambda lab: restart_time_daemon(lab, host(lab, "appo")),
    ),
    Fault(
        "token-offset-differs",
        "token-offset-config",
        SECTION,
        f"{OFFSET} is 120 on the second paas host and 60 on the first",
        f"{OFFSET} 在第二台 paas 上是 120，在第一台上是 60",
        *offset("120", 1),
    ),
    Fault(
        "token-offset-unparsable",
        "token-offset-config",
        SECTION,
        f"{OFFSET} is not a number on the second paas host",
        f"第二台 paas 上的 {OFFSET} 不是数字",
        *offset("'5m'", 1),
    ),
    Fault(
        "token-offset-raised",
        "token-offset-raised",
        SECTION,
        f"{OFFSET} is 600 on both paas hosts",
        f"两台 paas 上的 {OFFSET} 都是 600",
        *offset("600", 0, 1),
    ),
    Fault(
        "clock-of-both-paas",
        "clock-all",
        SECTION,
        f"both paas hosts are {SKEW} s ahead of all others: they agree, their logs do not",
        f"两台 paas 的时间都比其他主机快 {SKEW} 秒：彼此一致，但日志时间错误",
        both_ahead,
        both_right,
    ),
    Fault(
        "time-source-gone",
        "time-daemon",
        SECTION,
        "chronyd on the job host runs, but its time server does not answer",
        "job 主机上的 chronyd 在运行，但时间服务器没有应答",
        lose_source,
        find_source,
    ),
)
