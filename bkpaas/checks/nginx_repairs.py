"""Edits of remedies that take back what nginx changes in requests and answers, or refuses to users."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from bkpaas.checks.edits import (
    Edit,
    comment_block,
    edit_of,
    escaped,
    hidden_copy,
    insert_after,
    replace_first,
    replace_in_line,
)
from bkpaas.checks.nginx_refusals import USER_PATHS, is_low, misled
from bkpaas.facts import HostView, Missing, NginxLocation, NginxServer
from bkpaas.facts.nginx_passing import Place
from bkpaas.messages import Message, msg

_END = "( [^;]*)?;"
"""The arguments of a directive, and its end."""
_BEFORE = r"(^|[ \t;{])"
_ALTERNATIVES = re.compile(r"[\w.-]+(?:\|[\w.-]+)*")
"""An expression that is a list of names."""


def nginx_edit_of(edits: Iterable[Edit | None], host: HostView) -> Message | str:
    """Return one line of commands, or the place for an edit by hand.

    A copy that an include would read is hidden: nginx reads no file whose name begins with a dot. A file that
    consul-template writes is not edited: it writes it again.
    """
    edits = list(edits)
    if any(edit and _is_rendered(edit, host) for edit in edits):
        return msg(
            "# correct the template of this file by hand here (/etc/consul-template/templates), then: systemctl restart consul-template"
        )
    return edit_of((edit and _keep_apart(edit, host.nginx.includes) for edit in edits), host.name)


def _is_rendered(edit: Edit, host: HostView) -> bool:
    """Return whether consul-template writes the file, as on 6.x those in conf.d."""
    units = host.facts.units
    unit = None if isinstance(units, Missing) else units.by_name.get("consul-template.service")
    return unit is not None and unit.exists and "/conf.d/" in edit.file


def _keep_apart(edit: Edit, includes: Iterable[str]) -> Edit:
    if not any(fnmatchcase(f"{edit.file}.bak", pattern) for pattern in includes):
        return edit
    return hidden_copy(edit)


def disable(place: Place) -> Edit:
    """Return the edit that makes a directive a comment in a line of its own."""
    return replace_in_line(place.file, place.line, f"{_BEFORE}({_as_written(place)})", r"\1# \2\n")


def _as_written(place: Place) -> str:
    """Return an expression for a directive with its arguments."""
    first = place.about if place.directive not in ("return", "internal") and place.about != "POST" else ""
    known = re.fullmatch(r"[\w.=~/$*-]+", first)
    return f"{place.directive}[ \\t]+[^;]?{escaped(first)}[^;]*;" if known else f"{place.directive}{_END}"


def _set(place: Place, text: str) -> Edit:
    """Return the edit that replaces a directive with its arguments."""
    return replace_in_line(place.file, place.line, f"{_BEFORE}{_as_written(place)}", rf"\1{text};")


def set_in_effect(location: NginxLocation, server: NginxServer, directive: str, value: str) -> list[Edit]:
    """Return the edits that give a directive a value where it is written, else in the server block."""
    found = [place for place in location.places if place.directive == directive]
    text = f"{directive} {value}"
    return [_set(place, text) for place in found] or [insert_after(server.file, server.line, f"    {text};")]


def repairs(name: str, location: NginxLocation, server: NginxServer, text: str) -> list[Edit | None]:
    """Return the edits for a case of nginx-passes-requests; [None]: a person has to decide.

    text: the directive that loses the cookies, if it is this case.
    """
    passing = location.passing
    if name == "query-lost":
        target = location.proxy_pass or ""
        old = rf"(proxy_pass +{escaped(target)});"
        return [replace_first(location.file, location.line, old, r"\1$is_args$args;")]
    if name == "host-replaced":
        return [_pass_host(location, server)]
    if name == "answer-cut":
        return [*set_in_effect(location, server, "proxy_read_timeout", "600")]
    if name == "program-refused":
        return _without_programs(location)
    if name == "path-rewritten":
        found = {one[1] for path in USER_PATHS if (one := misled(server, path))}
        return [disable(Place("rewrite", one.pattern[:100], one.file, one.line)) for one in found]
    if name == "users-refused":
        return list(_let_users_pass(location)) or [None]
    wrong: dict[str, Iterator[Place]] = {
        "cookie-lost": _written(location, *text.split()[:2]),
        "post-refused": (
            one for one in location.places if one.directive == "proxy_method" or one.about == "POST"
        ),
        "answer-stored": _written(location, "proxy_cache"),
        "body-lost": _written(location, "proxy_pass_request_body"),
        "headers-refused": (
            one
            for one in location.places
            if one.directive in ("large_client_header_buffers", "client_header_buffer_size")
            or (one.directive == "proxy_buffer_size" and passing.answer_header_bytes)
        ),
    }
    return [disable(place) for place in wrong.get(name, iter(()))] or [None]


def _written(location: NginxLocation, directive: str = "", about: str | None = None) -> Iterator[Place]:
    """Yield the places of a directive, of those with this first argument if it is given."""
    for place in location.places:
        if place.directive == directive and about in (None, place.about):
            yield place


def _pass_host(location: NginxLocation, server: NginxServer) -> Edit:
    """Return the edit that passes the Host of the request on, at the level whose headers are in effect."""
    text = "proxy_set_header Host $http_host"
    headers = [one for one in location.places if one.directive == "proxy_set_header"]
    for place in headers:
        if place.about.lower() == "host":
            return _set(place, text)
    if headers:
        old = rf"{_BEFORE}(proxy_set_header[ \t])"
        return replace_in_line(headers[0].file, headers[0].line, old, rf"\1{text}; \2")
    return insert_after(server.file, server.line, f"    {text};")


def _without_programs(location: NginxLocation) -> list[Edit | None]:
    """Return the edits that take the refused programs out of the lists of names that refuse them."""
    edits: list[Edit | None] = []
    for place in location.places:
        if place.directive != "if":
            continue
        if not _ALTERNATIVES.fullmatch(place.about):
            return [None]
        names = place.about.split("|")
        left = [one for one in names if not _fits_any(one, location.passing.refused_programs)]
        if left:
            edits.append(replace_in_line(place.file, place.line, escaped(place.about), "|".join(left)))
        else:
            edits += [
                disable(one)
                for one in location.places
                if one.directive == "return" and one.about == place.about
            ]
    return edits or [None]


def _fits_any(name: str, programs: Iterable[str]) -> bool:
    return any(re.search(name, program, re.IGNORECASE) for program in programs)


def _let_users_pass(location: NginxLocation) -> Iterator[Edit | None]:
    """Yield the edits that take back what refuses every user in a location."""
    own, places = location.refusal, location.places
    if own.answer:
        answers = [
            one for one in places if one.directive == own.answer.partition(" ")[0] and one.about != "POST"
        ]
        if location.proxy_pass or location.uwsgi_pass or own.answer == "internal":
            yield from map(disable, answers)
        else:
            yield comment_block(location.file, location.line, "location")
    elif own.password:
        yield from map(disable, _written(location, "auth_basic"))
    elif any(one.startswith("Mozilla/") for one in location.passing.refused_programs):
        yield from _without_programs(location)
    elif ("deny", "all") in location.passing.access:
        yield from map(disable, _written(location, "deny", "all"))
    else:
        low = [limit for limit in own.limits if is_low(limit)]
        for place in places:
            if any(
                place.directive == limit.directive and place.about in (limit.zone, f"zone={limit.zone}")
                for limit in low
            ):
                yield disable(place)
