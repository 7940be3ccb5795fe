"""Look-alikes: what only looks like a fault, and must leave every verdict green.

LOOKALIKES has them all by name.
"""

from __future__ import annotations

from dataclasses import replace

from lab.control import Lab
from lab.faults.fault import Act
from lab.faults.log_cleanup import clear_logs
from lab.lookalikes import (
    applications,
    containers,
    edited,
    files,
    generation6,
    hosts,
    inventories,
    logging,
    login,
    processes,
    spellings,
    units,
)
from lab.lookalikes.lookalike import Lookalike


def _completely(undo: Act) -> Act:
    def undone(lab: Lab) -> None:
        undo(lab)
        clear_logs(lab)

    return undone


LOOKALIKES: dict[str, Lookalike] = {
    one.name: replace(one, undo=_completely(one.undo))
    for module in (
        *(files, hosts, processes, inventories, edited, login, units, containers, spellings, generation6),
        *(applications, logging),
    )
    for one in module.LOOKALIKES
}

__all__ = ["LOOKALIKES", "Lookalike"]
