"""For any layout and any collected part of it, every expected id gets one verdict, and no check raises."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bkpaas.catalogue.registry import CONDITIONS
from bkpaas.facts import Snapshot
from selftests.suite.generated import deployment, snapshot

ROOT = Path(__file__).parents[2]
BATCHES, SIZE = 3, 10


def expected(known):
    """Ids by the catalogue alone, without the suite's own ledger."""
    return [
        f"{condition.id}@{subject}"
        for condition in CONDITIONS.values()
        for subject in [one.id for one in condition.subjects(known)] or ["deployment"]
    ]


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_expected_id_gets_one_verdict(batch, tmp_path):
    first = batch * SIZE
    command = [
        sys.executable,
        "-m",
        "selftests.suite.generated",
        str(first),
        str(SIZE),
        str(tmp_path / "runs"),
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    for seed in range(first, first + SIZE):
        check(tmp_path / "runs" / str(seed))


def check(place):
    known = Snapshot.load(place / "snapshot.json").deployment
    record = json.loads((place / "results.json").read_text())
    verdicts = record["verdicts"]
    assert (place / "exit").read_text() == str(record["run"]["exit"]) and record["run"]["exit"] in (0, 1)
    assert sorted(verdict["id"] for verdict in verdicts) == sorted(expected(known)), place
    failed = [
        (v["id"], v["reason"])
        for v in verdicts
        if "(test_" in str(v["reason"]) or "suite" in str(v["reason"])
    ]
    assert not failed, place
    unexplained = [
        v["id"] for v in verdicts if v["verdict"] in ("fail", "warn", "no_data") and not v["explained_by"]
    ]
    assert sorted(unexplained) == sorted(record["root_causes"]), place
    cases = ElementTree.parse(place / "junit.xml").getroot().iter("testcase")
    assert sum(1 for _ in cases) == len(verdicts), place
    assert (
        known.selected()[0].name in (place / "report.html").read_text() and (place / "details.html").exists()
    )


def test_a_seed_is_one_layout(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir(), other.mkdir()
    hosts = deployment(7, one).hosts
    assert hosts == deployment(7, other).hosts != deployment(8, other).hosts
    assert snapshot(9, deployment(9, one)).hosts == snapshot(9, deployment(9, one)).hosts
