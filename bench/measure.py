"""Measure commands: wall time, processor time and memory of a command with all its children."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from msgspec import Struct


class Cost(Struct, frozen=True):
    """Hold what something cost."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of processor time, user and system, with the children that were waited for."""
    rss: float
    """Megabytes: the largest sum of the resident memory of its processes."""
    status: int = 0


def environment() -> dict[str, str]:
    """Return the environment of what is measured: Python keeps its bytecode, as it does for a user."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def command(words: Sequence[str], folder: Path, output: Path) -> Cost:
    """Run a command to its end; its output goes to a file."""
    start = time.monotonic()
    with output.open("wb") as out:
        process = subprocess.Popen(
            words, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    ended, peak = threading.Event(), [0.0]
    watcher = threading.Thread(target=_watch, args=(process.pid, ended, peak), daemon=True)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    watcher.join()
    return Cost(time.monotonic() - start, usage.ru_utime + usage.ru_stime, peak[0], process.returncode)


def _watch(pid: int, ended: threading.Event, peak: list[float]) -> None:
    while not ended.wait(0.2):
        peak[0] = max(peak[0], sum(map(_resident, _tree(pid))) / 1e6)


def _tree(pid: int) -> Iterable[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def in_parallel(jobs: Sequence[Sequence[str]], simultaneous: int, folder: Path) -> Cost:
    """Run commands, so many of them at a time; the status is the number of those that failed."""
    before, start = os.times(), time.monotonic()

    def run(words: Sequence[str]) -> int:
        return subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True).returncode

    with ThreadPoolExecutor(simultaneous) as pool:
        failed = sum(status != 0 for status in pool.map(run, jobs))
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(time.monotonic() - start, cpu, 0.0, failed)


_STARTED = time.monotonic()


def progress(text: str) -> None:
    """Print what is measured now and since when the program runs, on standard error."""
    print(f"[{time.monotonic() - _STARTED:5.0f} s] {text}", file=sys.stderr, flush=True)


def repeated(measure: Callable[[], Cost], times: int, what: str) -> tuple[Cost, float]:
    """Return the medians of several measurements, and the relative spread of the processor time."""
    costs = []
    for number in range(1, times + 1):
        progress(f"{what}, {number} of {times}")
        costs.append(measure())
    cpu = median(cost.cpu for cost in costs)
    spread = (max(cost.cpu for cost in costs) - min(cost.cpu for cost in costs)) / cpu if cpu else 0.0
    middle = Cost(
        median(cost.wall for cost in costs),
        cpu,
        max(cost.rss for cost in costs),
        max(c.status for c in costs),
    )
    return middle, spread
