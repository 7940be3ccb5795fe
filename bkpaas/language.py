"""The language of the reader: chosen on the command line, else by the locale."""

from __future__ import annotations

import os
from typing import Literal

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

_language: Language = "en"


def set_language(language: Language) -> None:
    """Set the language of this program's output; call it once, after the command line is read."""
    global _language
    _language = language


def get_language() -> Language:
    """Return the language of this program's output."""
    return _language


def other_language() -> Language:
    """Return the language that this program's output is not in."""
    return "en" if _language == "zh" else "zh"


def language_of_locale() -> Language:
    """Return zh for a Chinese locale (LC_ALL, LC_MESSAGES, LANG in that order), else en."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"
