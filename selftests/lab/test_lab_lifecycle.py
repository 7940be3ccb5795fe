"""A lab starts completely or not at all, and leaves nothing behind when it ends, in every state."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from lab import lifecycle, namespaces
from lab.control import RECORD, REPOSITORY, Lab, Record
from lab.errors import LabError
from lab.layouts import Host, Layout
from lab.namespaces import Process

pytestmark = pytest.mark.lab

RaiseLab = Callable[..., Lab]


def state(lab: Lab) -> set[str]:
    """Return the files in the lab's directory."""
    return {item.name for item in lab.state_dir.iterdir()}


def processes(lab: Lab) -> list[Process]:
    """Return all processes of the lab. Namespaces cannot identify them later: their numbers are used again."""
    mine = os.readlink(f"/proc/{lab.started().init.pid}/ns/user")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if os.readlink(entry / "ns/user") == mine:
                    found.append(Process.of(int(entry.name)))
    assert len(found) > 5
    return found


def test_two_labs_run_side_by_side(lab: Lab, raise_lab: RaiseLab) -> None:
    other = raise_lab("other")
    lab.run("one", "touch /data/first")
    other.run("one", "touch /data/second")
    assert lab.run("one", "ls /data").split() == ["first"]
    assert other.run("one", "ls /data").split() == ["second"]
    assert (lab.state_dir / "known_hosts").read_text() != (other.state_dir / "known_hosts").read_text()
    lifecycle.down(other)
    assert lab.ready()


def test_up_with_another_layout_is_refused(lab: Lab, small: Layout) -> None:
    before = lab.record
    with pytest.raises(LabError, match="is up with layout small, not large") as caught:
        lifecycle.up(lab, replace(small, name="large"), print)
    assert f"python -m lab down --name {lab.name}\n" in str(caught.value)
    assert lab.record == before


def test_up_again_changes_nothing(lab: Lab, small: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    before = lab.record
    lifecycle.up(lab, small, print)
    assert "is up already" in capsys.readouterr().out
    assert lab.record == before


def test_the_inventory_is_this_labs(lab: Lab) -> None:
    text = (lab.state_dir / "inventory" / "deployment.yaml").read_text()
    assert f"key: {lab.state_dir}/id_ed25519" in text
    assert ".lab/default" not in text


def test_secrets_of_a_lab_are_private(lab: Lab) -> None:
    assert lab.state_dir.stat().st_mode & 0o777 == 0o700
    assert (lab.state_dir / "id_ed25519").stat().st_mode & 0o777 == 0o600


def test_down_leaves_the_logs_and_nothing_else(raise_lab: RaiseLab) -> None:
    lab = raise_lab("gone")
    before = processes(lab)
    with subprocess.Popen(lab.inside("sleep", "1000")) as guest:
        assert lifecycle.down(lab)
        assert guest.wait() != 0
    assert not any(process.alive for process in before)
    assert str(lab.state_dir) not in Path("/proc/mounts").read_text()
    assert state(lab) == {"logs"}
    assert "one at 10.66.0.11 starts left" in (lab.state_dir / "logs" / "one.log").read_text()
    assert not lifecycle.down(lab)
    with pytest.raises(LabError, match=f"is not up\n  python -m lab up --name {lab.name}"):
        lab.run("one", "true")


@pytest.mark.parametrize("victim", ["init", "holder"])
def test_a_killed_lab_takes_everything_with_it_and_comes_up_again(raise_lab: RaiseLab, victim: str) -> None:
    lab = raise_lab(f"killed-{victim}")
    before = processes(lab)
    os.kill(getattr(lab.started(), victim).pid, signal.SIGKILL)
    lab.wait(lambda: not any(process.alive for process in before), 10, "all processes end")
    assert not lab.is_up
    raise_lab(f"killed-{victim}")
    assert lab.ready()
    lifecycle.down(lab)


def test_down_spares_a_process_that_got_the_number_of_a_dead_lab(raise_lab: RaiseLab) -> None:
    lab = raise_lab("stale")
    record = lab.started()
    lifecycle.down(lab)
    with subprocess.Popen(["sleep", "1000"]) as innocent:
        stale = Process(innocent.pid, record.init.started)
        replace(record, holder=stale, init=stale).write(lab.state_dir / RECORD)
        assert not lab.is_up
        lifecycle.down(lab)
        assert innocent.poll() is None
        innocent.kill()


def test_half_a_record_is_no_lab(tmp_path: Path) -> None:
    for text in ("", "{", '{"holder": 1}'):
        (tmp_path / RECORD).write_text(text)
        assert Record.read(tmp_path / RECORD) is None


def test_a_holder_ends_with_a_caller_that_never_sent_noted() -> None:
    with open(os.devnull, "w") as nowhere:
        holder, init = namespaces.start("lab", nowhere)
    assert init.alive
    assert holder.stdin is not None
    holder.stdin.close()
    assert holder.wait(240) == 1
    Lab("nowhere").wait(lambda: not init.alive, 240, "PID 1 ends with its holder")


def test_up_that_was_killed_is_started_anew(raise_lab: RaiseLab) -> None:
    lab = raise_lab("half")
    replace(lab.started(), finished=False).write(lab.state_dir / RECORD)
    before = lab.started().init
    raise_lab("half")
    assert lab.started().init != before
    assert not before.alive
    lifecycle.down(lab)


def test_not_ready_names_the_check_shows_the_log_and_leaves_nothing(
    raise_lab: RaiseLab, small: Layout
) -> None:
    with pytest.raises(
        LabError, match=r"(?s)two: port 7008 on two|one: port 7008 on one.*Connection refused"
    ) as failure:
        raise_lab("late", replace(small, ports={"word": 7008}), seconds=1.0)
    lab = Lab(f"selftest-late-{os.getpid()}")
    assert "one at 10.66.0.11 starts left" in str(failure.value)
    assert not lab.is_up
    assert state(lab) == {"logs"}


def test_keep_leaves_a_lab_that_is_not_ready(raise_lab: RaiseLab, small: Layout) -> None:
    with pytest.raises(LabError):
        raise_lab("kept", replace(small, ports={"word": 7008}), seconds=1.0, keep=True)
    lab = Lab(f"selftest-kept-{os.getpid()}")
    assert lab.exec(["ssh", "-F", str(lab.state_dir / "ssh_config"), "two", "hostname"]) == "two\n"
    lifecycle.down(lab)


def test_a_host_that_cannot_start_is_reported_immediately(raise_lab: RaiseLab, small: Layout) -> None:
    with pytest.raises(LabError, match=r"(?s)one: sshd answers on one: the host has ended.*10\.66\.0\.999"):
        raise_lab(
            "dead", replace(small, hosts=(Host("one", "10.66.0.11", (), ("10.66.0.999",)),)), seconds=60.0
        )


def test_only_one_command_at_a_time_starts_or_ends_a_lab(raise_lab: RaiseLab) -> None:
    lab = Lab(f"selftest-busy-{os.getpid()}")
    lab.state_dir.mkdir(parents=True)
    hold = f"import fcntl, os, sys; fcntl.flock(os.open({str(lab.state_dir)!r}, os.O_RDONLY), fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        other.stdout.readline()
        with pytest.raises(LabError, match="another command is just starting or ending"):
            raise_lab("busy")
        other.stdin.close()
