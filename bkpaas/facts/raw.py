"""Reading of what a host sent: every value may be of any type, and none may do harm."""

from __future__ import annotations

from typing import Any

from bkpaas.lang import MARKS

_MOST_DEEP = 20
_MOST_ITEMS = 30_000
"""As many as the collector looks at processes: one that is left out would be called gone."""
_LONGEST_KEY = 300
_LARGEST = 2**53
"""What JSON carries exactly everywhere."""
_OURS = str.maketrans("", "", MARKS)


def clean(value: Any, depth: int = 0) -> Any:
    """The value as JSON can carry it: no NaN, no huge number, no lone surrogate, no abyss; no mark of our own."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8").translate(_OURS)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value if abs(value) <= _LARGEST else None
    if depth >= _MOST_DEEP:
        return None
    if isinstance(value, list | tuple):
        return [clean(item, depth + 1) for item in value[:_MOST_ITEMS]]
    if isinstance(value, dict):
        some = list(value.items())[:_MOST_ITEMS]
        return {clean(str(key)[:_LONGEST_KEY]): clean(item, depth + 1) for key, item in some}
    return None


def record(value: Any) -> dict[str, Any]:
    """A JSON object; empty when it is none."""
    return value if isinstance(value, dict) else {}


def records(value: Any) -> list[dict[str, Any]]:
    """The JSON objects of a JSON list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any, limit: int = 1000) -> str | None:
    """A string, cut to `limit` characters."""
    return value[:limit] if isinstance(value, str) else None


def texts(value: Any, limit: int = 1000) -> list[str]:
    """The strings of a JSON list."""
    return [item[:limit] for item in value if isinstance(item, str)] if isinstance(value, list) else []


def number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def integer(value: Any) -> int | None:
    """A whole number; 3.0 is one, True is not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def integers(value: Any) -> tuple[int, ...] | None:
    """The whole numbers of a JSON list; None when it is no list."""
    if not isinstance(value, list):
        return None
    return tuple(item for item in map(integer, value) if item is not None)


def flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None
