"""Find what nginx refuses in its files without running it: what crossplane alone lets pass.

A missing `;` makes a directive swallow the next one, whose number of arguments may still be allowed. So a directive
that has the name of another one at the beginning of a later line, unquoted and with a value after it, lacks its `;`.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from bkpaas.facts.file import content
from bkpaas.messages import Message, msg

Statement = dict[str, Any]

_FREE = ("map", "types", "geo", "split_clients", "charset_map", "match")
"""Blocks whose lines are no directives."""
_CLOSE = 0.88
"""Likeness of a misspelt directive to a known one; third-party modules have names of their own."""
_LEAST_LETTERS = 4
"""Of a directive that is found among the arguments of another one."""
_READS_AT_START = frozenset(
    f"{of}{name}"
    for of in ("ssl_", "proxy_ssl_", "uwsgi_ssl_")
    for name in (
        "certificate",
        "certificate_key",
        "trusted_certificate",
        "client_certificate",
        "crl",
        "dhparam",
    )
)
"""Directives that name a file without which nginx refuses its configuration."""
_MOST_CERTIFICATES = 20
_MOST_PROBLEMS = 20


# crossplane is imported in the functions that use it: slow to import, and only a run that collects parses files.


@cache
def _directives() -> Mapping[str, Any]:
    """Return all directives that nginx has, by name."""
    from crossplane.analyzer import DIRECTIVES

    directives: Mapping[str, Any] = DIRECTIVES
    return directives


@lru_cache(maxsize=64)
def parsed(text: str) -> tuple[list[Statement], list[tuple[int | None, str]]]:
    """Parse a text with crossplane, which reads paths only, through a file in memory."""
    import crossplane

    with os.fdopen(os.memfd_create("nginx"), "wb") as file:
        file.write(text.encode("utf-8", "replace"))
        file.flush()
        path = f"/proc/self/fd/{file.fileno()}"
        payload = crossplane.parse(path, single=True, check_ctx=False, check_args=False)
    config = payload["config"][0]
    errors = [(error["line"], _message(error["error"], path)) for error in config["errors"]]
    return config["parsed"], errors


def _message(error: str, path: str) -> str:
    """Return the message of crossplane without its location."""
    return re.sub(rf" in {re.escape(path)}(:\d+)?$", "", error)[:300]


def certificates(statements: list[Statement]) -> dict[str, str]:
    """Return {path of a certificate or key: `file:line`}, without those that hold a variable or an engine."""
    places: dict[str, str] = {}
    for one in _all(statements):
        if one["directive"] in _READS_AT_START and one["args"]:
            path = one["args"][0][:300]
            if not re.search("[$:]", path) and len(places) < _MOST_CERTIFICATES:
                places.setdefault(path, f"{one['file']}:{one['line']}")
    return places


def conf_problems(
    entries: dict[str, dict[str, Any]], main: str, statements: list[Statement]
) -> tuple[Message | str, ...]:
    """Return what nginx refuses in the files that belong to the main file, and in all of them together."""
    used = {main, *(one["file"] for one in _all(statements))}
    problems: list[Message | str] = [
        msg("{path}: {reason}", path=f"{path}:{line}", reason=problem)
        for path, entry in entries.items()
        if path in used
        for line, problem in syntax_problems(content(entry) or "")
    ]
    return (*problems, *repeated(statements))[:_MOST_PROBLEMS]


def _all(block: list[Statement]) -> Iterator[Statement]:
    for statement in block:
        yield statement
        yield from _all(statement.get("block", []))


@lru_cache(maxsize=64)
def syntax_problems(text: str) -> tuple[tuple[int, Message | str], ...]:
    """Return (line, problem) of each place that nginx refuses."""
    if not text.strip():
        return ()
    import crossplane
    from crossplane.errors import NgxParserBaseException

    with os.fdopen(os.memfd_create("nginx"), "wb") as file:
        file.write(text.encode("utf-8", "replace"))
        file.flush()
        path = f"/proc/self/fd/{file.fileno()}"
        payload = crossplane.parse(path, single=True, check_ctx=False, check_args=True)
        try:
            tokens = list(crossplane.lex(path))
        except NgxParserBaseException:
            tokens = []
    errors = payload["config"][0]["errors"]
    problems: list[tuple[int, Message | str]] = [
        (error["line"] or 1, _message(error["error"], path)) for error in errors
    ]
    lines = {line for line, _ in problems}
    problems += [one for one in _swallowed(tokens) if one[0] not in lines]
    problems += list(_misspelt(payload["config"][0]["parsed"]))
    return tuple(sorted(problems, key=lambda one: one[0]))


def _swallowed(tokens: list[tuple[str, int, bool]]) -> Iterator[tuple[int, Message]]:
    """Yield the directives that have the next directive among their arguments."""
    statement: list[tuple[str, int, bool]] = []
    blocks: list[str] = []
    directives = _directives()
    for token, line, quoted in tokens:
        if quoted or token not in (";", "{", "}"):
            statement.append((token, line, quoted))
            continue
        if statement and token != "}" and not (blocks and blocks[-1] in _FREE):
            name, first, _ = statement[0]
            for (_, before, _), (word, at, is_quoted), (_, after, _) in zip(
                statement, statement[1:], statement[2:], strict=False
            ):
                simple = len(word) >= _LEAST_LETTERS and word in directives
                if not is_quoted and at > before and after == at and simple and name in directives:
                    yield first, msg('directive "{name}" is not terminated by ";"', name=name)
                    break
        if token == "{":
            blocks.append(statement[0][0] if statement else "")
        elif token == "}" and blocks:
            blocks.pop()
        statement = []


def _misspelt(block: list[Statement]) -> Iterator[tuple[int, Message]]:
    directives = _directives()
    for statement in block:
        name = statement["directive"]
        if name not in directives and re.fullmatch(r"[a-z_]{5,60}", name):
            near = difflib.get_close_matches(name, directives, 1, _CLOSE)
            if near and not name.startswith(near[0]):
                yield (
                    statement["line"],
                    msg('unknown directive "{name}", perhaps {near}', name=name, near=near[0]),
                )
        if name not in _FREE:
            yield from _misspelt(statement.get("block", []))


def repeated(statements: list[Statement]) -> Iterator[Message]:
    """Yield what stands twice and may stand once: upstreams of one name, default servers of one address."""
    upstreams: dict[str, str] = {}
    defaults: dict[str, str] = {}
    for statement in _flat(statements):
        location = f"{statement['file']}:{statement['line']}"
        args = statement["args"]
        if statement["directive"] == "upstream" and args:
            if args[0] in upstreams:
                yield msg('{place}: duplicate upstream "{name}"', place=location, name=args[0])
            upstreams[args[0]] = location
        elif statement["directive"] == "listen" and {"default_server", "default"} & set(args[1:]):
            if args[0] in defaults:
                yield msg("{place}: a duplicate default server for {name}", place=location, name=args[0])
            defaults[args[0]] = location


def _flat(block: list[Statement]) -> Iterator[Statement]:
    for statement in block:
        yield statement
        if statement["directive"] in ("http", "server", "stream"):
            yield from _flat(statement.get("block", []))
