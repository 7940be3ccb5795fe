"""The file broken.json: the names of the faults that are injected in a lab now, the oldest first."""

from __future__ import annotations

import json

from lab.control import Lab

FILE = "broken.json"


def names(lab: Lab) -> list[str]:
    """Return the names of the injected faults."""
    file = lab.state_dir / FILE
    found: list[str] = json.loads(file.read_text("utf-8")) if file.exists() else []
    return found


def write_names(lab: Lab, injected: list[str]) -> None:
    """Record the names of the injected faults."""
    (lab.state_dir / FILE).write_text(json.dumps(injected) + "\n", "utf-8")
