"""Hold the offset of a host's clock."""

from __future__ import annotations

from bkpaas.facts.missing import Fact


class Clock(Fact, frozen=True):
    """Represent the host's clock minus the controller's."""

    offset_seconds: float
    uncertainty_seconds: float
    """The truth is within offset plus and minus this."""
    samples: int
