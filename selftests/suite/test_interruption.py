"""Signals and partial runs, on real processes: what was read is checked, all is written, nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from selftests.collect.sshd import Sshd, key, needs_sshd, running
from selftests.snapshots.edited import HEALTHY
from selftests.suite.runs import ROOT, Done

WATCHER = """
import pathlib, time
from bkpaas.plugin.progress import Progress

original = Progress.__call__

def call(self, host, state):
    original(self, host, state)
    pathlib.Path("{folder}", f"{{host}}.{{state}}").touch()

Progress.__call__ = call

def pytest_runtest_logreport(report):
    if "disk-space@" in report.nodeid and pathlib.Path("{folder}", "slow").exists():
        pathlib.Path("{folder}", "checking").touch()
        while not pathlib.Path("{folder}", "go-on").exists():
            time.sleep(0.01)
"""
"""Leaves a file for each state of a host, and with the file "slow" waits among the checks for the file "go-on"."""


class Process:
    """A run of the suite in a process group of its own, with a temporary directory of its own."""

    def __init__(self, folder: Path, *words: str, around: tuple[str, ...] = ()) -> None:
        self.folder, self.report = folder, folder / "report"
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        (folder / "watcher.py").write_text(textwrap.dedent(WATCHER.format(folder=folder)))
        command = [*around, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "watcher"]
        command += ["--lang=en", f"--report={self.report}", *words]
        environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST")}
        environment |= {"TMPDIR": str(self.temporary), "PYTHONPATH": str(folder)}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_for(self, condition: Callable[[], bool]) -> None:
        for _ in range(60000):
            if condition() or self.process.poll() is not None:
                return
            time.sleep(0.005)
        raise AssertionError("waited for 300 s")

    def wait_for_file(self, name: str) -> None:
        self.wait_for((self.folder / name).exists)

    def handles_signals(self) -> bool:
        """Return True if SIGTERM would not end the process; Python itself handles SIGINT only."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        return bool(caught >> (signal.SIGTERM - 1) & 1)

    def end(self) -> Done:
        """Wait for the end; nothing may be left, and nothing printed that is not for operators."""
        out, _ = self.process.communicate(timeout=580)
        assert list(self.temporary.iterdir()) == [], out
        assert "Traceback" not in out and "!!!" not in out and "KeyboardInterrupt" not in out, out
        done = Done(self.process.returncode, out, self.report)
        assert not done.results or done.results["run"]["exit"] == done.exit, out
        return done


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def make(*words: str, around: tuple[str, ...] = ()) -> Process:
        started.append(Process(tmp_path, *words, around=around))
        return started[-1]

    yield make
    for one in started:
        one.process.kill()
        one.process.communicate()


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    folder = tmp_path_factory.mktemp("sshd")
    key(folder / "id")
    with running(folder / "server", folder) as server:
        yield server


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a host that accepts and sends nothing."""
    with socket.create_server(("127.0.0.2", 0)) as server:
        yield server.getsockname()[1]


def inventory(folder: Path, sshd: Sshd, silent: int, limits: str = "") -> str:
    """An inventory of the host `read`, which answers, and the host `slow`, which does not."""
    path = folder / "deployment.yaml"
    path.write_text(
        "generation: 5.x\ndomain: paas.example.test\n" + limits + "hosts:\n"
        f"  - {{name: read, address: 127.0.0.1, roles: [paas], connect: {{port: {sshd.port}, user: root,"
        f" key: {sshd.client}/id, known_hosts: {sshd.known_hosts}}}}}\n"
        f"  - {{name: slow, address: 127.0.0.2, roles: [nginx], connect: {{port: {silent}}}}}\n"
    )
    return f"--inventory={path}"


@needs_sshd
def test_hosts_already_read_are_checked_when_a_signal_ends_the_collection(
    start: Callable[..., Process], tmp_path: Path, sshd: Sshd, silent: int
) -> None:
    run = start(inventory(tmp_path, sshd, silent), f"--save-snapshot={tmp_path}/snapshot.json")
    run.wait_for_file("read.round_1")
    run.process.send_signal(signal.SIGTERM)
    done = run.end()
    assert done.exit == 2 and "Interrupted: this report is partial." in done.out
    assert "interrupted: hosts read: 1 of 2; what they answered is checked" in done.out
    assert done.word("disk-space@read") in ("pass", "fail", "warn")
    assert done.word("host-reachable@slow") == "no_data" == done.word("disk-space@slow")
    assert "interrupted" in (done.reason("host-reachable@slow") or "")
    assert "interrupted" in (done.reason("disk-space@slow") or "")
    assert "host-reachable@slow" not in done.results["root_causes"]
    assert (tmp_path / "snapshot.json").stat().st_size > 1000
    assert {"report.html", "junit.xml", "details.html"} <= {one.name for one in done.directory.iterdir()}


@needs_sshd
def test_a_second_signal_ends_the_checks(
    start: Callable[..., Process], tmp_path: Path, sshd: Sshd, silent: int
) -> None:
    (tmp_path / "slow").touch()
    run = start(inventory(tmp_path, sshd, silent))
    run.wait_for_file("read.round_1")
    run.process.send_signal(signal.SIGINT)
    run.wait_for_file("checking")
    time.sleep(1.1)  # what follows within a second is the same interruption
    run.process.send_signal(signal.SIGHUP)
    (tmp_path / "go-on").touch()
    done = run.end()
    assert done.exit == 2 and "Interrupted: this report is partial." in done.out
    checked = [one for one in done.verdicts.values() if one["verdict"] != "no_data"]
    assert checked and any("not checked" in (one["reason"] or "") for one in done.verdicts.values())


@needs_sshd
def test_the_deadline_of_the_run_costs_only_the_hosts_that_were_not_read(
    start: Callable[..., Process], tmp_path: Path, sshd: Sshd, silent: int
) -> None:
    done = start(inventory(tmp_path, sshd, silent, "limits: {run_seconds: 10}\n")).end()
    assert done.exit == 1 and done.word("disk-space@read") in ("pass", "fail", "warn")
    assert done.word("host-reachable@slow") == "no_data"
    reason = done.reason("host-reachable@slow") or ""
    assert reason.startswith("interrupted: ") and "limits.run_seconds" in reason
    (cause,) = (one for one in done.results["causes"] if "host-reachable@slow" in one["ids"])
    assert "slow" in cause["headline"] and "before the time of the whole run was over (" in cause["headline"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_in_the_first_second_one_line_is_printed(
    start: Callable[..., Process], number: signal.Signals
) -> None:
    run = start(f"--from-snapshot={HEALTHY}")
    run.wait_for(run.handles_signals)
    run.process.send_signal(number)
    done = run.end()
    assert done.exit == 2 and not done.results
    assert done.out.strip() == f"interrupted ({number.name}): no host was contacted, nothing is written"


def test_a_run_that_has_begun_writes_its_record(start: Callable[..., Process]) -> None:
    run = start(f"--from-snapshot={HEALTHY}", around=("timeout", "-s", "TERM", "300"))
    run.wait_for(lambda: any(run.temporary.iterdir()))
    os.killpg(run.process.pid, signal.SIGTERM)
    done = run.end()
    assert done.results["run"]["exit"] == 2 and done.results["counts"]["no_data"] > 0
