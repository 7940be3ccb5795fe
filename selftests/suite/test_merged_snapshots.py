"""Snapshots of several controllers judged in one run: cross-host conditions, clocks of two controllers, missing parts."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bkpaas.facts import Clock, Snapshot
from bkpaas.facts.merging import merge
from selftests.snapshots.parts import NORTH, SOUTH, part
from selftests.suite import in_process

CLOCKS = {"paas-clock-skew@paas-1+paas-2", "paas-clock-drift@paas-1+paas-2"}
"""Two hosts whose clocks two controllers measured."""


def words(snapshot: Snapshot) -> dict[str, str]:
    return {id_: verdict.word for id_, verdict in in_process.verdicts(snapshot).items()}


def with_clock(given: tuple[str, Snapshot], host: str, offset: float) -> tuple[str, Snapshot]:
    """Return the part with the clock of a host moved."""
    source, snapshot = given
    facts = snapshot.hosts[host]
    assert isinstance(facts.clock, Clock)
    clock = msgspec.structs.replace(facts.clock, offset_seconds=offset)
    hosts = {**snapshot.hosts, host: msgspec.structs.replace(facts, clock=clock)}
    return source, msgspec.structs.replace(snapshot, hosts=hosts)


def test_verdicts_are_those_of_one_controller() -> None:
    whole, merged = (
        words(merge(parts))
        for parts in (
            [part("all", (*NORTH, *SOUTH)), part("all", ())],
            [part("north", NORTH), part("south", SOUTH)],
        )
    )
    assert {id_ for id_ in whole if whole[id_] != merged[id_]} == CLOCKS
    assert {merged[id_] for id_ in CLOCKS} == {"no_data"}


def test_clocks_of_one_controller_are_compared() -> None:
    """A controller with a wrong clock is not a finding; a host of its part that differs from the others is."""
    south = part("south", SOUTH)
    for host in SOUTH:
        south = with_clock(south, host, 500.0)
    ids = {f"clock-all@{host}" for host in (*NORTH, *SOUTH)}
    merged = in_process.verdicts(merge([part("north", NORTH), south]), ids)
    assert {verdict.word for verdict in merged.values()} == {"pass"}
    merged = in_process.verdicts(merge([part("north", NORTH), with_clock(south, "job-1", 400.0)]), ids)
    assert [id_ for id_, verdict in merged.items() if verdict.word == "fail"] == ["clock-all@job-1"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Options with two parts, of which the second lacks two hosts."""
    for source, snapshot in (part("north", NORTH), part("south", ("appo-1", "cmdb-1", "paas-2"), -3600.0)):
        snapshot.save(tmp_path / source)
    return [f"--from-snapshot={tmp_path / name}.json" for name in ("north", "south")]


def test_missing_hosts_are_one_cause(files: list[str], run, tmp_path: Path) -> None:
    done = run(*files, snapshot=None)
    record = done.results
    assert done.exit == 1
    first = record["causes"][0]
    assert first["ids"] == ["host-reachable@appt-1", "host-reachable@job-1"] and first["case"] == "not-merged"
    assert "appt-1, job-1" in first["headline"]
    of_clocks = {id_ for cause in record["causes"][1:] for id_ in cause["ids"]}
    assert of_clocks <= CLOCKS, of_clocks
    assert [(one["hosts"], one["age_seconds"]) for one in record["merged"]] == [(4, 0), (3, 3600)]
    assert "60 minutes older" in done.out and "north.json" in done.out
    assert "60 minutes older" in (tmp_path / "report" / "report.html").read_text()


def test_parts_that_do_not_fit_are_refused(tmp_path: Path, run) -> None:
    for source, snapshot in (part("north", NORTH), part("south", SOUTH, key=None)):
        snapshot.save(tmp_path / source)
    done = run(*(f"--from-snapshot={tmp_path / name}.json" for name in ("north", "south")), snapshot=None)
    assert done.exit == 4 and "--secret-key-file" in done.out
