"""Ask each application of an app host: on its own socket, through nginx of its host, and through the domain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import UNSET, structs

from bkpaas.facts.agent import Saas
from bkpaas.facts.missing import Missing, Record
from bkpaas.facts.nginx import Nginx, NginxServer
from bkpaas.facts.nginx_location import Route, replaced, route
from bkpaas.facts.query import Earlier, HttpName, Query, http_get
from bkpaas.inventory.deployment import Deployment, Host

if TYPE_CHECKING:
    from bkpaas.facts.host import HostFacts

MOST_APPLICATIONS = 50
"""So many are asked on one host, in the order of their names."""

_CODE = re.compile(r"\w[\w.-]{0,63}", re.ASCII)
_LEGACY_MODIFIER = 30
"""uwsgi_modifier1 as shipped: uwsgi removes SCRIPT_NAME from the path."""


class Endpoint(Record, frozen=True):
    """Represent the socket that an application itself serves."""

    text: str
    """Its path, or address:port."""
    unix: str | None = None
    address: str = ""
    """address:port when it is not a unix socket."""
    protocol: str = "uwsgi"
    """uwsgi or http."""
    modifier: int = _LEGACY_MODIFIER
    script_name: str | None = None


def queried_applications(items: Iterable[Saas]) -> tuple[Saas, ...]:
    """Return the applications that are asked; a name that cannot be part of a URL is left out."""
    named = sorted((saas for saas in items if _CODE.fullmatch(saas.app)), key=lambda saas: saas.app)
    return tuple(named[:MOST_APPLICATIONS])


def application_path(saas: Saas, deployment: Deployment) -> str:
    """Return the path of an application below nginx and the domain: /o/APP/, or as the inventory says."""
    tail = deployment.application_paths.get(saas.app, "/")
    return f"/{saas.environment or 'o'}/{saas.app}{tail}"


def app_servers(nginx: Nginx, deployment: Deployment) -> tuple[NginxServer, ...]:
    """Return the server blocks on the port of the applications, the one for the domain or any name first."""
    port = deployment.service_port("agent_nginx")
    servers = [one for one in nginx.servers if any(listen.port == port for listen in one.listens)]
    named = [one for one in servers if deployment.domain in one.names]
    default = [
        one for one in servers if any(listen.default and listen.port == port for listen in one.listens)
    ]
    return tuple(dict.fromkeys((*named, *default, *servers)))


def app_route(nginx: Nginx | Missing, saas: Saas, deployment: Deployment) -> Route | None:
    """Return where nginx of the app host sends an application, None if it is not known."""
    servers = () if isinstance(nginx, Missing) else app_servers(nginx, deployment)
    path = application_path(saas, deployment)
    return route(servers[0].locations, path) if servers else None


def endpoint(saas: Saas, facts: HostFacts, deployment: Deployment) -> Endpoint | None:
    """Return the socket of an application: next to its pid file, else where nginx sends it; None: not known."""
    path = application_path(saas, deployment)
    there = route_to = app_route(facts.nginx, saas, deployment)
    run_socket = saas.socket
    if run_socket is not None and run_socket.exists:
        plain = "http" if run_socket.path.endswith("/nginx.sock") else "uwsgi"
        listener = Endpoint(run_socket.path, unix=run_socket.path, protocol=plain)
    elif there is not None and "$" not in there.target:
        listener = _target(there, facts.nginx)
    elif run_socket is not None:
        listener = Endpoint(run_socket.path, unix=run_socket.path)
    else:
        return None
    script_name = f"/{saas.environment or 'o'}/{saas.app}"
    if route_to is None or listener.protocol != "uwsgi" or not route_to.location.uwsgi_pass:
        return structs.replace(listener, script_name=script_name)
    location = route_to.location
    if location.script_name:
        script_name = replaced(location, location.script_name, path)
    named = script_name if location.script_name and "$" not in script_name else None
    return structs.replace(listener, modifier=location.uwsgi_modifier, script_name=named)


def _target(there: Route, nginx: Nginx | Missing) -> Endpoint:
    """Return the endpoint of a target: unix:PATH, address:port, or an upstream with one of them."""
    protocol = "uwsgi" if there.location.uwsgi_pass and not there.location.proxy_pass else "http"
    text = re.sub(r"^\w+://", "", there.target)
    if not text.startswith("unix:"):
        name = text.partition("/")[0]
        upstreams = () if isinstance(nginx, Missing) else nginx.upstreams
        server = next((one.servers[0] for one in upstreams if one.name == name and one.servers), None)
        text = name
        if server is not None:
            text = f"{server.address}:{server.port}" if server.port else server.address
    if text.startswith("unix:"):
        path = re.sub(r"^/+", "/", text[len("unix:") :].partition(":")[0])
        return Endpoint(path, unix=path, protocol=protocol)
    return Endpoint(text, address=text, protocol=protocol)


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return one GET per application and route, in round 2.

    An application with one worker answers them one after the other, so the later routes have more time.
    """
    if earlier is None or not entry.has_role("appo", "appt"):
        return
    facts = earlier.hosts[entry.name]
    if isinstance(facts.saas, Missing):
        return
    host = deployment.url("/").partition("://")[2].rstrip("/")
    for saas in queried_applications(facts.saas.items):
        path, own = application_path(saas, deployment), endpoint(saas, facts, deployment)
        if own is not None:
            yield _own(deployment, saas, own, path)
        url = f"http://{entry.address}:{deployment.service_port('agent_nginx')}{path}"
        seconds = deployment.limits.request_seconds
        name = HttpName.APPLICATION_NGINX.of(saas.app)
        yield http_get(deployment, name, url, headers={"Host": host}, seconds=2 * seconds)
        if deployment.hosts_with("nginx"):
            name = HttpName.APPLICATION_DOMAIN.of(saas.app)
            yield http_get(deployment, name, deployment.url(path), seconds=3 * seconds)


def _own(deployment: Deployment, saas: Saas, own: Endpoint, path: str) -> Query:
    query = http_get(
        deployment,
        HttpName.APPLICATION_SOCKET.of(saas.app),
        f"http://{own.address or deployment.domain}{path}",
        headers={"Host": deployment.domain},
    )
    parameters: dict[str, str | int] = {"modifier": own.modifier}
    if own.script_name:
        parameters["SCRIPT_NAME"] = own.script_name
    return structs.replace(
        query, unix=own.unix or UNSET, uwsgi=parameters if own.protocol == "uwsgi" else UNSET
    )
