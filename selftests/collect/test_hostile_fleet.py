"""A run over a fleet in which 28 hosts misbehave: it ends in time and memory, and the others lose nothing.

`python -m collect.test_hostile_fleet COUNT` in selftests/ prints the figures for a fleet of any size.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collect import hostile_fleet

ROOT = Path(__file__).parents[2]
COUNT = 40
"""Hosts in CI."""
HOSTILE = len(hostile_fleet.BEFORE_LOGIN) + len(hostile_fleet.BEHAVIOURS)
RESIDENT_BYTES = 300_000_000
"""Of the largest process of a run."""


READ_ALL_HOSTS = {
    *(
        "paas-es-config",
        "es-health",
        "es-writable",
        "log-agent-deployed",
        "log-parser-deployed",
        "log-redis-equal",
    ),
    *("log-redis-reachable", "log-redis-connected", "log-queue-depth", "log-index-fresh"),
}
"""Conditions that apply only if a host anywhere has the log pipeline: no_data where one could not be read."""


MEASURED = """
import json, resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
json.dump([status, usage.ru_maxrss, usage.ru_utime + usage.ru_stime], open(sys.argv[1], "w"))
"""
"""Starts the suite from a small process: the memory of the process that starts it counts as its own otherwise."""


class Run:
    """A finished run of the suite: its record and what it cost."""

    def __init__(self, folder: Path) -> None:
        report = folder / "report"
        words = ["-m", "pytest", "-p", "no:cacheprovider", f"--inventory={folder}", f"--report={report}"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        cost = folder / "cost.json"
        with open(folder / "out", "wb") as out:
            measured = [sys.executable, "-c", MEASURED, str(cost), sys.executable, *words]
            subprocess.run(measured, cwd=ROOT, env=environment, stdout=out, stderr=out, check=True)
        self.exit, resident_kb, self.cpu_seconds = json.loads(cost.read_text())
        self.resident_bytes, self.out = resident_kb * 1024, (folder / "out").read_text("utf-8", "replace")
        record = json.loads((report / "results.json").read_text())
        self.seconds: float = record["run"]["seconds"]
        self.hosts: dict[str, dict[str, Any]] = {host["name"]: host for host in record["hosts"]}
        self.verdicts = {
            verdict["id"]: verdict["verdict"]
            for verdict in record["verdicts"]
            if verdict["hosts"] == [verdict["subject"]]
        }
        """Of the conditions that read one host only."""


@contextlib.contextmanager
def fleet(folder: Path, count: int, hostile: int) -> Iterator[Path]:
    folder.mkdir()
    words = ["-m", "collect.hostile_fleet", str(folder), str(count), str(hostile)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'selftests'}"}
    server = subprocess.Popen(
        [sys.executable, *words], env=environment, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert server.stdout and server.stdout.readline() == b"ready\n"
        yield folder
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


def runs(folder: Path, count: int) -> tuple[Run, Run]:
    """Return the run in which all hosts behave, and the one in which some do not."""
    with fleet(folder / "healthy", count, 0) as path:
        before = Run(path)
    with fleet(folder / "hostile", count, HOSTILE) as path:
        return before, Run(path)


def differences(before: Run, after: Run, count: int) -> dict[str, tuple[str, str]]:
    """Verdicts of hosts that behave, where the second run has not the expected one."""
    hostile = {hostile_fleet.name(number) for number in hostile_fleet.misbehaving(count, HOSTILE)}
    found = {}
    for id_, verdict in before.verdicts.items():
        condition, _, subject = id_.partition("@")
        expected = "no_data" if condition in READ_ALL_HOSTS else verdict
        if subject not in hostile and after.verdicts.get(id_) != expected:
            found[id_] = (expected, after.verdicts.get(id_, "none"))
    return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    return runs(tmp_path_factory.mktemp("fleet"), COUNT)


def test_hosts_that_behave_keep_their_verdicts(both: tuple[Run, Run]) -> None:
    before, after = both
    assert before.verdicts and all(
        before.verdicts[f"host-reachable@{name}"] == "pass" for name in before.hosts
    )
    assert not differences(before, after, COUNT)


def test_run_ends_by_itself_within_its_memory(both: tuple[Run, Run]) -> None:
    """No host is cut off by the limit of the run, and none needs more than its own limits."""
    _, after = both
    assert len(after.hosts) == COUNT and "limits.run_seconds" not in json.dumps(after.hosts)
    assert after.resident_bytes < RESIDENT_BYTES


def test_hosts_that_misbehave_are_reported(both: tuple[Run, Run]) -> None:
    """Each has a reason of its own kind, unless its answer can be read in part."""
    _, after = both
    harmless = {"wrong-shapes", "bodies-for-redaction", "many-processes", "many-secrets", "of-another-host"}
    for number, kind in hostile_fleet.misbehaving(COUNT, HOSTILE).items():
        id_ = f"host-reachable@{hostile_fleet.name(number)}"
        assert kind in harmless or after.verdicts[id_] in ("fail", "no_data"), (kind, after.verdicts[id_])


def main(count: int) -> None:
    """Print what a run costs, and every verdict of a well-behaved host that changed."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = runs(Path(folder), count)
    for title, run in ("all healthy", before), (f"{HOSTILE} hostile", after):
        print(
            f"{count} hosts, {title}: {run.seconds:.1f} s, {run.cpu_seconds:.1f} s of CPU, "
            f"{run.resident_bytes / 1e6:.0f} MB, {len(run.verdicts)} verdicts, exit {run.exit}"
        )
    hostile = set[str]()
    for number, kind in hostile_fleet.misbehaving(count, HOSTILE).items():
        host = after.hosts[hostile_fleet.name(number)]
        hostile.add(host["name"])
        print(f"{host['name']} {kind}: {host['seconds']:.1f} s, {str(host.get('error'))[:150]}")
    slowest = max(host["seconds"] for name, host in after.hosts.items() if name not in hostile)
    print(f"slowest of the others: {slowest:.1f} s")
    print(differences(before, after, count) or "no verdict changed")


if __name__ == "__main__":
    main(int(sys.argv[1]))
