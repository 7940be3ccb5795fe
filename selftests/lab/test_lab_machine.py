"""A missing requirement of the machine is reported with the command that installs it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab import machine
from lab.control import REPOSITORY
from lab.errors import LabError

START = "from lab import namespaces; import subprocess; namespaces.start('lab', subprocess.DEVNULL)"


def test_missing_tools_are_one_apt_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        machine.shutil, "which", lambda name: None if name in ("mmdebstrap", "ssh", "ssh-keygen") else name
    )
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(LabError) as failure:
        machine.need(*machine.TO_RUN, *machine.TO_BUILD)
    assert str(failure.value) == (
        "this machine lacks ssh, ssh-keygen, mmdebstrap\n"
        "  sudo apt-get install -y --no-install-recommends mmdebstrap openssh-client"
    )


def test_a_plain_user_needs_uidmap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda name: None if name.startswith("new") else name)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match=r"no-install-recommends uidmap$"):
        machine.need(*machine.TO_RUN)


def test_any_compiler_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda name: name if name == "tcc" else None)
    assert machine.compiler() == "tcc"
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    with pytest.raises(LabError, match=r"recommends gcc$"):
        machine.compiler()


def test_subordinate_ids(tmp_path: Path) -> None:
    file = tmp_path / "subuid"
    file.write_text("ann:100000:65536\nbob:165536:1000\nbob:200000:65536\n")
    assert machine.subordinate_range(file, "ann") == 100000
    assert machine.subordinate_range(file, "bob") == 200000
    with pytest.raises(
        LabError, match=r"usermod --add-subuids 265536-331071 --add-subgids 265536-331071 eve$"
    ):
        machine.subordinate_range(file, "eve")
    with pytest.raises(LabError, match="--add-subuids 100000-165535"):
        machine.subordinate_range(tmp_path / "absent", "eve")


@pytest.mark.parametrize(
    ("uid", "file", "content", "fix"),
    [
        (1000, "proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
        (1000, "proc/sys/kernel/unprivileged_userns_clone", "0\n", "sudo sysctl kernel.unprivileged_userns_clone=1"),
        (0, ".dockerenv", "", "docker run --privileged"),
        (0, "run/.containerenv", "", "--privileged"),
        (0, "proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "a security policy"),
    ],
    ids=["apparmor", "debian-10", "docker", "podman", "root-is-not-unprivileged"],
)  # fmt: skip
def test_a_refusal_says_how_to_allow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, file: str, content: str, fix: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)
    text = machine.refusal("user namespace", errno.EPERM, tmp_path)
    assert text.startswith(
        "the kernel does not allow the user namespace of the lab: Operation not permitted\n"
    )
    assert fix in text


@pytest.mark.lab
def test_a_machine_without_room_for_namespaces() -> None:
    """Refused by this kernel for real: within a user namespace that may have no others."""
    script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" -c "$1"'
    done = subprocess.run(
        ["unshare", "-U", "-r", "sh", "-c", script, sys.executable, START],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert "the kernel does not allow the user namespace of the lab: No space left on device" in done.stderr
    assert "sudo sysctl user.max_user_namespaces=" in done.stderr


@pytest.mark.lab
def test_a_root_with_one_user_only() -> None:
    done = subprocess.run(
        ["unshare", "-U", "-r", sys.executable, "-c", START], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert "root here has fewer than 65536 user ids" in done.stderr


def test_sbin_is_on_the_path_of_a_plain_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/home/ann/bin:/usr/bin")
    machine.complete_path()
    assert os.environ["PATH"] == "/home/ann/bin:/usr/bin:/usr/local/sbin:/usr/sbin:/sbin:/bin"
