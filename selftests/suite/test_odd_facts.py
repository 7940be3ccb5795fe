"""Facts that nobody expects are never a crash of a check, and a fact that is absent never makes a failure a pass.

Every field of every Struct takes every other value of its type that `odd_facts` knows, several fields at a time; the
snapshot is saved, loaded, and judged. `python -m selftests.suite.test_odd_facts COUNT` judges so many combinations.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect as types

from bkpaas.facts import ControllerFacts, HostFacts, Missing, Snapshot
from selftests.suite.in_process import Verdict, verdicts
from selftests.suite.odd_facts import declared, filled, loaded, others, places, replaced, union

HEALTHY = Path(__file__).parents[1] / "snapshots/healthy.json"
TOGETHER = 6
"""Fields that change in one snapshot."""
IDENTITY = {"HostFacts.host", "Snapshot.hosts[]"}
"""Fields that Snapshot.load compares with the deployment."""
STATEMENTS = {"Service.bind_address"}
"""Fields whose absence is a statement: the address has a variable that only uwsgi can resolve."""
BATCHES = 4
RANDOM = 100
"""Random combinations that the test judges."""

Change = tuple[str, int]
"""Field, number of the other value."""


@cache
def full() -> Snapshot:
    snapshot = loaded(lambda: filled(healthy()))
    assert snapshot is not None
    return snapshot


@cache
def healthy() -> Snapshot:
    return Snapshot.load(HEALTHY)


@cache
def fields() -> dict[str, tuple[types.Type, int]]:
    """Return the type of every field in the facts, and how many other values it can take."""
    found: dict[str, tuple[types.Type, int]] = {}
    for field, _, value in places(full()):
        count = sum(1 for _ in others(value, field.type))
        known = found.get(field.name, (field.type, 0))
        found[field.name] = field.type, max(known[1], count)
    return {name: of for name, of in found.items() if of[1] and name not in IDENTITY}


@cache
def combinations() -> list[tuple[Change, ...]]:
    """Return every other value of every field, several fields at a time, always in the same order."""
    changes = [(name, number) for name, (_, count) in fields().items() for number in range(count)]
    random.Random(8).shuffle(changes)
    return [tuple(changes[start : start + TOGETHER]) for start in range(0, len(changes), TOGETHER)]


def more(seed: int) -> Iterator[tuple[Change, ...]]:
    """Yield random combinations without end."""
    chance, names = random.Random(seed), sorted(fields())
    while True:
        yield tuple((name, chance.randrange(fields()[name][1])) for name in chance.sample(names, TOGETHER))


def with_changes(
    base: Snapshot, changes: tuple[Change, ...], some: random.Random | None = None
) -> Snapshot | None:
    """Return a snapshot with other values in all places of these fields, or in some; None if it is refused."""
    numbers = dict(changes)

    def change(name: str, kind: types.Type, value: Any) -> Any:
        if name not in numbers or (some is not None and some.random() < 0.5):
            return value
        values = list(others(value, kind))
        return values[numbers[name] % len(values)]

    return loaded(lambda: replaced(base, change))


def crashes(base: Snapshot, changes: tuple[Change, ...], some: random.Random | None = None) -> list[str]:
    """Return the checks that break, with their exceptions."""
    snapshot = with_changes(base, changes, some)
    found = {} if snapshot is None else verdicts(snapshot)
    return [f"{id_}: {verdict.text}" for id_, verdict in found.items() if verdict.word == "broken"]


def test_every_declared_field_takes_other_values():
    expected = {*declared(HostFacts), *declared(ControllerFacts)}
    varied = {name for name in fields() if not name.startswith("Snapshot.")}
    assert expected - varied == {"HostFacts.host", "Missing.reason"}


@pytest.mark.parametrize("batch", range(BATCHES))
def test_odd_facts_break_no_check(batch):
    tried = combinations()[batch::BATCHES]
    found = {changes: broken for changes in tried if (broken := crashes(full(), changes))}
    assert found == {}


def test_random_combinations_break_no_check():
    chance, source = random.Random(9), more(10)
    tried = [next(source) for _ in range(RANDOM)]
    found = {changes: broken for changes in tried if (broken := crashes(healthy(), changes, chance))}
    assert found == {}


# ---- a fact that is absent ------------------------------------------------------------------------------------


def absent(kind: types.Type) -> list[Any]:
    """Return the values by which a type says that there is nothing."""
    found: list[Any] = []
    for one in union(kind):
        if isinstance(one, types.NoneType):
            found.append(None)
        elif isinstance(one, types.StructType) and one.cls is Missing:
            found.append(Missing("not looked at"))
    return found


def failures() -> Iterator[tuple[tuple[Change, ...], Snapshot, set[str]]]:
    """Yield combinations until each condition that can fail among them has failed once."""
    had: set[str] = set()
    for changes in combinations():
        snapshot = with_changes(full(), changes)
        found: dict[str, Verdict] = {} if snapshot is None else verdicts(snapshot)
        failed = {id_ for id_, verdict in found.items() if verdict.word in ("fail", "warn")}
        if snapshot is not None and (new := {id_ for id_ in failed if id_.partition("@")[0] not in had}):
            had |= {id_.partition("@")[0] for id_ in new}
            yield changes, snapshot, new


def turned(snapshot: Snapshot, left_out: set[str], ids: set[str]) -> list[tuple[str, str]]:
    """Return (field, id) where a failure is a pass because that field is absent everywhere."""
    found = []
    for name, (kind, _) in fields().items():
        for nothing in absent(kind) if name not in left_out | STATEMENTS else ():
            without = loaded(
                lambda n=name, v=nothing: replaced(snapshot, lambda f, _, old: v if f == n else old)
            )
            judged = {} if without is None else verdicts(without, ids)
            found += [(name, id_) for id_, verdict in judged.items() if verdict.word == "pass"]
    return found


def test_absent_facts_make_no_failure_a_pass():
    seen, found = 0, []
    for changes, snapshot, ids in failures():
        seen += len(ids)
        found += [(*one, changes) for one in turned(snapshot, {name for name, _ in changes}, ids)]
    assert found == []
    assert seen > 50


def main() -> None:
    chance, source = random.Random(11), more(12)
    bad, count = 0, int(sys.argv[1])
    for number in range(count):
        changes = next(source)
        if broken := crashes((healthy(), full())[number % 2], changes, chance):
            bad += 1
            print(changes, broken)
    print(f"{count} combinations, {bad} with a check that breaks")


if __name__ == "__main__":
    main()
