"""The shape of the controller's own answers, read by the same rules as those of a host."""

from __future__ import annotations

from typing import Any, TypedDict

from bkpaas.facts import raw
from bkpaas.facts.sections import Failure
from bkpaas.facts.shapes import (
    Round,
    RoundQueries,
    convert_shape,
    is_base64,
    malformed,
    not_answered,
    read_named,
)

_NAMED = ("resolve", "http", "tcp")


class _Address(TypedDict):
    address: str


class Certificate(_Address, total=False):
    """What one address presents: has an error, or a certificate and the result of its verification."""

    der: str
    problem: str | None
    error: Failure | None


def read_controller(answer: Any) -> Round:
    """Read the answers of bkpaas.collect.probes.probe. Never raises."""
    found = Round()
    cleaned = raw.clean(answer)
    if not isinstance(cleaned, dict):
        found.errors = {section: malformed(section) for section in (*_NAMED, "certificates")}
        return found
    found.values["agent"] = raw.text(cleaned.get("agent"), 60) or ""
    for section in _NAMED:
        given = cleaned.get(section)
        if isinstance(given, dict):
            read_named(found, section, given, frozenset(given), RoundQueries())
        else:
            found.errors[section] = malformed(section) if section in cleaned else not_answered(section)
    _read_certificates(found, cleaned)
    return found


def _read_certificates(found: Round, cleaned: dict[str, Any]) -> None:
    section = "certificates"
    if section not in cleaned:
        found.errors[section] = not_answered(section)
        return
    items, problem = convert_shape(cleaned[section], list[Certificate], section)
    if problem is None and all(map(_is_whole, items)):
        found.values[section] = items
    else:
        found.errors[section] = problem or malformed(section)


def _is_whole(item: dict[str, Any]) -> bool:
    return item.get("error") is not None or ({"der", "problem"} <= item.keys() and is_base64(item["der"]))
