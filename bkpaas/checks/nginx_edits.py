"""Edits of remedies that correct the files of nginx."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bkpaas.checks.edits import Edit, insert_after, replace_first
from bkpaas.checks.lookup import HostLookup
from bkpaas.checks.nginx import UPSTREAM_SERVICES
from bkpaas.facts import (
    HostView,
    Missing,
    Nginx,
    NginxLocation,
    NginxServer,
    NginxUpstream,
    NginxUpstreamServer,
)
from bkpaas.facts.uwsgi import service_endpoint
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.inventory.platform import has_project

UpstreamLine = tuple[NginxUpstream, str, NginxUpstreamServer]
"""An upstream, the service that it leads to, and one of its servers."""


def move_server(upstream: NginxUpstream, server: NginxUpstreamServer, endpoint: str | None) -> Edit | None:
    """Return the edit that gives a server line of an upstream another endpoint.

    endpoint: None: no host is left for it. Then no edit is known, for the inventory may lack this one.
    """
    if endpoint is None:
        return None
    old = rf"server +{re.escape(server.address)}(:{server.port})?([^0-9.:])"
    return replace_first(upstream.file, upstream.line, old, rf"server {endpoint}\2")


def add_server(upstream: NginxUpstream, endpoint: str) -> Edit:
    """Return the edit that adds a server to an upstream."""
    return insert_after(upstream.file, upstream.line, f"    server {endpoint};")


def put_up(upstream: NginxUpstream, server: NginxUpstreamServer) -> Edit:
    """Return the edit that removes `down` from a server line of an upstream."""
    old = rf"(server +{re.escape(server.address)}(:{server.port})?( [^;]*)?) down([ ;])"
    return replace_first(upstream.file, upstream.line, old, r"\1\4")


def lead_to(location: NginxLocation, target: str, right: str) -> Edit:
    """Return the edit that gives the proxy_pass of a location another upstream."""
    old = rf"(proxy_pass +[a-z]+://){re.escape(target)}([/;:])"
    return replace_first(location.file, location.line, old, rf"\1{right}\2")


def listen_on(server: NginxServer, address: str, port: int) -> Edit:
    """Return the edit that lets a server block listen on one more address."""
    tls = " ssl" if any(listen.ssl for listen in server.listens) else ""
    return insert_after(server.file, server.line, f"    listen {address}:{port}{tls};")


def listen_again(server: NginxServer, port: int) -> Edit | None:
    """Return the edit that gives a server block its port back; None if it listens on several."""
    written = {listen.port for listen in server.listens if not listen.unix}
    if len(written) != 1:
        return None
    old = rf"listen +((\[[^]]*\]|[^ :;]*):)?{written.pop()}([ ;])"
    return replace_first(server.file, server.line, old, rf"listen \1{port}\3")


def without_name(server: NginxServer, domain: str) -> Edit:
    """Return the edit that takes the name of the domain from a server block: the other one then serves it."""
    old = rf"(server_name[^;]* ){re.escape(domain)}([ ;])"
    return replace_first(server.file, server.line, old, rf"\1{domain}.disabled\2")


def without_return(server: NginxServer) -> Edit:
    """Return the edit that makes the `return` of a server block a comment in a line of its own."""
    return replace_first(server.file, server.line, r"(^|[ \t;{])(return [^;]*;)", r"\1# \2\n")


def allow(server: NginxServer, addresses: Iterable[str]) -> Edit:
    """Return the edit that lets addresses pass before the first `deny` of a server block."""
    lines = "".join(f"allow {address}; " for address in addresses)
    return replace_first(server.file, server.line, r"(^|[ ;{])deny ", rf"\1{lines}deny ")


def open_paas_servers(nginx: Nginx) -> list[UpstreamLine]:
    """Yield (upstream, service, server) for each server line of open_paas's upstreams that a location uses."""
    return [
        (upstream, UPSTREAM_SERVICES[upstream.name], server)
        for upstream in nginx.upstreams
        if upstream.name in UPSTREAM_SERVICES and upstream.used
        for server in upstream.servers
    ]


def addresses_of(host: Host, deployment: Deployment, host_facts: HostLookup) -> set[str]:
    """Return all addresses under which a host of the inventory may be named."""
    own = {deployment.host(host.name).address}
    facts = host_facts(host.name).facts if host.selected else None
    if facts is not None and not isinstance(facts.addresses, Missing):
        own |= set(facts.addresses.items)
    return own


def left_out(host: HostView, deployment: Deployment, host_facts: HostLookup) -> dict[str, list[str]]:
    """Return the endpoints of the paas hosts that an upstream of open_paas does not name, by upstream."""
    endpoints: dict[str, list[str]] = {one[0].name: [] for one in open_paas_servers(host.nginx)}
    for upstream, service in {one[0].name: one[:2] for one in open_paas_servers(host.nginx)}.values():
        named = {address for server in upstream.servers for address in host.names.of(server.address)}
        for paas in deployment.hosts_with("paas"):
            if has_project(paas, service) and not named & addresses_of(paas, deployment, host_facts):
                facts = host_facts(paas.name).facts if paas.selected else None
                address, port = service_endpoint(service, paas, deployment, facts)
                endpoints[upstream.name].append(f"{address}:{port}")
    return endpoints


def complete_upstreams(host: HostView, deployment: Deployment, host_facts: HostLookup) -> list[Edit]:
    """Return the edits that add the paas hosts that are left out, and put up those that are down."""
    upstreams = {one[0].name: one[0] for one in open_paas_servers(host.nginx)}
    left = left_out(host, deployment, host_facts)
    added = [add_server(upstreams[name], endpoint) for name, ends in left.items() for endpoint in ends]
    down = [
        put_up(one, server)
        for one in upstreams.values()
        for server in one.servers
        if "down" in server.parameters
    ]
    return added + down
