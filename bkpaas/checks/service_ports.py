"""The port of a service of open_paas: what its own file says, and what those that request it say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from bkpaas.checks.log_search import is_loopback
from bkpaas.checks.lookup import HostLookup
from bkpaas.checks.nginx_edits import addresses_of, open_paas_servers
from bkpaas.checks.values import Reading, all_readings, is_own
from bkpaas.errors import NoData
from bkpaas.facts import HostView
from bkpaas.facts.settings import location_host, location_port
from bkpaas.inventory.deployment import Deployment

SERVICE_SETTINGS = {"LOGIN_HOST": "login", "HOST_BK_LOGIN": "login", "ENGINE_HOST": "appengine"}
"""The service of a paas host that a setting names with its port."""


class Request(NamedTuple):
    """Represent a place that requests a service of a paas host on a port."""

    host: str
    """That has the service."""
    service: str
    port: int
    by: str
    """The upstreams of "nginx", or the setting: the kind of the place, each of which counts once."""


class _Ports(NamedTuple):
    requested: dict[tuple[str, str], dict[str, set[int]]]
    """The ports of each host and service, by the kind of the places that request it."""
    configured: dict[str, dict[str, int]]
    """The port of each host in its uwsgi file, by service."""


def expected_port(
    service: str, host: str, configured: int, deployment: Deployment, host_facts: HostLookup
) -> int:
    """Return the port on which a service is expected: another one than configured only where that is the odd one.

    That is so when all that request it use one other port: nginx and a setting, or one of both together with the
    uwsgi files of all other paas hosts, or with the inventory where there are none.
    """
    ports = host_facts.once("service-ports", lambda lookup: _ports(deployment, lookup))
    by_kind = ports.requested.get((host, service), {})
    others = set().union(*by_kind.values())
    if len(others) != 1 or configured in others:
        return configured
    if len(by_kind) == 1:
        elsewhere = {port for name, port in ports.configured[service].items() if name != host}
        if (elsewhere or {deployment.service_port(service)}) != others:
            return configured
    return others.pop()


def leads_to_own_service(reading: Reading, host: HostView) -> bool:
    """Return whether a setting leads to the service of its own host, on the port in its uwsgi file."""
    text = reading.text.strip("'\" ")
    service = host.services.by_name.get(SERVICE_SETTINGS.get(reading.name, ""))
    return (
        service is not None and is_own(location_host(text), host) and location_port(text) == service.bind_port
    )


def _ports(deployment: Deployment, host_facts: HostLookup) -> _Ports:
    requested: dict[tuple[str, str], dict[str, set[int]]] = {}
    for one in (*_of_nginx(deployment, host_facts), *_of_settings(deployment, host_facts)):
        requested.setdefault((one.host, one.service), {}).setdefault(one.by, set()).add(one.port)
    configured: dict[str, dict[str, int]] = defaultdict(dict)
    for entry in deployment.selected("paas"):
        try:
            services = host_facts(entry.name).services.by_name
        except NoData:
            continue
        for name, service in services.items():
            if service.bind_port:
                configured[name][entry.name] = service.bind_port
    return _Ports(requested, configured)


def _of_nginx(deployment: Deployment, host_facts: HostLookup) -> Iterator[Request]:
    owners = _owners(deployment, host_facts)
    for entry in deployment.selected("nginx"):
        try:
            host = host_facts(entry.name)
            servers = open_paas_servers(host.nginx)
        except NoData:
            continue
        for _, service, server in servers:
            for address in host.names.of(server.address):
                paas = entry.name if is_loopback(address) else owners.get(address)
                # on 6.x a loopback address is that of no host: consul has no instance
                if paas and (deployment.generation == "5.x" or not is_loopback(address)) and server.port:
                    yield Request(paas, service, server.port, "nginx")


def _of_settings(deployment: Deployment, host_facts: HostLookup) -> Iterator[Request]:
    owners = _owners(deployment, host_facts)
    for name, service in SERVICE_SETTINGS.items():
        for reading in all_readings(name, deployment, host_facts):
            text = reading.text.strip("'\" ")
            place, port, host = location_host(text), location_port(text), host_facts(reading.host)
            if not place or port is None or place in deployment.virtual_addresses:
                continue
            if place == deployment.domain.lower() or place in map(str.lower, deployment.fqdns.values()):
                continue
            hosts = (
                {reading.host} if is_own(place, host) else {owners.get(one) for one in host.names.of(place)}
            )
            for paas in hosts - {None}:
                yield Request(str(paas), service, port, name)


def _owners(deployment: Deployment, host_facts: HostLookup) -> dict[str, str]:
    """Return the paas host of each address, without loopback."""
    return {
        address: paas.name
        for paas in deployment.hosts_with("paas")
        for address in addresses_of(paas, deployment, host_facts)
        if not is_loopback(address)
    }
