"""Parse what nginx refuses by itself: return, auth_basic, limit_req, limit_conn, and an if on the address of a client.

Source: nginx, ngx_http_rewrite_module, ngx_http_auth_basic_module, ngx_http_limit_req_module, ngx_http_limit_conn_module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bkpaas.facts.missing import Record

Arguments = Mapping[str, tuple[tuple[str, ...], ...]]
"""The arguments of the directives in effect, by directive."""
REFUSAL_KINDS = (
    "auth_basic",
    "limit_req",
    "limit_conn",
    "limit_req_zone",
    "limit_conn_zone",
    "limit_req_dry_run",
    "limit_conn_dry_run",
)
"""Directives that a level inherits unless it has one of the kind."""
ADDRESS_IFS = "if $remote_addr"
"""Key of the conditions that a level or one above has for the address of a client."""
_ERROR = re.compile(r"[45]\d\d")
_ADDRESS = ("$remote_addr", "$realip_remote_addr")
_OPERATORS = ("=", "!=", "~", "~*", "!~", "!~*")
_LENGTH = 100


class Limit(Record, frozen=True):
    """Represent a limit_req or limit_conn in effect."""

    directive: str
    """limit_req or limit_conn."""
    zone: str
    key: str = ""
    """What is counted, as written; empty: the zone was not read."""
    per_second: float = 0.0
    """The rate of limit_req; 0: not read."""
    number: int = 0
    """The burst of limit_req, or the connections of limit_conn."""


class Refusal(Record, frozen=True):
    """Represent what a location refuses."""

    answer: str = ""
    """The directive that answers every request with an error, as `return 503` or `internal`."""
    password: bool = False
    """Whether every client needs a password of nginx."""
    clients: tuple[tuple[str, str], ...] = ()
    """Operator and operand of each if on $remote_addr that returns an error."""
    limits: tuple[Limit, ...] = ()


def refusal(block: list[dict[str, Any]], effective: Arguments) -> Refusal:
    """Return what a location refuses."""

    def first(name: str) -> str:
        return next((args[0] for args in effective.get(name, ())), "")

    access = effective.get("access", ())
    by_address = first("satisfy") == "any" and any(args[0] == "allow" for args in access)
    return Refusal(
        answer=next(_answers(block), ""),
        password=first("auth_basic") not in ("", "off") and not by_address,
        clients=tuple((args[0], args[1]) for args in effective.get(ADDRESS_IFS, ())),
        limits=tuple(_limits(effective)),
    )


def address_ifs(block: list[dict[str, Any]], above: Arguments) -> list[tuple[str, ...]]:
    """Return operator and operand of each if on the address of a client that returns an error, with those above."""
    found = list(above.get(ADDRESS_IFS, ()))
    for statement in block:
        args = statement["args"]
        if (
            statement["directive"] == "if"
            and len(args) == 3
            and args[0] in _ADDRESS
            and args[1] in _OPERATORS
            and next(_answers(statement.get("block", [])), "")
        ):
            found.append((args[1], str(args[2])[:_LENGTH]))
    return found


def _answers(block: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the directives of a block that answer every request with an error."""
    for statement in block:
        args = statement["args"]
        if statement["directive"] == "internal":
            yield "internal"
        elif statement["directive"] == "return" and args and _ERROR.fullmatch(args[0]):
            yield f"return {args[0]}"


def _limits(effective: Arguments) -> Iterator[Limit]:
    for directive in ("limit_req", "limit_conn"):
        if effective.get(f"{directive}_dry_run", (("off",),))[0][0] == "on":
            continue
        zones = dict(_zones(effective.get(f"{directive}_zone", ())))
        for args in effective.get(directive, ()):
            words = dict(word.partition("=")[::2] for word in args)
            zone = words.get("zone", args[0])[:_LENGTH]
            number = words.get("burst", "0") if directive == "limit_req" else (*args, "")[1]
            key, rate = zones.get(zone, ("", 0.0))
            yield Limit(directive=directive, zone=zone, key=key, per_second=rate, number=_whole(number))


def _zones(lines: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, float]]]:
    """Yield name, and key with rate per second, of each zone."""
    for key, *rest in lines:
        words = dict(word.partition("=")[::2] for word in rest)
        rate = re.fullmatch(r"(\d{1,9})r/([sm])", words.get("rate", ""))
        seconds = 60 if rate and rate[2] == "m" else 1
        yield (
            words.get("zone", "").partition(":")[0][:_LENGTH],
            (
                key[:_LENGTH],
                int(rate[1]) / seconds if rate else 0.0,
            ),
        )


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,9}", text) else 0
