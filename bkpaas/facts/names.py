"""How a host resolves names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Any

from bkpaas.facts import raw
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, Query, Resolve
from bkpaas.inventory.deployment import Deployment, Host


class Resolved(Record, frozen=True):
    name: str
    addresses: tuple[str, ...] = ()
    error: str | None = None


class Names(Fact, frozen=True):
    by_name: dict[str, Resolved]

    def of(self, place: str) -> tuple[str, ...]:
        """The addresses that a name stands for here; the place itself when it is an address, or does not resolve."""
        resolved = self.by_name.get(place)
        return resolved.addresses if resolved and resolved.addresses else (place,)


def names(section: Any) -> Names:
    """From the raw resolutions by name."""
    found = ((name, raw.record(item)) for name, item in raw.record(section).items())
    return Names(
        by_name={
            name: Resolved(
                name=name,
                addresses=tuple(raw.texts(item.get("addresses"), 100)),
                error=raw.text(item.get("error"), 300),
            )
            for name, item in found
        }
    )


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Resolve the PaaS domain and the domains of the other products."""
    if earlier is None:
        for name in dict.fromkeys((deployment.domain, *deployment.fqdns.values())):
            yield Resolve(name, deployment.limits.resolve_seconds)


def unresolved(names: Iterable[str], deployment: Deployment) -> Iterator[Query]:
    """Resolve those of these names that are not addresses."""
    for name in dict.fromkeys(names):
        try:
            ip_address(name)
        except ValueError:
            yield Resolve(name, deployment.limits.resolve_seconds)
