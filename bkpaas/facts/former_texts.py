"""Read the texts of snapshots of suites before 0.2: strings in which code points enclose both languages."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from bkpaas.language import Language
from bkpaas.messages import both

# Code points that Unicode reserves for use inside a program: begin, between the languages, end.
_BEGIN, _BETWEEN, _END = "\ufdd0", "\ufdd1", "\ufdd2"
MARKS = f"{_BEGIN}{_BETWEEN}{_END}"
_MARK = re.compile(f"([{MARKS}])")


def have_marks(data: bytes) -> bool:
    """Return whether a snapshot has such texts."""
    return any(mark.encode() in data or f"\\u{ord(mark):04x}".encode() in data.lower() for mark in MARKS)


def as_messages(value: Any) -> Any:
    """Return the decoded JSON with each such text as the JSON of a message."""
    if isinstance(value, str) and _MARK.search(value):
        return msgspec.to_builtins(both(en=in_language(value, "en"), zh=in_language(value, "zh")))
    if isinstance(value, dict):
        return {key: as_messages(item) for key, item in value.items()}
    return [as_messages(item) for item in value] if isinstance(value, list) else value


def in_language(text: str, language: Language) -> str:
    """Return a text in one language; texts may be nested, and the end of one may be cut off."""
    done: list[str] = []
    stack: list[dict[Language, list[str]]] = []
    current = done
    for piece in _MARK.split(text):
        if piece == _BEGIN:
            current = []
            stack.append({"en": current})
        elif piece == _BETWEEN and stack:
            current = stack[-1].setdefault("zh", [])
        elif piece == _END and stack:
            current = _close(stack, done, language)
        elif piece not in MARKS:
            current.append(piece)
    while stack:
        _close(stack, done, language)
    return "".join(done)


def _close(stack: list[dict[Language, list[str]]], done: list[str], language: Language) -> list[str]:
    """End the innermost text; return the list that the rest belongs to."""
    texts = stack.pop()
    outer = list(stack[-1].values())[-1] if stack else done
    outer.extend(texts.get(language, texts["en"]))
    return outer
