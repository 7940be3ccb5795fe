"""Parse install.config, the roles of the hosts, in the grammar of 5.x or of 6.x.

5.x is read tolerantly, like the examples in its documents: comments after the roles, full-width punctuation, group
headers. 6.x is read like its installer, which refuses an invalid word.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from msgspec import Struct

from bkpaas.inventory import words
from bkpaas.inventory.deployment import Generation
from bkpaas.inventory.generation import Clue
from bkpaas.inventory.problems import Problems, quoted
from bkpaas.inventory.source import Source
from bkpaas.messages import Message, msg

_MOST_NOTES = 100
"""Of one kind; the others are counted."""
_WIDE = str.maketrans("，、（）＃\u3000\u00a0", ",,()#  ")
_WORD = re.compile(r"[^\s,(]+(?:\([^()]*\)?)?|\([^()]*\)?")  # commas in parentheses do not separate
_WORD_5 = re.compile(r"([A-Za-z][A-Za-z0-9_]*)(?:\([A-Za-z0-9_, \t-]+\))?")
_WORD_6 = re.compile(r"([a-z][a-z0-9_]*)(?:\([a-z][a-z0-9_]*(?:-[a-z][a-z0-9_]*)*\))?")

_GROUPS: dict[str, Generation] = {
    "[bkce-basic]": "5.x",
    "[basic]": "6.x",
    "[bkmonitorv3]": "6.x",
    "[bklog]": "6.x",
}


class _Row(Struct, frozen=True):
    """Represent a line with a host."""

    line: int
    address: str
    words: list[str]


def clues(source: Source) -> tuple[list[Clue], list[Clue]]:
    """Return the clues of the words to the generation, and the weaker ones of the punctuation."""
    by_word: list[Clue] = []
    by_punctuation: list[Clue] = []
    for line, text in _content(source):
        plain, _, comment = text.translate(_WIDE).partition("#")
        group = _GROUPS.get(plain.strip().lower())
        if group:
            by_word.append(Clue(group, plain.strip(), source.file, line))
        for word in _WORD.findall(plain)[1:]:
            generation = _generation_of(word.partition("(")[0].lower())
            if generation:
                by_word.append(Clue(generation, quoted(word), source.file, line))
        if comment:
            what = msg("a comment behind the roles")
            by_punctuation.append(Clue("5.x", what, source.file, line))
        elif plain != text:
            what = msg("full-width punctuation")
            by_punctuation.append(Clue("5.x", what, source.file, line))
    return by_word, by_punctuation


def parse(
    source: Source, generation: Generation, problems: Problems, notes: list[Message]
) -> dict[str, set[str]]:
    """Return {address: roles} in order of appearance; report errors to problems, hints to notes."""
    hosts: dict[str, set[str]] = {}
    _note_oddities(source, generation, notes)
    again: dict[str, list[int]] = {}
    for row in _rows(source, generation, problems, notes):
        if row.address in hosts and generation == "5.x":
            again.setdefault(row.address, []).append(row.line)
        roles = hosts.setdefault(row.address, set())
        for word in row.words:
            name = _role(source, row.line, word, generation, problems)
            if name is None:
                break  # one problem a line is enough to go and look
            roles.add(name)
    _note_each(
        notes,
        source,
        [(at, msg("{address} again: its roles are added", address=address)) for address, at in again.items()],
    )
    if not hosts and not problems:
        problems.add(
            source.file,
            None,
            msg("lists no host"),
            msg("write one line per host: 10.0.1.1 paas,nginx"),
        )
    return hosts


_PROJECT = re.compile(r"paas\(([a-z]+)\)")


def projects(source: Source) -> dict[str, set[str]]:
    """Return {address: projects} of the hosts whose role paas names its projects: paas(login),paas(esb)."""
    named: dict[str, set[str]] = {}
    whole: set[str] = set()
    for _, text in _content(source):
        address, *names = _WORD.findall(text.partition("#")[0]) or [text]
        for word in names:
            if match := _PROJECT.fullmatch(word.lower()):
                named.setdefault(address, set()).add(match[1])
            elif word.lower() == "paas":
                whole.add(address)
    return {address: names for address, names in named.items() if address not in whole}


def _generation_of(word: str) -> Generation | None:
    if word == "es" or word in words.ONLY_5:
        return "5.x"
    if word == "es7" or word in words.ONLY_6:
        return "6.x"
    return None


def _content(source: Source) -> Iterator[tuple[int, str]]:
    """Yield lines that are neither blank nor comment, with their numbers."""
    for number, text in enumerate(source.lines, 1):
        stripped = text.strip()
        if stripped and stripped.translate(_WIDE)[0] != "#":
            yield number, stripped


def _rows(source: Source, generation: Generation, problems: Problems, notes: list[Message]) -> Iterator[_Row]:
    tags: list[int] = []
    for line, text in _content(source):
        plain, comment, _ = (text.translate(_WIDE) if generation == "5.x" else text).partition("#")
        if plain.startswith("["):
            continue
        if comment and generation == "6.x":
            problems.add(
                source.file,
                line,
                msg("a comment behind the roles, which 6.x does not allow"),
                msg("put the comment on a line of its own"),
            )
        address, *names = _WORD.findall(plain) or [plain]
        if words.is_address(address):
            yield _Row(line, address, names)
        elif ":" in address and not _is_ipv6(address):
            tags.append(line)
        else:
            problems.add(source.file, line, *words.no_address(address))
    _note_each(notes, source, [([line], msg("a tag line, not read")) for line in tags])


def _role(source: Source, line: int, word: str, generation: Generation, problems: Problems) -> str | None:
    match = (_WORD_5 if generation == "5.x" else _WORD_6).fullmatch(word)
    if match:
        return words.role(match[1])
    problems.add(
        source.file,
        line,
        msg("{word} is not a role", word=quoted(word)),
        msg("write roles as paas,nginx or zk(config), separated by commas"),
    )
    return None


def _note_oddities(source: Source, generation: Generation, notes: list[Message]) -> None:
    if generation == "6.x":
        _note_what_bkcli_refuses(source, notes)
        return
    if source.crlf:
        _note(notes, source, [], msg("has Windows line ends (CRLF)"))
    rows = [(line, text, text.partition("#")[0]) for line, text in _content(source)]
    wide = [line for line, _, plain in rows if plain.translate(_WIDE) != plain]
    if wide:
        _note(notes, source, wide, msg("full-width punctuation read as ASCII"))
    aliased = [line for line, _, plain in rows if "cc" in re.split(r"[^A-Za-z0-9_]+", plain.lower())]
    if aliased:
        _note(notes, source, aliased, msg("role cc read as cmdb"))


_SEEN_BY_BKCLI = re.compile(r"[0-9.]+ +[^\s]")
"""The start of a line that the installer of 6.x takes for a host: the address first, blanks behind it."""


def _note_what_bkcli_refuses(source: Source, notes: list[Message]) -> None:
    """Note the lines that are read here and that the installer of 6.x drops or stops at."""
    hosts = [(number, text) for number, text in enumerate(source.lines, 1) if _is_host(text)]
    dropped = [line for line, text in hosts if line in source.marked or not _SEEN_BY_BKCLI.match(text)]
    if dropped:
        text = msg(
            "the installer ignores this host: the line begins with a blank or a byte order mark, or has a tab or "
            "another space behind the address; it is read here, so remove that character and deploy the host"
        )
        _note_each(notes, source, [([line], text) for line in dropped])
    stops = [line for line, text in hosts if text.rstrip("\t ") != text or text.rstrip().endswith(",")]
    if stops or source.crlf:
        reason = msg("Windows line ends (CRLF)") if source.crlf else msg("a blank or a comma at its end")
        text = msg("every bkcli command stops here: {reason}; it is read here", reason=reason)
        _note(notes, source, stops or [1], text)
    old = [line for line, text in hosts if "es" in re.split(r"[^A-Za-z0-9_]+", text.lower())]
    if old:
        _note(notes, source, old, msg("the installer of 6.x has no role es, only es7: it is read as es7"))


def _is_host(text: str) -> bool:
    """Return whether a line names a host, whatever stands in front of it."""
    plain = text.strip()
    return bool(plain) and words.is_address(plain.split()[0])


def _note_each(notes: list[Message], source: Source, oddities: list[tuple[list[int], Message]]) -> None:
    """Add a note for each (lines, oddity), as far as the limit."""
    for lines, oddity in oddities[:_MOST_NOTES]:
        _note(notes, source, lines, oddity)
    if (left := len(oddities) - _MOST_NOTES) > 0:
        notes.append(msg("and {left} more", left=left))


def _note(notes: list[Message], source: Source, lines: list[int], oddity: Message) -> None:
    location = source.file + "".join(f":{line}" for line in lines[:1])
    if len(lines) > 1:
        oddity = msg("{remark} ({number} lines)", remark=oddity, number=len(lines))
    notes.append(msg("{location}: {remark}", location=location, remark=oddity))


def _is_ipv6(word: str) -> bool:
    try:
        ipaddress.IPv6Address(word)
    except ValueError:
        return False
    return True
