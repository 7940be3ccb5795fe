"""The median clock of all hosts; it shows which of two clocks is off."""

from __future__ import annotations

from collections import Counter

from bkpaas.checks.lookup import HostLookup
from bkpaas.errors import NoData
from bkpaas.facts import Clock, HostView, Missing
from bkpaas.facts.managers import restarts_between_rounds
from bkpaas.facts.system import usable_time
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import msg

FEWEST_CLOCKS = 3
"""With fewer clocks it is not known which of two that differ is off."""


def host_time(host: HostView) -> float:
    """Return the time of the host's clock at its collection, in epoch seconds; raise NoData if it is unknown."""
    time = usable_time(host.system)
    if time is None:
        raise NoData(msg("the host's time is not known"))
    return time


def later_time(host: HostView) -> float:
    """Return the time of the host's clock in round 2, that of round 1 without one; raise NoData if it is unknown."""
    moments = host.facts.moments
    later = None if isinstance(moments, Missing) else moments.later
    time = None if later is None else usable_time(later)
    return host_time(host) if time is None else time


def log_time(host: HostView, file: str) -> float:
    """Return the time of the host's clock when the end of a log was read; raise NoData if it is unknown."""
    logs = host.facts.logs
    read_later = not isinstance(logs, Missing) and file in logs.later
    return later_time(host) if read_later else host_time(host)


def access_time(host: HostView) -> float:
    """Return the time of the host's clock when login's access log was read; raise NoData if it is unknown."""
    return later_time(host) if host.login_access.later else host_time(host)


def ended_between_rounds(host: HostView, pid: int) -> bool:
    """Return whether a process of round 1 had ended in round 2, so that what round 2 read is about another one."""
    return restarts_between_rounds(pid, host.facts) == 1


def comparable_clocks(deployment: Deployment, host_facts: HostLookup, own: Clock) -> list[Clock]:
    """Return the clocks of all hosts, itself included, that the controller of this one measured."""

    def compute(lookup: HostLookup) -> list[Clock]:
        measured = [lookup(entry.name).facts.clock for entry in deployment.selected()]
        return [
            clock
            for clock in measured
            if not isinstance(clock, Missing) and clock.controller == own.controller
        ]

    return host_facts.once(("comparable-clocks", own.controller), compute)


def usual_clock(
    deployment: Deployment, host_facts: HostLookup, own: Clock | None = None
) -> tuple[Clock | None, int]:
    """Return (the median of the clocks that were measured well, the number of these).

    own: a clock, if only those count that can be compared with it. Without it they are those of the controller that
    measured the most.
    """
    key = ("usual-clock", own and own.controller)
    return host_facts.once(key, lambda lookup: _usual_clock(deployment, lookup, own))


def _usual_clock(
    deployment: Deployment, host_facts: HostLookup, own: Clock | None
) -> tuple[Clock | None, int]:
    limit = deployment.thresholds.clock_uncertainty_seconds
    measured = [host_facts(entry.name).facts.clock for entry in deployment.selected()]
    clocks = [
        clock for clock in measured if not isinstance(clock, Missing) and clock.uncertainty_seconds <= limit
    ]
    controllers = Counter(clock.controller for clock in clocks)
    controller = own.controller if own else max(controllers, key=lambda one: controllers[one], default="")
    clocks = [clock for clock in clocks if clock.controller == controller]
    if not clocks:
        return None, 0
    clocks.sort(key=lambda clock: clock.offset_seconds)
    # Of two in the middle take the one nearer to the controller's: the mean is the clock of no host.
    middle = clocks[(len(clocks) - 1) // 2], clocks[len(clocks) // 2]
    return min(middle, key=lambda clock: abs(clock.offset_seconds)), len(clocks)
