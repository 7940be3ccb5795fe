"""Declare the base types of all facts, and Missing."""

from __future__ import annotations

from msgspec import Struct

from bkpaas.messages import Message


class Record(Struct, frozen=True, omit_defaults=True):
    """Serve as base of the parts of facts: typed, frozen, without secrets, stored as JSON."""


class Fact(Record, frozen=True, tag=True, tag_field="fact"):
    """Serve as base of the nouns of a host; its JSON is tagged, to tell it from Missing."""


class Missing(Fact, frozen=True):
    """Represent a fact that is not available, with the reason."""

    reason: Message | str
    """In words, for a person."""
