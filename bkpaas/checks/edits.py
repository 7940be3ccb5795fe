"""Commands of remedies that edit files of a host. Each file is kept as it was as FILE.bak."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from shlex import quote
from typing import NamedTuple

from bkpaas.checks.values import Reading, equal
from bkpaas.facts.setting_value import TEXT_LENGTH
from bkpaas.messages import Message, msg

_LITERAL = re.compile(r"[-+*/() .\d]+|True|False|None|\"(?:[^\"\\]|\\.)*\"")
"""Python that means the same in any settings file: numbers, their products, text in double quotes."""
_SECRET = "***"


class Edit(NamedTuple):
    """Hold a file and the command that changes it, which keeps no copy; edit_of() does."""

    file: str
    command: str
    line: int = 0
    """From which the command counts; 0: it needs no line."""


def add_setting(wrong: Reading, value: str) -> Edit:
    """Return the edit that sets a setting in the last line of its file, whatever sets it before.

    value: Python.
    """
    path, line = _path(wrong), quote(f"{_assigned(wrong.name)} = {value}")
    return Edit(path, f"printf '\\n%s\\n' {line} >> {quote(path)}")


def copy_setting(wrong: Reading, right: Reading) -> Edit | None:
    """Return the edit that gives a setting the value of another project or host, None without one.

    A secret is copied from file to file on the same host, so that no command shows it.
    """
    if right.text != _SECRET:
        value = python_text(right)
        return None if value is None else add_setting(wrong, value)
    if right.host != wrong.host or "." in right.name:
        return None
    path, line = _path(wrong), right.where.rpartition(":")[2]
    copied = f"sed -n '{line}{{/^{right.name} *=/p}}' {quote(_path(right))}"
    return Edit(path, f"{{ echo; {copied}; }} >> {quote(path)}")


def nearest(wrong: Reading, usual: Reading, everywhere: Sequence[Reading]) -> Reading:
    """Return a reading with the usual value, of the same host where one has it."""
    return next((one for one in everywhere if one.host == wrong.host and equal(one, usual)), usual)


def python_text(reading: Reading) -> str | None:
    """Return the value of a setting as Python; None if the text is cut, a secret, or names something else."""
    if not reading.evaluated or reading.text == _SECRET or len(reading.text) >= TEXT_LENGTH:
        return None
    if "." in reading.name:  # a key of a dictionary: its text has no quotes
        return json.dumps(reading.text, ensure_ascii=False)
    return reading.text if _LITERAL.fullmatch(reading.text) else None


def edit_of(edits: Iterable[Edit | None], host: str) -> Message | str:
    """Return one line of commands, or the place for an edit by hand if one of the edits is not known.

    A file is copied once, before its first edit: a later copy would lose the file as it was. Edits begin at its end,
    since one that adds lines moves those below it.
    """
    commands: dict[str, list[str]] = {}
    by_hand = msg("# edit the line on {host} by hand here, before the next command", host=host)
    known = list(dict.fromkeys(edits))
    if None in known:
        return by_hand
    for edit in sorted((one for one in known if one), key=lambda one: -one.line):
        file = quote(edit.file)
        commands.setdefault(file, [f"cp -p {file} {file}.bak"]).append(edit.command)
    return "; ".join(" && ".join(steps) for steps in commands.values()) or by_hand


def _path(reading: Reading) -> str:
    return reading.where.rpartition(":")[0]


def _assigned(name: str) -> str:
    """Return what is assigned to: DATABASES["default"]["HOST"] for DATABASES.default.HOST."""
    first, *keys = name.split(".")
    return first + "".join(f"[{json.dumps(key)}]" for key in keys)


def replace_first(path: str, line: int, old: str, new: str) -> Edit:
    """Return the edit that replaces the first match of an extended regular expression from a line on."""
    for mark in "#|%~@":
        if mark not in old + new:
            break
    steps = (f"{line},$!b", f":a;s{mark}{old}{mark}{new}{mark};tb;n;ba", ":b;n;bb")
    return Edit(path, f"sed -i -E {' '.join(f'-e {quote(step)}' for step in steps)} {quote(path)}", line)


def insert_after(path: str, line: int, text: str) -> Edit:
    """Return the edit that writes lines after a line of a file."""
    step = quote(str(line) + "a\\" + text)
    return Edit(path, f"sed -i {step} {quote(path)}", line)
