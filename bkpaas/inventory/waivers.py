"""Read the waivers of deployment.yaml or of a separate file, and check their conditions and hosts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bkpaas.inventory import schema, words
from bkpaas.inventory.deployment import Host, Waiver
from bkpaas.inventory.problems import Problems
from bkpaas.inventory.schema import Section
from bkpaas.inventory.source import read
from bkpaas.messages import Message, msg

_LISTED = 10


class Entry(Struct, frozen=True):
    """Hold a waiver and its location."""

    waiver: Waiver
    file: str
    line: int


NAME = schema.matching(
    words.NAME,
    msg("use letters, digits, '.', '_' and '-', a letter or digit first, 63 at most"),
)
_CONDITION = schema.matching(
    re.compile(r"[a-z0-9][a-z0-9._-]*"),
    msg("write the id of a condition: paas-clock-skew"),
)


def load_waivers(path: Path, hosts: Sequence[Host], conditions: Collection[str]) -> tuple[Waiver, ...]:
    """Load the waivers of a separate file, `waivers:` and nothing else. Raises InventoryError."""
    problems = Problems()
    source = read(path)
    root = Section(source.file, schema.compose(source), "waivers", problems)
    entries = read_waivers(root)
    if not root.has("waivers"):
        root.need("waivers", schema.text)
    root.end()
    waivers = resolve_hosts(entries, hosts, problems, conditions)
    problems.raise_any()
    return waivers


def read_waivers(root: Section) -> tuple[Entry, ...]:
    """Read the list under the key `waivers`; errors are added to the problems of the section."""
    return tuple(entry for section in root.sections("waivers") if (entry := _entry(section)))


def _entry(section: Section) -> Entry | None:
    condition = section.need("condition", _CONDITION)
    hosts = section.take("hosts", schema.many(NAME))
    reason = section.need("reason", schema.text)
    owner = section.need("owner", schema.text)
    expires = section.need("expires", schema.day)
    evidence = section.take("evidence", schema.text)
    section.end()
    if condition is None or reason is None or owner is None or expires is None:
        return None
    waiver = Waiver(condition, hosts or (), reason, owner, expires, evidence)
    return Entry(waiver, section.file, section.line)


def resolve_hosts(
    entries: Iterable[Entry], hosts: Sequence[Host], problems: Problems, conditions: Collection[str] | None
) -> tuple[Waiver, ...]:
    """Return the waivers with their hosts by name; controller and deployment are allowed too.

    conditions: all that exist; None: not checked. Unknown conditions and hosts are reported to problems.
    """
    names = {word: host.name for host in hosts for word in (host.address, host.name)}
    names |= {word: word for word in words.RESERVED_NAMES}
    waivers = []
    for entry in entries:
        waiver = entry.waiver
        if conditions is not None and waiver.condition not in conditions:
            problems.add(
                entry.file,
                entry.line,
                msg(
                    "the waiver names the condition {condition}, which does not exist",
                    condition=waiver.condition,
                ),
                _near(waiver.condition, conditions)
                or msg("write the id of a condition, as the reports show it before the @"),
            )
        for word in waiver.hosts:
            if word not in names:
                problems.add(
                    entry.file,
                    entry.line,
                    msg("the waiver names {word}, which is not a host of this inventory", word=word),
                    _near(word, names) or _listed(hosts),
                )
        waivers.append(replace(waiver, hosts=tuple(names.get(word, word) for word in waiver.hosts)))
    return tuple(waivers)


def _listed(hosts: Sequence[Host]) -> Message:
    names = ", ".join(host.name for host in hosts[:_LISTED]) + (", ..." if hosts[_LISTED:] else "")
    return msg("write the name or address of a host, such as {names}", names=names)


def _near(word: str, candidates: Collection[str]) -> Message | None:
    near = ", ".join(difflib.get_close_matches(word, candidates, 3))
    return msg("did you mean {near}?", near=near) if near else None
