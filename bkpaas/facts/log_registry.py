"""Read the registry of filebeat: how far it has read each log.

Versions 5 and 6: a JSON list of {"source", "offset", "FileStateOS": {"inode", "device"}}. Version 7: lines with
{"k": "filebeat::logs::...", "v": {the same}}, or data.json with a list of {"_key", and the same}.
"""

from __future__ import annotations

import json
from typing import Any

from bkpaas.facts import raw
from bkpaas.facts.file import FileFact, content, file_fact, unreadable
from bkpaas.facts.missing import Record

_MOST_STATES = 20_000


class State(Record, frozen=True):
    """Represent one file in the registry."""

    source: str
    offset: int
    inode: int | None = None


class Registry(Record, frozen=True):
    path: str
    states: tuple[State, ...]

    def offset(self, file: FileFact) -> int | None:
        """Return how far a file was read: the state with its inode, else with its path and no inode."""
        same = [
            state for state in self.states if state.source == file.path and state.inode in (file.inode, None)
        ]
        same = same or [
            state for state in self.states if state.inode == file.inode and file.inode is not None
        ]
        return max((state.offset for state in same), default=None)


def read_registry(entries: list[dict[str, Any]]) -> Registry | None:
    """Return the first readable registry, or None."""
    for entry in entries:
        if entry.get("type") != "file" or unreadable(entry) or entry.get("truncated"):
            continue
        states = _states(content(entry) or "")
        if states is not None:
            return Registry(file_fact(entry).path, states)
    return None


def _states(text: str) -> tuple[State, ...] | None:
    """Return the states of a file; None if it is not a registry."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        items = _json_lines(text)
    if not isinstance(items, list):
        return None
    states = []
    for item in items[:_MOST_STATES]:
        record = raw.record(raw.clean(item))
        values = raw.record(record.get("v")) or record
        source, offset = raw.text(values.get("source"), 500), raw.integer(values.get("offset"))
        if source is not None and offset is not None:
            inode = raw.integer(raw.record(values.get("FileStateOS")).get("inode"))
            states.append(State(source, offset, inode))
    return tuple(states)


def _json_lines(text: str) -> list[Any] | None:
    items = []
    for line in text.splitlines():
        try:
            items.append(json.loads(line))
        except (ValueError, RecursionError):
            return None
    return items or None
