"""Commands of remedies that edit files of a host. Each file is kept as it was as FILE.bak."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from os.path import basename, dirname, join
from shlex import quote
from typing import NamedTuple

from bkpaas.checks.values import Reading, equal
from bkpaas.facts.setting_value import TEXT_LENGTH
from bkpaas.messages import Message, msg

_LITERAL = re.compile(r"[-+*/() .\d]+|True|False|None|\"(?:[^\"\\]|\\.)*\"")
"""Python that means the same in any settings file: numbers, their products, text in double quotes."""
_SECRET = "***"
RESOLV_CONF = "/etc/resolv.conf"
SHIPPED_SETTINGS = {"BK_COOKIE_AGE": "60 * 60 * 24", "BK_INACTIVE_COOKIE_AGE": "60 * 60 * 2"}
"""Source: default.py of login, 5.x and 6.x."""


class Edit(NamedTuple):
    """Hold a file and the command that changes it, which keeps no copy; edit_of() does."""

    file: str
    command: str
    line: int = 0
    """From which the command counts; 0: it needs no line."""
    copy: str = ""
    """The path of the file as it was; empty: FILE.bak."""


def add_setting(wrong: Reading, value: str) -> Edit:
    """Return the edit that sets a setting in the last line of its file, whatever sets it before.

    value: Python.
    """
    return append_line(_path(wrong), f"{_assigned(wrong.name)} = {value}")


def unset_setting(name: str, where: str) -> Edit:
    """Return the edit that makes a setting a comment, or gives one of BlueKing its shipped value.

    where: file:line. A setting of Django has a default; code of BlueKing fails without its own.
    """
    path, _, line = where.rpartition(":")
    if shipped := SHIPPED_SETTINGS.get(name):
        return append_line(path, f"{name} = {shipped}")
    return replace_in_line(path, int(line), f"^{name}[ \\t]*=", "# &")


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
        copy = quote(edit.copy) if edit.copy else f"{file}.bak"
        commands.setdefault(file, [f"cp -p {file} {copy}"]).append(edit.command)
    return "; ".join(" && ".join(steps) for steps in commands.values()) or by_hand


def _path(reading: Reading) -> str:
    return reading.where.rpartition(":")[0]


def _assigned(name: str) -> str:
    """Return what is assigned to: DATABASES["default"]["HOST"] for DATABASES.default.HOST."""
    first, *keys = name.split(".")
    return first + "".join(f"[{json.dumps(key)}]" for key in keys)


def append_line(path: str, text: str) -> Edit:
    """Return the edit that writes a last line, also where the file does not end with a line break."""
    return Edit(path, f"printf '\\n%s\\n' {quote(text)} >> {quote(path)}")


def without_nameservers(servers: Iterable[str]) -> Edit | None:
    """Return the edit that makes nameservers comments; a file that is mounted keeps its inode."""
    listed = "|".join(map(re.escape, servers))
    script = quote(f"/^nameserver[ \\t]+({listed})[ \\t]*$/s/^/# /")
    return Edit(RESOLV_CONF, f"sed -E {script} {RESOLV_CONF}.bak > {RESOLV_CONF}") if listed else None


def replace_first(path: str, line: int, old: str, new: str) -> Edit:
    """Return the edit that replaces the first match of an extended regular expression from a line on."""
    mark = _mark(old + new)
    steps = (f"{line},$!b", f":a;s{mark}{old}{mark}{new}{mark};tb;n;ba", ":b;n;bb")
    return _sed(path, line, *steps)


def replace_in_line(path: str, line: int, old: str, new: str) -> Edit:
    """Return the edit that replaces the first match of an extended regular expression in a line."""
    mark = _mark(old + new)
    return _sed(path, line, f"{line}s{mark}{old}{mark}{new}{mark}")


def insert_after(path: str, line: int, text: str) -> Edit:
    """Return the edit that writes lines after a line of a file that opens a block."""
    return _sed(path, line, f"{line}{{/\\{{[^}}]*$/a\\", text, "}")


def comment_block(path: str, line: int, name: str) -> Edit:
    """Return the edit that makes a block of nginx comments, if it holds no other one and nothing follows it."""
    whole = rf"/^[ \t]*{name} /!b;:a;/\}}/!{{$!{{N;ba}}}};/\{{.*\{{/b;/\}}[ \t]*$/!b"
    return _sed(path, line, rf"{line}{{{whole};s/^/# /;s/\n/\n# /g}}")


def escaped(text: str) -> str:
    """Return an extended regular expression that matches a text only."""
    return re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", text)


def hidden_copy(edit: Edit) -> Edit:
    """Return an edit whose copy begins with a dot: what reads all files of a directory leaves it out."""
    return edit._replace(copy=join(dirname(edit.file), f".{basename(edit.file)}.bak"))


def _mark(text: str) -> str:
    """Return a separator for sed that is not in a text."""
    return next((mark for mark in "#|%~@!," if mark not in text), "\1")


def _sed(path: str, line: int, *steps: str) -> Edit:
    """Return the edit of a script of sed; a link stays one."""
    script = " ".join(f"-e {quote(step)}" for step in steps)
    return Edit(path, f"sed -i --follow-symlinks -E {script} {quote(path)}", line)


def port_of_uwsgi(path: str, old: int, new: int) -> Edit:
    """Return the edit that gives the bind of a uwsgi file another port."""
    return replace_first(path, 1, rf"^( *(http|http-socket|socket) *=.*:){old} *$", rf"\1{new}")
