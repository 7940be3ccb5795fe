"""Parts of the healthy snapshot, as controllers save them that collect some hosts each."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bkpaas.facts import Snapshot
from bkpaas.inventory.deployment import Deployment
from selftests.snapshots.edited import HEALTHY

WHOLE = Snapshot.load(HEALTHY)
NORTH = ("data-1", "es-1", "nginx-1", "paas-1")
SOUTH = ("appo-1", "appt-1", "cmdb-1", "job-1", "paas-2")


def part(
    run: str, hosts: Iterable[str], later: float = 0.0, key: str | None = "common", **more: object
) -> tuple[str, Snapshot]:
    """Return what a controller saves that collects these hosts; more: fields of its deployment."""
    names = set(hosts)
    entries = tuple(
        msgspec.structs.replace(host, selected=host.name in names) for host in WHOLE.deployment.hosts
    )
    deployment: Deployment = msgspec.structs.replace(WHOLE.deployment, **{"hosts": entries, **more})
    facts = {name: WHOLE.hosts[name] for name in sorted(names)}
    return f"{run}.json", msgspec.structs.replace(
        WHOLE, run=run, started=WHOLE.started + later, key=key, deployment=deployment, hosts=facts
    )
