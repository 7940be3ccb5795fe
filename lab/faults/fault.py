"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.control import Lab

Act = Callable[[Lab], object]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong in the world, and how it is put right again.

    `break_` returns when the fault can be seen. `heal` puts back everything that `break_` did, also half of it, and
    returns when the lab answers as before and no log tells of the fault any more.
    """

    name: str
    condition: str
    """Id of the condition that is the root cause."""
    faq: str
    """Key of the FAQ's section whose symptom it shows."""
    title_en: str
    title_zh: str
    break_: Act
    heal: Act
    layout: str = "a"
    """Where it is tried; the others may lack what it breaks."""
