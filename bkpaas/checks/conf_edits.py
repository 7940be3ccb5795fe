"""Edits of remedies that correct what a program would refuse in its file, where the right text is certain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from shlex import quote

from bkpaas.checks.edits import Edit, escaped, replace_in_line
from bkpaas.messages import Message

_NOT_ENDED = re.compile(r'(?P<file>/[^:]+):(?P<line>\d+): directive "\w+" is not terminated by ";"')
_MISSPELT = re.compile(
    r'(?P<file>/[^:]+):(?P<line>\d+): unknown directive "(?P<name>\w+)", perhaps (?P<near>\w+)'
)
_SECTION = r"(?P<file>/.+?): \[(?P<section>[^\]]+)\]: "
_REFUSED = re.compile(_SECTION + r"(?P<option>\w+) = .* is refused")
_PERCENT = re.compile(_SECTION + r"(?P<option>\w+) has a lone %")
_BRACKET = re.compile(_SECTION + r"\[\w+ lacks its bracket")
_NO_SECTION = re.compile(r"(?P<file>/.+?): line (?P<line>\d+) is in no section: \[\w+:[^]\s]+")
_EQUALS = re.compile(r"(?P<file>/.+?): line (?P<line>\d+): (?P<name>[\w-]+) without =")
_DEFAULTS = ("startretries", "startsecs", "stopwaitsecs", "priority", "numprocs", "exitcodes")
"""Options of supervisord whose default serves every program."""


def conf_edits(problems: Iterable[Message | str]) -> Iterator[Edit | None]:
    """Yield the edits of the problems of files of nginx, supervisord and uwsgi; None where a person has to decide."""
    for problem in problems:
        yield _edit(problem.render("en") if isinstance(problem, Message) else problem)


def _edit(text: str) -> Edit | None:
    if found := _NOT_ENDED.fullmatch(text):
        return replace_in_line(found["file"], int(found["line"]), r"^([^#]*[^#; \t])[ \t]*(#.*)?$", r"\1;\2")
    if found := _MISSPELT.fullmatch(text):
        old = rf"(^|[ \t;{{]){found['name']}([ \t])"
        return replace_in_line(found["file"], int(found["line"]), old, rf"\1{found['near']}\2")
    if found := _EQUALS.fullmatch(text):
        old = rf"^([ \t]*{found['name']})[ \t]+"
        return replace_in_line(found["file"], int(found["line"]), old, r"\1 = ")
    if found := _NO_SECTION.fullmatch(text):
        return replace_in_line(found["file"], int(found["line"]), r"^(\[[a-z]+:[^] ;]+)[ \t]*$", r"\1]")
    if (found := _REFUSED.fullmatch(text)) and found["option"] in _DEFAULTS:
        return _in_section(found, "s/^/;/")
    if found := _PERCENT.match(text):
        return _in_section(found, "s/%([^%(]|$)/%%\\1/g")
    if found := _BRACKET.match(text):
        return _sed(found["file"], r"s/^(\[[a-z]+:[^] ;]+)[ \t]*$/\1]/")
    return None


def _in_section(found: re.Match[str], step: str) -> Edit:
    """Return the edit of the lines of an option in a section of supervisord."""
    section, option = escaped(found["section"]), found["option"]
    return _sed(found["file"], rf"/^\[{section}\]/,/^\[/{{/^{option}[ \t]*[=:]/{step}}}")


def _sed(path: str, script: str) -> Edit:
    return Edit(path, f"sed -i --follow-symlinks -E {quote(script)} {quote(path)}")
