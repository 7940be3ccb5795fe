"""Faults of the real world that the lab can inject and remove.

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
    containers,
    data,
    database_state,
    deploying,
    desktop,
    edited,
    gateway,
    generation6,
    hosts,
    iam,
    inventories,
    limping,
    log_files,
    log_search,
    log_stages,
    login_logs,
    login_requests,
    network,
    next_start,
    passing,
    ports,
    processes,
    rabbit,
    redirects,
    redis_conf,
    search_engine,
    search_settings,
    settings,
    shared_hosts,
    static_files,
    supervision,
    unit_files,
    units,
    upgrade_from_5,
    upgrades,
    upkeep,
    values,
)
from lab.faults.fault import Act, Fault
from lab.faults.log_cleanup import clear_logs


def _completely(heal: Act) -> Act:
    """Return an action that heals and, without another fault, waits until everything answers and empties the logs."""

    def healed(lab: Lab) -> None:
        heal(lab)
        if len(injected.names(lab)) < 2:
            clear_logs(lab)

    return healed


FAULTS: dict[str, Fault] = {
    fault.name: replace(fault, heal=_completely(fault.heal))
    for module in (
        clocks,
        settings,
        supervision,
        processes,
        ports,
        gateway,
        data,
        rabbit,
        database_state,
        agents,
        agent_rows,
        applications,
        static_files,
        redirects,
        passing,
        login_logs,
        login_requests,
        upgrades,
        upgrade_from_5,
        unit_files,
        desktop,
        deploying,
        log_search,
        log_stages,
        log_files,
        redis_conf,
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
        containers,
        generation6,
        iam,
        upkeep,
        limping,
        network,
        next_start,
    )
    for fault in module.FAULTS
}

__all__ = ["FAULTS", "Fault"]
