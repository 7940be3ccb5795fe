"""Parse the locations of nginx, and find the one that serves a path.

Source: nginx, ngx_http_core_module, location; ngx_http_uwsgi_module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from bkpaas.facts.missing import Record
from bkpaas.facts.nginx_passing import NESTED_REPEAT, Inherited, Passing, Place, inherited, passing, places
from bkpaas.facts.nginx_refusals import Refusal, refusal

Statement = dict[str, Any]
"""As crossplane makes them: directive, args, line, block; file is added by the reader."""


class NginxLocation(Record, frozen=True):
    modifier: str
    """Empty, =, ~, ~* or ^~."""
    pattern: str
    proxy_pass: str | None = None
    upstream: str | None = None
    """The name of the upstream that proxy_pass leads to."""
    uwsgi_pass: str | None = None
    """As written: an address, an upstream, or unix:PATH, perhaps with variables."""
    uwsgi_modifier: int = 0
    """uwsgi_modifier1: with 30 uwsgi itself removes SCRIPT_NAME from the path."""
    script_name: str | None = None
    """The SCRIPT_NAME that uwsgi_param sets, as written."""
    file: str = ""
    line: int = 0
    passing: Passing = Passing()
    """What it changes in the requests and answers that it passes on."""
    refusal: Refusal = Refusal()
    """What it refuses itself."""
    places: tuple[Place, ...] = ()
    """Where the directives in effect are written that a remedy may change, also those of an outer block."""


class Route(Record, frozen=True):
    """Represent where nginx sends a path."""

    location: NginxLocation
    target: str
    """The argument of proxy_pass or uwsgi_pass, its variables replaced as far as the location sets them."""


def locations(
    block: list[Statement], upstreams: set[str], above: Inherited | None = None, refused: bool = False
) -> Iterator[NginxLocation]:
    """Yield the locations of a server, those inside of others after them.

    above: the directives in effect outside of the block; refused: whether the server refuses POST.
    """
    effective = inherited(block, above or {})
    for statement in block:
        if statement["directive"] != "location" or not statement["args"]:
            continue
        *modifier, pattern = statement["args"]
        inner = statement.get("block", [])
        inside = inherited(inner, effective)
        proxy_pass = next(_passes(inner, "proxy_pass"), None)
        sign = re.match(r"\^~|~\*|~|=", pattern) if not modifier else None  # `location =/x` has no blank
        yield NginxLocation(
            modifier=modifier[0] if modifier else sign.group() if sign else "",
            pattern=pattern[sign.end() :] if sign else pattern,
            proxy_pass=proxy_pass,
            upstream=target_name(proxy_pass, upstreams) if proxy_pass else None,
            uwsgi_pass=next(_passes(inner, "uwsgi_pass"), None),
            uwsgi_modifier=_modifier(inner),
            script_name=_script_name(inner),
            file=statement.get("file", ""),
            line=statement["line"],
            passing=passing(inner, inside, refused),
            refusal=refusal(inner, inside),
            places=places(inner, inside),
        )
        yield from locations(inner, upstreams, effective, refused)


def _passes(block: list[Statement], directive: str) -> Iterator[str]:
    """Yield the targets of requests, also those inside of an if."""
    for statement in block:
        if statement["directive"] == directive and statement["args"]:
            yield statement["args"][0]
        elif statement["directive"] in ("if", "limit_except"):
            yield from _passes(statement.get("block", []), directive)


def _modifier(block: list[Statement]) -> int:
    values = [one["args"][0] for one in block if one["directive"] == "uwsgi_modifier1" and one["args"]]
    return int(values[0]) if values and re.fullmatch(r"\d{1,3}", values[0]) and int(values[0]) < 256 else 0


def _script_name(block: list[Statement]) -> str | None:
    params = [one["args"] for one in block if one["directive"] == "uwsgi_param" and len(one["args"]) > 1]
    return next((args[1] for args in params if args[0] == "SCRIPT_NAME"), None)


def target_name(proxy_pass: str, upstreams: set[str]) -> str | None:
    """Return the upstream of a target: `http://OPEN_PAAS/$1$is_args$args` names OPEN_PAAS."""
    name = re.split(r"[/$?]", proxy_pass.partition("://")[2], maxsplit=1)[0]
    return name if name in upstreams else None


_LONGEST_PATTERN = 300


def serving_location(of_server: Iterable[NginxLocation], path: str) -> NginxLocation | None:
    """Return the location that serves a path, None if it does not exist or is not known.

    An exact one wins, then the longest prefix with ^~, then the first expression, then the longest prefix.
    """
    prefixes, expressions = [], []
    for location in of_server:
        if location.modifier == "=" and location.pattern == path:
            return location
        if (
            location.modifier in ("", "^~")
            and path.startswith(location.pattern)
            and location.pattern[:1] != "@"
        ):
            prefixes.append(location)
        elif location.modifier in ("~", "~*"):
            expressions.append(location)
    longest = max(prefixes, key=lambda one: len(one.pattern), default=None)
    if longest is not None and longest.modifier == "^~":
        return longest
    for location in expressions:
        match = matched(location, path)
        if match is None:
            return None
        if match:
            return location
    return longest


def matched(location: NginxLocation, path: str) -> re.Match[str] | bool | None:
    """Return the match of a location's expression, False without one, None if it cannot be evaluated."""
    pattern = location.pattern
    if len(pattern) > _LONGEST_PATTERN or NESTED_REPEAT.search(pattern):
        return None
    flags = re.IGNORECASE if location.modifier == "~*" else 0
    try:
        return re.search(re.sub(r"\(\?<(?=\w)", "(?P<", pattern), path, flags) or False
    except re.error:
        return None


def replaced(location: NginxLocation, text: str, path: str) -> str:
    """Return a text of a location with the variables that its expression sets replaced for a path."""
    match = matched(location, path) if location.modifier in ("~", "~*") else None
    values = {"uri": path, "document_uri": path, "request_uri": path}
    if isinstance(match, re.Match):
        values |= {str(number): value or "" for number, value in enumerate(match.groups(), 1)}
        values |= {name: value or "" for name, value in match.groupdict().items()}
    return re.sub(
        r"\$(?:\{(\w+)\}|(\d|[A-Za-z_]\w*))", lambda one: values.get(one[1] or one[2], one[0]), text
    )


def route(of_server: Iterable[NginxLocation], path: str) -> Route | None:
    """Return where nginx sends a path; None if it is not known, or the location answers itself."""
    location = serving_location(of_server, path)
    if location is None:
        return None
    target = location.proxy_pass or location.uwsgi_pass
    return Route(location, replaced(location, target, path)) if target else None
