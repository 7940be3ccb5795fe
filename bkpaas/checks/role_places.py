"""Find the hosts that the platform itself uses for a role, by its settings and by nginx, and compare the inventory with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bkpaas.checks.nginx import servers_of_name
from bkpaas.checks.role_signs import own_interfaces
from bkpaas.errors import NoData
from bkpaas.facts import HostView, Missing, elasticsearch_endpoints
from bkpaas.facts.database import accounts
from bkpaas.facts.nginx_location import route
from bkpaas.facts.setting_places import setting_place
from bkpaas.inventory.deployment import Deployment, Host

Place = tuple[str, int]
"""Address and port."""
Views = Mapping[str, HostView]
"""Of the collected hosts, by name."""
PLACED_ROLES = ("cmdb", "job", "mysql", "redis", "rabbitmq", "es")
"""Roles whose hosts the settings or nginx name; rabbitmq goes by its process."""
SETTINGS_OF_ROLE = {"cmdb": ("HOST_CC", "HOST_CC_V3"), "job": ("HOST_JOB",)}
_BROKER = "beam"
"""What the processes of RabbitMQ are called."""


def misplaced_roles(
    host: HostView, entry: Host, deployment: Deployment, views: Views, places: Mapping[str, set[Place]]
) -> dict[str, list[str]]:
    """Return the roles of a host that the platform uses elsewhere, with the hosts that it uses instead.

    A role counts as elsewhere if no place named for it is on this host, nothing listens here on such a port, and another
    host of the inventory has a place named for it and listens there.
    """
    found: dict[str, list[str]] = {}
    own = own_interfaces(host) | {entry.address}
    for role in PLACED_ROLES:
        named = places.get(role, set())
        here = any(address in own for address, _ in named)
        if not entry.has_role(role) or not named or here or _listens(host, {port for _, port in named}):
            continue
        others = [
            one.name
            for one in deployment.selected()
            if one.name != entry.name and not one.has_role(role) and _has_place(one, views[one.name], named)
        ]
        if others:
            found[role] = others
    if found and entry.has_role("rabbitmq") and "rabbitmq" not in found and not _runs_broker(host):
        brokers = [name for names in found.values() for name in names if _runs_broker(views[name])]
        if brokers:
            found["rabbitmq"] = list(dict.fromkeys(brokers))
    return found


def _listens(host: HostView, ports: set[int]) -> bool:
    """Return whether something listens on one of the ports; true where that is not known."""
    return isinstance(host.facts.sockets, Missing) or any(host.facts.sockets.on(port) for port in ports)


def _has_place(entry: Host, host: HostView, named: set[Place]) -> bool:
    if isinstance(host.facts.sockets, Missing):
        return False
    own = own_interfaces(host) | {entry.address}
    return any(address in own and host.facts.sockets.on(port) for address, port in named)


def _runs_broker(host: HostView) -> bool:
    try:
        return any(one.name.startswith(_BROKER) for one in host.processes.items)
    except NoData:
        return False


def role_places(deployment: Deployment, views: Views) -> dict[str, set[Place]]:
    """Return the addresses and ports that settings, log plugins and nginx name for each role.

    A name of CMDB or JOB may lead to nginx, which passes its requests on.
    """
    front = {
        address
        for entry in deployment.selected("nginx")
        for address in own_interfaces(views[entry.name]) | {entry.address}
    }
    places: dict[str, set[Place]] = {}
    for role, name, port, view in _named(deployment, views):
        if name in ("localhost", "127.0.0.1", "::1"):
            continue
        for address in view.names.of(name) if not isinstance(view.facts.names, Missing) else (name,):
            if role not in SETTINGS_OF_ROLE or address not in front:
                places.setdefault(role, set()).add((address, port))
    return places


def _named(deployment: Deployment, views: Views) -> Iterator[tuple[str, str, int, HostView]]:
    """Yield role, host and port as written, and the host that names it."""
    for entry in deployment.selected("paas", "appo", "appt"):
        view = views[entry.name]
        if not isinstance(view.facts.log_plugins, Missing):
            for target in view.log_plugins.targets:
                if target.host and target.port:
                    yield "redis", target.host, target.port, view
        if entry.has_role("paas") and not isinstance(view.facts.settings, Missing):
            yield from _in_settings(deployment, view)
    for entry in deployment.selected("nginx"):
        view = views[entry.name]
        if not isinstance(view.facts.nginx, Missing):
            yield from _in_nginx(deployment, view)


def _in_settings(deployment: Deployment, view: HostView) -> Iterator[tuple[str, str, int, HostView]]:
    front = {deployment.domain, *deployment.fqdns.values(), *deployment.virtual_addresses}
    front |= {entry.address for entry in deployment.hosts_with("nginx")}
    for account in accounts(view.settings).values():
        yield "mysql", account.host, account.port, view
    for settings in view.settings.by_project.values():
        for role, names in SETTINGS_OF_ROLE.items():
            for name in names:
                place = setting_place(settings, name)
                if place is not None and place[0] not in front:
                    yield role, *place, view
    try:
        for endpoint in elasticsearch_endpoints(view.settings.by_project.get("paas")):
            yield "es", endpoint.host, endpoint.port, view
    except (NoData, ValueError):
        return


def _in_nginx(deployment: Deployment, view: HostView) -> Iterator[tuple[str, str, int, HostView]]:
    """Yield the servers behind the domains of CMDB and JOB."""
    upstreams = {one.name: one for one in view.nginx.upstreams}
    for role in ("cmdb", "job"):
        domain = deployment.fqdns.get(role)
        servers = servers_of_name(view.nginx, domain, deployment.port) if domain else []
        for server in servers:
            if not any(domain == name.lower() for name in server.names):
                continue
            way = route(server.locations, "/")
            upstream = upstreams.get(way.location.upstream or "") if way else None
            for one in upstream.servers if upstream else ():
                if one.port is not None:
                    yield role, one.address, one.port, view
