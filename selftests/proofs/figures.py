"""Figures of the proofs, each with its goal and result; written as report/proof.json."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SHOWN_ITEMS = 12
"""Items of a list that the progress shows."""


@dataclass(frozen=True)
class Figure:
    """One measured value with its goal."""

    n: int
    what: str
    value: Any
    goal: str
    ok: bool


@dataclass
class Figures:
    """Collect figures, and print each when it is measured."""

    say: Callable[[str], None] = lambda text: print(text, flush=True)
    figures: list[Figure] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def add(self, what: str, value: Any, goal: str, ok: bool) -> None:
        """Add a figure."""
        figure = Figure(len(self.figures) + 1, what, value, goal, bool(ok))
        self.figures.append(figure)
        self.say(f"  {'ok  ' if ok else 'FAIL'} {what}: {value} (goal: {goal})")

    def none(self, what: str, found: Collection[Any]) -> None:
        """Add how many were found, with the goal 0, and show what was found."""
        self.add(what, len(found), "0", not found)
        for one in list(found)[:SHOWN_ITEMS]:
            self.say(f"       {one}")

    def caught(self, what: str, found: Collection[Any]) -> None:
        """Add a negative control: something must have been found."""
        self.add(f"negative control: {what}", len(found), "at least 1", bool(found))

    def step(self, text: str) -> None:
        """Print what is done now."""
        self.say(f"{time.monotonic() - self.begun:6.0f} s  {text}")

    @property
    def ok(self) -> bool:
        return bool(self.figures) and all(figure.ok for figure in self.figures)

    def write(self, path: Path, **more: Any) -> None:
        """Write the figures as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {"figures": [asdict(figure) for figure in self.figures], **more}
        path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")


def warn(text: str) -> None:
    """Print to standard error."""
    print(text, file=sys.stderr, flush=True)
