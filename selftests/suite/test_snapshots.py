"""Every recorded layout is judged well, and the tool that records them refuses a lab that is not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bkpaas.facts import Snapshot
from lab.control import Lab
from selftests.snapshots import record as recorder
from selftests.snapshots.edited import ALL, HEALTHY
from selftests.suite import in_process


def test_two_layouts_are_recorded() -> None:
    hosts = [len(Snapshot.load(file).deployment.hosts) for file in ALL]
    assert len(hosts) >= 2 and len(set(hosts)) >= 2


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.stem)
def test_nothing_fails_on_a_healthy_layout(file: Path) -> None:
    """A condition that is newer than a snapshot may have no data there."""
    words: dict[str, list[str]] = {}
    for id_, verdict in in_process.verdicts(Snapshot.load(file)).items():
        words.setdefault(verdict.word, []).append(f"{id_}: {verdict.text}")
    allowed = {"pass", "not_applicable", "no_data"}
    assert not [text for word in words.keys() - allowed for text in words[word]]
    assert len(words["pass"]) > 100 and len(words.get("no_data", ())) < 60


def test_no_snapshot_names_the_place_where_it_was_recorded() -> None:
    for file in ALL:
        keys = {host.connection.key for host in Snapshot.load(file).deployment.hosts}
        assert keys == {f"{recorder.NEUTRAL}/id_ed25519"}


def test_a_lab_that_is_not_green_is_refused() -> None:
    results = in_process.record(Snapshot.load(HEALTHY), "disk-space")
    recorder.require_green(results)
    results.verdicts[0].verdict = "warn"
    with pytest.raises(recorder.NotHealthyError, match=results.verdicts[0].id):
        recorder.require_green(results)


def test_texts_of_a_recording_name_no_place_of_this_machine(tmp_path: Path) -> None:
    lab = Lab("some")
    text = f"{lab.state_dir}/inventory/globals.env {lab.state_dir}/known_hosts"
    assert recorder.neutral(text, lab) == f"inventory/lab/globals.env {recorder.NEUTRAL}/known_hosts"


def test_layout_a_has_its_answers_too(tmp_path: Path) -> None:
    snapshot = msgspec.to_builtins(Snapshot.load(HEALTHY))
    visit = {"first": {}, "second": None, "clock": None, "seconds": 1.0, "error": None, "host": "paas-1"}
    plan = {"visit": 1, "files": [{"name": "b", "read": 1}, {"name": "a"}]}
    recording = {"controller": {}, "visits": {"paas-1": visit}, "plans": {"paas-1": {"1": plan, "2": None}}}
    files = recorder.write("a", snapshot, recording, tmp_path)
    assert [file.name for file in files] == ["healthy.json", "answers.json"]
    answers = msgspec.json.decode(files[1].read_bytes())
    assert answers["visits"]["paas-1"]["asked"]["1"]["sections"]["files"] == ["a", "b"]
    assert [file.name for file in recorder.write("b", snapshot, recording, tmp_path)] == ["healthy-b.json"]
