"""How a host resolves names."""

from __future__ import annotations

from bkpaas.facts.missing import Fact, Record


class Resolved(Record, frozen=True):
    name: str
    addresses: tuple[str, ...] = ()
    error: str | None = None


class Names(Fact, frozen=True):
    by_name: dict[str, Resolved]
