"""What could not be had, and the roots of all facts."""

from __future__ import annotations

from msgspec import Struct


class Record(Struct, frozen=True, omit_defaults=True):
    """A part of a fact: typed, frozen, without secrets, to and from JSON."""


class Fact(Record, frozen=True, tag=True, tag_field="fact"):
    """One noun of a host. Stands in a union with Missing, so its JSON says which one it is."""


class Missing(Fact, frozen=True):
    """A fact that could not be had."""

    reason: str
    """In words, for a person."""
