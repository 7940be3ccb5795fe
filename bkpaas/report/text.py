"""Texts from hosts made fit to show: nothing hidden in them, no longer than asked, as wide as a terminal shows them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from bkpaas.language import Language
from bkpaas.messages import msg
from bkpaas.text import visible as visible

_CLOSING = frozenset("，。、；：！？）」』】》”’…")


def cut(text: str, limit: int, language: Language) -> str:
    """Return the text made visible and at most `limit` characters of it, with a note in `language` of what is left out."""
    if len(text) <= limit:
        return visible(text)
    note = msg(" ... ({rest} more characters in results.json)", rest=len(text) - limit)
    return visible(text[:limit]) + note.render(language)


def whole_lines(text: str, limit: int, language: Language) -> str:
    """Return as many lines of the text as `limit` characters hold, made visible: never truncate inside a command."""
    if len(text) <= limit:
        return visible(text)
    whole = text[: limit + 1].rpartition("\n")[0]
    return visible(f"{whole}\n" if whole else "") + msg("(the rest is in results.json)").render(language)


def columns(text: str) -> int:
    """Return the number of terminal columns that the text takes."""
    return sum(map(_columns, text))


def fitted(text: str, width: int) -> str:
    """Return the text, truncated to `width` columns with three dots at its end where necessary."""
    if columns(text) <= width:
        return text
    while text and columns(text) > width - 3:
        text = text[:-1]
    return text + "..."


def _columns(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrap(text: str, width: int) -> list[str]:
    """Wrap the text into lines of at most `width` columns, at spaces and between double-width characters."""
    lines: list[str] = []
    for paragraph in visible(text).expandtabs(4).split("\n"):
        line, used = "", 0
        for atom in _atoms(paragraph, width):
            size = columns(atom)
            if used + size > width and line.strip():
                lines.append(line.rstrip())
                line, used = "", 0
                if atom == " ":
                    continue
            line, used = line + atom, used + size
        lines.append(line.rstrip())
    return lines


def _atoms(text: str, width: int) -> Iterator[str]:
    """Yield what stays together: words cut to the width, spaces, wide characters with their closing punctuation."""
    atom, used = "", 0
    for char in text:
        size = _columns(char)
        separate = char == " " or atom == " " or ((size == 2 or _ends_wide(atom)) and char not in _CLOSING)
        if atom and size and (separate or used + size > width):
            yield atom
            atom, used = "", 0
        atom, used = atom + char, used + size
    if atom:
        yield atom


def _ends_wide(atom: str) -> bool:
    return bool(atom) and columns(atom[-1]) == 2
