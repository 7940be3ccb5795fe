"""What shows which role a host has: its programs, and how nginx and appengine use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bkpaas.checks.database import database_states
from bkpaas.checks.log_search import is_loopback
from bkpaas.errors import NoData
from bkpaas.facts import HostView
from bkpaas.facts.missing import Missing
from bkpaas.facts.nginx import APP_UPSTREAMS
from bkpaas.inventory.deployment import Deployment
from bkpaas.inventory.platform import OPEN_PAAS_SERVICES
from bkpaas.messages import Message

Sign = Callable[[HostView, Deployment], bool]

_AGENTS = frozenset({"paas_agent", "paas-agent"})
_APPS = ("appo", "appt")
_CATEGORIES = {"app": "appo", "tapp": "appt"}
"""Of engine_servers -> the role."""


def own_interfaces(host: HostView) -> set[str]:
    """Return the addresses of a host without loopback; none if they were not read."""
    try:
        return {address for address in host.addresses.items if not is_loopback(address)}
    except NoData:
        return set()


def _serves_open_paas(host: HostView, deployment: Deployment) -> bool:
    services = {process.service for process in host.processes.items}
    return bool(services & set(OPEN_PAAS_SERVICES))


def _serves_the_domain(host: HostView, deployment: Deployment) -> bool:
    """Return whether the domain resolves to this host and nginx listens there."""
    resolved = host.names.get(deployment.domain)
    own = {address for address in own_interfaces(host) if address not in deployment.virtual_addresses}
    here = set(resolved.addresses if resolved else ()) & own
    return bool(here and host.processes.nginx_masters() and host.sockets.on(deployment.port))


def _runs_agent(host: HostView, deployment: Deployment) -> bool:
    return any(
        _AGENTS & {process.name, process.argv[0].rpartition("/")[2] if process.argv else ""}
        for process in host.processes.items
    )


ROLE_SIGNS: dict[str, tuple[Sign, tuple[str, ...]]] = {
    "paas": (_serves_open_paas, ("paas",)),
    "nginx": (_serves_the_domain, ("nginx",)),
    "appo": (_runs_agent, _APPS),
    "appt": (_runs_agent, _APPS),
}
"""By role: what shows that a host runs it, and the roles of which one explains that."""


def app_role_in_use(addresses: set[str], deployment: Deployment, views: Mapping[str, HostView]) -> str | None:
    """Return appo or appt, as which both nginx and appengine use the host with these addresses; None: not known.

    views: of the collected hosts, by name.
    """
    by_nginx = set(_roles_in_nginx(addresses, deployment, views))
    by_table = set(_roles_in_table(addresses, deployment, views))
    return next(iter(by_nginx)) if len(by_nginx) == 1 and by_nginx == by_table else None


def _roles_in_nginx(
    addresses: set[str], deployment: Deployment, views: Mapping[str, HostView]
) -> Iterator[str]:
    for entry in deployment.selected("nginx"):
        facts = views[entry.name].facts.nginx
        for upstream in () if isinstance(facts, Missing) else facts.upstreams:
            role = APP_UPSTREAMS.get(upstream.name)
            if upstream.file.endswith("/app_upstream.conf"):  # 6.x: one for each application
                role = "appt" if upstream.name.startswith("t.") else "appo"
            if role is not None and any(
                addresses.intersection(views[entry.name].names.of(server.address))
                for server in upstream.servers
            ):
                yield role


def _roles_in_table(
    addresses: set[str], deployment: Deployment, views: Mapping[str, HostView]
) -> Iterator[str]:
    for entry in deployment.selected("paas"):
        unread: list[Message | str] = []
        try:
            rows = [
                row
                for _, _, state in database_states(views[entry.name], unread)
                for row in state.agents or ()
            ]
        except NoData:
            continue
        yield from (
            _CATEGORIES[row.category]
            for row in rows
            if row.address in addresses and row.category in _CATEGORIES
        )
