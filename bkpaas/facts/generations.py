"""Determine the generation of each host by what runs its services: the inventory has one for all of them."""

from __future__ import annotations

from bkpaas.facts.host import HostFacts
from bkpaas.facts.managers import Manager, manager_of
from bkpaas.facts.missing import Missing
from bkpaas.inventory.deployment import Deployment, Generation, Host

_GENERATIONS: dict[Manager, Generation] = {"supervisord": "5.x", "systemd": "6.x", "docker": "6.x"}
GENERATIONS: dict[Manager, str] = {
    "supervisord": "5.x (supervisord)",
    "systemd": "6.0/6.1 (systemd)",
    "docker": "6.2+ (docker)",
}
"""What each process manager is the sign of."""
_OWN_UNITS = ("bk-paasagent.service", "consul-template.service", "bk-usermgr.service", "bk-iam.service")
"""Units that hosts without open_paas have on generation 6.x only."""


def generation_of(facts: HostFacts | None, entry: Host, deployment: Deployment) -> Generation:
    """Return the generation of a host: of the manager of its services, else that of the inventory."""
    if facts is None or not facts.collected:
        return deployment.generation
    try:
        return _shown_by(facts, entry, deployment)
    except Exception:  # a run must not end here; the conditions that read the same report the error
        return deployment.generation


def _shown_by(facts: HostFacts, entry: Host, deployment: Deployment) -> Generation:
    if entry.has_role("paas"):
        manager = manager_of(facts)
        return _GENERATIONS.get(manager, deployment.generation) if manager else deployment.generation
    if isinstance(facts.units, Missing):
        return deployment.generation
    units = (facts.units.by_name.get(name) for name in _OWN_UNITS)
    return "6.x" if any(unit and unit.active == "active" for unit in units) else deployment.generation


def deployment_of(facts: HostFacts | None, entry: Host, deployment: Deployment) -> Deployment:
    """Return the deployment as it is for a host: with the generation of this host."""
    return deployment.as_generation(generation_of(facts, entry, deployment))


def shown_generation(facts: HostFacts | None, entry: Host, deployment: Deployment) -> str:
    """Return the generation of a host as reports show it, with the manager of its services where it has some."""
    try:
        manager = manager_of(facts) if facts is not None and entry.has_role("paas") else None
    except Exception:  # as in generation_of
        manager = None
    return (
        GENERATIONS.get(manager, deployment.generation)
        if manager
        else generation_of(facts, entry, deployment)
    )
