"""Snapshots of healthy labs with something changed in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bkpaas.facts import Snapshot

HERE = Path(__file__).parent
HEALTHY = HERE / "healthy.json"
"""Of a lab whose roles have hosts of their own."""
ALL = tuple(sorted(HERE.glob("healthy*.json")))
"""Of all recorded layouts."""

Change = Callable[[Any], object]


def edited(change: Change, file: Path = HEALTHY) -> dict[str, Any]:
    """Return a snapshot as JSON after change(snapshot)."""
    snapshot: dict[str, Any] = json.loads(file.read_text("utf-8"))
    change(snapshot)
    return snapshot


def write_edited(path: Path, change: Change, file: Path = HEALTHY) -> Path:
    """Write a snapshot after change(snapshot) to a file. -> the file"""
    path.write_text(json.dumps(edited(change, file)), "utf-8")
    return path


def load_edited(path: Path, change: Change, file: Path = HEALTHY) -> Snapshot:
    """Return a snapshot after change(snapshot), as a run loads it from the file at path."""
    return Snapshot.load(write_edited(path, change, file))
