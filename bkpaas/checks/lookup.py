"""The type of the fixture `host_facts`, and what several checks look up."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from bkpaas.errors import NoData, NotApplicable
from bkpaas.facts import HostView
from bkpaas.facts.uwsgi import Service
from bkpaas.inventory.deployment import DEFAULT_PORTS, Deployment

T = TypeVar("T")


class HostLookup:
    """Return the facts of a host by its name, and note the hosts that were not collected.

    Args:
        views: the views of all hosts.
        unreachable_hosts: the set to which the names of hosts without facts are added.
        values: what `once` has computed; None: nothing, and nothing is kept for other lookups.
    """

    def __init__(
        self,
        views: Mapping[str, HostView],
        unreachable_hosts: set[str],
        values: dict[Hashable, FleetValue] | None = None,
    ) -> None:
        self._views, self._unreachable_hosts = views, unreachable_hosts
        self._values = {} if values is None else values

    def __call__(self, name: str) -> HostView:
        view = self._views[name]
        if not view.facts.collected:
            self._unreachable_hosts.add(name)
        return view

    def once(self, key: Hashable, compute: Callable[[HostLookup], T]) -> T:
        """Return a value of many hosts, computed by the first check of a run that uses it; it must not be changed.

        compute: called with a lookup; the hosts that it looks up count for each check that uses the value.
        """
        if key not in self._values:
            self._values[key] = FleetValue(self._views, self._values, compute)
        value = self._values[key]
        self._unreachable_hosts |= value.unreachable_hosts
        result: T = value.result()
        return result


class FleetValue:
    """Hold a value of many hosts, or why there is no value, and the hosts without facts that were looked up for it."""

    def __init__(
        self,
        views: Mapping[str, HostView],
        values: dict[Hashable, FleetValue],
        compute: Callable[[HostLookup], Any],
    ) -> None:
        self.unreachable_hosts: set[str] = set()
        self._value: Any = None
        self._reason: NoData | NotApplicable | None = None
        try:
            self._value = compute(HostLookup(views, self.unreachable_hosts, values))
        except (NoData, NotApplicable) as reason:
            self._reason = reason

    def result(self) -> Any:
        """Return the value. Raises NoData, NotApplicable."""
        if self._reason is not None:
            raise self._reason.with_traceback(None)
        return self._value


def port_of_service(name: str, service: Service, deployment: Deployment) -> int:
    """Return the port of a service: as configured on its host, else the inventory's; 0 if it has neither."""
    usual = deployment.ports.get(name, DEFAULT_PORTS.get(name, 0))
    return service.bind_port or usual
