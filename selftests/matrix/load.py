"""Processes that keep the processors busy next to the lab, as on a host with other work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BUSY = "while True:\n    pass"


@contextmanager
def busy(count: int) -> Iterator[list[int]]:
    """Run this many processes that never wait, and end them. Yields their pids."""
    processes = [
        subprocess.Popen([sys.executable, "-E", "-S", "-c", BUSY], stdin=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
