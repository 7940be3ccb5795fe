"""Measure the suite and what it is compared with, on one fleet."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench import measure
from bench.hosts import PORT, RELAY_PORT, Fleet
from bench.measure import Cost
from bkpaas import inventory
from bkpaas.collect import plan, program
from bkpaas.collect.rounds import collect_hosts

ROOT = Path(__file__).parents[1]
SIMULTANEOUS = 32
"""Hosts at the same time, for the suite and for what it is compared with."""
PYTEST = (sys.executable, "-m", "pytest", "-c", str(ROOT / "pytest.ini"), "--rootdir", str(ROOT))
CURVE = ("-o", "KexAlgorithms=curve25519-sha256")


class Bench:
    """Measure on the hosts of a fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.folder = fleet, fleet.folder
        self.output = fleet.folder / "output"
        self.report, self.snapshot = fleet.folder / "report", fleet.folder / f"snapshot-{fleet.count}.json"

    def openssh(self, *options: str, count: int | None = None) -> Cost:
        """Run `ssh HOST true` for all hosts, or for the first ones."""
        words = ["ssh", "-F", str(self.fleet.config), *options]
        jobs = [[*words, one, "true"] for one in self.fleet.addresses[:count]]
        return measure.in_parallel(jobs, SIMULTANEOUS, ROOT)

    def asyncssh(self, port: int = PORT) -> Cost:
        """Run `true` on all hosts in one process."""
        words = [sys.executable, "-m", "bench.floor", str(self.folder), str(self.fleet.count), str(port)]
        return measure.command([*words, str(SIMULTANEOUS)], ROOT, self.output)

    def suite(self, *words: str, hung: int = 0, port: int = PORT, faulty: bool = False) -> Cost:
        """Run everything: collect, judge, report."""
        source = f"--inventory={self.fleet.inventory(hung, port, faulty=faulty)}"
        snapshot = () if faulty else (f"--save-snapshot={self.snapshot}",)
        return self._pytest(source, *snapshot, *words)

    def judge(self, *words: str) -> Cost:
        """Judge the saved snapshot and report."""
        return self._pytest(f"--from-snapshot={self.snapshot}", *words)

    def start(self, *words: str) -> Cost:
        """Start the suite: with --help, --plan, or for one verdict of the snapshot."""
        return measure.command(
            [*PYTEST, "-p", "no:cacheprovider", f"--report={self.report}", *words], ROOT, self.output
        )

    def one_verdict(self) -> Cost:
        """Judge one condition of one host of the snapshot."""
        return self.judge("--only", "host-reachable@paas-0")

    def trivial(self, count: int) -> Cost:
        """Run so many items that do nothing, with pytest alone."""
        file = self.folder / "test_trivial.py"
        file.write_text(
            f"import pytest\n@pytest.mark.parametrize('n', range({count}))\ndef test_it(n):\n    pass\n"
        )
        words = ["env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", sys.executable, "-m", "pytest", "-q", str(file)]
        return measure.command([*words, "-p", "no:cacheprovider"], self.folder, self.output)

    def testinfra(self, count: int, *more: str) -> Cost:
        """Run twenty plain conditions on the first hosts, in eight processes."""
        config = self.folder / "testinfra_config"
        config.write_text("\n".join([self.fleet.config.read_text(), *more]) + "\n")
        hosts = ",".join(f"ssh://{one}" for one in self.fleet.addresses[:count])
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "testinfra.plugin"]
        words = [*words, "-p", "xdist", "-n", "8", f"--hosts={hosts}", f"--ssh-config={config}"]
        file = self.folder / "test_plain.py"
        file.write_text((ROOT / "bench/plain.py").read_text())
        before = ["env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", "PYTHONPATH="]
        return measure.command([*before, *words, str(file)], self.folder, self.output)

    def results(self) -> dict[str, Any]:
        """Return the record of the last run of the suite."""
        return dict(json.loads((self.report / "results.json").read_text("utf-8")))

    def _pytest(self, *words: str) -> Cost:
        return self.start("--lang=en", *words)


def collector_cost(fleet: Fleet, processes: int) -> dict[str, float]:
    """Return what one visit costs on a host with so many processes: milliseconds, megabytes, bytes."""
    deployment = inventory.load(fleet.inventory())
    deployment = msgspec.structs.replace(deployment, hosts=deployment.hosts[:1])
    sleeping = [subprocess.Popen(["sleep", "600"]) for _ in range(processes)]
    try:
        rounds = collect_hosts(
            deployment, lambda host: plan.round_1(host, deployment=deployment), lambda host, all: None
        )
        answer = next(iter(rounds.values()))
    finally:
        for process in sleeping:
            process.kill()
            process.wait()
    assert isinstance(answer.round_1, dict), answer.error
    cost = answer.round_1["cost"]
    return {
        "cpu_ms": 1000 * cost["cpu_seconds"],
        "rss_mb": cost["rss_kb"] / 1e3,
        "sent": len(program.packed()),
    }


def round_trips(bench: Bench, delay: float) -> tuple[float, float]:
    """Return the round trips for each host of the suite and of asyncssh's `true`, by a relay that delays."""
    words = [sys.executable, "-m", "bench.relay", str(RELAY_PORT), str(PORT), str(delay)]
    relay = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert relay.stdout and relay.stdout.readline() == b"ready\n"
        near, far = (_visit_seconds(bench, one) for one in (PORT, RELAY_PORT))
        true_near, true_far = bench.asyncssh(), bench.asyncssh(RELAY_PORT)
    finally:
        relay.kill()
        relay.wait()
    return (far - near) / delay, (true_far.wall - true_near.wall) / delay


def _visit_seconds(bench: Bench, port: int) -> float:
    """Return the seconds of both rounds on the first paas host; the controller's own requests are not made."""
    deployment = inventory.load(bench.fleet.inventory(port=port))
    deployment = msgspec.structs.replace(deployment, hosts=deployment.hosts[:1])
    rounds: Sequence[dict[str, Any]] = ({"visit": 1, "disks": ["/"]}, {"visit": 2, "disks": ["/"]})
    start = time.monotonic()
    answers = collect_hosts(deployment, lambda host: rounds[0], lambda host, all: rounds[1])
    error = next(iter(answers.values())).error
    assert error is None, error
    return time.monotonic() - start
