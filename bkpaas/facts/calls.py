"""Evaluate the calls that occur in settings: the environment, paths, conversions and methods of strings."""

from __future__ import annotations

import posixpath
import string
from collections.abc import Callable, Mapping
from typing import Any

Environment = Callable[[str], str | None]
"""Returns the variable of a service's process, None if it is not set. Raises KeyError if that is unknown."""
ENVIRONMENT = "os.environ"
"""The name under which `known` has the Environment."""

_GET = ("os.environ.get", "environ.get", "os.getenv", "getenv")
_MAPPINGS = ("os.environ", "environ")
_LONGEST = 10_000


def _text(value: Any = "") -> str:
    if isinstance(value, bool | None) or not isinstance(value, str | int | float):
        raise ValueError
    return str(value)


def _number(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if not isinstance(value, str | int | float):
            raise ValueError
        return kind(value)

    return convert


def _mapping(value: Any = None, **named: Any) -> dict[str, Any]:
    pairs = value.items() if isinstance(value, dict) else (value or ())
    return {**{str(key): item for key, item in pairs}, **named}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": _number(int),
    "float": _number(float),
    "bool": bool,
    "str": _text,
    "unicode": _text,
    "dict": _mapping,
    "list": list,
    "tuple": list,
    "os.path.join": posixpath.join,
    "os.path.dirname": posixpath.dirname,
    "os.path.basename": posixpath.basename,
    "os.path.abspath": posixpath.normpath,
    "os.path.realpath": posixpath.normpath,
}
"""By the name in the source."""

_METHODS = {
    str: ("strip", "lstrip", "rstrip", "lower", "upper", "title", "startswith", "endswith", "split"),
    dict: ("get", "keys", "values", "copy"),
}
_CODINGS = ("encode", "decode")


def dotted(node: Any) -> tuple[str, list[Any]]:
    """Return (`os.environ.get`, the trailers after it) of a name with attributes."""
    names = [node.children[0].value]
    trailers = list(node.children[1:])
    while trailers and trailers[0].type == "trailer" and trailers[0].children[0].value == ".":
        names.append(trailers.pop(0).children[1].value)
    return ".".join(names), trailers


def arguments(trailer: Any, evaluate: Callable[[Any], Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the evaluated arguments of a call. Raises ValueError for * and **."""
    inner = trailer.children[1:-1]
    nodes = inner[0].children if inner and inner[0].type == "arglist" else inner
    positional: list[Any] = []
    names: dict[str, Any] = {}
    for argument in (one for one in nodes if one.type != "operator"):
        if argument.type != "argument":
            positional.append(evaluate(argument))
            continue
        name, equals, *value = argument.children
        if getattr(equals, "value", "") != "=":
            raise ValueError
        names[name.value] = evaluate(value[0])
    return positional, names


def from_environment(
    name: str, trailer: Any, evaluate: Callable[[Any], Any], variables: Mapping[str, Any]
) -> Any:
    """Return the value of `os.environ.get(...)` or `os.environ[...]`. Raises KeyError if it is unknown."""
    environment: Environment = variables[ENVIRONMENT]
    if name in _MAPPINGS and trailer.children[0].value == "[":
        value = environment(evaluate(trailer.children[1]))
        if value is None:
            raise KeyError
        return value
    if name not in _GET or trailer.children[0].value != "(":
        raise KeyError
    positional, names = arguments(trailer, evaluate)
    value = environment(positional[0])
    default = positional[1] if len(positional) > 1 else names.get("default")
    return default if value is None else value


def in_environment(name: str, container: Any, variables: Mapping[str, Any]) -> bool | None:
    """Return whether a variable is set, None if the container is not the environment."""
    if container.get_code(include_prefix=False) not in _MAPPINGS:
        return None
    environment: Environment = variables[ENVIRONMENT]
    return environment(name) is not None


def method(value: Any, name: str, positional: list[Any], names: dict[str, Any]) -> Any:
    """Return the result of a method that changes nothing. Raises ValueError for others."""
    if isinstance(value, str):
        if name in _CODINGS:
            return value
        if name == "join" and sum(map(len, positional[0])) + len(value) * len(positional[0]) > _LONGEST:
            raise ValueError
        if name == "replace" and len(value) * (1 + len(positional[1])) > _LONGEST:
            raise ValueError
        if name == "format":
            return _format(value, positional, names)
        if name in (*_METHODS[str], "join", "replace"):
            return getattr(value, name)(*positional, **names)
    if isinstance(value, dict) and name in _METHODS[dict]:
        result = getattr(value, name)(*positional, **names)
        return list(result) if name in ("keys", "values") else result
    raise ValueError


def _format(template: str, positional: list[Any], names: dict[str, Any]) -> str:
    for _, field, spec, conversion in string.Formatter().parse(template):
        if spec or conversion or (field and not field.isidentifier() and not field.isdigit()):
            raise ValueError
    return template.format(*positional, **names)
