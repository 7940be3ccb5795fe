"""Read the texts of snapshots of suites before 0.2: strings in which code points enclose both languages."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from bkpaas.lang import MARKS, in_language
from bkpaas.messages import both

_MARK = re.compile(f"[{MARKS}]")


def have_marks(data: bytes) -> bool:
    """Tell if a snapshot has such texts."""
    return any(mark.encode() in data or f"\\u{ord(mark):04x}".encode() in data.lower() for mark in MARKS)


def as_messages(value: Any) -> Any:
    """Return the decoded JSON with each such text as the JSON of a message."""
    if isinstance(value, str) and _MARK.search(value):
        return msgspec.to_builtins(both(en=in_language(value, "en"), zh=in_language(value, "zh")))
    if isinstance(value, dict):
        return {key: as_messages(item) for key, item in value.items()}
    return [as_messages(item) for item in value] if isinstance(value, list) else value
