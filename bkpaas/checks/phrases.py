"""Texts that several checks share."""

from __future__ import annotations

from collections.abc import Iterable

from bkpaas.lang import say


def seconds(value: float) -> str:
    """Return a number of seconds for a text."""
    return f"{value:.1f} s"


def offset(value: float) -> str:
    """Return a signed number of seconds; below 10 s with milliseconds."""
    return f"{value:+.3f} s" if abs(value) < 10 else f"{value:+.1f} s"


def sorted_uids(uids: Iterable[int | None]) -> list[int | None]:
    """Return user ids in order, an unknown one first."""
    return sorted(uids, key=lambda uid: -1 if uid is None else uid)


def no_answer(kind: str | None) -> str:
    """Return the text for an error kind of a request."""
    words = {
        "refused": say(en="connection refused, nothing listens", zh="拒绝连接，没有监听"),
        "timeout": say(
            en="no connection in time, a firewall drops it or the host is down",
            zh="连接超时，被防火墙丢弃或主机宕机",
        ),
        "silent": say(en="connected, but no answer in time", zh="已连接，但超时无应答"),
        "unreachable": say(en="no route to it, or a firewall rejects it", zh="无路由，或被防火墙拒绝"),
        "reset": say(en="the connection was reset", zh="连接被重置"),
        "resolve": say(en="the name does not resolve", zh="域名无法解析"),
        "tls": say(en="no TLS connection", zh="TLS 连接失败"),
        "protocol": say(en="the answer is not HTTP", zh="应答不是 HTTP"),
        "withheld": say(
            en="not asked: this transport would show the password in the list of processes; ssh:// without --transport openssh does not",
            zh="未询问：这种连接方式会在进程列表中暴露密码；请使用 ssh://，且不要加 --transport openssh",
        ),
        "empty": say(en="closed without an answer", zh="未应答即关闭"),
    }
    return words.get(kind or "", say(en="no answer", zh="无应答"))
