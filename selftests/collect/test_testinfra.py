"""Visits through testinfra's backends and through OpenSSH: the same collector, the same answers, the same limits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect.host_answers import HostAnswers
from bkpaas.collect.rounds import collect_hosts
from bkpaas.inventory.deployment import Connection
from collect.running import ended, needs_root
from collect.servers import closing, never_accepting, refusing, serving, silent
from collect.sshd import Sshd, deployment, key, needs_sshd, running

PLAN = {
    "visit": 1,
    "disks": ["/"],
    "homes": [],
    "files": [{"name": "os", "path": "/etc/os-release", "read": 4096}],
}


def once(
    connection: Connection, transport: str = "asyncssh", second: Any = None, **limits: object
) -> HostAnswers:
    options: Any = {"transport": transport}
    return collect_hosts(
        deployment(connection, **limits), lambda host: PLAN, lambda host, all: second, **options
    )["a"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory first in PATH for replacement programs; the rest of PATH stays."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return tmp_path / "bin"


def put(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_local() -> None:
    visit = once(Connection("local://"), second={"visit": 2, "disks": ["/"]})
    assert visit.error is None and visit.round_1 and visit.round_2
    assert visit.round_1["files"]["os"][0]["text"] and visit.round_2["visit"] == 2
    assert visit.round_1["disks"][0]["bytes"] == visit.round_2["disks"][0]["bytes"] > 0
    assert visit.clock and visit.clock.samples == 2
    assert abs(visit.clock.offset_seconds) <= visit.clock.uncertainty_seconds


def test_local_with_sudo(path: Path) -> None:
    put(path, "sudo", f'printf %s "$1" > {path}/said; shift; exec "$@"')
    assert once(Connection("local://", sudo=True)).round_1
    assert (path / "said").read_text() == "-n"
    put(path, "sudo", "echo 'sudo: a password is required' >&2; exit 1")
    error = once(Connection("local://", sudo=True)).error
    assert error and error.kind == "sudo_denied"


@pytest.mark.parametrize(
    ("spec", "tool", "words"),
    [
        pytest.param("docker://paas-1", "docker", ["exec", "paas-1"], id="docker"),
        pytest.param("docker://ops@paas-1", "docker", ["exec", "-u", "ops", "paas-1"], id="docker-user"),
        pytest.param("podman://paas-1", "podman", ["exec", "paas-1"], id="podman"),
        pytest.param(
            "kubectl://pod?namespace=bk&container=paas", "kubectl", ["-n", "bk", "-c", "paas"], id="kubectl"
        ),
        pytest.param("lxc://paas-1", "lxc", ["exec", "paas-1"], id="lxc"),
    ],
)
def test_containers(path: Path, spec: str, tool: str, words: list[str]) -> None:
    """Replace the tool by a script that writes down its arguments and runs the command here."""
    put(
        path, tool, f'printf "%s\\n" "$@" > {path}/said; while [ "$1" != /bin/sh ]; do shift; done; exec "$@"'
    )
    visit = once(Connection(spec))
    assert visit.round_1 and visit.round_1["files"]["os"][0]["text"]
    arguments = (path / "said").read_text().splitlines()
    assert arguments[: len(words)] == words


def test_tool_that_refuses(path: Path) -> None:
    put(path, "docker", "echo 'Error response from daemon: No such container: paas-1' >&2; exit 1")
    error = once(Connection("docker://paas-1")).error
    assert error and error.kind == "backend" and "No such container: paas-1" in str(error.reason)


def test_tool_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    error = once(Connection("docker://paas-1")).error
    assert error and error.kind == "backend" and "not found" in str(error.reason)


@needs_root
def test_chroot(tmp_path: Path) -> None:
    """A root with nothing but the machine's own programs in it."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("no namespaces on this machine")
    root = tmp_path / "root"
    for name in ("usr", "proc", "etc", "dev"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(os.readlink(f"/{name}"))
    (root / "etc/os-release").write_text("of the chroot")
    script = (
        "import sys; from bkpaas.collect.rounds import *; from bkpaas.inventory.deployment import Connection\n"
        "from collect.sshd import deployment\n"
        f"plan = {PLAN!r}\n"
        "visit = collect_hosts(deployment(Connection(sys.argv[1])), lambda host: plan, lambda host, all: None)['a']\n"
        "print(visit.error or visit.round_1['files']['os'][0]['text'])\n"
    )
    mounts = f'for name in usr proc dev; do mount --rbind /$name {root}/$name; done; exec "$@"'
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", mounts, "sh", sys.executable, "-c", script, f"chroot://{root}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert result.stdout == "of the chroot\n", result.stderr


@pytest.mark.parametrize("spec", ["safe-ssh://h", "paramiko://h", "winrm://h"])
def test_backends_that_break_a_promise_are_not_used(spec: str) -> None:
    error = once(Connection(spec)).error
    assert error and error.kind == "config"


def test_what_hangs_is_killed_with_everything_it_started(path: Path) -> None:
    put(path, "docker", f"sleep 1000 & echo $! $$ > {path}/pids; wait")
    error = once(Connection("docker://paas-1"), host_seconds=3.0).error
    assert error and error.kind == "hung"
    assert all(ended(int(pid)) for pid in (path / "pids").read_text().split())


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        pytest.param("exec head -c 10485760 /dev/zero", "too_much", id="ten-megabytes"),
        pytest.param("exec cat /dev/zero", "too_much", id="without-end"),
        pytest.param("exec cat /dev/zero >&2", "too_much", id="error-output-without-end"),
        pytest.param("echo hello", "garbage", id="other-output"),
        pytest.param("echo '@@bkpaas dance'", "garbage", id="unknown-word"),
        pytest.param("echo '@@bkpaas nopython'", "no_python", id="no-python"),
        pytest.param("kill -9 $$", "backend", id="killed"),
    ],
)
def test_answers_that_are_none(path: Path, script: str, kind: str) -> None:
    put(path, "docker", script)
    error = once(Connection("docker://paas-1"), answer_bytes=1_000_000).error
    assert error and error.kind == kind, error


def test_both_rounds_share_one_budget(path: Path) -> None:
    """The second answer is refused although each of the two is within the limit."""
    put(path, "docker", 'head -c 600000 /dev/zero | tr "\\0" "\\n"; shift 2; exec "$@"')
    visit = once(Connection("docker://paas-1"), second={"visit": 2, "disks": ["/"]}, answer_bytes=1_000_000)
    assert visit.round_1 and visit.round_2 is None and visit.error and visit.error.kind == "too_much"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    key(folder / "id")
    return folder


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory, client: Path) -> Iterator[Sshd]:
    with running(tmp_path_factory.mktemp("sshd") / "x", client) as server:
        yield server


@needs_sshd
def test_openssh_logs_in_once_for_both_visits_and_leaves_nothing(
    sshd: Sshd, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(public))
    logins = sshd.logins()
    visit = once(sshd.connection(), "openssh", second={"visit": 2, "disks": ["/"]})
    assert visit.error is None and visit.round_1 and visit.round_2
    assert visit.clock and abs(visit.clock.offset_seconds) <= visit.clock.uncertainty_seconds
    assert sshd.logins() == logins + 1 and not os.listdir(public)


@needs_sshd
def test_openssh_through_a_bastion(sshd: Sshd, client: Path, tmp_path: Path) -> None:
    with running(tmp_path / "bastion", client) as bastion:
        jump, both = f"root@127.0.0.1:{bastion.port}", tmp_path / "both"
        both.write_text(sshd.known_hosts.read_text() + bastion.known_hosts.read_text())
        assert once(sshd.connection(bastion=jump, known_hosts=str(both)), "openssh").round_1
        assert bastion.logins() == 1
        error = once(sshd.connection(bastion=jump), "openssh").error
        assert error and error.kind == "host_key_unknown"


@needs_sshd
def test_openssh_failures(sshd: Sshd, tmp_path: Path) -> None:
    key(tmp_path / "other")
    (tmp_path / "empty").touch()
    (tmp_path / "changed").write_text(f"[127.0.0.1]:{sshd.port} {(tmp_path / 'other.pub').read_text()}")
    (tmp_path / "config").write_text("Nonsense yes\n")
    with refusing() as closed, serving(closing) as shut:
        cases = {
            "login_refused": sshd.connection(key=str(tmp_path / "other")),
            "host_key_unknown": sshd.connection(known_hosts=str(tmp_path / "empty")),
            "host_key_changed": sshd.connection(known_hosts=str(tmp_path / "changed")),
            "config": sshd.connection(ssh_config=str(tmp_path / "config")),
            "refused": Connection(f"ssh://root@{closed[7:-1]}"),
            "closed": Connection(f"ssh://root@127.0.0.1:{shut.port}"),
        }
        errors = {name: once(connection, "openssh").error for name, connection in cases.items()}
    assert {name: error and error.kind for name, error in errors.items()} == {name: name for name in cases}


@needs_sshd
def test_openssh_limits(sshd: Sshd) -> None:
    with serving(silent) as mute, never_accepting() as full:
        hung = once(Connection(f"ssh://root@127.0.0.1:{mute.port}"), "openssh", connect_seconds=1.0).error
        late = once(Connection(f"ssh://root@{full[7:-1]}"), "openssh", connect_seconds=1.0).error
    assert hung and hung.kind == "login_hung" and late and late.kind in ("unreachable", "login_hung")


def test_openssh_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    error = once(Connection("ssh://root@127.0.0.1"), "openssh").error
    assert error and error.kind == "backend" and shutil.which("ssh") is None
