"""Facts with unexpected values break no check.

Every field of every Struct takes every other value of its type that `odd_facts` knows, several fields at a time; the
snapshot is saved, loaded, and judged. `python -m selftests.suite.test_odd_facts COUNT` judges so many combinations.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect as types

from bkpaas.facts import ControllerFacts, HostFacts, Snapshot
from selftests.suite.in_process import verdicts
from selftests.suite.odd_facts import Place, declared, filled, loaded, others, places, put, tree_of

HEALTHY = Path(__file__).parents[1] / "snapshots/healthy.json"
TOGETHER = 16
"""Fields that change in one snapshot."""
IDENTITY = {"HostFacts.host", "Snapshot.hosts[]"}
"""Fields that Snapshot.load compares with the deployment."""
BATCHES = 4
RANDOM = 100
"""Random combinations that the test judges."""

Change = tuple[str, int]
"""Field, number of the other value."""


class Base:
    """Hold a snapshot with the places of each field, numbered in their order."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.places: dict[str, list[tuple[int, Place]]] = {}
        for number, place in enumerate(places(snapshot)):
            self.places.setdefault(place.field.name, []).append((number, place))

    def places_of(self, names: Iterable[str]) -> list[Place]:
        """Return the places of some fields in the order of the snapshot."""
        return [place for _, place in sorted(one for name in names for one in self.places.get(name, ()))]


@cache
def full() -> Base:
    snapshot = loaded(lambda: filled(healthy().snapshot))
    assert snapshot is not None
    return Base(snapshot)


@cache
def healthy() -> Base:
    return Base(Snapshot.load(HEALTHY))


@cache
def fields() -> dict[str, tuple[types.Type, int]]:
    """Return the type of every field in the facts, and how many other values it can take."""
    found: dict[str, tuple[types.Type, int]] = {}
    for field, _, value in places(full().snapshot):
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
    base: Base, changes: tuple[Change, ...], some: random.Random | None = None
) -> Snapshot | None:
    """Return a snapshot with other values in all places of these fields, or in some; None if it is refused."""
    numbers = dict(changes)

    def other(place: Place) -> Any:
        if some is not None and some.random() < 0.5:
            return place.value
        values = list(others(place.value, place.field.type))
        return values[numbers[place.field.name] % len(values)]

    tree = tree_of(base.places_of(numbers), other)
    return loaded(lambda: put(base.snapshot, tree))


def crashes(base: Base, changes: tuple[Change, ...], some: random.Random | None = None) -> list[str]:
    """Return the checks that break, with their exceptions."""
    snapshot = with_changes(base, changes, some)
    found = {} if snapshot is None else verdicts(snapshot)
    return [f"{id_}: {verdict.text}" for id_, verdict in found.items() if verdict.word == "broken"]


def test_every_declared_field_takes_other_values():
    expected = {*declared(HostFacts), *declared(ControllerFacts)}
    varied = {name for name in fields() if not name.startswith("Snapshot.")}
    assert expected - varied == {"HostFacts.host", "Missing.reason"}


@pytest.mark.parametrize("batch", range(BATCHES))
def test_unexpected_facts_break_no_check(batch):
    tried = combinations()[batch::BATCHES]
    found = {changes: broken for changes in tried if (broken := crashes(full(), changes))}
    assert found == {}


def test_random_combinations_break_no_check():
    chance, source = random.Random(9), more(10)
    tried = [next(source) for _ in range(RANDOM)]
    found = {changes: broken for changes in tried if (broken := crashes(healthy(), changes, chance))}
    assert found == {}


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
