"""Parse what nginx changes in the requests and answers that it passes on.

Source: nginx, ngx_http_proxy_module and ngx_http_core_module: a level that sets one of a kind inherits none of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bkpaas.facts.missing import Record
from bkpaas.facts.nginx_refusals import ADDRESS_IFS, REFUSAL_KINDS, address_ifs

Inherited = dict[str, tuple[tuple[str, ...], ...]]
"""The arguments of the directives in effect, by directive."""
_KINDS = (
    "proxy_set_header",
    "proxy_hide_header",
    "proxy_cookie_domain",
    "proxy_cookie_path",
    "proxy_pass_request_headers",
    "proxy_pass_request_body",
    "proxy_method",
    "client_max_body_size",
    "satisfy",
    "client_header_buffer_size",
    "large_client_header_buffers",
    "proxy_buffer_size",
    "proxy_read_timeout",
    "proxy_cache",
    "proxy_cache_valid",
    "proxy_no_cache",
    "proxy_cache_bypass",
    *REFUSAL_KINDS,
)
_ACCESS = ("allow", "deny")
"""Both are one list: a level with one of them inherits neither. Source: nginx, ngx_http_access_module."""
NESTED_REPEAT = re.compile(r"[+*}]\)*[+*{]")
"""A repeat of a repeat may cost exponential time; such a pattern is not evaluated."""
_AGENT = "$http_user_agent"
_PROGRAMS = (
    "python-requests/2.18.4",
    "Go-http-client/1.1",
    "Java/1.8.0_131",
    "Apache-HttpClient/4.5.3 (Java/1.8.0_131)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0",
)
"""The User-Agents of the platform's own clients, a SaaS and ESB, cmdb, job, and of two browsers."""
_REFUSED = "refused programs"
"""Key of the programs that a level or one above refuses."""
_POST = "POST"
_PLACE = "place of "
"""Begins the keys of the places where the directives of a kind are written."""
_PLACES = ("proxy_set_header", "proxy_hide_header", "proxy_cookie_domain", "proxy_cookie_path", "proxy_read_timeout",
    "proxy_pass_request_headers", "proxy_pass_request_body", "proxy_method", "proxy_cache", "proxy_buffer_size",
    "large_client_header_buffers", "client_header_buffer_size", "client_max_body_size", "auth_basic", "limit_req",
    "limit_conn", "access", _REFUSED, _POST)  # fmt: skip
"""Kinds whose directives a remedy changes."""
_TIMES = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


class Place(Record, frozen=True):
    """Represent where a directive in effect is written."""

    directive: str
    """For what limit_except or an `if` refuses: the one in it, `return` or `deny`."""
    about: str
    """Its first argument; for an if on $http_user_agent, and the `return` in it, the expression."""
    file: str
    line: int


class Passing(Record, frozen=True):
    """Represent what a location changes in requests and answers."""

    host: str = "$http_host"
    """The Host that it sets, as written; empty: it sets none, and nginx sends $proxy_host."""
    cookie: str = "$http_cookie"
    """The Cookie that it sets, as written."""
    hides_cookies: bool = False
    """Whether Set-Cookie of the answers is removed."""
    cookie_domains: tuple[tuple[str, str], ...] = ()
    """(written, replacement) of proxy_cookie_domain."""
    cookie_paths: tuple[tuple[str, str], ...] = ()
    """(written, replacement) of proxy_cookie_path."""
    passes_headers: bool = True
    passes_body: bool = True
    method: str = ""
    """The method that every request gets."""
    refused_programs: tuple[str, ...] = ()
    """The User-Agents of the platform's clients that an if on $http_user_agent answers with an error."""
    refuses_post: bool = False
    """Whether limit_except or an if on $request_method refuses POST."""
    access: tuple[tuple[str, str], ...] = ()
    """allow and deny in their order, each with its argument; none where `satisfy any` lets a login decide."""
    read_seconds: float = 0.0
    """proxy_read_timeout in effect; 0: not known."""
    cache: str = ""
    """The zone from which answers come that nginx stores by its own rule, for every request."""
    header_bytes: int = 0
    """What a line of the request's headers may have: large_client_header_buffers; 0: not known."""
    answer_header_bytes: int = 0
    """What the headers of an answer may have together: proxy_buffer_size; 0: none is written, it is a page of memory."""
    body_bytes: int = 0
    """The client_max_body_size in effect, in bytes; 0: no limit."""


def inherited(block: list[dict[str, Any]], above: Inherited) -> Inherited:
    """Return the directives in effect inside a block."""
    here: dict[str, list[tuple[str, ...]]] = {}
    for statement in block:
        name = statement["directive"]
        if name in _KINDS and statement["args"]:
            here.setdefault(name, []).append(tuple(map(str, statement["args"])))
            if not any(";" in str(one) for one in statement["args"]):
                here.setdefault(f"{_PLACE}{name}", []).append(_place(statement))
        elif name in _ACCESS and statement["args"]:
            here.setdefault("access", []).append((name, str(statement["args"][0])[:100]))
            here.setdefault(f"{_PLACE}access", []).append(_place(statement))
        elif name == "map" and len(statement["args"]) == 2 and statement["args"][0] == _AGENT:
            variable = statement["args"][1]
            here[f"map {variable}"] = [(one,) for one in _PROGRAMS if _mapped(statement, one)]
    refused = {program: None for (program,) in (*above.get(_REFUSED, ()), *_refused_programs(block, above))}
    if clients := address_ifs(block, above):
        here[ADDRESS_IFS] = clients
    if refused:
        here[_REFUSED] = [(program,) for program in refused]
    for key, places in _refusing_places(block, above):
        here.setdefault(key, list(above.get(key, ()))).extend(places)
    return above | {name: tuple(args) for name, args in here.items()}


def _place(statement: dict[str, Any], about: str | None = None) -> tuple[str, str, str, str]:
    """Return directive, what it is about, file and line."""
    first = str(statement["args"][0]) if statement["args"] else ""
    written = first[:100] if about is None else about
    return statement["directive"], written, statement.get("file", ""), str(statement["line"])


def _inner_places(statement: dict[str, Any], about: str) -> list[tuple[str, ...]]:
    inner = statement.get("block", [])
    return [_place(one, about) for one in inner if one["directive"] in ("deny", "return")]


def places(block: list[dict[str, Any]], effective: Inherited) -> tuple[Place, ...]:
    """Return where the directives in effect are written, and those of this block that answer themselves.

    One with a semicolon in an argument is left out: a remedy could not find its end.
    """
    written = [place for kind in _PLACES for place in effective.get(f"{_PLACE}{kind}", ())]
    written += [_place(one) for one in block if one["directive"] in ("return", "internal")]
    return tuple(Place(name, about, file, int(line)) for name, about, file, line in written)


def passing(block: list[dict[str, Any]], effective: Inherited, refused: bool = False) -> Passing:
    """Return what a location changes; refused: whether its server refuses POST."""

    def first(name: str) -> str:
        return next((args[0] for args in effective.get(name, ())), "")

    def header(name: str, default: str) -> str:
        pairs = [args for args in effective.get("proxy_set_header", ()) if args[0].lower() == name]
        return (pairs[-1][1] if len(pairs[-1]) > 1 else "")[:300] if pairs else default

    def pairs(name: str) -> tuple[tuple[str, str], ...]:
        return tuple((args[0][:300], args[1][:300]) for args in effective.get(name, ()) if len(args) > 1)

    off = first("proxy_cache") in ("", "off") or any(
        effective.get(name) for name in ("proxy_no_cache", "proxy_cache_bypass")
    )
    header_buffers = next(
        (args[1] for args in effective.get("large_client_header_buffers", ()) if len(args) > 1), "8k"
    )
    answer_buffer = first("proxy_buffer_size")
    return Passing(
        host=header("host", ""),
        cookie=header("cookie", "$http_cookie"),
        hides_cookies=any(args[0].lower() == "set-cookie" for args in effective.get("proxy_hide_header", ())),
        cookie_domains=pairs("proxy_cookie_domain"),
        cookie_paths=pairs("proxy_cookie_path"),
        passes_headers=first("proxy_pass_request_headers") != "off",
        passes_body=first("proxy_pass_request_body") != "off",
        method=first("proxy_method"),
        refused_programs=tuple(program for (program,) in effective.get(_REFUSED, ())),
        refuses_post=refused or refuses_post(block),
        access=()
        if first("satisfy") == "any"
        else tuple((one[0], one[1]) for one in effective.get("access", ())),
        header_bytes=max(_bytes(header_buffers), _bytes(first("client_header_buffer_size") or "1k")),
        answer_header_bytes=_bytes(answer_buffer) if answer_buffer else 0,
        body_bytes=_bytes(first("client_max_body_size")),
        read_seconds=_seconds(first("proxy_read_timeout")),
        cache="" if off or not effective.get("proxy_cache_valid") else first("proxy_cache")[:100],
    )


def _seconds(text: str) -> float:
    """Parse a time such as `600`, `3s`, `1m 30s` or `500ms`; 60 s, the default of nginx, where none is written."""
    parts = re.findall(r"(\d{1,9})(ms|[smhd]?)", text)
    return sum(int(number) * _TIMES[unit] for number, unit in parts) if parts else 60.0


def _bytes(text: str) -> int:
    """Parse a size such as `512m`; 1 MB, the default of nginx, where none is written."""
    match = re.fullmatch(r"(\d{1,12})([kmg]?)", text.lower())
    return int(match[1]) * _UNITS[match[2]] if match else 1024**2


def refuses_post(block: list[dict[str, Any]]) -> bool:
    """Return whether a limit_except without POST denies everyone, or an if on $request_method returns an error for POST."""
    for statement in block:
        inner = statement.get("block", [])
        if statement["directive"] == "limit_except":
            denies = any(one["directive"] == "deny" and one["args"] == ["all"] for one in inner)
            allows = any(one["directive"] == "allow" for one in inner)
            if denies and not allows and "POST" not in map(str.upper, statement["args"]):
                return True
        elif statement["directive"] == "if" and _fits_post(statement["args"]):
            codes = [one["args"][0] for one in inner if one["directive"] == "return" and one["args"]]
            if any(re.fullmatch(r"4\d\d", code) for code in codes):
                return True
    return False


def _refusing_places(
    block: list[dict[str, Any]], above: Inherited
) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Yield a key, and the places of what refuses a POST or a program of the platform."""
    for statement in block:
        args = statement["args"]
        if refuses_post([statement]):
            yield f"{_PLACE}{_POST}", _inner_places(statement, _POST)
        if any(_refused_programs([statement], above)):
            expression = args[2] if len(args) == 3 and args[1] in ("~", "~*") else ""
            written = expression[:_LONGEST_LIST]
            yield f"{_PLACE}{_REFUSED}", [_place(statement, written), *_inner_places(statement, written)]


def _fits_post(args: list[str]) -> bool:
    """Evaluate a condition such as `$request_method !~ ^(GET|HEAD)$` for POST."""
    return _fits(args, "$request_method", "POST", 100)


def _fits(args: list[str], variable: str, value: str, longest: int) -> bool:
    """Evaluate a condition on a variable for one value; False if it is on another one or not understood."""
    if len(args) != 3 or args[0] != variable:
        return False
    _, operator, operand = args
    if operator in ("=", "!="):
        return (operand == value) is (operator == "=")
    if operator not in ("~", "~*", "!~", "!~*"):
        return False
    found = _matches(operand, value, operator.endswith("*"), longest)
    return found is not None and found is not operator.startswith("!")


def _matches(pattern: str, value: str, any_case: bool, longest: int) -> bool | None:
    """Return whether an expression of nginx matches; None if it is too long, too costly or not understood."""
    if len(pattern) > longest or NESTED_REPEAT.search(pattern):
        return None
    try:
        return re.search(pattern, value, re.IGNORECASE if any_case else 0) is not None
    except re.error:
        return None


_LONGEST_LIST = 2000
"""Of an expression with many names of programs."""


def _refused_programs(block: list[dict[str, Any]], above: Inherited) -> Iterator[tuple[str]]:
    """Yield the programs whose requests an if on $http_user_agent, or on a map of it, answers with an error."""
    for statement in block:
        if statement["directive"] != "if":
            continue
        inner = statement.get("block", [])
        codes = [one["args"][0] for one in inner if one["directive"] == "return" and one["args"]]
        if not any(re.fullmatch(r"[45]\d\d", code) for code in codes):
            continue
        args = statement["args"]
        if len(args) == 1:
            yield from ((program,) for (program,) in above.get(f"map {args[0]}", ()))
        yield from ((one,) for one in _PROGRAMS if _fits(args, _AGENT, one, _LONGEST_LIST))


def _mapped(statement: dict[str, Any], program: str) -> bool:
    """Return whether a map gives a program a value that is true in an if: an exact text, an expression, the default."""
    pairs = [(one["directive"], one["args"][0]) for one in statement.get("block", []) if one["args"]]
    exact = [value for key, value in pairs if key.lower() == program.lower()]
    fitting = [
        value
        for key, value in pairs
        if key.startswith("~")
        and _matches(key.lstrip("~").removeprefix("*"), program, key.startswith("~*"), _LONGEST_LIST)
    ]
    default = [value for key, value in pairs if key == "default"]
    return next(iter((*exact, *fitting, *default)), "") not in ("", "0")
