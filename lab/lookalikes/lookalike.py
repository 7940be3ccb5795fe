"""What a look-alike is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.control import Lab
from lab.faults.fault import Act


def nothing(_: Lab) -> None:
    """For what is in the inventory only."""


@dataclass(frozen=True)
class Lookalike:
    """Something that only looks like a fault: done to a lab, every verdict must stay green.

    `apply` returns when it can be seen; `undo` puts everything back.
    """

    name: str
    title_en: str
    title_zh: str
    apply: Act = nothing
    undo: Act = nothing
    inventory: Callable[[Path], None] | None = None
    """Changes a copy of the lab's inventory, which is then judged by."""
    layout: str = "a"
