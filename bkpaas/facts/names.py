"""Parse how a host resolves names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any

from msgspec import field

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.file import Files, content
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile, Resolve, ResolveName
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message

RESOLVER_SILENT = "no answer from the resolver in time"
"""What the collector writes where it waited for a resolver and got neither an address nor an error."""


class Resolved(Record, frozen=True):
    name: str
    addresses: tuple[str, ...] = ()
    error: Message | str | None = None
    seconds: float | None = None
    """How long it took; None: not measured."""


class Names(Fact, frozen=True):
    by_name: dict[str, Resolved]
    missing: dict[str, Message | str] = field(default_factory=dict)
    """Why the answer for a name cannot be used."""
    nameservers: dict[str, Resolved] = field(default_factory=dict)
    """What each nameserver of /etc/resolv.conf has for the PaaS domain, by address, in the order of the file."""
    routes: dict[str, str] | None = None
    """By address of another host, "" or the errno with which the kernel refuses to send to it; None: not asked."""
    accounts: dict[str, int | None] = field(default_factory=dict)
    """By name of an account that was asked for, its uid; None: there is no such account."""
    listed_nameservers: tuple[str, ...] = ()
    """The nameservers of /etc/resolv.conf that the C library uses."""
    in_hosts: tuple[str, ...] = ()
    """The names in /etc/hosts."""
    sources: tuple[str, ...] = ()
    """Where the C library looks for a host, by /etc/nsswitch.conf: files, dns ...; empty: not known."""
    in_consul: dict[str, Resolved] = field(default_factory=dict)
    """What the first nameserver has for each name of consul that /etc/hosts has, by name."""

    def get(self, name: str) -> Resolved | None:
        """Return how a name resolves; None when it was not asked. NoData: the answer cannot be used."""
        if name in self.missing:
            raise NoData(self.missing[name])
        return self.by_name.get(name)

    def known_routes(self) -> dict[str, str] | None:
        """Return `routes`. Raises NoData if they were asked for and the answer cannot be used."""
        if self.routes is None and (reason := self.missing.get(ResolveName.ROUTES.value)) is not None:
            raise NoData(reason)
        return self.routes

    def of(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name on this host; the name itself if it is an address or unresolved."""
        resolved = self.get(name)
        return resolved.addresses if resolved and resolved.addresses else (name,)


_NO_ACCOUNT = "no such account"
_MOST_NAMESERVERS = 3
"""As many as the C library uses. Source: resolv.conf(5), MAXNS."""
_MOST_ROUTES = 1000
_FILE_BYTES = 65536


def names(
    section: dict[str, dict[str, Any]],
    missing: dict[str, Message | str] | None = None,
    files: Files | None = None,
) -> Names:
    """Parse the raw resolutions by name, /etc/resolv.conf and /etc/hosts."""
    resolved = {
        name: Resolved(
            name=name,
            addresses=tuple(item["addresses"]),
            error=raw.reason(item.get("error")),
            seconds=raw.number(item.get("seconds")),
        )
        for name, item in section.items()
    }
    account = ResolveName.ACCOUNT.prefix
    special = (ResolveName.NAMESERVER.prefix, ResolveName.ROUTES.value, account, ResolveName.CONSUL.prefix)
    answer = resolved.get(ResolveName.ROUTES.value)

    def of(prefix: str) -> dict[str, Resolved]:
        return {name.removeprefix(prefix): one for name, one in resolved.items() if name.startswith(prefix)}

    return Names(
        by_name={name: one for name, one in resolved.items() if not name.startswith(special)},
        missing={
            name: reason
            for name, reason in (missing or {}).items()
            if name == ResolveName.ROUTES.value or not name.startswith(special)
        },
        nameservers=of(special[0]),
        routes=None if answer is None else _routes(answer),
        accounts={
            name.removeprefix(account): raw.integer(item.get("uid"))
            for name, item in section.items()
            if name.startswith(account) and ("uid" in item or item.get("error") == _NO_ACCOUNT)
        },
        listed_nameservers=tuple(_nameservers(_text(files, FileName.RESOLV_CONF))),
        in_hosts=tuple(dict.fromkeys(_hosts_names(_text(files, FileName.HOSTS)))),
        sources=tuple(_sources(_text(files, FileName.NSSWITCH))),
        in_consul=of(special[3]),
    )


_ROUTE = re.compile(r"(?P<address>[0-9a-fA-F.:]+) (?P<errno>E[A-Z]+)")


def _routes(answer: Resolved) -> dict[str, str]:
    failed = {match["address"]: match["errno"] for match in _ROUTE.finditer(str(answer.error or ""))}
    return dict.fromkeys(answer.addresses, "") | failed


def _text(files: Files | None, name: FileName) -> str:
    return next((content(entry) or "" for entry in (files or {}).get(name.value, [])), "")


def _nameservers(text: str) -> list[str]:
    """Return the addresses of the nameservers that the C library uses."""
    words = [line.split() for line in text.splitlines()]
    found = [line[1] for line in words if len(line) > 1 and line[0] == "nameserver" and is_address(line[1])]
    return list(dict.fromkeys(found[:_MOST_NAMESERVERS]))


_SOURCE = re.compile(r"\[[^\]]*\]|[\w.-]+")


def _sources(text: str) -> Iterator[str]:
    """Yield the sources of the `hosts` line that are asked for a name that /etc/hosts does not have."""
    hosts = [line for line in text.splitlines() if line.strip().lower().startswith("hosts:")]
    last = ""
    for word in _SOURCE.findall(hosts[0].partition("#")[0].partition(":")[2].lower()) if hosts else ():
        if not word.startswith("["):
            last = word
            yield word[:30]
        elif last == "files" and "notfound=return" in word:
            return


def _hosts_names(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from map(str.lower, line.partition("#")[0].split()[1:])


def is_address(text: str) -> bool:
    """Return whether a text is an address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Resolve the PaaS domain, the domains of the other products, and on 6.x the names that consul gives.

    Round 2 asks each nameserver for the PaaS domain, unless /etc/hosts has it, and the first one for the names of
    consul that /etc/hosts has.
    """
    seconds = deployment.limits.resolve_seconds
    if earlier is None:
        own = consul_names(entry, deployment)
        for name in dict.fromkeys((deployment.domain, *deployment.fqdns.values(), *own)):
            yield Resolve(name, seconds)
        yield ReadFile(FileName.RESOLV_CONF.value, "/etc/resolv.conf", _FILE_BYTES, 1)
        yield ReadFile(FileName.HOSTS.value, "/etc/hosts", _FILE_BYTES, 1)
        yield ReadFile(FileName.NSSWITCH.value, "/etc/nsswitch.conf", _FILE_BYTES, 1)
        if addresses := tuple(_linked(entry, deployment))[:_MOST_ROUTES]:
            yield Resolve(ResolveName.ROUTES.value, seconds, routes=addresses)
        return
    facts = earlier.hosts[entry.name].names
    if isinstance(facts, Missing):
        return
    yield from _pinned(entry, deployment, facts)
    if len(facts.listed_nameservers) < 2:
        return
    if deployment.domain.lower() not in facts.in_hosts and deployment.domain.isascii():
        for server in facts.listed_nameservers:
            yield Resolve(ResolveName.NAMESERVER.of(server), seconds, server=server, domain=deployment.domain)


_MOST_PINNED = 20
_PINNED = re.compile(r"[a-z0-9.-]{1,253}")


def _pinned(entry: Host, deployment: Deployment, facts: Names) -> Iterator[Query]:
    """Resolve the names of consul that /etc/hosts has, and ask the first nameserver for what it has for them."""
    seconds = deployment.limits.resolve_seconds
    if not consul_names(entry, deployment) or not facts.listed_nameservers:
        return
    pinned = [name for name in facts.in_hosts if name.endswith(CONSUL_SUFFIX) and _PINNED.fullmatch(name)]
    for name in pinned[:_MOST_PINNED]:
        yield Resolve(name, seconds)
        yield Resolve(ResolveName.CONSUL.of(name), seconds, server=facts.listed_nameservers[0], domain=name)


_APPS = ("appo", "appt")
_LINKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("paas", ("mysql", "redis", "es", "nginx", "paas", *_APPS)),
    ("nginx", ("cmdb", "job", *_APPS)),
    ("redis", _APPS),
)
"""Roles of hosts that exchange packets."""


def _linked(entry: Host, deployment: Deployment) -> Iterator[str]:
    """Yield the addresses of the other hosts with which a host exchanges packets."""
    roles = {role for own, others in _LINKS if entry.has_role(own) for role in others}
    roles |= {own for own, others in _LINKS if entry.has_role(*others)}
    for other in deployment.hosts_with(*roles):
        if other.name != entry.name and is_address(other.address):
            yield other.address


CONSUL_SUFFIX = ".service.consul"
"""Of the names that consul's agent on each host answers."""


def consul_names(entry: Host, deployment: Deployment) -> tuple[str, ...]:
    """Return the names of consul that the services of a host cannot work without."""
    if deployment.generation == "5.x" or not entry.has_role("paas", "appo", "appt"):
        return ()
    return (f"paas{CONSUL_SUFFIX}",)


def unresolved(names: Iterable[str], deployment: Deployment) -> Iterator[Query]:
    """Resolve those of these names that are not addresses."""
    for name in dict.fromkeys(names):
        if not is_address(name):
            yield Resolve(name, deployment.limits.resolve_seconds)
