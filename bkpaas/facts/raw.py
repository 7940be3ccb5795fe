"""Read values that a host sent, which may be of any type, without raising."""

from __future__ import annotations

from typing import Any

from bkpaas.facts.former_texts import MARKS
from bkpaas.messages import Message

_MOST_DEEP = 20
_MOST_ITEMS = 30_000
"""As many as the collector looks at processes: one that is left out would be called gone."""
_LONGEST_KEY = 300
_LARGEST_INTEGER = 2**63 - 1
"""What msgspec writes and reads: an inode of a network file system takes all of it."""
_LARGEST_FLOAT = 2.0**53
_SMALL = 2**32
_OURS = str.maketrans("", "", MARKS)


class Unfit:
    """Take the place of a value that must not be used; no declared shape accepts it."""


UNFIT = Unfit()


def clean(value: Any, depth: int = 0) -> Any:
    """Return the value without lone surrogates and our own marker characters.

    NaN, numbers out of range, a list or object with too many items and nesting deeper than 20 become UNFIT.
    """
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-8", "replace").decode("utf-8").translate(_OURS)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_INTEGER else UNFIT
    if isinstance(value, float):
        return value if abs(value) <= _LARGEST_FLOAT else UNFIT
    if depth >= _MOST_DEEP or not isinstance(value, list | tuple | dict) or len(value) > _MOST_ITEMS:
        return UNFIT
    # Most values are texts in ASCII and small numbers, which stay as they are: calls for them are most of the cost.
    if isinstance(value, dict):
        return {
            key if type(key) is str and len(key) <= _LONGEST_KEY and key.isascii() else _clean_key(key): (
                item
                if ((kind := type(item)) is str and item.isascii()) or (kind is int and 0 <= item < _SMALL)
                else clean(item, depth + 1)
            )
            for key, item in value.items()
        }
    return [item if type(item) is str and item.isascii() else clean(item, depth + 1) for item in value]


class Decoded(dict[str, Any]):
    """Hold an answer as decoded, by section, and which of its sections are known to be ASCII."""

    def __init__(self) -> None:
        super().__init__()
        self._plain: set[str] = set()
        """Lists and objects whose texts are ASCII."""

    def add(self, section: str, value: Any, json_text: bytes) -> None:
        """Add a section with the JSON text that it was decoded from."""
        self[section] = value
        if type(value) in (list, dict) and json_text.isascii() and b"\\u" not in json_text:
            self._plain.add(section)

    def clean(self) -> Any:
        """Return the answer as clean() does; most sections of most hosts need not be copied."""
        if len(self) > _MOST_ITEMS:
            return UNFIT
        return {
            section if section.isascii() and len(section) <= _LONGEST_KEY else _clean_key(section): (
                value if section in self._plain and _fits(value, 1) else clean(value, 1)
            )
            for section, value in self.items()
        }


def _fits(value: Any, depth: int) -> bool:
    """Return whether clean() leaves a list or object as it is, if all its texts are ASCII."""
    if depth >= _MOST_DEEP or len(value) > _MOST_ITEMS:
        return False
    if not value:
        return True
    if type(value) is dict and max(map(len, value)) > _LONGEST_KEY:
        return False
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is str:
            continue
        if kind is int:
            if abs(item) > _LARGEST_INTEGER:
                return False
        elif kind is float:
            if abs(item) > _LARGEST_FLOAT:
                return False
        elif (kind is dict or kind is list) and not _fits(item, depth + 1):
            return False
    return True


def _clean_key(key: Any) -> Any:
    return clean(str(key)[:_LONGEST_KEY])


def record(value: Any) -> dict[str, Any]:
    """Return a JSON object; an empty one for other types."""
    return value if isinstance(value, dict) else {}


def records(value: Any) -> list[dict[str, Any]]:
    """Return the JSON objects of a JSON list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def reason(value: Any) -> Message | str | None:
    """Return why a part is absent: a text of the host, cut, or a message of this suite."""
    return value if isinstance(value, Message) else text(value, 300)


def text(value: Any, limit: int = 1000) -> str | None:
    """Return a string, truncated to `limit` characters."""
    return value[:limit] if isinstance(value, str) else None


def texts(value: Any, limit: int = 1000) -> list[str]:
    """Return the strings of a JSON list."""
    return [item[:limit] for item in value if isinstance(item, str)] if isinstance(value, list) else []


def number(value: Any) -> float | None:
    if type(value) is float:
        return value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def integer(value: Any) -> int | None:
    """Return a whole number; 3.0 is one, True is not."""
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def integers(value: Any) -> tuple[int, ...] | None:
    """Return the whole numbers of a JSON list, None for other types."""
    if not isinstance(value, list):
        return None
    return tuple(item for item in map(integer, value) if item is not None)


def flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None
