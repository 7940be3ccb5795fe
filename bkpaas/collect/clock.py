"""How far a host's clock is from the controller's, and how exactly that is known."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec import Struct

_EPOCH, _MONOTONIC = time.time(), time.monotonic()


def now(monotonic: float | None = None) -> float:
    """The controller's time (epoch seconds), which never jumps during a run: all hosts are compared by it.

    monotonic: then instead of now; the processes of one machine share that clock.
    """
    return _EPOCH + (time.monotonic() if monotonic is None else monotonic) - _MONOTONIC


class Clock(Struct, frozen=True):
    """offset: the host's time minus the controller's; true within plus or minus the uncertainty."""

    offset_seconds: float
    uncertainty_seconds: float
    samples: int


def measured(samples: Sequence[tuple[float, float, float]]) -> Clock | None:
    """From (asked, host's time, answered) samples: the shortest round trip knows best."""
    if not samples:
        return None
    asked, there, answered = min(samples, key=lambda sample: sample[2] - sample[0])
    return Clock(there - (asked + answered) / 2, (answered - asked) / 2, len(samples))
