"""A section with a wrong shape is never the reason of a pass.

A condition reads a section when its verdict is no_data without that section. Whatever replaces that
section, or anywhere in it, as long as it is garbage: the verdict is not pass.
`python -m selftests.suite.test_garbage COUNT` tries so many changes.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from selftests.suite.answers import ROUNDS, Answers

JUNK = [[{"x": [1, None, {"y": "z"}]}]]
GONE = object()
NAMED = ("files", "tails", "supervisor", "resolve", "http", "tcp")
COLLECTOR = ("uid", "python", "home", "visit")
UNREAD = ("version", "cost", "conf", "environ_error", "seconds", "errors")
"""Fields that no parser reads; of `errors` see the test of its own."""
MAPS = ("environ", "pids", "peers", "starts", "results")
"""Objects whose keys are data; of `results` those that were sent before the connection ended. A null of `starts` is a
process that has ended."""
NULLABLE = {
    *("exe", "cwd", "environ", "pids", "localtime", "timezone_file", "home", "error", "rc", "peer"),
    *("chronyd", "ntpd", "chronyc", "ntpq", "open_files", "open_files_limit"),
}
RESULTS = "results"
"""Of the statements that were sent to a database, by name."""
OPTIONAL = {
    "target",
    "offset",
    "truncated",
    "error",
    "peer",
    "cwd",
    "links",
    "folder_mtime",
    "atime",
    "ctime",
    "open_files",
    "open_files_limit",
    RESULTS,
    "link_mtime",
    "retransmits",
}
"""Fields that an answer may lack: those of later collectors, of other accounts, and of a login that sends nothing."""
EMPTY_IS_GARBAGE = ("processes", "listeners", "addresses", "disks", "zone", *NAMED)

NOT_NEEDED = {("second", "system")}
"""The section without which no verdict changes: start times, which make the evidence of a restart more precise."""
SAMPLE = 160
"""Changes that the test tries."""

Path = tuple[Any, ...]


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every path in a JSON value."""
    yield at
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        if key not in UNREAD:
            yield from places(child, (*at, key))


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def put(value: Any, path: Path, new: Any) -> Any:
    """Return a copy with something else at one path."""
    if not path:
        return new
    changed = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and new is GONE:
        del changed[path[0]]
    else:
        changed[path[0]] = put(value[path[0]], path[1:], new)
    return changed


def garbage(value: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """Yield (kind, replacement) of a section, for values that no collector sends."""
    key, is_item = path[-1], isinstance(path[-1], int)
    of_map = len(path) > 1 and path[-2] in MAPS
    yield "nested junk", JUNK
    yield "another type", "x" if isinstance(value, int | float) else 7
    if not is_item and not of_map and key not in OPTIONAL:
        yield "gone", GONE
    if value is not None and (is_item or key not in NULLABLE) and not of_map and "rows" not in path:
        yield "null", None
    if isinstance(value, list):
        yield "a bad item", [*value, 7 if not value or isinstance(value[0], str | dict | list) else "x"]
        yield "an item of null", [*value, None]
    if isinstance(value, dict) and value and key not in MAPS:
        yield "empty", {}
    if (
        isinstance(value, list)
        and value
        and (key in EMPTY_IS_GARBAGE or (len(path) == 2 and path[0] in NAMED))
    ):
        yield "empty", []
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from (("huge", 1e300), ("not a number", float("nan")), ("beyond all integers", 10**400))
    if isinstance(value, bool):
        yield "a number for a flag", 1


def section_of(path: Path) -> Path:
    """The smallest part of an answer that can be missing alone, such as the result of one statement."""
    if RESULTS in path[:-1]:
        return path[: path.index(RESULTS) + 2]
    return path[:2] if path[0] in NAMED else path[:1]


@cache
def answers() -> Answers:
    return Answers()


@cache
def changes() -> list[tuple[str, str, Path, str, Any]]:
    """(host, round, path, kind, new value) of everything that can be tried, in an order that is mixed, but always the same."""
    found = []
    for host, visit in answers().visits.items():
        for name in ROUNDS.values():
            for path in places(visit[name]):
                if path and path[0] not in (*UNREAD, *COLLECTOR):
                    found += [(host, name, path, *one) for one in garbage(at(visit[name], path), path)]
    random.Random(8).shuffle(found)
    return found


@cache
def readers(host: str, name: str, section: Path) -> frozenset[str]:
    """Ids that are no_data without this section."""
    without = put(answers().visits[host][name], section, GONE)
    return frozenset(
        id_
        for id_, verdict in answers().verdicts(host, **{name: without}).items()
        if verdict.word == "no_data"
    )


def wrong(host: str, name: str, path: Path, new: Any) -> list[str]:
    """Ids that pass although they read this, and those whose test breaks."""
    changed = put(answers().visits[host][name], path, new)
    found = answers().verdicts(host, **{name: changed})
    passed = [id_ for id_ in readers(host, name, section_of(path)) if found[id_].word == "pass"]
    return passed + [f"{id_}: {verdict.text}" for id_, verdict in found.items() if verdict.word == "broken"]


def spread(count: int) -> list[tuple[str, str, Path, str, Any]]:
    """So many changes, each kind in each section first."""
    first: dict[tuple[Any, ...], tuple[str, str, Path, str, Any]] = {}
    for change in changes():
        path, is_data = (
            change[2],
            isinstance(change[2][-1], int) or (len(change[2]) > 1 and change[2][-2] in (*MAPS, *NAMED)),
        )
        first.setdefault((change[1], path[0], "*" if is_data else path[-1], change[3]), change)
    return [*first.values(), *changes()][:count]


def test_the_recorded_answers_are_healthy():
    found = answers().verdicts("paas-1")
    assert {verdict.word for verdict in found.values()} == {"pass", "not_applicable"}
    assert sum(verdict.word == "pass" for verdict in found.values()) > 200


def test_every_section_is_read():
    """Else nothing is proved about it."""
    read = Counter[tuple[str, str]]()
    for host in ("paas-1", "nginx-1", "appo-1"):
        for name in ROUNDS.values():
            sections = {section_of(path) for path in places(answers().visits[host][name]) if path}
            for section in sorted(sections, key=str):
                if section[0] not in COLLECTOR and not read[name, section[0]]:
                    read[name, section[0]] += len(readers(host, name, section))
    assert {section for section, count in read.items() if not count} == NOT_NEEDED


@pytest.mark.parametrize("batch", range(4))
def test_garbage_is_never_a_pass(batch):
    tried = spread(SAMPLE)[batch::4]
    found = {(*change[:4],): bad for change in tried if (bad := wrong(*change[:3], change[4]))}
    assert found == {}


def main() -> None:
    count = int(sys.argv[1])
    bad = [(change[:4], ids) for change in spread(count) if (ids := wrong(*change[:3], change[4]))]
    for change, ids in bad:
        print(*change, ids)
    print(f"{min(count, len(spread(count)))} changes of {len(changes())}, {len(bad)} with a pass")


if __name__ == "__main__":
    main()
