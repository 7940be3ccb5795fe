"""The sample of the recordings is judged as expected, and it covers every section of the FAQ."""

from __future__ import annotations

import subprocess
import sys

from lab.faults import FAULTS
from selftests.matrix.declared import SYMPTOM_FAULTS
from selftests.recordings.judging import REPOSITORY
from selftests.recordings.sample import SAMPLE


def test_sample_covers_every_section() -> None:
    faults = {fault for name in SAMPLE for fault in name.split("+") if fault in FAULTS}
    sections = {FAULTS[name].faq for name in faults}
    sections |= {symptom for symptom in SYMPTOM_FAULTS for name in SAMPLE if symptom in name}
    assert sections == SYMPTOM_FAULTS.keys()


def test_sample_is_judged_as_expected() -> None:
    """After an intended change: script/replay, read the differences, script/replay --update."""
    command = [sys.executable, "-m", "selftests.recordings.replay", "--sample"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(SAMPLE)} runs judged" in done.stdout
