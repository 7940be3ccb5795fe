"""Spellings in which a known secret may occur: escaped, encoded, broken over two lines."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

_LOOSE = " \t\r\n\\\0"
"""Characters that line breaks, escapes and encodings of two bytes put between the others."""
_LINE_BREAKS = ("\\u0000", "\\r", "\\n", "\\t")


def compact(text: str) -> str:
    """Return the text without blanks, line breaks (also as JSON writes them) and backslashes."""
    for escape in (*_LINE_BREAKS, *_LOOSE):
        text = text.replace(escape, "")
    return text


def spellings(value: str) -> set[str]:
    """Return the compact forms of a secret: plain and as URLs, JSON, HTML, base64 and hexadecimal digits write it."""
    data = value.encode("utf-8", "replace")
    once = quote(value, safe="")
    forms = [
        *(value, once, once.lower(), quote(once, safe=""), quote(value), quote_plus(value)),
        *(html.escape(value), html.escape(value, quote=False)),
        *(json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]),
        *(data.hex(), data.hex().upper()),
        *("".join(f"{sign}{byte:02x}" for byte in data) for sign in ("%", "x")),
        "".join(f"%{byte:02X}" for byte in data),
    ]
    for before in range(3):  # where it begins within a group of three bytes
        encoded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        first = (before * 8 + 5) // 6
        last = (before + len(data)) * 8 // 6
        forms += [encoded[first:last], encoded[first:last].replace("+", "-").replace("/", "_")]
    return {compact(one) for one in forms}


def replace_spellings(digests: dict[str, str], text: str) -> str:
    """Return the text with each of these compact spellings replaced, whatever blanks are within."""
    dense = compact(text)
    for spelling in sorted((one for one in digests if one in dense), key=len, reverse=True):
        text = _replaced(text, spelling, digests[spelling])
    return text


def _replaced(text: str, spelling: str, digest: str) -> str:
    if spelling in text:
        text = text.replace(spelling, digest)
    positions = dense_positions(text)
    dense = "".join(text[at] for at in positions)
    done: list[str] = []
    position = start = 0
    while (start := dense.find(spelling, start)) >= 0:
        first, last = positions[start], positions[start + len(spelling) - 1]
        done += [text[position:first], digest]
        position = last + 1
        start += len(spelling)
    return "".join(done) + text[position:]


def dense_positions(text: str) -> list[int]:
    """Return the places of the characters that compact() keeps."""
    for escape in _LINE_BREAKS:
        text = text.replace(escape, " " * len(escape))
    return [position for position, sign in enumerate(text) if sign not in _LOOSE]
