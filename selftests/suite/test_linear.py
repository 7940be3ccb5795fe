"""The cost of judging and explaining is proportional to the number of hosts: calls are counted for two sizes."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from bkpaas.facts import Snapshot
from selftests.suite.in_process import record

HEALTHY = Path(__file__).parents[1] / "snapshots/healthy.json"
SUITE = f"{Path(__file__).parents[2]}/"
SIZES = (30, 60)
"""Added hosts."""
FEW = 200
"""Calls of a function, for the larger deployment, that are not compared."""

Function = tuple[str, str, str]
"""File, name, what it calls."""


def grown(base: Snapshot, count: int) -> Snapshot:
    """Return the snapshot with so many more hosts, of which every third was not collected."""
    entries, hosts = list(base.deployment.hosts), dict(base.hosts)
    for number in range(count):
        model = ("appo-1", "cmdb-1", "paas-1")[number % 3] if number < 9 else ("appo-1", "cmdb-1")[number % 2]
        name, address = f"{model}-{number}", f"10.99.{number // 200}.{number % 200 + 1}"
        facts, entry = base.hosts[model], base.deployment.host(model)
        own = msgspec.structs.replace(facts.addresses, items=(address,))
        offset = msgspec.structs.replace(facts.clock, offset_seconds=float(number % 5 * 40))
        entries.append(msgspec.structs.replace(entry, name=name, address=address))
        hosts[name] = msgspec.structs.replace(
            facts, host=name, addresses=own, clock=offset, collected=number % 3 > 0
        )
    return msgspec.structs.replace(
        base, deployment=msgspec.structs.replace(base.deployment, hosts=tuple(entries)), hosts=hosts
    )


def calls(snapshot: Snapshot) -> Counter[Function]:
    """Return how often functions of the suite are called while a snapshot is judged, and what they call in C."""
    counts: Counter[Function] = Counter()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith(SUITE):
            called = argument.__name__ if event == "c_call" else ""
            counts[frame.f_code.co_filename[len(SUITE) :], frame.f_code.co_name, called] += 1

    sys.setprofile(count)
    try:
        record(snapshot)
    finally:
        sys.setprofile(None)
    return counts


def test_no_function_is_called_more_than_in_proportion() -> None:
    healthy = Snapshot.load(HEALTHY)
    record(grown(healthy, SIZES[0]))  # what is computed once for all runs
    few, many = (calls(grown(healthy, size)) for size in SIZES)
    limit = SIZES[1] / SIZES[0] * 1.1
    steep = {
        function: (few[function], number)
        for function, number in many.items()
        if number > FEW and number > limit * few[function]
    }
    assert not steep
