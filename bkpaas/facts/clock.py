"""Hold the offset of a host's clock."""

from __future__ import annotations

from bkpaas.facts.missing import Fact
from bkpaas.facts.ranges import ClockOffset, Seconds


class Clock(Fact, frozen=True):
    """Represent the host's clock minus the controller's."""

    offset_seconds: ClockOffset
    uncertainty_seconds: Seconds
    """The truth is within offset plus and minus this."""
    samples: int
    controller: str = ""
    """The run that measured it, in a snapshot that was merged of several: only clocks of one run can be compared."""
