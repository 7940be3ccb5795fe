"""The ranges of numbers in answers and facts: a number outside of them is refused where it is decoded."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

EARLIEST, LATEST = -62_135_596_800.0, 253_402_300_799.0
"""Epoch seconds of the years 1 to 9999, the times that a log line or a certificate can name."""

Pid = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Id = Annotated[int, Meta(ge=0, le=2**32 - 1)]
"""Of a user or a group."""
Count = Annotated[int, Meta(ge=0)]
Mode = Annotated[int, Meta(ge=0, le=0o7777)]
"""The twelve permission bits."""
HostTime = Annotated[float, Meta(ge=-1e9, le=LATEST)]
"""Epoch seconds from 1938: a clock may be wrong, the start of a process may lie before 1970."""
Time = Annotated[float, Meta(ge=EARLIEST, le=LATEST)]
Seconds = Annotated[float, Meta(ge=0, le=1e6)]
"""A duration that was measured in a run."""
Percent = Annotated[float, Meta(ge=0, le=100)]
ClockOffset = Annotated[float, Meta(ge=-LATEST, le=LATEST)]
"""Seconds between two clocks."""


def valid_time(value: float | None) -> float | None:
    """Return a time in epoch seconds; None if it is before the year 1 or after 9999."""
    return value if value is not None and EARLIEST <= value <= LATEST else None
