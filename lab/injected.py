"""Keep the names of the faults that are injected in a lab, the oldest first, in injected.json."""

from __future__ import annotations

import json

from lab.control import Lab

FILE = "injected.json"


def names(lab: Lab) -> list[str]:
    """Return the names of the injected faults."""
    file = lab.state_dir / FILE
    names_: list[str] = json.loads(file.read_text("utf-8")) if file.exists() else []
    return names_


def write_names(lab: Lab, injected: list[str]) -> None:
    """Record the names of the injected faults."""
    (lab.state_dir / FILE).write_text(json.dumps(injected) + "\n", "utf-8")
