"""Judges on edited facts: the healthy snapshot with something changed in it, judged in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEALTHY = ROOT / "selftests/snapshots/healthy.json"


@pytest.fixture
def judge(tmp_path):
    """judge(condition, change) -> the verdicts of that condition by subject, after change(snapshot)."""

    def of(condition, change):
        snapshot = json.loads(HEALTHY.read_text())
        change(snapshot)
        path = tmp_path / "changed.json"
        path.write_text(json.dumps(snapshot))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--lang",
            "en",
            "--only",
            condition,
        ]
        command += [f"--from-snapshot={path}", f"--report={tmp_path / 'report'}"]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
        record = tmp_path / "report/results.json"
        assert record.exists(), done.stdout + done.stderr
        return {verdict["subject"]: verdict for verdict in json.loads(record.read_text())["verdicts"]}

    return of
