"""A run that is recorded and replayed says what it said when it was live."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bkpaas.language import LANGUAGES
from bkpaas.record import Results, read_json, translated
from selftests.recordings import expectation
from selftests.recordings.judging import REPOSITORY, TEXTS
from selftests.recordings.store import SUFFIX, write_lines

DEPLOYMENT = """\
generation: 5.x
domain: paas.example.test
home: {home}
limits: {{request_seconds: 1, healthz_seconds: 1, command_seconds: 2, resolve_seconds: 2}}
hosts:
- {{name: here, address: 127.0.0.1, roles: [paas, nginx], connect: {{spec: 'local://'}}}}
- {{name: gone, address: 127.0.0.2, roles: [job], connect: {{spec: 'ssh://root@127.0.0.2:1'}}}}
"""
SETTINGS = (
    "SECRET_KEY = 'abc'\nDATABASES = {'default': {'PASSWORD': 'secret', 'HOST': '127.0.0.1', 'PORT': '9'}}\n"
)


@dataclass
class Recorded:
    """A recording of this machine, the record of the run that made it, and what a replay says of it."""

    recording: dict[str, Any]
    live: Results
    output: dict[str, Any]
    packed: Path
    expected: Path


def started(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a module as a command: imported into this process it would find pytest's rewritten assertions."""
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240)


def replayed(packed: Path, expected: Path, *words: str) -> subprocess.CompletedProcess[str]:
    places = ("--recordings", str(packed), "--expected", str(expected))
    return started("selftests.recordings.replay", *places, *words)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    place = tmp_path_factory.mktemp("recorded")
    login = place / "home/open_paas/login/conf"
    login.mkdir(parents=True)
    (login / "default.py").write_text(SETTINGS)
    (place / "inventory").mkdir()
    (place / "inventory/deployment.yaml").write_text(DEPLOYMENT.format(home=place / "home"))
    settings = ["-c", "pytest.ini", "--rootdir", ".", "-p", "no:cacheprovider", "--lang", "en"]
    places = ["--inventory", str(place / "inventory"), "--report", str(place / "report")]
    record = ["-p", "selftests.recordings.recorder", "--record", str(place / "raw.json")]
    done = started("pytest", *settings, *places, *record)
    assert done.returncode == 1, done.stdout + done.stderr
    recording = {"name": "healthy-1", "layout": "a", **json.loads((place / "raw.json").read_text("ascii"))}
    packed, expected = place / "packed", place / "expected"
    write_lines(packed / f"a{SUFFIX}", [recording])
    (packed / "a.names").write_text("healthy-1\n")
    done = replayed(packed, expected, "--update")
    assert done.returncode == 0 and "plans that are not those" not in done.stdout, done.stdout + done.stderr
    output = json.loads(expectation.read("a", expected)["healthy-1"])
    return Recorded(recording, read_json(place / "report/results.json"), output, packed, expected)


def test_verdicts_texts_and_causes_are_those_of_the_live_run(recorded: Recorded) -> None:
    output, live = recorded.output, recorded.live
    assert output["order"] == [verdict.id for verdict in live.verdicts] and len(output["order"]) > 50
    assert output["root_causes"] == live.root_causes and output["exit"] == live.run.exit
    for language in LANGUAGES:
        for verdict in translated(live, language).verdicts:
            again = output["verdicts"][verdict.id]
            texts = {name: (again[name] or {}).get(language) or None for name in TEXTS}
            assert texts == {name: getattr(verdict, name) or None for name in TEXTS}
            assert (again["word"], again["explained_by"]) == (verdict.verdict, verdict.explained_by)
    words = {one["word"] for one in output["verdicts"].values()}
    assert {"pass", "fail", "no_data", "not_applicable"} <= words and output["suite_failed"] == []


def test_plans_are_those_that_were_sent(recorded: Recorded) -> None:
    output, sent = recorded.output["plans"], recorded.recording["plans"]
    assert output["here"] == sent["here"] and output["here"].keys() == {"1", "2"}
    assert output["gone"].keys() == {"1"} and "gone" not in sent, "it refuses the connection"


def test_command_prints_what_changed(recorded: Recorded, tmp_path: Path) -> None:
    shutil.copytree(recorded.expected, tmp_path / "expected")
    output = copy.deepcopy(recorded.output)
    output["verdicts"]["host-reachable@here"]["word"] = "fail"
    write_lines(tmp_path / "expected" / f"a{SUFFIX}", [output])
    done = replayed(recorded.packed, tmp_path / "expected", "--quiet")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "word of host-reachable: 1 x in 1 runs" in done.stdout and ": 1 differences" in done.stdout
    assert "healthy-1: exit 1" in (recorded.expected / "a.txt").read_text("utf-8")


def test_a_name_without_recording_is_refused(recorded: Recorded) -> None:
    done = replayed(recorded.packed, recorded.expected, "--only", "no-such-run")
    assert done.returncode == 2 and "no-such-run" in done.stderr


def test_a_recording_without_newer_queries_has_no_differences(recorded: Recorded, tmp_path: Path) -> None:
    older = copy.deepcopy(recorded.recording)
    visit = older["visits"]["here"]
    del visit["first"]["disks"], visit["first"]["tails"], visit["first"]["files"]["login-manage"]
    del visit["second"]["http"]["healthz-login"]
    write_lines(tmp_path / f"a{SUFFIX}", [older])
    (tmp_path / "a.names").write_text("healthy-1\n")
    done = replayed(tmp_path, recorded.expected, "--quiet")
    assert done.returncode == 0 and ": 0 differences" in done.stdout, done.stdout + done.stderr
    assert "of those, verdicts that were known before" in done.stdout and "disk-headroom: pass" in done.stdout
