"""Recognise statements that set names of a module by other means than an assignment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bkpaas.facts import calls, python2

ANYTHING: frozenset[str] = frozenset(("*",))
"""What a call may set when its names are not known."""
_OWN = ("globals()", "locals()", "vars()", "sys.modules[__name__]", "sys.modules[__name__].__dict__")
_RUNS = ("exec", "execfile")
_LOADERS = ("__import__", "import_module", "importlib.import_module")
_NOTHING: frozenset[str] = frozenset()

Evaluate = Callable[[Any], Any]


class Scope:
    """Hold what is defined in one file: functions that set names, and names for the module's namespace."""

    def __init__(self) -> None:
        self.functions: dict[str, frozenset[str]] = {}
        self.aliases: set[str] = set()

    def define(self, node: Any) -> None:
        """Remember which names a call of this function sets."""
        names: set[str] = set()
        for statement in _statements(node):
            if statement.type == "global_stmt":
                names |= {leaf.value for leaf in python2.leaves(statement) if leaf.type == "name"}
            elif statement.type in ("power", "atom_expr"):
                names |= self.write(statement)
            elif statement.type == "expr_stmt":
                target = statement.children[0]
                if target.type in ("power", "atom_expr") and self.is_namespace(target, upto=1):
                    names |= ANYTHING
            elif statement.type == "exec_stmt" and exec_writes(statement):
                names |= ANYTHING
        self.functions[node.children[1].value] = ANYTHING if "*" in names else frozenset(names)

    def alias(self, name: str, source: Any) -> None:
        """Remember a name that was bound to the module's namespace."""
        text = _code(source)
        if text in _OWN or text in self.aliases:
            self.aliases.add(name)
        else:
            self.aliases.discard(name)

    def is_namespace(self, node: Any, upto: int = 0) -> bool:
        """Return whether an expression, without its last trailers, is the module's namespace."""
        children = node.children[: len(node.children) - upto]
        text = "".join(_code(child) for child in children)
        return text in _OWN or text in self.aliases

    def write(self, node: Any) -> frozenset[str]:
        """Return the names that a call may set."""
        name, trailers = calls.dotted(node) if node.children[0].type == "name" else ("", [])
        if not trailers:
            return _NOTHING
        if name in _RUNS:
            return ANYTHING if _in_own(trailers[0]) else _NOTHING
        if self.functions.get(name):
            return self.functions[name]
        if name in ("setattr", "delattr"):
            target = _code(_arguments(trailers[0])[0]) if _arguments(trailers[0]) else ""
            return ANYTHING if target in _OWN or target in self.aliases else _NOTHING
        last = method_of(node)
        if last in ("update", "__setitem__", "setdefault", "pop", "clear") and self.is_namespace(
            node, upto=2
        ):
            return ANYTHING
        if name in _LOADERS:
            return _NOTHING
        values = (_code(one).rpartition("=")[2] for one in _arguments(trailers[0]))
        passed = any(text in _OWN or text in self.aliases for text in values)
        return ANYTHING if passed else _NOTHING


def _statements(node: Any) -> Iterator[Any]:
    for child in getattr(node, "children", ()):
        if child.type in ("global_stmt", "exec_stmt", "expr_stmt") or (
            child.type in ("power", "atom_expr") and node.type == "simple_stmt"
        ):
            yield child
        elif child.type not in ("classdef", "lambdef"):
            yield from _statements(child)


def _code(node: Any) -> str:
    return "".join(leaf.value for leaf in python2.leaves(node))


def _arguments(trailer: Any) -> list[Any]:
    inner = trailer.children[1:-1]
    nodes = inner[0].children if inner and inner[0].type == "arglist" else inner
    return [one for one in nodes if one.type != "operator"]


def _in_own(trailer: Any) -> bool:
    """Return whether exec(code) or exec(code, namespace) runs in the module's namespace."""
    arguments = [_code(one) for one in _arguments(trailer)]
    return len(arguments) < 2 or arguments[1] in _OWN


def exec_writes(node: Any) -> bool:
    """Return whether `exec code in namespace` runs in the module's namespace."""
    names = [getattr(child, "value", "") for child in node.children]
    return "in" not in names or _code(node.children[names.index("in") + 1]) in _OWN


def method_of(node: Any) -> str | None:
    """Return the name of the method that the last trailers of an expression call."""
    if len(node.children) < 3:
        return None
    name, call = node.children[-2:]
    if name.type != "trailer" or call.type != "trailer" or name.children[0].value != ".":
        return None
    return str(name.children[1].value) if call.children[0].value == "(" else None


def given(node: Any, evaluate: Evaluate) -> dict[str, Any]:
    """Return the names and values of `globals().update(...)` or `setattr(module, "NAME", value)`.

    Raises: LookupError, TypeError or ValueError if they are unknown.
    """
    if method_of(node) == "update":
        positional, names = calls.arguments(node.children[-1], evaluate)
        return calls.FUNCTIONS["dict"](*positional, **names)  # type: ignore[no-any-return]
    if node.children[0].type == "name" and node.children[0].value == "setattr" and len(node.children) == 2:
        _, name, value = _arguments(node.children[1])
        return {str(evaluate(name)): evaluate(value)}
    raise ValueError


def container(node: Any, evaluate: Evaluate, upto: int = 1) -> Any:
    """Return the value of an expression without its last trailers."""
    value = evaluate(node.children[0])
    for trailer in node.children[1 : len(node.children) - upto]:
        if trailer.children[0].value != "[":
            raise ValueError
        value = value[evaluate(trailer.children[1])]
    if not isinstance(value, dict | list):
        raise ValueError
    return value


def change(node: Any, evaluate: Evaluate) -> None:
    """Apply a method that changes a dict or list, such as `NAME["key"].update(...)`."""
    value, name = container(node, evaluate, upto=2), method_of(node)
    positional, names = calls.arguments(node.children[-1], evaluate)
    if name == "update" and isinstance(value, dict):
        value.update(calls.FUNCTIONS["dict"](*positional, **names))
    elif name in ("setdefault", "pop", "append", "extend", "insert", "remove", "clear"):
        getattr(value, name)(*positional, **names)
    else:
        raise ValueError


def names(node: Any) -> list[str]:
    """Return all names in a target such as `A, (B, C)` or `del A`."""
    return [leaf.value for leaf in python2.leaves(node) if leaf.type == "name"]


def loop_names(node: Any) -> list[str]:
    """Return the names that a for statement sets."""
    return names(node.children[1]) if node.type == "for_stmt" else []


def is_star(node: Any) -> bool:
    """Return whether it is `from x import *`."""
    return node.type == "import_from" and any(getattr(child, "value", "") == "*" for child in node.children)


def imported_module(node: Any) -> str:
    """Return the module of `from x.y import ...`, without leading dots."""
    codes = [_code(child) for child in node.children]
    return "".join(codes[1 : codes.index("import")]).lstrip(".") if "import" in codes else ""


def imported_names(node: Any) -> list[str]:
    """Return the upper-case names that an import binds."""
    return [name.value for name in node.get_defined_names() if name.value.isupper()]


def within_try(node: Any) -> bool:
    """Return whether a statement is in a try statement."""
    while node is not None:
        if node.type == "try_stmt":
            return True
        node = node.parent
    return False
