"""Run the collector as a host does."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import program

WANTED = ("2.6", "2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
"""The Pythons that hosts may have."""
SYSTEM = "/usr/bin/python3"
"""One that every account may start."""
FLAGS = ["-E", "-s", "-S", "-B", "-c"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@functools.cache
def interpreters() -> dict[str, str]:
    """{"3.11": path} of all that this machine has."""
    found: dict[str, str] = {}
    places = [
        *sorted(Path.home().glob(".pyenv/versions/*/bin/python")),
        Path(SYSTEM),
        Path("/usr/bin/python2"),
    ]
    for path in [str(place) for place in places if place.exists()]:
        version = subprocess.run(
            [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True
        ).stdout.strip()
        found.setdefault(version, path)
    return found


def converse(
    stdin: bytes, python: str = sys.executable, around: tuple[str, ...] = (), **options: Any
) -> list[Any]:
    """Return the collector's output as events of AnswerParser when these bytes follow the program.

    around: a command to run it under.
    """
    result = subprocess.run(
        [*around, python, *FLAGS, program.boot()],
        input=program.packed() + stdin,
        capture_output=True,
        timeout=60,
        **options,
    )
    parser = program.AnswerParser(100_000_000)
    events = list(parser.feed(result.stdout))
    assert not result.stderr, result.stderr.decode("utf-8", "replace")
    assert not parser.noise
    return events


def collect(plan: dict[str, Any], python: str = sys.executable, **options: Any) -> dict[str, Any]:
    """The answer of a collector in its own process."""
    events = converse(program.plan_lines(plan), python, **options)
    assert [word for word, _ in events] == ["ready", "answer"], events
    answer: dict[str, Any] = events[1][1]
    return answer


UNPRIVILEGED = {"user": 65534, "group": 65534, "extra_groups": []}
"""Options of subprocess for an account that may do nothing."""


def ended(pid: int) -> bool:
    """Waits for the end of a process that was killed."""
    for _ in range(12000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    return False
