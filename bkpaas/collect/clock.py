"""Estimate the offset between a host's clock and the controller's, with its uncertainty."""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec import Struct

_EPOCH, _MONOTONIC = time.time(), time.monotonic()


def now(monotonic: float | None = None) -> float:
    """Return the controller's time in epoch seconds; it does not jump during a run.

    Args:
        monotonic: seconds of the monotonic clock, which the processes of a machine share. None: now.
    """
    return _EPOCH + (time.monotonic() if monotonic is None else monotonic) - _MONOTONIC


class Times(Struct, frozen=True):
    """Hold when a round was sent to a host and answered, in epoch seconds of the controller's clock."""

    sent: float
    received: float


class Clock(Struct, frozen=True):
    """Hold the offset (host minus controller), correct within plus or minus the uncertainty."""

    offset_seconds: float
    uncertainty_seconds: float
    samples: int


def best_estimate(samples: Sequence[tuple[float, float, float]]) -> Clock | None:
    """Return the estimate of the sample with the shortest round trip, from (sent, host time, received) seconds."""
    if not samples:
        return None
    sent, host_time, received = min(samples, key=lambda sample: sample[2] - sample[0])
    return Clock(host_time - (sent + received) / 2, (received - sent) / 2, len(samples))
