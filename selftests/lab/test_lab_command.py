"""The command line: exit codes and terminals are passed on, texts say what to do."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable

import pytest

from lab.control import REPOSITORY, Lab
from lab.errors import LabError

pytestmark = pytest.mark.lab

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_exec_passes_exit_code_directory_and_output(command: Command) -> None:
    done = command("exec", "sh", "-c", "pwd; hostname; exit 7")
    assert done.returncode == 7
    assert done.stdout.split()[0] == str(REPOSITORY)
    assert done.stdout.split()[1].startswith("lab-selftest-command")
    assert command("exec", "--", "sh", "-c", "exit 9").returncode == 9


def test_ssh_passes_the_exit_code(command: Command) -> None:
    done = command("ssh", "ops@two", "hostname; exit 5")
    assert (done.returncode, done.stdout) == (5, "two\n")
    done = command("ssh")
    assert (done.returncode, done.stderr) == (1, "which host? one two\n")


@pytest.mark.parametrize(
    "line",
    [["exec", "NAME", "test", "-t", "0"], ["ssh", "NAME", "-t", "one", "test -t 0"]],
    ids=["exec", "ssh"],
)
def test_the_terminal_is_passed_on(lab: Lab, line: list[str]) -> None:
    ours, theirs = pty.openpty()
    arguments = [line[0], "--name", lab.name, "--", *line[2:]]
    done = subprocess.run(
        [sys.executable, "-m", "lab", *arguments], cwd=REPOSITORY, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0


def test_status_prints_hosts_and_readiness(command: Command, lab: Lab) -> None:
    done = command("status")
    assert done.returncode == 0
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["one", "10.66.0.11", "left", "ready"],
        ["two", "10.66.0.12", "right,spare", "ready"],
    ]
    lab.run("two", "pkill -x nc")
    done = command("status")
    assert done.returncode == 1
    assert "two        10.66.0.12     right,spare            port 7007 on two: " in done.stdout
    assert command("reboot", "two").returncode == 0
    assert command("status").returncode == 0


def test_status_of_a_lab_that_is_not_up() -> None:
    line = [sys.executable, "-m", "lab", "status", "--name", "selftest-never"]
    done = subprocess.run(
        line, cwd=REPOSITORY, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}
    )
    assert done.returncode == 1
    assert done.stderr == "the lab selftest-never is not up\n  python -m lab up --name selftest-never\n"


def test_help_teaches_in_both_languages() -> None:
    for language, words in (("C", "bring the lab up"), ("zh_CN.UTF-8", "启动")):
        line = [sys.executable, "-m", "lab", "--help"]
        done = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, encoding="utf-8",
                              env=os.environ | {"LC_ALL": language, "PYTHONUTF8": "1"})  # fmt: skip
        assert words in done.stdout
        assert "python -m lab up" in done.stdout


def test_an_unknown_layout_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lab", "up", "zz"], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "no layout 'zz'; there is a, b, c, d" in done.stderr


@pytest.mark.parametrize("name", ["../x", "", "base-0", "a b"], ids=["path", "empty", "base", "blank"])
def test_a_name_that_is_no_directory_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="cannot name a lab"):
        Lab(name)
