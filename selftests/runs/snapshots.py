"""The recorded snapshot of a healthy deployment, changed as the next night or an upgrade would change it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bkpaas.facts import Snapshot

HEALTHY = Path(__file__).parents[1] / "snapshots/healthy.json"


def load() -> dict[str, Any]:
    return json.loads(HEALTHY.read_text("utf-8"))


def snapshot(change: Callable[[dict[str, Any]], object] | None = None) -> Snapshot:
    """Of another run; `change` is given its JSON."""
    plain = load()
    plain["run"] = "another"
    if change is not None:
        change(plain)
    return msgspec.convert(plain, Snapshot)
