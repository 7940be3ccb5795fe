"""Faults: what breaks in the real world, done to a lab and undone.

FAULTS has them all by name.
"""

from __future__ import annotations

from dataclasses import replace

from lab.control import Lab
from lab.faults import (
    agents,
    behind_https,
    clocks,
    data,
    deploying,
    gateway,
    hosts,
    log_search,
    processes,
    redirects,
    settings,
    shared_hosts,
)
from lab.faults.fault import Act, Fault
from lab.faults.traces import sweep

ROOMS = (
    *(clocks, settings, processes, gateway, data, agents, redirects, deploying, log_search, hosts),
    *(shared_hosts, behind_https),
)


def _completely(heal: Act) -> Act:
    """Put right, wait until everything answers, and leave nothing in the logs."""

    def healed(lab: Lab) -> None:
        heal(lab)
        sweep(lab)

    return healed


FAULTS: dict[str, Fault] = {
    fault.name: replace(fault, heal=_completely(fault.heal)) for room in ROOMS for fault in room.FAULTS
}

__all__ = ["FAULTS", "Fault"]
