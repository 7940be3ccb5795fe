"""Find variables of remedies that were not replaced by a value."""

from __future__ import annotations

import re

from bkpaas.catalogue.variables import VARIABLES

NAMES = "|".join(sorted((name.upper() for name in VARIABLES), key=len, reverse=True))
# `read_only = OFF` is SQL; 'USER'@'HOST' is taken from a list, as the remedy says; ["HOST"] is a key of a setting.
UNFILLED = re.compile(
    rf"(?<![\w$])(?<!read_only = )(?<!'USER'@')(?<!\[\x22)(?:{NAMES})(?=\b|_uwsgi)|\{{[a-z_]+\}}"
)


def unfilled(remedy: str) -> list[str]:
    """Return the variables that the commands of a rendered remedy still name, each once."""
    commands = [line[2:].partition("    # ")[0] for line in remedy.splitlines() if line.startswith("$ ")]
    return list(dict.fromkeys(name for command in commands for name in UNFILLED.findall(command)))
