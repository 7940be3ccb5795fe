"""The shell examples on real hosts: no output when healthy, a mail when not, an upgrade compared fact by fact."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.pages import ROOT
from lab import layouts, lifecycle, machine
from lab.control import Lab

pytestmark = pytest.mark.lab

SETTINGS = "/data/bkce/open_paas/paas/conf/default.py"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    machine.complete_path()
    lab = Lab(f"selftest-docs-{os.getpid()}")
    try:
        lifecycle.up(lab, layouts.load("d"), print)
        yield lab
    finally:
        lifecycle.down(lab)
        shutil.rmtree(lab.state_dir, ignore_errors=True)


def run(lab: Lab, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """An example next to the hosts, as cron or a person starts it."""
    command = lab.inside("env", "LANG=C.UTF-8", str(ROOT / "docs/examples" / script), *words)
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=240)


def change(lab: Lab, old: str, new: str) -> None:
    lab.run("box-1", f"grep -q '{old}' {SETTINGS} && sed -i 's/{old}/{new}/' {SETTINGS}")


def test_nightly(lab: Lab, tmp_path: Path) -> None:
    inventory = str(lab.state_dir / "inventory")
    done = run(lab, "nightly.sh", inventory, str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    change(lab, "^EVENT_STATE_EXPIRE_SECONDS = 360", "EVENT_STATE_EXPIRE_SECONDS = 30")
    done = run(lab, "nightly.sh", inventory, str(tmp_path))
    change(lab, "^EVENT_STATE_EXPIRE_SECONDS = 30", "EVENT_STATE_EXPIRE_SECONDS = 360")
    assert done.returncode == 1 and "deploy-timeout-order@" in done.stdout


def test_acceptance(lab: Lab, tmp_path: Path) -> None:
    inventory = str(lab.state_dir / "inventory")
    assert run(lab, "acceptance.sh", "before", inventory, str(tmp_path)).returncode == 0
    change(lab, "^EVENT_STATE_EXPIRE_SECONDS = 360", "EVENT_STATE_EXPIRE_SECONDS = 400")
    done = run(lab, "acceptance.sh", "after", inventory, str(tmp_path))
    change(lab, "^EVENT_STATE_EXPIRE_SECONDS = 400", "EVENT_STATE_EXPIRE_SECONDS = 360")
    summary = (tmp_path / "after.md").read_text("utf-8").replace("\\", "")
    assert "changed facts 1" in summary and "EVENT_STATE_EXPIRE_SECONDS" in summary, done.stdout
