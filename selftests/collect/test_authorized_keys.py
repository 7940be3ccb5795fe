"""A key that can only run the collector: the line that is printed, in the authorized_keys of a real sshd."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bkpaas.collect import authorized_keys, program
from bkpaas.collect.rounds import collect_hosts
from bkpaas.inventory.deployment import Connection
from collect.sshd import Sshd, deployment, key, needs_sshd, running

PLAN = {"visit": 1, "disks": ["/"]}


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    folder = tmp_path_factory.mktemp("forced")
    key(folder / "id")
    lines = authorized_keys.lines(
        deployment(Connection("ssh://root@10.0.1.3")), authorized_keys.read_key(folder / "id.pub")
    )
    (folder / "authorized").write_text(lines)
    with running(folder / "sshd", folder, f"AuthorizedKeysFile {folder}/authorized") as server:
        yield server


def send(sshd: Sshd, command: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    options = [f"-oUserKnownHostsFile={sshd.known_hosts}", "-oIdentitiesOnly=yes", "-oBatchMode=yes"]
    words = [
        "ssh",
        "-F",
        "/dev/null",
        f"-p{sshd.port}",
        f"-i{sshd.client / 'id'}",
        *options,
        "root@127.0.0.1",
        command,
    ]
    return subprocess.run(words, input=data, capture_output=True, timeout=240)


@needs_sshd
def test_the_suite_collects_with_the_key(sshd: Sshd) -> None:
    visit = collect_hosts(
        deployment(sshd.connection()), lambda host: PLAN, lambda host, all: PLAN | {"visit": 2}
    )["a"]
    assert visit.error is None and visit.round_1 and visit.round_2


@needs_sshd
@pytest.mark.parametrize("command", ["id", "cat /etc/passwd", "/bin/sh"])
def test_no_other_command_runs(sshd: Sshd, command: str) -> None:
    done = send(sshd, command, b"id\n")
    assert done.stdout == b"" and b"uid=" not in done.stderr


@needs_sshd
def test_another_program_on_its_input_does_not_run(sshd: Sshd) -> None:
    other = program.packed()[:-1] + b"x"
    done = send(sshd, "", other + program.plan_lines(PLAN))
    assert done.stdout == b"" and done.returncode == 0


@needs_sshd
def test_no_forwarding(sshd: Sshd) -> None:
    options = [f"-oUserKnownHostsFile={sshd.known_hosts}", "-oIdentitiesOnly=yes", "-oBatchMode=yes"]
    words = ["ssh", "-F", "/dev/null", f"-p{sshd.port}", f"-i{sshd.client / 'id'}", *options]
    done = subprocess.run(
        [*words, "-W", f"127.0.0.1:{sshd.port}", "root@127.0.0.1"],
        input=b"",
        capture_output=True,
        timeout=240,
    )
    assert done.returncode and b"SSH-2.0" not in done.stdout


def test_each_kind_of_connection_has_its_line() -> None:
    plain, sudo = Connection("ssh://a@10.0.1.3"), Connection("ssh://b@10.0.1.4", sudo=True)
    text = authorized_keys.lines(deployment(plain, sudo, plain, Connection("local://")), "ssh-ed25519 AAAA x")
    comments = [line for line in text.splitlines() if line.startswith("#")]
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert comments[1:] == ["# a c", "# b"] and len(lines) == 2
    assert "sudo -n" not in lines[0] and "sudo -n" in lines[1]
    assert all(
        line.startswith('restrict,command="') and line.endswith('" ssh-ed25519 AAAA x') for line in lines
    )


def test_a_missing_program_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deployment.yaml").write_text(
        "generation: 5.x\ndomain: paas.bk.com\nhosts: [{address: 10.0.1.3, roles: [paas], connect: {spec: 'local://'}}]\n"
    )
    (tmp_path / "key.pub").write_text("ssh-ed25519 AAAA x\n")
    (tmp_path / "key").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    for name, word in (("key.pub", "ssh://"), ("key", ".pub"), ("absent", ".pub")):
        assert authorized_keys.main([str(tmp_path), str(tmp_path / name)]) == 1
        captured = capsys.readouterr()
        assert word in captured.err and captured.out == ""
    assert authorized_keys.main([]) == 2
