"""What the controller itself asks through the PaaS domain, with requests, like a browser that has no cookies."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from bkpaas.collect.certificate import presented, reached, trusted
from bkpaas.facts.access import PROBE
from bkpaas.facts.query import HttpName, TcpName
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import SCHEME_PORTS, Deployment

Raw = dict[str, Any]
"""In the form of the collector's answers, so that the same parser reads both."""

REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 5


def probe(deployment: Deployment) -> Raw:
    """{"resolve", "http", "tcp", "certificates", "agent"}: every path of the domain asked once, beside each other.

    agent: the User-Agent of this run, by which login's own log shows where its request went.
    """
    agent = PROBE + secrets.token_hex(6)
    where = _resolve(deployment.domain, deployment.limits.resolve_seconds)
    address = where["addresses"][0] if where["addresses"] else _nginx_address(deployment)
    wanted = {
        HttpName.HEALTHZ.of(service): (path, deployment.limits.healthz_seconds)
        for service, path in platform.DOMAIN_HEALTHZ_PATHS.items()
    }
    wanted |= {
        HttpName.DOMAIN_PATH.of(path): (path, deployment.limits.request_seconds)
        for path in platform.domain_paths(deployment)
    }
    wanted[HttpName.IS_LOGIN_DOMAIN.value] = (
        f"{platform.IS_LOGIN_PATH}?{agent.replace('/', '=')}",
        deployment.limits.request_seconds,
    )
    limits = deployment.limits
    http = {
        name: _blank(deployment.url(path)) | {"error": {"kind": "silent", "text": ""}}
        for name, (path, _) in wanted.items()
    }

    def ask(name: str, path: str, seconds: float) -> None:
        http[name] = _get(deployment, address, deployment.url(path), seconds, agent)

    asked = [threading.Thread(target=ask, args=(name, *how), daemon=True) for name, how in wanted.items()]
    tcp, shown = dict[str, Raw](), dict[str, Raw]()

    def connect(place: str) -> None:
        tcp[TcpName.VIRTUAL_ADDRESS.of(place)] = reached(place, deployment.port, limits.request_seconds)

    def show(place: str) -> None:
        shown[place] = presented(
            place, deployment.port, deployment.domain, deployment.ca_file, limits.request_seconds
        )

    servers = _certificate_servers(deployment, address)
    more = [(connect, place) for place in deployment.virtual_addresses] + [(show, place) for place in servers]
    asked += [threading.Thread(target=work, args=(place,), daemon=True) for work, place in more]
    asked += [threading.Thread(target=lambda: http.update(_follow(deployment, address, agent)), daemon=True)]
    for thread in asked:
        thread.start()
    # requests limits the time between two bytes; daemon threads hold up neither this nor the end of the run
    end = time.monotonic() + max(limits.healthz_seconds, MOST_REDIRECTS * limits.request_seconds)
    end += 2 * limits.request_seconds
    for thread in asked:
        thread.join(max(0, end - time.monotonic()))
    seen: Raw = {
        "resolve": {deployment.domain: where},
        "http": http.copy(),
        "tcp": tcp.copy(),
        "agent": agent,
    }
    if deployment.scheme == "https":
        late = {"error": {"kind": "silent", "text": ""}}
        seen["certificates"] = [shown.get(place) or {"address": place, **late} for place in servers]
    return seen


def _certificate_servers(deployment: Deployment, address: str | None) -> list[str]:
    """Where to ask for the certificate: at the domain's own address first, then at every nginx host."""
    if deployment.scheme != "https":
        return []
    places = (address, *(nginx.address for nginx in deployment.having("nginx")))
    return list(dict.fromkeys(place for place in places if place))


def entrance(deployment: Deployment) -> str | None:
    """The address at which the controller finds the domain."""
    found = _resolve(deployment.domain, deployment.limits.resolve_seconds)["addresses"]
    return found[0] if found else _nginx_address(deployment)


def _nginx_address(deployment: Deployment) -> str | None:
    """Where the domain is served, when the controller cannot resolve it."""
    if deployment.virtual_addresses:
        return deployment.virtual_addresses[0]
    nginx = deployment.having("nginx")
    return nginx[0].address if nginx else None


def _resolve(name: str, seconds: float) -> Raw:
    """getaddrinfo has no time limit of its own."""
    answer: Raw = {"addresses": [], "seconds": seconds, "error": "timed out"}

    def ask() -> None:
        started = time.monotonic()
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            answer.update(addresses=sorted({str(entry[4][0]) for entry in found}), error=None)
        except OSError as error:
            answer["error"] = str(error)
        answer["seconds"] = time.monotonic() - started

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return dict(answer)


class _At(HTTPAdapter):
    """Connects to one address, whatever the name in the URL; host name and certificate stay the URL's."""

    def __init__(self, address: str, host: str) -> None:
        self._address, self._host = address, host
        super().__init__()

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        place, settings = super().build_connection_pool_key_attributes(request, verify, cert)
        named: dict[str, Any] = {}
        if place["scheme"] == "https":
            named = {"assert_hostname": self._host, "server_hostname": self._host}
        return {**place, "host": self._address}, {**settings, **named}


def _follow(deployment: Deployment, address: str | None, agent: str) -> dict[str, Raw]:
    """From the platform towards the login form, step by step, within the domain and without any cookie.

    A GET of the login page with a cookie would log its owner out.
    """
    url, steps = deployment.url(platform.PLATFORM_PATH), dict[str, Raw]()
    while url not in {step["url"] for step in steps.values()} and len(steps) <= MOST_REDIRECTS:
        answer = _get(deployment, address, url, deployment.limits.request_seconds, agent)
        steps[HttpName.REDIRECT.of(len(steps) + 1)] = answer
        locations = [value for name, value in answer["headers"] if name.lower() == "location"]
        if answer["status"] not in REDIRECTS or not locations:
            break
        try:
            url = urljoin(url, locations[0])
            place = urlsplit(url)
            known = place.hostname == deployment.domain and place.scheme in SCHEME_PORTS and place.port != 0
        except ValueError:  # a port or an address that is none
            break
        if not known:
            break
    return steps


def session_at(address: str | None, domain: str) -> requests.Session:
    """A session without cookies or proxies that finds the domain at this address."""
    session = requests.Session()
    session.trust_env = False  # a proxy in the controller's environment is not what users go through
    if address is not None:
        for scheme in SCHEME_PORTS:
            session.mount(f"{scheme}://{domain}", _At(address, domain))
    return session


def _blank(url: str) -> Raw:
    answer: Raw = {"url": url, "status": None, "headers": [], "body": "", "truncated": False}
    return answer | {"seconds": 0.0, "peer": None, "error": None}


def _get(deployment: Deployment, address: str | None, url: str, seconds: float, agent: str) -> Raw:
    answer = _blank(url)
    if address is None:
        return answer | {"error": {"kind": "resolve", "text": ""}}
    place = urlsplit(url)
    answer["peer"] = f"{address}:{place.port or SCHEME_PORTS[place.scheme]}"
    started = time.monotonic()
    session = session_at(address, deployment.domain)
    try:
        with session.get(
            url,
            headers={"Host": place.netloc, "Accept-Encoding": "identity", "User-Agent": agent},
            timeout=(deployment.limits.request_seconds, seconds),
            allow_redirects=False,
            stream=True,
            verify=trusted(deployment.ca_file),
        ) as response:
            answer["status"] = response.status_code
            answer["headers"] = [[name, value] for name, value in response.headers.items()]
            body, whole = read_body(response, started + seconds, deployment.limits.body_bytes)
            answer["body"], answer["truncated"] = body.decode("utf-8", "replace"), not whole
    except requests.RequestException as error:
        answer["error"] = {"kind": kind_of(error), "text": str(error)}
    except ValueError as error:  # requests reads a Location even when it is not to be followed
        answer["error"] = {"kind": "protocol", "text": str(error)}
    finally:
        session.close()
    answer["seconds"] = time.monotonic() - started
    return answer


def read_body(response: requests.Response, deadline: float, most: int) -> tuple[bytes, bool]:
    """Return what comes of a body until a time (monotonic) and up to so many bytes, and whether that is all."""
    body = b""
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > most or time.monotonic() > deadline:
            return body[:most], False
    return body, True


def kind_of(error: requests.RequestException) -> str:
    """The collector's word for what went wrong."""
    if isinstance(error, requests.exceptions.SSLError):
        return "tls"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "timeout"
    if isinstance(error, requests.exceptions.ReadTimeout):
        return "silent"
    text = str(error)
    for sign, kind in (
        ("refused", "refused"),
        ("No route", "unreachable"),
        ("unreachable", "unreachable"),
        ("timed out", "silent"),
        ("reset", "reset"),
        ("without response", "empty"),
    ):
        if sign in text:
            return kind
    return "other"
