"""How far a host's clock is from the controller's."""

from __future__ import annotations

from bkpaas.facts.missing import Fact


class Clock(Fact, frozen=True):
    """The host's clock minus the controller's."""

    offset_seconds: float
    uncertainty_seconds: float
    """The truth is within offset plus and minus this."""
    samples: int
