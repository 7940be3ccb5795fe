"""The rules by which nginx picks the server block of a request.

Source: nginx, "Server names" and "How nginx processes a request".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from bkpaas.checks.loaded import TICK_SECONDS, load_time
from bkpaas.checks.log_search import is_loopback
from bkpaas.checks.lookup import HostLookup
from bkpaas.errors import NoData
from bkpaas.facts import HostView, Nginx, NginxServer
from bkpaas.facts.nginx import APP_UPSTREAMS
from bkpaas.facts.nginx_location import Route, route
from bkpaas.inventory.deployment import Deployment
from bkpaas.inventory.platform import OPEN_PAAS_SERVICES

UPSTREAM_SERVICES = {
    "OPEN_PAAS": "paas",
    "OPEN_PAAS_APPENGINE": "appengine",
    "OPEN_PAAS_ESB": "esb",
    "OPEN_PAAS_LOGIN": "login",
    "OPEN_PAAS_CONSOLE": "console",
}
"""The services behind the upstreams, as nginx names them."""


SERVICE_OF_PATH = {"/": "paas", "/login/": "login", "/api/": "esb", "/api/c/": "esb", "/v1/": "appengine"}
"""The service of a path of the domain; other paths lead to applications."""


def server_name_fits(name: str, domain: str) -> bool:
    """Return whether a server_name fits a domain: exact, *.suffix, .suffix, prefix.*, ~regular expression."""
    name, domain = name.lower(), domain.lower()
    if name.startswith("~"):
        try:
            return re.search(name[1:].replace("(?<", "(?P<"), domain) is not None
        except re.error:
            return False
    if name.startswith("."):
        return domain == name[1:] or domain.endswith(name)
    if name.startswith("*."):
        return domain.endswith(name[1:])
    return domain == name or (name.endswith(".*") and domain.startswith(name[:-1]))


def keeps_host(value: str, server: NginxServer, domain: str) -> bool:
    """Return whether a Host is that of the request, a name of the server block, or one that cannot be known.

    value: as proxy_set_header has it; empty without one.
    """
    if value in ("", "$proxy_host") or value.startswith("$upstream_"):
        return False
    if "$" in value:
        return True
    name = re.sub(r":\d+$", "", value)
    return name == domain or any(server_name_fits(one, name) for one in server.names)


def host_was_put_right(
    first: float, last: float, deployment: Deployment, host_facts: HostLookup, controller: str
) -> bool:
    """Return whether each nginx of the domain passes the Host of a request to login, by a file that was changed since.

    Args:
        first, last: when requests with another Host failed, in seconds of that controller's clock. The file was changed
            after the first one and loaded after the last one.
    """
    selected = deployment.selected("nginx")
    if not selected or len(selected) < len(deployment.hosts_with("nginx")):
        return False
    try:
        views = [host_facts(entry.name) for entry in selected]
        return all(_was_put_right(first, last, view, deployment, controller) for view in views)
    except NoData:
        return False


def _was_put_right(
    first: float, last: float, host: HostView, deployment: Deployment, controller: str
) -> bool:
    masters = host.processes.nginx_masters()
    loaded = load_time(host, masters[0]) if masters else None
    servers = servers_of_domain(host.nginx, deployment)
    ways = [(server, route(server.locations, IS_LOGIN_PATH)) for server in servers]
    if not servers or loaded is None or host.clock.controller != controller:
        return False
    unsure = host.clock.uncertainty_seconds + TICK_SECONDS
    changed = {file.path: file.ctime for file in host.nginx.files}
    return loaded - host.clock.offset_seconds - unsure > last and all(
        way is not None
        and keeps_host(way.location.passing.host, server, deployment.domain)
        and (changed.get(way.location.file) or 0.0) - host.clock.offset_seconds - unsure > first
        for server, way in ways
    )


IS_LOGIN_PATH = "/login/accounts/is_login/"


def default_servers(nginx: Nginx, port: int) -> list[NginxServer]:
    """Return, for each address with the port, the server for unknown names: the default_server, or the first."""
    by_address = {}
    for server in nginx.servers:
        for listen in server.listens:
            if (
                listen.port == port
                and not listen.unix
                and (listen.default or listen.address not in by_address)
            ):
                by_address[listen.address] = server
    return list(dict.fromkeys(by_address.values()))


def shadowing_server(nginx: Nginx, servers: list[NginxServer], address: str, port: int) -> NginxServer | None:
    """Return the server block that takes the requests to address:port instead of these servers, None if none does.

    nginx picks the most specific listen first.
    """

    def fits(server: NginxServer, addresses: tuple[str, ...]) -> bool:
        return any(
            listen.port == port and not listen.unix and listen.address in addresses
            for listen in server.listens
        )

    for addresses in ((address,), ("*", "0.0.0.0")):
        if any(fits(server, addresses) for server in servers):
            return None
        if other := next((server for server in nginx.servers if fits(server, addresses)), None):
            return other
    return None


def selected_server(nginx: Nginx, domain: str, address: str, port: int) -> NginxServer | None:
    """Return the server block that nginx selects for a request for the domain to address:port, None if none listens.

    The listen decides first, then the name: exact, the longest *.suffix, the longest prefix.*, the first expression.
    Of blocks with the same name the first in the order of the files wins, and nginx ignores the others.
    """
    for addresses in ((address,), ("*", "0.0.0.0")):
        listening = [
            (server, listen)
            for server in nginx.servers
            for listen in server.listens
            if listen.port == port and not listen.unix and listen.address in addresses
        ]
        if not listening:
            continue
        named = [
            (_name_rank(name), server)
            for server, _ in listening
            for name in server.names
            if server_name_fits(name, domain)
        ]
        if named:
            return min(named, key=lambda one: one[0])[1]
        return next((server for server, listen in listening if listen.default), listening[0][0])
    return None


def _name_rank(name: str) -> tuple[int, int]:
    """Return the place of a server_name among those that fit, the smallest first."""
    if name.startswith("~"):
        return 3, 0
    if name.startswith(("*.", ".")):
        return 1, -len(name)
    return (2, -len(name)) if name.endswith(".*") else (0, 0)


def refused_address(rules: Iterable[tuple[str, str]], address: str) -> bool:
    """Return whether the first allow or deny that an address fits is a deny; False if none fits.

    Source: nginx, ngx_http_access_module.
    """
    for word, written in rules:
        try:
            fits = written == "all" or ip_address(address) in ip_network(written, strict=False)
        except ValueError:  # unix:, or a value that nginx would refuse
            continue
        if fits:
            return word == "deny"
    return False


def servers_of_domain(nginx: Nginx, deployment: Deployment) -> list[NginxServer]:
    """Return the server blocks with the domain's name; else the default of its port, when it leads to open_paas."""
    return servers_of_name(nginx, deployment.domain, deployment.port)


def own_answer(server: NginxServer) -> str | None:
    """Return the `return` with which a server block refuses every request, None without one."""
    return f"return {server.returns}" if re.match(r"[45]\d\d\b", server.returns or "") else None


def serving_servers(nginx: Nginx, deployment: Deployment) -> list[NginxServer]:
    """Return the server blocks of the domain that lead to open_paas, all of the domain if none does.

    A block that was left behind takes the requests from them, which nginx-listen-vs-domain reports, or gets none.
    """
    servers = servers_of_domain(nginx, deployment)
    serving = [
        server
        for server in servers
        if own_answer(server) is None
        and any(location.upstream in UPSTREAM_SERVICES for location in server.locations)
    ]
    return serving or servers


INTERNAL_NAME, INTERNAL_PORT = "paas.service.consul", 80
"""Of the server on 6.x through which login, paas and ESB call each other."""


def servers_of_name(nginx: Nginx, domain: str, port: int) -> list[NginxServer]:
    """Return the server blocks with a name; else the default of the port, when it leads to open_paas."""
    servers = [
        server for server in nginx.servers if any(server_name_fits(name, domain) for name in server.names)
    ]
    return servers or [
        server
        for server in default_servers(nginx, port)
        if any(location.upstream in UPSTREAM_SERVICES for location in server.locations)
    ]


_PLATFORM_UPSTREAMS = ("OPEN_PAAS", *APP_UPSTREAMS)
"""Beginnings of the names of the upstreams of the platform, as its files call them."""


def platform_servers(nginx: Nginx, deployment: Deployment) -> list[NginxServer]:
    """Return the server blocks for the domains of the inventory and for the SaaS; all if there are none.

    Other systems may use the same nginx: what only their blocks lead to is not part of the platform, and neither is what
    only a left-over block of the domain leads to.
    """
    domains = (deployment.domain, *deployment.fqdns.values())
    agent_port = deployment.service_port("agent_nginx")
    left_over = _left_over(nginx, deployment)
    servers = [
        server
        for server in nginx.servers
        if server not in left_over
        if any(server_name_fits(name, domain) for name in server.names for domain in domains)
        or any(listen.port == agent_port and not listen.unix for listen in server.listens)
        or any((location.upstream or "").startswith(_PLATFORM_UPSTREAMS) for location in server.locations)
    ]
    return servers or list(nginx.servers)


def _left_over(nginx: Nginx, deployment: Deployment) -> list[NginxServer]:
    """Return the server blocks of the domain, and of no other one of the inventory, that do not serve it."""
    serving = serving_servers(nginx, deployment)
    return [
        server
        for server in servers_of_domain(nginx, deployment)
        if server not in serving
        and not any(
            server_name_fits(name, other) for name in server.names for other in deployment.fqdns.values()
        )
    ]


def platform_upstreams(nginx: Nginx, deployment: Deployment) -> set[str]:
    """Return the names of the upstreams that the server blocks of the platform lead to."""
    names = {one.name for one in nginx.upstreams}
    own = platform_servers(nginx, deployment)
    locations = [one for server in own for one in server.locations]
    reached = {one.upstream for one in locations}
    of_left_over = {
        one.upstream for server in _left_over(nginx, deployment) for one in server.locations
    } - reached
    kept = {name for name in names if name in reached or name.startswith(_PLATFORM_UPSTREAMS)} - of_left_over
    if any(one.upstream is None and "$" in (one.proxy_pass or "") for one in locations):
        # a variable may name any upstream, but those that only blocks of other systems name are theirs
        others = {one.upstream for server in nginx.servers if server not in own for one in server.locations}
        return kept | (names - others)
    return kept


def upstream_component(address: str, nginx: Nginx, deployment: Deployment) -> str:
    """Return what an upstream server belongs to: a service of open_paas, the app hosts, or a server of its own."""
    for upstream in nginx.upstreams:
        if any(f"{server.address}:{server.port}" == address for server in upstream.servers):
            if service := UPSTREAM_SERVICES.get(upstream.name):
                return f"service:{service}"
            if upstream.name in APP_UPSTREAMS:
                return "service:agent"
    name, _, port = address.rpartition(":")
    own = {paas.address for paas in deployment.hosts_with("paas")}
    if deployment.generation == "6.x" and (is_loopback(name) or name in own):
        # what consul-template writes without an instance, or has taken out of the files
        for service in OPEN_PAAS_SERVICES:
            if str(deployment.service_port(service)) == port:
                return f"service:{service}"
    if address.rpartition(":")[0] in {app.address for app in deployment.hosts_with("appo", "appt")}:
        return "service:agent"
    servers = serving_servers(nginx, deployment)
    for path, service in SERVICE_OF_PATH.items():
        if any(_leads_to(route(server.locations, path), address) for server in servers):
            return f"service:{service}"
    return f"service:{address}"


def _leads_to(way: Route | None, address: str) -> bool:
    """Return whether nginx sends a path to an address with port, without an upstream in between."""
    match = re.match(r"https?://([^/$?]+)", way.target) if way else None
    return match is not None and address in (match[1], f"{match[1]}:80")


def stopped_nginx(host: HostView) -> str:
    """Return the pids of nginx processes that a signal has stopped, their masters included; "" if there are none."""
    masters = host.processes.nginx_masters()
    return ", ".join(
        str(process.pid)
        for process in host.processes.items
        if process.state in ("T", "t")
        and any(host.processes.descends(process.pid, master.pid) for master in masters)
    )


def nginx_addresses(host: HostView, deployment: Deployment, host_facts: HostLookup) -> set[str]:
    """Return the addresses to which the PaaS domain may resolve on a host."""
    right = set(deployment.virtual_addresses)
    for nginx in deployment.hosts_with("nginx"):
        right.add(nginx.address)
        if nginx.selected:
            right |= _own_addresses(host_facts(nginx.name), loopback=nginx.name == host.name)
    return right


def _own_addresses(nginx: HostView, loopback: bool) -> set[str]:
    try:
        addresses = nginx.addresses.items
    except NoData:
        return set()
    return {
        address for address in addresses if loopback or not (address == "::1" or address.startswith("127."))
    }
