"""-m with a name that nothing is marked with."""

from __future__ import annotations

import re
from difflib import get_close_matches

import pytest

from bkpaas.catalogue.registry import SECTIONS
from bkpaas.messages import msg, to_text


def unknown(config: pytest.Config) -> list[str]:
    """Return the names in -m that no marker has, once all plugins are configured."""
    registered = {line.partition(":")[0].partition("(")[0].strip() for line in config.getini("markers")}
    names = re.findall(r"[^\W\d][\w.-]*", re.sub(r"\([^()]*=[^()]*\)", "", config.option.markexpr or ""))
    return [word for word in names if word not in {*registered, "and", "or", "not", "None", "True", "False"}]


def no_such_symptom(names: list[str]) -> str:
    """Return the message for an unknown symptom: the known ones, and the nearest of them."""
    listed = ", ".join(names)
    lines = [
        to_text(msg("nothing is marked {named}; the symptoms are", named=listed)),
        *(f"  -m {symptom.marker:26} {symptom.title}" for symptom in SECTIONS),
    ]
    close = get_close_matches(names[0].replace("-", "_"), [symptom.marker for symptom in SECTIONS], 1)
    if close:
        lines.append(to_text(msg("did you mean -m {close} ?", close=close[0])))
    return "\n".join(lines)
