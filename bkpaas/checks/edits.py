"""Commands of remedies that edit a file of a host. Each keeps the file as it was as FILE.bak."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from shlex import quote

from bkpaas.checks.values import Reading, equal
from bkpaas.facts.setting_value import TEXT_LENGTH
from bkpaas.messages import Message, msg

_LITERAL = re.compile(r"[-+*/() .\d]+|True|False|None|\"(?:[^\"\\]|\\.)*\"")
"""Python that means the same in any settings file: numbers, their products, text in double quotes."""
_SECRET = "***"


def add_setting(wrong: Reading, value: str) -> str:
    """Return the command that sets a setting in the last line of its file, whatever sets it before.

    value: Python.
    """
    path = quote(_path(wrong))
    line = quote(f"{_assigned(wrong.name)} = {value}")
    return f"cp -p {path} {path}.bak && printf '\\n%s\\n' {line} >> {path}"


def copy_setting(wrong: Reading, right: Reading) -> str | None:
    """Return the command that gives a setting the value of another project or host, None without one.

    A secret is copied from file to file on the same host, so that no command shows it.
    """
    if right.text != _SECRET:
        value = python_text(right)
        return None if value is None else add_setting(wrong, value)
    if right.host != wrong.host or "." in right.name:
        return None
    path, source = quote(_path(wrong)), quote(_path(right))
    line = right.where.rpartition(":")[2]
    copied = f"sed -n '{line}{{/^{right.name} *=/p}}' {source}"
    return f"cp -p {path} {path}.bak && echo >> {path} && {copied} >> {path}"


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


def edit_of(commands: Iterable[str | None], host: str) -> Message | str:
    """Return the commands as one line, or the place for an edit by hand if one of them is not known."""
    known = list(dict.fromkeys(commands))
    lines = [command for command in known if command is not None]
    if not lines or len(lines) < len(known):
        return msg("# edit the line on {host} by hand here, before the next command", host=host)
    return "; ".join(lines)


def _path(reading: Reading) -> str:
    return reading.where.rpartition(":")[0]


def _assigned(name: str) -> str:
    """Return what is assigned to: DATABASES['default']['HOST'] for DATABASES.default.HOST."""
    first, *keys = name.split(".")
    return first + "".join(f"[{key!r}]" for key in keys)


def replace_first(path: str, line: int, old: str, new: str) -> str:
    """Return the command that replaces the first match of an extended regular expression from a line on."""
    for mark in "#|%~@":
        if mark not in old + new:
            break
    steps = (f"{line},$!b", f":a;s{mark}{old}{mark}{new}{mark};tb;n;ba", ":b;n;bb")
    return f"sed -i.bak -E {' '.join(f'-e {quote(step)}' for step in steps)} {quote(path)}"


def insert_after(path: str, line: int, text: str) -> str:
    """Return the command that writes lines after a line of a file."""
    step = quote(str(line) + "a\\" + text)
    return f"sed -i.bak {step} {quote(path)}"
