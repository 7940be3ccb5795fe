"""Decide by what runs the services of a host which conditions apply to it: an upgrade goes from host to host."""

from __future__ import annotations

from bkpaas.checks.lookup import HostLookup
from bkpaas.errors import NotApplicable
from bkpaas.facts import HostView
from bkpaas.facts.generations import GENERATIONS as GENERATIONS
from bkpaas.facts.generations import generation_of
from bkpaas.inventory.deployment import Deployment
from bkpaas.inventory.platform import has_project
from bkpaas.messages import msg


def require_supervisord(host: HostView, deployment: Deployment) -> None:
    """Raise NotApplicable on a host whose services another manager runs, and on one of 6.x without a supervisord."""
    manager = host.services.manager
    if manager in ("systemd", "docker"):
        raise NotApplicable(msg("{manager} runs the services of this host", manager=manager))
    if manager is None and deployment.generation == "6.x":
        raise NotApplicable(msg("no supervisord runs on this host, and the deployment is of generation 6.x"))


def require_one_generation(first: HostView, second: HostView) -> None:
    """Raise NotApplicable for a comparison of two hosts whose services run under different managers."""
    one, other = first.services.manager, second.services.manager
    if one is not None and other is not None and one != other:
        raise NotApplicable(
            msg(
                "{first} is of generation {one}, {second} of {other}: see generation-mixed",
                first=first.name,
                one=GENERATIONS.get(one, one),
                second=second.name,
                other=GENERATIONS.get(other, other),
            )
        )


def as_paas_hosts(deployment: Deployment, host_facts: HostLookup) -> Deployment:
    """Return the deployment with the generation that all its paas hosts show, whatever that of the inventory."""
    shown = {
        generation_of(host_facts(entry.name).facts, entry, deployment)
        for entry in deployment.selected("paas")
    }
    return deployment.as_generation(shown.pop()) if len(shown) == 1 else deployment


def require_project(host: HostView, service: str, deployment: Deployment) -> None:
    """Raise NotApplicable on a paas host whose line of install.config names other projects: paas(login)."""
    if not has_project(deployment.host(host.name), service):
        raise NotApplicable(msg("install.config gives {service} to other hosts", service=service))
