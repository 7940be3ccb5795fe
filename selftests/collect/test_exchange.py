"""Plans and answers through a directory: what an engine has to run, and what is accepted as its answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect.deployment import plan_round
from bkpaas.collect.exchange import Exchange, load_manifest
from bkpaas.collect.host_answers import HostAnswers
from bkpaas.collect.rounds import collect_hosts
from bkpaas.errors import SuiteError
from bkpaas.inventory.deployment import Connection, Deployment, Host
from collect.sshd import deployment

ROOT = Path(__file__).parents[2]
HEALTHY = ROOT / "selftests/snapshots/healthy.json"
PLAN = {
    "visit": 1,
    "homes": [],
    "disks": ["/"],
    "files": [{"name": "os", "path": "/etc/os-release", "read": 4096}],
}
SECOND = {"visit": 2, "homes": [], "disks": ["/"]}
ONE = deployment(Connection("local://"))


def collect_through(
    directory: Path, planned_round: Any = None, second: Any = SECOND, first: Any = PLAN
) -> HostAnswers:
    """Return what the answers of the directory are taken for; with planned_round its scripts are written."""
    exchange = Exchange(directory, ONE, planned_round)
    answers = collect_hosts(ONE, lambda host: first, lambda host, others: second, transport=exchange)["a"]
    if planned_round:
        exchange.save()
    return answers


def run(directory: Path, number: int) -> Path:
    """Run the script of a round as an engine does; return the file of its output."""
    script = directory / f"round-{number}" / "a.sh"
    output = script.with_suffix(".out")
    with output.open("wb") as stream:
        subprocess.run(["/bin/sh", "-s"], stdin=script.open("rb"), stdout=stream, check=True, timeout=240)
    return output


@pytest.fixture
def answered(tmp_path: Path) -> Path:
    """A directory with the answer of round 1."""
    collect_through(tmp_path, 1)
    run(tmp_path, 1)
    return tmp_path


def error(directory: Path) -> tuple[str, str]:
    """Return kind and reason of the failure of round 1."""
    answers = collect_through(directory)
    assert answers.error is not None
    return answers.error.kind, str(answers.error.reason)


def test_both_rounds_arrive(answered: Path) -> None:
    assert collect_through(answered, 2).error is not None  # its script was written, not executed
    output = run(answered, 2)
    sent, received = output.with_suffix(".sh").stat().st_mtime, output.stat().st_mtime
    answers = collect_through(answered)
    assert answers.error is None
    assert isinstance(answers.round_1, dict) and answers.round_1["files"]["os"][0]["text"]
    assert isinstance(answers.round_2, dict) and answers.round_2["visit"] == 2
    assert answers.clock and abs(answers.clock.offset_seconds) <= answers.clock.uncertainty_seconds
    assert sent <= received


def test_scripts_are_private_and_hold_no_password(tmp_path: Path) -> None:
    request = {"name": "redis", "host": "127.0.0.1", "port": 6379, "send": "AUTH pl4nted", "secret": True}
    collect_through(tmp_path, 1, first={**PLAN, "tcp": [request]})
    script = tmp_path / "round-1" / "a.sh"
    assert (script.stat().st_mode, script.parent.stat().st_mode) == (0o100600, 0o040700)
    assert (tmp_path / "exchange.json").stat().st_mode == 0o100600
    run(tmp_path, 1)
    answers = collect_through(tmp_path, first={**PLAN, "tcp": [request]}, second=None)
    assert isinstance(answers.round_1, dict)
    assert answers.round_1["tcp"]["redis"]["error"]["kind"] == "withheld"


def test_host_that_did_not_answer(tmp_path: Path) -> None:
    collect_through(tmp_path, 1)
    kind, reason = error(tmp_path)
    assert kind == "not_returned" and "round-1/a.out is missing" in reason


def test_host_that_answered_twice(answered: Path) -> None:
    output = answered / "round-1" / "a.out"
    output.write_bytes(output.read_bytes() * 2)
    assert error(answered)[0] == "other_answer"


def test_answer_to_another_plan(answered: Path) -> None:
    answers = collect_through(answered, first={**PLAN, "disks": ["/tmp"]})
    assert answers.error and answers.error.kind == "other_answer"


def test_answer_that_names_no_plan(answered: Path) -> None:
    output = answered / "round-1" / "a.out"
    output.write_bytes(
        b"".join(line for line in output.read_bytes().splitlines(True) if b" plan " not in line)
    )
    assert error(answered)[0] == "other_answer"


def test_noise_around_the_answer_does_no_harm(answered: Path) -> None:
    output = answered / "round-1" / "a.out"
    output.write_bytes(b"Welcome to a\r\n" + output.read_bytes().replace(b"\n", b"\r\n") + b"logout\r\n")
    assert collect_through(answered, second=None).error is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "closed"),
        (b"minion did not return\n", "garbage"),
        (b"@@bkpaas nopython\n", "no_python"),
        (b"@@bkpaas answer 9999999999\n", "too_much"),
        (b"@@bkpaas answer 3\nAAAA\n@@bkpaas end\n", "other_answer"),
        (b"@@bkpaas nonsense\n", "garbage"),
        (b"\x00" * 100_000, "garbage"),
    ],
    ids=["empty", "of-the-engine", "no-python", "too-large", "no-plan", "unknown-word", "zeros"],
)
def test_output_that_is_no_answer(answered: Path, content: bytes, kind: str) -> None:
    (answered / "round-1" / "a.out").write_bytes(content)
    assert error(answered)[0] == kind


@pytest.mark.parametrize("kind", ["fifo", "directory", "loop"])
def test_file_that_is_no_file(answered: Path, kind: str) -> None:
    output = answered / "round-1" / "a.out"
    output.unlink()
    if kind == "fifo":
        os.mkfifo(output)
    elif kind == "directory":
        output.mkdir()
    else:
        output.symlink_to(output.name)
    assert error(answered)[0] == "other_answer"


def test_clock_is_bracketed_by_the_times_of_the_engine(answered: Path) -> None:
    times = answered / "round-1" / "a.json"
    begin = (answered / "round-1" / "a.out").stat().st_mtime
    times.write_text(json.dumps({"sent": begin - 40, "received": begin + 60}))
    answers = collect_through(answered, second=None)
    assert answers.clock and 45 < answers.clock.uncertainty_seconds < 51
    assert -15 < answers.clock.offset_seconds < -5
    times.write_text(json.dumps({"sent": begin + 90, "received": begin}))
    assert collect_through(answered, second=None).clock is None
    times.write_text("{")
    assert error(answered)[0] == "other_answer"


@pytest.mark.parametrize("name", ["../a", "a/b", "-rf", "", "a b", "名"])
def test_name_that_is_no_file_name(tmp_path: Path, name: str) -> None:
    connection = Connection("local://")
    hosts = Deployment("x", "5.x", (Host(name, "127.0.0.1", ("paas",), connection),), "paas.bk.com")
    plan_round(hosts, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["exchange.json"]


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"schema": 9}', '{"collector": "0"}', "[" * 9_999],
    ids=["empty", "list", "schema", "collector", "nested"],
)
def test_manifest_of_another_suite(tmp_path: Path, content: str) -> None:
    (tmp_path / "exchange.json").write_text(content)
    with pytest.raises(SuiteError, match=r"exchange\.json"):
        load_manifest(tmp_path)


def test_command_line(tmp_path: Path) -> None:
    """As docs/engines.md shows it, on this machine: judged, and every host was collected."""
    (tmp_path / "deployment.yaml").write_text(
        "generation: '5.x'\ndomain: paas.bk.test\n"
        "hosts: [{name: a, address: 127.0.0.1, roles: [paas], connect: {spec: 'local://'}}]\n"
    )
    exchange, report = tmp_path / "exchange", tmp_path / "report"

    def suite(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "--inventory", str(tmp_path), *words]
        return subprocess.run([*command, "--report", str(report)], cwd=ROOT, capture_output=True, text=True)

    early = suite("--from-answers", str(exchange))
    assert early.returncode == 4 and "--collect-plan" in early.stderr
    snapshot = [
        sys.executable,
        "-m",
        "pytest",
        "--from-snapshot",
        str(HEALTHY),
        "--collect-plan",
        str(exchange),
    ]
    refused = subprocess.run(snapshot, cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode == 4 and "--from-snapshot" in refused.stderr and not exchange.exists()
    for number in (1, 2):
        planned = suite("--collect-plan", str(exchange))
        assert planned.returncode == 0, planned.stdout + planned.stderr
        run(exchange, number)
    done = suite("--from-answers", str(exchange), "--only", "host-reachable")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [
        verdict["verdict"] for verdict in json.loads((report / "results.json").read_text())["verdicts"]
    ] == ["pass"]


def test_rounds_are_planned_in_order(tmp_path: Path) -> None:
    assert plan_round(ONE, tmp_path) == (1, 1)
    with pytest.raises(SuiteError, match="no answer"):
        plan_round(ONE, tmp_path)
    (tmp_path / "round-1" / "a.out").write_bytes(b"")
    number, scripts = plan_round(ONE, tmp_path)
    assert (number, scripts) == (2, 0) and (tmp_path / "controller.json").exists()
    with pytest.raises(SuiteError, match="--from-answers"):
        plan_round(ONE, tmp_path)
