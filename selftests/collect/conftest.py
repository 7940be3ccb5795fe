"""Fixtures shared by the tests of collecting."""

from __future__ import annotations

import gc
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import collector

gc.enable()  # the collector switches it off for itself


@pytest.fixture
def visit() -> Any:
    """A visit in this very process."""
    return lambda plan: collector.Collection({"visit": 1, "seconds": 20, **plan}).run()


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that every account may enter."""
    with tempfile.TemporaryDirectory(prefix="collect-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def spawn() -> Iterator[Any]:
    """Starts processes that end with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*argv: str, **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(argv, **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
