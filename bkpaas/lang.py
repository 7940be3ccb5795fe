"""The language of a run: every text for a person exists in English and in Chinese.

What is collected and judged is told in both at once, so that one record serves readers of either: within
`in_both()`, say() returns one string that carries both texts, which may be joined, nested in others and stored like
any string, and which in_language() turns into the text of one language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bkpaas.language import LANGUAGES, Language
from bkpaas.language import get_language as spoken
from bkpaas.language import language_of_locale as of_locale
from bkpaas.language import set_language as speak

__all__ = [
    "LANGUAGES",
    "MARKS",
    "Language",
    "both",
    "carries_both",
    "in_both",
    "in_language",
    "many",
    "map_pieces",
    "of_locale",
    "other",
    "say",
    "speak",
    "spoken",
]

_both = False

# Code points that Unicode keeps for a program's own use inside itself; no host's text has them (facts/raw.py).
_BEGIN, _BETWEEN, _END = "\ufdd0", "\ufdd1", "\ufdd2"
MARKS = f"{_BEGIN}{_BETWEEN}{_END}"
_MARK = re.compile(f"([{MARKS}])")


def say(*, en: str, zh: str) -> str:
    """The one of the two texts that this run speaks; within in_both() one string that carries both."""
    if _both:
        return both(en=en, zh=zh)
    return zh if spoken() == "zh" else en


def many(number: int, noun: str) -> str:
    """For English texts: 1 host, 2 hosts."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def both(*, en: str, zh: str) -> str:
    """One string that carries both texts."""
    return en if en == zh else f"{_BEGIN}{en}{_BETWEEN}{zh}{_END}"


@contextmanager
def in_both() -> Iterator[None]:
    """What is said within carries both languages."""
    global _both
    before, _both = _both, True
    try:
        yield
    finally:
        _both = before


def in_language(text: str, language: Language) -> str:
    """The text as said in one language; what was cut off in the middle is given as far as it is there."""
    if not _MARK.search(text):
        return text
    done: list[str] = []
    open_: list[tuple[dict[Language, list[str]], list[str]]] = []  # texts by language, the one being filled
    for piece in _MARK.split(text):
        filled = open_[-1][1] if open_ else done
        if piece == _BEGIN:
            english: list[str] = []
            open_.append(({"en": english}, english))
        elif piece == _BETWEEN and open_:
            texts, _ = open_[-1]
            open_[-1] = (texts, texts.setdefault("zh", []))
        elif piece == _END and open_:
            _close(open_, done, language)
        elif piece and piece not in MARKS:
            filled.append(piece)
    while open_:
        _close(open_, done, language)
    return "".join(done)


def _close(
    open_: list[tuple[dict[Language, list[str]], list[str]]], done: list[str], language: Language
) -> None:
    texts, _ = open_.pop()
    (open_[-1][1] if open_ else done).extend(texts.get(language, texts["en"]))


def carries_both() -> bool:
    """Return whether say() makes strings that carry both languages right now."""
    return _both


def map_pieces(text: str, function: Callable[[str], str]) -> str:
    """Apply a function to the pieces of a text between its marks."""
    if not _MARK.search(text):
        return function(text)
    return "".join(piece if piece in MARKS else function(piece) for piece in _MARK.split(text) if piece)


def other() -> Language:
    """The language that the run does not speak."""
    return "en" if spoken() == "zh" else "zh"
