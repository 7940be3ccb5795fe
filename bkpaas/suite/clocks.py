"""The clock that most hosts agree on, which tells which of two clocks is off."""

from __future__ import annotations

from collections.abc import Callable

from bkpaas.facts import Clock, HostView, Missing
from bkpaas.inventory.deployment import Deployment

FEWEST = 3
"""Clocks without which two that differ cannot be told apart."""


def usual_clock(deployment: Deployment, host_facts: Callable[[str], HostView]) -> tuple[Clock | None, int]:
    """(the median of those that could be measured well, how many these are)."""
    limit = deployment.thresholds.clock_uncertainty_seconds
    measured = [host_facts(host.name).facts.clock for host in deployment.judged()]
    clocks = [
        clock for clock in measured if not isinstance(clock, Missing) and clock.uncertainty_seconds <= limit
    ]
    if not clocks:
        return None, 0
    clocks.sort(key=lambda clock: clock.offset_seconds)
    # Of two in the middle the one nearer to the controller's: their mean would be nobody's clock.
    middle = clocks[(len(clocks) - 1) // 2], clocks[len(clocks) // 2]
    return min(middle, key=lambda clock: abs(clock.offset_seconds)), len(clocks)
