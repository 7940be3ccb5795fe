"""Recorded faults have the verdicts of ssh through an exchange with an engine, and as two merged shards."""

from __future__ import annotations

import subprocess
import sys

from selftests.recordings.engines import FAULTS, reason_of
from selftests.recordings.judging import REPOSITORY


def test_healthy_and_ten_faults_have_the_same_verdicts() -> None:
    assert len(FAULTS) == 11
    command = [sys.executable, "-m", "selftests.recordings.engines"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("11 recordings, 0 verdicts differ without a reason\n")
    assert done.stdout.count(" verdicts, 0 differ: {}") >= 10, done.stdout


def test_a_difference_without_a_reason_is_found() -> None:
    assert reason_of("engine", "clock-all@paas-1", "no_data", "") == "clock"
    assert reason_of("engine", "clock-all@paas-1", "pass", "") == ""
    assert reason_of("shards", "host-reachable@paas-1", "no_data", "the engine has no answer of paas-1") == ""
    assert (
        reason_of("engine", "supervisor-sock@paas-1", "no_data", "the engine has no answer of paas-1") == ""
    )
