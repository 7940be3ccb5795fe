"""The shape of the controller's own answers, read by the same rules as those of a host."""

from __future__ import annotations

from typing import Any, TypedDict

from bkpaas.facts import raw
from bkpaas.facts.ranges import valid_time
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
    parsed = Round()
    cleaned = raw.clean(answer)
    if not isinstance(cleaned, dict):
        parsed.errors = {section: malformed(section) for section in (*_NAMED, "certificates")}
        return parsed
    parsed.values["agent"] = raw.text(cleaned.get("agent"), 60) or ""
    parsed.values["sent"] = valid_time(raw.number(cleaned.get("sent")))
    for section in _NAMED:
        section_answer = cleaned.get(section)
        if isinstance(section_answer, dict):
            read_named(parsed, section, section_answer, frozenset(section_answer), RoundQueries())
        else:
            parsed.errors[section] = malformed(section) if section in cleaned else not_answered(section)
    _read_certificates(parsed, cleaned)
    return parsed


def _read_certificates(parsed: Round, cleaned: dict[str, Any]) -> None:
    section = "certificates"
    if section not in cleaned:
        parsed.errors[section] = not_answered(section)
        return
    items, problem = convert_shape(cleaned[section], list[Certificate], section)
    if problem is None and all(map(_is_whole, items)):
        parsed.values[section] = items
    else:
        parsed.errors[section] = problem or malformed(section)


def _is_whole(item: dict[str, Any]) -> bool:
    return item.get("error") is not None or ({"der", "problem"} <= item.keys() and is_base64(item["der"]))
