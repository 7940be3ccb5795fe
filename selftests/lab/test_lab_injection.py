"""Faults are remembered as long as they are in the lab."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from lab import injection
from lab.control import REPOSITORY, Lab
from lab.errors import LabError
from lab.faults import FAULTS

pytestmark = pytest.mark.lab
ENGLISH = os.environ | {"LC_ALL": "C.UTF-8", "LANGUAGE": "en"}


@dataclass
class Stopped:
    """A fault: nothing listens on a host any more."""

    name: str
    condition: str = "services-answer"
    title_en: str = "the service is gone"
    title_zh: str = "服务已停止"
    layout: str = "a"

    def break_(self, lab: Lab) -> None:
        lab.run(self.name, "pkill -x nc")

    def heal(self, lab: Lab) -> None:
        lab.run(self.name, "/opt/lab/start.sh")


@pytest.fixture(autouse=True)
def two_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(injection, "faults", lambda: {name: Stopped(name) for name in ("one", "two")})


def test_break_and_heal(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    injection.inject(lab, "one", print)
    assert "expected root cause: services-answer" in capsys.readouterr().out
    assert injection.names(lab) == ["one"]
    assert not lab.ready()
    with pytest.raises(LabError, match="one is injected already"):
        injection.inject(lab, "one", print)
    with pytest.raises(LabError, match="two is not injected: one"):
        injection.heal(lab, "two", print)
    injection.heal(lab, "one", print)
    assert injection.names(lab) == []
    assert lab.ready()


def test_faults_name_their_layout_and_end_quietly() -> None:
    listing = [sys.executable, "-m", "lab", "faults"]
    done = subprocess.run(listing, cwd=REPOSITORY, env=ENGLISH, capture_output=True, text=True)
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    for name, fault in FAULTS.items():
        assert lines[name].endswith(f"(layout {fault.layout})") == (fault.layout != "a")
    reader, writer = os.pipe()
    os.close(reader)  # the reader has gone
    done = subprocess.run(listing, cwd=REPOSITORY, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_fault_of_another_layout_is_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(injection, "faults", lambda: {"one": Stopped("one", layout="elsewhere")})
    with pytest.raises(LabError, match="one is a fault of layout elsewhere"):
        injection.inject(lab, "one", print)
    assert injection.names(lab) == []


def test_heal_without_a_name_heals_all_the_newest_first(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    injection.inject(lab, "two", print)
    injection.inject(lab, "one", print)
    capsys.readouterr()
    injection.heal(lab, "two", print)
    assert injection.names(lab) == ["one"]
    injection.inject(lab, "two", print)
    assert injection.names(lab) == ["one", "two"]
    capsys.readouterr()
    injection.heal(lab, None, print)
    assert capsys.readouterr().out.split() == ["two", "is", "healed", "one", "is", "healed"]
    assert lab.ready()


def test_a_fault_that_failed_half_way_can_be_healed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(self: Stopped, lab: Lab) -> None:
        lab.run(self.name, "pkill -x nc; exit 1")

    monkeypatch.setattr(Stopped, "break_", half)
    with pytest.raises(LabError):
        injection.inject(lab, "one", print)
    assert injection.names(lab) == ["one"]
    injection.heal(lab, None, print)
    assert lab.ready()


def test_an_unknown_fault_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="no fault 'three'; see python -m lab faults"):
        injection.inject(lab, "three", print)
