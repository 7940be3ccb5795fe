"""Parse how a host resolves names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any

from msgspec import field

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, Query, Resolve
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message


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

    def get(self, name: str) -> Resolved | None:
        """Return how a name resolves; None when it was not asked. NoData: the answer cannot be used."""
        if name in self.missing:
            raise NoData(self.missing[name])
        return self.by_name.get(name)

    def of(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name on this host; the name itself if it is an address or unresolved."""
        resolved = self.get(name)
        return resolved.addresses if resolved and resolved.addresses else (name,)


def names(section: dict[str, dict[str, Any]], missing: dict[str, Message | str] | None = None) -> Names:
    """Parse the raw resolutions by name."""
    return Names(
        by_name={
            name: Resolved(
                name=name,
                addresses=tuple(item["addresses"]),
                error=raw.reason(item.get("error")),
                seconds=raw.number(item.get("seconds")),
            )
            for name, item in section.items()
        },
        missing=missing or {},
    )


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Resolve the PaaS domain, the domains of the other products, and on 6.x the names that consul gives."""
    if earlier is None:
        own = consul_names(entry, deployment)
        for name in dict.fromkeys((deployment.domain, *deployment.fqdns.values(), *own)):
            yield Resolve(name, deployment.limits.resolve_seconds)


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
        try:
            ip_address(name)
        except ValueError:
            yield Resolve(name, deployment.limits.resolve_seconds)
