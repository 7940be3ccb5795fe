"""Faults: what breaks in the real world, done to a lab and undone.

FAULTS has them all by name.
"""

from __future__ import annotations

from dataclasses import replace

from lab import injected
from lab.control import Lab
from lab.faults import (
    agent_rows,
    agents,
    applications,
    behind_https,
    clocks,
    consul,
    data,
    database_state,
    deploying,
    desktop,
    edited,
    gateway,
    hosts,
    inventories,
    limping,
    log_search,
    log_stages,
    login_logs,
    login_requests,
    next_start,
    processes,
    rabbit,
    redirects,
    search_engine,
    search_settings,
    settings,
    shared_hosts,
    supervision,
    units,
    upgrades,
    values,
)
from lab.faults.fault import Act, Fault
from lab.faults.traces import sweep


def _completely(heal: Act) -> Act:
    """Put right; when nothing else is broken, wait until everything answers, and leave nothing in the logs."""

    def healed(lab: Lab) -> None:
        heal(lab)
        if len(injected.names(lab)) < 2:
            sweep(lab)

    return healed


FAULTS: dict[str, Fault] = {
    fault.name: replace(fault, heal=_completely(fault.heal))
    for room in (
        clocks,
        settings,
        supervision,
        processes,
        gateway,
        data,
        rabbit,
        database_state,
        agents,
        agent_rows,
        applications,
        redirects,
        login_logs,
        login_requests,
        upgrades,
        desktop,
        deploying,
        log_search,
        log_stages,
        search_engine,
        search_settings,
        hosts,
        inventories,
        shared_hosts,
        behind_https,
        edited,
        values,
        units,
        consul,
        limping,
        next_start,
    )
    for fault in room.FAULTS
}

__all__ = ["FAULTS", "Fault"]
