"""Parse the rewrite directives of a server block, which nginx applies to a path before it looks for the location.

Source: nginx, ngx_http_rewrite_module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from bkpaas.facts.missing import Record
from bkpaas.facts.nginx_passing import NESTED_REPEAT

_LONGEST_PATTERN = 300
_ENDS = ("last", "break")
"""Flags after which the other directives of the block are not applied."""
_REDIRECTS = ("redirect", "permanent")


class NginxRewrite(Record, frozen=True):
    """Represent one rewrite directive of a server block."""

    pattern: str
    replacement: str
    flag: str = ""
    """last, break, redirect, permanent, or empty."""
    file: str = ""
    line: int = 0


def rewrites(block: Iterable[dict[str, Any]]) -> tuple[NginxRewrite, ...]:
    """Return the rewrite directives of a block, in order; those inside an if are left out."""
    return tuple(
        NginxRewrite(
            pattern=str(one["args"][0]),
            replacement=str(one["args"][1]),
            flag="".join(one["args"][2:3]),
            file=one.get("file", ""),
            line=one["line"],
        )
        for one in block
        if one["directive"] == "rewrite" and len(one["args"]) > 1
    )


def rewritten(of_server: Iterable[NginxRewrite], path: str) -> tuple[str, NginxRewrite | None]:
    """Return the path for which nginx looks for a location, and the first rewrite that changed it.

    A path that a browser is sent away from, or whose new form is not known, is returned as it was.
    """
    new, first = path, None
    for one in of_server:
        match = _match(one.pattern, new)
        if match is None:
            continue
        if one.flag in _REDIRECTS or re.match(r"https?://|\$scheme", one.replacement):
            return path, None
        changed = re.sub(r"\$\d", _values(match), one.replacement)
        if "$" in changed:
            return path, None
        new, first = changed.partition("?")[0], first or one
        if one.flag in _ENDS:
            break
    return (new, first) if new != path else (path, None)


def _match(pattern: str, path: str) -> re.Match[str] | None:
    if len(pattern) > _LONGEST_PATTERN or NESTED_REPEAT.search(pattern):
        return None
    try:
        return re.search(re.sub(r"\(\?<(?=\w)", "(?P<", pattern), path)
    except re.error:
        return None


def _values(match: re.Match[str]) -> Callable[[re.Match[str]], str]:
    """Return what replaces `$1` and so on."""
    groups = {f"${number}": value or "" for number, value in enumerate(match.groups(), 1)}
    return lambda variable: groups.get(variable[0], "")
