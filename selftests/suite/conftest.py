"""Runs of the suite as an operator starts them, on the recorded snapshot; the judges bear their markers here too."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bkpaas.catalogue.registry import SECTIONS

ROOT = Path(__file__).parents[2]
HEALTHY = ROOT / "selftests/snapshots/healthy.json"


def pytest_configure(config: pytest.Config) -> None:
    for name in ("condition", *(symptom.marker for symptom in SECTIONS)):
        config.addinivalue_line("markers", name)


class Done:
    """What a finished run left behind."""

    def __init__(self, process, directory):
        self.exit, self.out = process.returncode, process.stdout + process.stderr
        record = directory / "results.json"
        self.results = json.loads(record.read_text()) if record.is_file() else None
        self.directory = directory

    def word(self, id_):
        return next(v for v in self.results["verdicts"] if v["id"] == id_)["verdict"]

    def reason(self, id_):
        return next(v for v in self.results["verdicts"] if v["id"] == id_)["reason"]


@pytest.fixture
def run(tmp_path):
    """Judge a snapshot in a process of its own, as an operator would.

    plugin: code that spoils the run. around: the words of a command that starts it.
    """

    def judge(*words, snapshot=HEALTHY, plugin=None, report="report", around=(), **more):
        command = [*around, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--lang", "en"]
        command += [f"--report={tmp_path / report}"]
        if snapshot:
            command += [f"--from-snapshot={snapshot}"]
        if plugin:
            (tmp_path / "spoiler.py").write_text(textwrap.dedent(plugin))
            command += ["-p", "spoiler"]
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path), **more}
        done = subprocess.run(
            [*command, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240
        )
        return Done(done, tmp_path / report)

    return judge


@pytest.fixture
def changed(tmp_path):
    """The healthy snapshot with something changed in it."""

    def change(function, name="changed.json"):
        snapshot = json.loads(HEALTHY.read_text())
        function(snapshot)
        path = tmp_path / name
        path.write_text(json.dumps(snapshot))
        return path

    return change
