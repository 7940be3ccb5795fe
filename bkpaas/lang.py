"""The language of a run: every text for a person exists in English and in Chinese."""

from __future__ import annotations

import os
from typing import Literal

Language = Literal["en", "zh"]

_language: Language = "en"


def say(*, en: str, zh: str) -> str:
    """The one of the two texts that this run speaks."""
    return zh if _language == "zh" else en


def speak(language: Language) -> None:
    """Set the language of the run; called once, when the command line has been read."""
    global _language
    _language = language


def spoken() -> Language:
    return _language


def of_locale() -> Language:
    """zh for a Chinese locale (LC_ALL, LC_MESSAGES, LANG in that order), else en."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"
