"""Measure merging and judging a large deployment whose hosts several controllers collected: see README.md."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bkpaas.facts import HostFacts, Snapshot
from bkpaas.inventory.deployment import Host

ROOT = Path(__file__).parents[1]
HEALTHY = ROOT / "selftests/snapshots/healthy.json"
COPIED = ("appo-1", "appo-1", "appo-1", "appt-1")
"""The hosts that are copied, in turn: those of applications, which a large deployment has many of."""
MOST_SECONDS, MOST_BYTES = 600.0, 3 << 30


def main() -> int:
    options = parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder), options.hosts, options.shards)
        size = sum(file.stat().st_size for file in files)
        print(f"{options.hosts} hosts in {len(files)} snapshots of {size / 1e6:.0f} MB together", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", f"--report={folder}/report", *options.pytest]
        command += [f"--from-snapshot={file}" for file in files]
        start = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        seconds = time.monotonic() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak = used.ru_maxrss * 1024
        record = Path(folder) / "report/results.json"
        counts = json.loads(record.read_bytes())["counts"] if record.exists() else {}
    print(done.stdout.strip()[-600:])
    print(f"{sum(counts.values())} verdicts {counts}")
    print(
        f"{seconds:.0f} s (limit {MOST_SECONDS:.0f}), {used.ru_utime + used.ru_stime:.0f} s of processor time, largest process {peak / 1e6:.0f} MB (limit {MOST_BYTES / 1e6:.0f})"
    )
    return int(not counts or seconds > MOST_SECONDS or peak > MOST_BYTES)


def write(folder: Path, hosts: int, shards: int) -> list[Path]:
    """Write the snapshots, each with the facts of its part of the hosts; return their files."""
    healthy = Snapshot.load(HEALTHY)
    entries, facts = zip(*fleet(healthy, hosts), strict=True)
    names = [entry.name for entry in entries]
    files = []
    for number in range(shards):
        own = set(names[number::shards])
        deployment = msgspec.structs.replace(
            healthy.deployment,
            hosts=tuple(msgspec.structs.replace(entry, selected=entry.name in own) for entry in entries),
        )
        part = msgspec.structs.replace(
            healthy,
            run=f"{number:032x}",
            started=healthy.started + number,
            key="common",
            deployment=deployment,
            hosts={one.host: one for one in facts if one.host in own},
        )
        files.append(folder / f"shard-{number}.json")
        part.save(files[-1])
    return files


def fleet(healthy: Snapshot, hosts: int) -> Iterator[tuple[Host, HostFacts]]:
    """Yield the recorded hosts, then renamed copies, each with an address of its own."""
    for entry in healthy.deployment.hosts:
        yield entry, healthy.hosts[entry.name]
    for number in range(hosts - len(healthy.deployment.hosts)):
        original = healthy.deployment.host(COPIED[number % len(COPIED)])
        name, address = f"{original.name}-{number}", f"10.80.{number // 250}.{number % 250 + 1}"
        text = msgspec.json.encode(healthy.hosts[original.name])
        text = text.replace(original.address.encode(), address.encode())
        facts = msgspec.json.decode(
            text.replace(f'"{original.name}"'.encode(), f'"{name}"'.encode()), type=HostFacts
        )
        yield msgspec.structs.replace(original, name=name, address=address), facts


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m bench.shards", description=__doc__)
    top.add_argument("--hosts", type=int, default=5000)
    top.add_argument("--shards", type=int, default=10)
    top.add_argument("pytest", nargs="*", help="options for pytest, such as -n 2")
    return top


if __name__ == "__main__":
    sys.exit(main())
