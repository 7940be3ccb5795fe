"""A fact that says what could not be read or understood is used by a condition: else it would be a silent pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect as types

from bkpaas.facts import Snapshot
from bkpaas.facts.missing import Missing, Record
from selftests.judges.test_container_cases import in_units
from selftests.snapshots.edited import load_edited
from selftests.suite.in_process import verdicts
from selftests.suite.odd_facts import made, replaced, structs, union

HEALTHY = Path(__file__).parents[1] / "snapshots/healthy.json"
UNREAD: dict[str, str] = {}
"""Facts that no condition reads, with the reason."""
ODD: dict[str, Any] = {"problems": ("a problem",)}


def is_problem(field: str) -> bool:
    return field == "problems" or field.endswith("_error")


def owners(cls: type = Record) -> Iterator[type]:
    """Yield every class of facts that has such a field."""
    for below in cls.__subclasses__():
        if any(map(is_problem, below.__struct_fields__)):  # type: ignore[attr-defined]
            yield below
        yield from owners(below)


def variants(snapshot: Snapshot, cls: type) -> Iterator[Snapshot]:
    """Yield snapshots in which one such field says something, and other facts of its class are empty or absent."""
    fields = structs(cls)
    for problem in filter(is_problem, fields):
        rest = [field for field in fields if not is_problem(field)]
        absent = [field for field in rest if field == problem.removesuffix("_error")]
        for empty in (absent, rest, *([field] for field in rest)):
            with suppress(ValueError):  # a fact may refuse fields that do not go together
                yield _changed(snapshot, cls, problem, empty)


def _changed(snapshot: Snapshot, cls: type, problem: str, empty: list[str]) -> Snapshot:
    def change(name: str, kind: types.Type, value: Any) -> Any:
        owner, _, field = name.partition(".")
        if owner != cls.__name__ or field not in (problem, *empty):
            return value
        return ODD.get(field, "an error") if field == problem else _empty(kind, value)

    return replaced(snapshot, change)


def _empty(kind: types.Type, value: Any) -> Any:
    if any(isinstance(one, types.NoneType) for one in union(kind)):
        return None
    for one in union(kind):
        if isinstance(one, types.VarTupleType):
            return ()
        if isinstance(one, types.DictType):
            return {}
        if isinstance(one, types.StructType) and not isinstance(value, Missing):
            return made(one.cls)[0]
    return value


def test_problems_and_errors_of_facts_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    of_6 = load_edited(tmp_path / "6.json", in_units)
    healthy, read = (Snapshot.load(HEALTHY), of_6), set[str]()
    classes = sorted(set(owners()), key=lambda cls: cls.__name__)
    watching = False

    def watch(cls: type) -> None:
        get = cls.__getattribute__

        def watched(self: Any, name: str) -> Any:
            if watching and is_problem(name):
                read.add(f"{cls.__name__}.{name}")
            return get(self, name)

        monkeypatch.setattr(cls, "__getattribute__", watched)

    for cls in classes:
        watch(cls)
    wanted = {f"{cls.__name__}.{field}" for cls in classes for field in structs(cls) if is_problem(field)}
    assert wanted >= UNREAD.keys(), "an exception of a fact that is gone"
    for cls in classes:
        own = {name for name in wanted - UNREAD.keys() if name.startswith(f"{cls.__name__}.")}
        for snapshot in (variant for one in healthy for variant in variants(one, cls)):
            if own <= read:
                break
            watching = True
            verdicts(snapshot)
            watching = False
    assert sorted(wanted - read) == sorted(UNREAD)
