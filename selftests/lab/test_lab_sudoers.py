"""The sudo rule that the suite prints: a host's own sudo lets the collector through, and nothing else."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bkpaas import inventory
from bkpaas.collect import program, sudoers
from bkpaas.inventory.deployment import Deployment
from lab.control import Lab

pytestmark = pytest.mark.lab

PLAN = program.plan_lines({"files": [{"name": "shadow", "path": "/etc/shadow", "read": 64}]})
REFUSED = re.compile(b"sudo: a password is required|sudo: sorry, you are not allowed to set")


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    (tmp_path / "deployment.yaml").write_text(
        "generation: 5.x\ndomain: paas.bklab.test\nhome: /data/bk odd,ee\nconnect: {user: ops, sudo: true}\n"
        "hosts: [{address: 10.66.0.11, roles: [paas]}]\n"
    )
    return inventory.load(tmp_path)


@pytest.fixture
def ruled(lab: Lab, deployment: Deployment) -> Iterator[str]:
    """The host, with the rule in place of its own."""
    before = lab.run("one", "cat /etc/sudoers.d/ops")
    put(lab, "ops", sudoers.rules(deployment))
    assert "parsed OK" in lab.run("one", "visudo -c")
    yield "one"
    put(lab, "ops", before)


@pytest.fixture
def strict(lab: Lab) -> Iterator[None]:
    """CentOS 6 requires a terminal; newer sudo creates one."""
    put(lab, "00-strict", "Defaults requiretty\nDefaults use_pty\nDefaults !env_reset\n")
    yield
    lab.run("one", "rm /etc/sudoers.d/00-strict")


def put(lab: Lab, name: str, text: str) -> None:
    """A file of the host's sudo."""
    path = f"/etc/sudoers.d/{name}"
    lab.run("one", f"cat > {path} <<'END'\n{text}END\nchown root: {path}; chmod 440 {path}")


def say(lab: Lab, line: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    command = lab.inside("ssh", "-F", str(lab.state_dir / "ssh_config"), "ops@one", line)
    return subprocess.run(command, input=stdin, capture_output=True, timeout=240)


def line_of(deployment: Deployment) -> str:
    assert deployment.install_root
    return program.command(deployment.hosts[0].connection, (deployment.install_root,))


@pytest.mark.parametrize("settings", [[], ["strict"]], ids=["as-shipped", "strict"])
def test_the_collector_runs_as_root(
    lab: Lab, ruled: str, deployment: Deployment, settings: list[str], request: pytest.FixtureRequest
) -> None:
    for setting in settings:
        request.getfixturevalue(setting)
    done = say(lab, line_of(deployment), program.packed() + PLAN)
    parser = program.AnswerParser(1_000_000)
    events = dict(parser.feed(done.stdout))
    assert done.stderr == b"" and events["answer"]["uid"] == 0
    assert events["answer"]["files"]["shadow"][0]["text"].startswith("root:")


def test_another_program_on_its_input_does_not(lab: Lab, ruled: str, deployment: Deployment) -> None:
    other = program.packed()[:-1] + b"x"
    done = say(lab, line_of(deployment), other + PLAN)
    assert (done.stdout, done.stderr) == (b"", b"")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("_exit(3)", "_exit(4)", id="other-code"),
        pytest.param("bkpaas nopython", "bkpaas nopythox", id="other-word"),
        pytest.param("/.envs/*/bin", "/.envs/x/bin", id="star-is-a-star"),
        pytest.param("case $? in", "case $x in", id="question-mark-is-one"),
        pytest.param("sudo -n /bin/sh", "sudo -n PYTHONPATH=/tmp /bin/sh", id="variable"),
        pytest.param("sudo -n /bin/sh", "sudo -n /bin/bash", id="other-shell"),
        pytest.param("/bin/sh -c ", "/bin/sh -c id ", id="word-before"),
    ],
)
def test_nothing_else_is_allowed(lab: Lab, ruled: str, deployment: Deployment, old: str, new: str) -> None:
    line = line_of(deployment)
    assert old in line
    done = say(lab, line.replace(old, new), program.packed() + PLAN)
    assert done.stdout == b"" and REFUSED.match(done.stderr)


def test_nor_any_other_command(lab: Lab, ruled: str) -> None:
    for command in ("id", "/bin/sh -c id", "/bin/sh"):
        done = say(lab, f"sudo -n {command}", b"id\n")
        assert done.stdout == b"" and REFUSED.match(done.stderr)
