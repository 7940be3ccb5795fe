"""Evaluate Python expressions without executing anything."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from bkpaas.facts import calls

_LARGEST = 2**53
_LONGEST = 10_000
_PREFIX = re.compile(r"[uU]?([rR]?)(?=['\"])")
_DIRECTIVE = re.compile(r"%(?:\([A-Za-z_]\w*\))?[sdr%]")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}


class Unknown(Exception):
    """Signal a value that depends on unknown names or is too large."""


def evaluate(node: Any, names: Mapping[str, Any]) -> Any:
    """Return the value of an expression, given the values of names. Raises Unknown."""
    try:
        return _bounded(_RULES[node.type](node, names))
    except (LookupError, TypeError, ValueError, ArithmeticError, SyntaxError, RecursionError, AttributeError):
        raise Unknown from None


def _bounded(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool) and not abs(value) <= _LARGEST:
        raise Unknown
    if isinstance(value, str | list | dict) and len(value) > _LONGEST:
        raise Unknown
    return value


@lru_cache(maxsize=2048)
def _literal(text: str) -> Any:
    """Return the number or string that one token stands for."""
    return ast.literal_eval(text)


def _number(node: Any, names: Mapping[str, Any]) -> Any:
    text = node.value.rstrip("lL")
    if re.fullmatch(r"0[0-7]+", text):
        text = "0o" + text  # of Python 2
    return _literal(text)


def _string(node: Any, names: Mapping[str, Any]) -> str:
    value = _literal(_PREFIX.sub(r"\1", node.value, count=1))
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _strings(node: Any, names: Mapping[str, Any]) -> str:
    return "".join(evaluate(child, names) for child in node.children)


def _name(node: Any, names: Mapping[str, Any]) -> Any:
    return names[node.value]


def _keyword(node: Any, names: Mapping[str, Any]) -> Any:
    return {"True": True, "False": False, "None": None}[node.value]


def _atom(node: Any, names: Mapping[str, Any]) -> Any:
    opening, *inner, _ = node.children
    if opening.value == "(":
        return evaluate(inner[0], names) if inner else []
    if opening.value == "[":
        return _items(inner[0], names) if inner else []
    if opening.value == "{":
        return _pairs(inner[0], names) if inner else {}
    raise Unknown


def _items(node: Any, names: Mapping[str, Any]) -> list[Any]:
    """Return the elements of a tuple, list or set as a list."""
    if node.type not in ("testlist_comp", "testlist", "testlist_star_expr", "exprlist", "dictorsetmaker"):
        return [evaluate(node, names)]
    return [evaluate(child, names) for child in node.children if child.type != "operator"]


def _pairs(node: Any, names: Mapping[str, Any]) -> Any:
    children = node.children if node.type == "dictorsetmaker" else [node]
    if len(children) < 3 or children[1].type != "operator" or children[1].value != ":":
        return _items(node, names)
    whole = [child for child in children if child.type != "operator" or child.value != ","]
    keys, colons, values = whole[0::3], whole[1::3], whole[2::3]
    if any(getattr(colon, "value", "") != ":" for colon in colons):
        raise Unknown
    pairs = zip(keys, values, strict=True)
    return {str(evaluate(key, names)): evaluate(value, names) for key, value in pairs}


def _fold(node: Any, names: Mapping[str, Any]) -> Any:
    value = evaluate(node.children[0], names)
    for sign, right in zip(node.children[1::2], node.children[2::2], strict=True):
        value = _bounded(_calculate(value, sign.value, evaluate(right, names)))
    return value


def _calculate(left: Any, sign: str, right: Any) -> Any:
    if sign == "%" and isinstance(left, str):
        if "%" in _DIRECTIVE.sub("", left):
            raise Unknown  # a width could ask for a text of any length
        return left % (tuple(right) if isinstance(right, list) else right)
    if sign != "+" and not all(isinstance(side, int | float) for side in (left, right)):
        raise Unknown
    if sign == "/":
        return left // right if isinstance(left, int) and isinstance(right, int) else left / right
    return _ARITHMETIC[sign](left, right)


def _sign(node: Any, names: Mapping[str, Any]) -> Any:
    value = evaluate(node.children[1], names)
    return {"-": -value, "+": +value}[node.children[0].value]


def _power(node: Any, names: Mapping[str, Any]) -> Any:
    """Evaluate `2 ** 10`, `NAME["key"]`, `"...".format(...)`, `int(...)` or `os.environ.get(...)`."""
    first = node.children[0]
    if node.children[1].type == "operator":
        exponent = evaluate(node.children[2], names)
        base = evaluate(first, names)
        if not (0 <= exponent <= 64 and abs(base) <= 1024):
            raise Unknown
        return base**exponent

    def inner(child: Any) -> Any:
        return evaluate(child, names)

    trailers = list(node.children[1:])
    if first.type == "name" and first.value not in names:
        name, trailers = calls.dotted(node)
        value = _called(name, trailers.pop(0), inner, names)
    else:
        value = inner(first)
    while trailers:
        trailer = trailers.pop(0)
        if trailer.children[0].value == "[":
            value = value[inner(trailer.children[1])]
        elif trailer.children[0].value == "." and trailers:
            arguments = calls.arguments(trailers.pop(0), inner)
            value = _bounded(calls.method(value, trailer.children[1].value, *arguments))
        else:
            raise Unknown
    return value


def _called(name: str, trailer: Any, inner: Callable[[Any], Any], names: Mapping[str, Any]) -> Any:
    """Return the value of a call of a function, or of a variable of the environment."""
    if name in calls.FUNCTIONS and trailer.children[0].value == "(":
        positional, keywords = calls.arguments(trailer, inner)
        return _bounded(calls.FUNCTIONS[name](*positional, **keywords))
    return calls.from_environment(name, trailer, inner, names)


def _comparison(node: Any, names: Mapping[str, Any]) -> bool:
    left, sign, right = node.children
    word = " ".join(leaf.value for leaf in getattr(sign, "children", [sign]))
    if word in ("in", "not in"):
        present = calls.in_environment(str(evaluate(left, names)), right, names)
        present = evaluate(left, names) in evaluate(right, names) if present is None else present
        return bool(present) == (word == "in")
    if word in ("is", "is not"):
        word = "==" if word == "is" else "!="
    return _COMPARISONS[word](evaluate(left, names), evaluate(right, names))


def _not(node: Any, names: Mapping[str, Any]) -> bool:
    return not evaluate(node.children[1], names)


def _and(node: Any, names: Mapping[str, Any]) -> Any:
    return all(evaluate(child, names) for child in node.children[0::2])


def _choice(node: Any, names: Mapping[str, Any]) -> Any:
    """Evaluate `1 if DEBUG else 2`."""
    yes, _, test, _, no = node.children
    return evaluate(yes if evaluate(test, names) else no, names)


def _or(node: Any, names: Mapping[str, Any]) -> Any:
    values = (evaluate(child, names) for child in node.children[0::2])
    return next((value for value in values if value), False)


_RULES: dict[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "number": _number,
    "string": _string,
    "strings": _strings,
    "name": _name,
    "keyword": _keyword,
    "atom": _atom,
    "testlist_comp": _items,
    "testlist": _items,
    "testlist_star_expr": _items,
    "arith_expr": _fold,
    "term": _fold,
    "factor": _sign,
    "power": _power,
    "atom_expr": _power,
    "comparison": _comparison,
    "not_test": _not,
    "and_test": _and,
    "or_test": _or,
    "test": _choice,
    "ternary": _choice,
}
