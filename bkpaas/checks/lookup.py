"""The type of the fixture `host_facts`, and what several checks look up."""

from collections.abc import Callable

from bkpaas.facts import HostView
from bkpaas.facts.uwsgi import Service
from bkpaas.inventory.deployment import DEFAULT_PORTS, Deployment

HostLookup = Callable[[str], HostView]
"""Returns the facts of a host by its name."""


def port_of_service(name: str, service: Service, deployment: Deployment) -> int:
    """Return the port of a service: as configured on its host, else the inventory's; 0 if it has neither."""
    usual = deployment.ports.get(name, DEFAULT_PORTS.get(name, 0))
    return service.bind_port or usual
