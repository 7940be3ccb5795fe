"""Each run is judged in a process of its own, and one that dies is an outcome like any other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from selftests.recordings.pool import judge_all


def work(recording: dict[str, Any], directory: Path) -> dict[str, Any]:
    if recording["name"] == "raises":
        raise KeyError("lost")
    if recording["name"] == "dies":
        os.write(1, b"last words; ")
        os._exit(3)
    os.environ["REPLAYED"] = recording["name"]
    return {"pid": os.getpid(), "empty": not list(directory.glob("report"))}


def test_every_recording_has_an_outcome() -> None:
    names = ["good", "raises", "dies", "better"]
    outcomes = dict(judge_all(work, ({"name": name} for name in names), 2))
    assert sorted(outcomes) == sorted(names)
    assert outcomes["good"]["pid"] != outcomes["better"]["pid"] and outcomes["good"]["empty"]
    assert "KeyError: 'lost'" in outcomes["raises"]["error"]
    assert outcomes["dies"]["error"] == "last words; the process left no outcome"
    assert "REPLAYED" not in os.environ
