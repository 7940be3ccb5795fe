"""Judge recordings side by side, each in a process of its own that starts with everything imported."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from selftests.recordings.store import Recording, canonical

JUDGE_SECONDS = 120.0
"""How long one run may take to be judged; it takes about a second."""

Work = Callable[[Recording, Path], dict[str, Any]]


def judge_all(work: Work, recordings: Iterable[Recording], jobs: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, what `work` returns) for each recording as it ends, {"error": text} for one that fails.

    The processes are forked, so that no run sees what another one left in the modules of the product.
    """
    context = multiprocessing.get_context("fork")
    gc.freeze()  # what is imported already is not searched again in every process
    running: dict[int, tuple[BaseProcess, str, Path]] = {}
    home = Path(tempfile.mkdtemp(prefix="bkpaas-replay-"))
    try:
        for recording in recordings:
            while len(running) >= jobs:
                yield from _ended(running)
            directory = home / recording["name"]
            directory.mkdir()
            process: BaseProcess = context.Process(target=_child, args=(work, recording, directory))
            process.start()
            running[process.sentinel] = process, recording["name"], directory
        while running:
            yield from _ended(running)
    finally:
        for process, *_ in running.values():
            process.kill()
            process.join()
        shutil.rmtree(home)


def _ended(running: dict[int, tuple[BaseProcess, str, Path]]) -> list[tuple[str, dict[str, Any]]]:
    """Return the outcomes of those that have ended, after waiting for one."""
    ended = wait(list(running), JUDGE_SECONDS)
    outcomes = []
    for sentinel in ended or list(running):
        process, name, directory = running.pop(sentinel)  # type: ignore[arg-type]
        process.kill()  # no effect on one that has ended
        process.join()
        outcomes.append((name, _outcome(directory)))
        shutil.rmtree(directory)
    return outcomes


def _outcome(directory: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((directory / "outcome.json").read_text("ascii")))
    except FileNotFoundError:
        output = directory / "output.txt"
        return {
            "error": (output.read_text("utf-8") if output.exists() else "") + "the process left no outcome"
        }


def _child(work: Work, recording: Recording, directory: Path) -> None:
    descriptor = os.open(directory / "output.txt", os.O_WRONLY | os.O_CREAT, 0o600)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    try:
        outcome = work(recording, directory)
    except BaseException:
        outcome = {"error": traceback.format_exc()}
    (directory / "outcome.json").write_text(canonical(outcome), "ascii")
