"""Texts from hosts without hidden characters, for every output."""

from __future__ import annotations

import re

# Characters that a terminal, a browser or an XML parser obeys or refuses instead of showing: control characters,
# line separators, marks that turn the direction of writing, lone surrogates and code points without a character.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdd2\ufeff\ufffe\uffff]"
)


def visible(text: str) -> str:
    """Return the text with hidden characters as escapes (\\x1b, \\u202e); newlines and tabs stay."""
    return _INVISIBLE.sub(_spelled, text.replace("\r\n", "\n"))


def _spelled(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
