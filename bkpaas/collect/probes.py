"""Send the controller's own requests to the PaaS domain, like a browser without cookies."""

from __future__ import annotations

import re
import secrets
import socket
import threading
import time
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from bkpaas.collect import clock
from bkpaas.collect.certificate import fetch_certificate, try_connection, verify_option
from bkpaas.facts.access import PROBE
from bkpaas.facts.query import LOST_CONNECTION, REDIRECTS, HttpName, TcpName
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import SCHEME_PORTS, Deployment

Raw = dict[str, Any]
"""An answer in the form of the collector's, so that the same parser reads both."""

MAX_REDIRECTS = 5
_SILENT: Raw = {"error": {"kind": "silent", "text": ""}}
"""The result of a request that has not ended in time."""


def probe(deployment: Deployment) -> Raw:
    """Request every path of the domain once, in parallel.

    Returns: {"resolve", "http", "tcp", "agent", "sent"}, with https also "certificates".
        sent: when, in epoch seconds.
        agent: the User-Agent of this run, by which the log of login shows where the request arrived.
    """
    agent, sent = PROBE + secrets.token_hex(6), clock.now()
    resolution = _resolve(deployment.domain, deployment.limits.resolve_seconds)
    address = resolution["addresses"][0] if resolution["addresses"] else _nginx_address(deployment)
    requests_by_name = _domain_requests(deployment, agent)
    limits = deployment.limits
    http = {name: _blank(deployment.url(path)) | _SILENT for name, (path, _) in requests_by_name.items()}

    def send(name: str, path: str, seconds: float) -> None:
        http[name] = _get(deployment, address, deployment.url(path), seconds, agent)

    threads = [
        threading.Thread(target=send, args=(name, *how), daemon=True)
        for name, how in requests_by_name.items()
    ]
    tcp, certificates = dict[str, Raw](), dict[str, Raw]()

    def connect(server: str) -> None:
        tcp[TcpName.VIRTUAL_ADDRESS.of(server)] = try_connection(
            server, deployment.port, limits.request_seconds
        )

    def fetch(server: str) -> None:
        certificates[server] = fetch_certificate(
            server, deployment.port, deployment.domain, deployment.ca_file, limits.request_seconds
        )

    servers = _certificate_servers(deployment, address)
    tasks = [(connect, server) for server in deployment.virtual_addresses] + [
        (fetch, server) for server in servers
    ]
    threads += [threading.Thread(target=work, args=(server,), daemon=True) for work, server in tasks]
    threads += [
        threading.Thread(target=lambda: http.update(_follow(deployment, address, agent)), daemon=True)
    ]
    for thread in threads:
        thread.start()
    # requests limits the time between two bytes only; daemon threads do not delay the end of the run
    end = time.monotonic() + max(limits.healthz_seconds, MAX_REDIRECTS * limits.request_seconds)
    end += 2 * limits.request_seconds
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    answer: Raw = {
        "sent": sent,
        "resolve": {deployment.domain: resolution},
        "http": http.copy(),
        "tcp": tcp.copy(),
        "agent": agent,
    }
    if deployment.scheme == "https":
        answer["certificates"] = [
            certificates.get(server) or {"address": server, **_SILENT} for server in servers
        ]
    return answer


def _domain_requests(deployment: Deployment, agent: str) -> dict[str, tuple[str, float]]:
    """Return {name: (path, limit in seconds)} of the requests through the domain."""
    named = {
        HttpName.HEALTHZ.of(service): (path, deployment.limits.healthz_seconds)
        for service, path in platform.domain_healthz_paths(deployment).items()
    }
    named |= {
        HttpName.DOMAIN_PATH.of(path): (path, deployment.limits.request_seconds)
        for path in platform.domain_paths(deployment)
    }
    named[HttpName.IS_LOGIN_DOMAIN.value] = (
        f"{platform.IS_LOGIN_PATH}?{agent.replace('/', '=')}",
        deployment.limits.request_seconds,
    )
    return named


def _certificate_servers(deployment: Deployment, address: str | None) -> list[str]:
    """Return the addresses for the certificate check: the domain's own, then those of the nginx hosts."""
    if deployment.scheme != "https":
        return []
    addresses = (address, *(nginx.address for nginx in deployment.hosts_with("nginx")))
    return list(dict.fromkeys(server for server in addresses if server))


def domain_address(deployment: Deployment) -> str | None:
    """Return the address that the controller uses for the domain."""
    addresses = _resolve(deployment.domain, deployment.limits.resolve_seconds)["addresses"]
    return addresses[0] if addresses else _nginx_address(deployment)


def _nginx_address(deployment: Deployment) -> str | None:
    """Return an address that serves the domain, for a controller that cannot resolve it."""
    if deployment.virtual_addresses:
        return deployment.virtual_addresses[0]
    nginx = deployment.hosts_with("nginx")
    return nginx[0].address if nginx else None


def _resolve(name: str, seconds: float) -> Raw:
    """Resolve a name in a thread, since getaddrinfo has no time limit."""
    answer: Raw = {"addresses": [], "seconds": seconds, "error": "timed out"}

    def send() -> None:
        start = time.monotonic()
        try:
            infos = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            answer.update(addresses=sorted({str(entry[4][0]) for entry in infos}), error=None)
        except OSError as error:
            answer["error"] = str(error)
        answer["seconds"] = time.monotonic() - start

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(seconds)
    return dict(answer)


class _FixedAddressAdapter(HTTPAdapter):
    """Connect to a fixed address; host name and certificate check stay those of the URL."""

    def __init__(self, address: str, host: str) -> None:
        self._address, self._host = address, host
        super().__init__()

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        address, settings = super().build_connection_pool_key_attributes(request, verify, cert)
        named: dict[str, Any] = {}
        if address["scheme"] == "https":
            named = {"assert_hostname": self._host, "server_hostname": self._host}
        return {**address, "host": self._address}, {**settings, **named}


def _follow(deployment: Deployment, address: str | None, agent: str) -> dict[str, Raw]:
    """Follow the redirects from the platform to the login form, within the domain, without cookies.

    A GET of the login page with a cookie would log its owner out.
    """
    url, steps = deployment.url(platform.PLATFORM_PATH), dict[str, Raw]()
    while url not in {step["url"] for step in steps.values()} and len(steps) <= MAX_REDIRECTS:
        answer = _get(deployment, address, url, deployment.limits.request_seconds, agent)
        steps[HttpName.REDIRECT.of(len(steps) + 1)] = answer
        locations = [value for name, value in answer["headers"] if name.lower() == "location"]
        if answer["status"] not in REDIRECTS or not locations:
            break
        try:
            url = urljoin(url, locations[0])
            target = urlsplit(url)
            in_domain = (
                target.hostname == deployment.domain and target.scheme in SCHEME_PORTS and target.port != 0
            )
        except ValueError:  # an invalid port or address
            break
        if not in_domain:
            break
    return steps


def session_at(address: str | None, domain: str) -> requests.Session:
    """Return a session without cookies or proxies that connects to this address for the domain."""
    session = requests.Session()
    session.trust_env = False  # users do not go through the proxy of the controller's environment
    if address is not None:
        for scheme in SCHEME_PORTS:
            session.mount(f"{scheme}://{domain}", _FixedAddressAdapter(address, domain))
    return session


def _blank(url: str) -> Raw:
    answer: Raw = {"url": url, "status": None, "headers": [], "body": "", "truncated": False}
    return answer | {"seconds": 0.0, "peer": None, "error": None}


def _get(deployment: Deployment, address: str | None, url: str, seconds: float, agent: str) -> Raw:
    """Send a GET; repeat it while the service reports that the database closed its connection."""
    deadline = time.monotonic() + seconds
    for _ in range(int(LOST_CONNECTION["times"])):
        answer = _send_get(deployment, address, url, seconds, agent)
        lost = re.search(str(LOST_CONNECTION["when"]), answer["body"])
        if not lost or time.monotonic() > deadline:
            return answer
        time.sleep(float(LOST_CONNECTION["seconds"]))
    return _send_get(deployment, address, url, seconds, agent)


def _send_get(deployment: Deployment, address: str | None, url: str, seconds: float, agent: str) -> Raw:
    answer = _blank(url)
    if address is None:
        return answer | {"error": {"kind": "resolve", "text": ""}}
    parts = urlsplit(url)
    answer["peer"] = f"{address}:{parts.port or SCHEME_PORTS[parts.scheme]}"
    start = time.monotonic()
    session = session_at(address, deployment.domain)
    try:
        with session.get(
            url,
            headers={"Host": parts.netloc, "Accept-Encoding": "identity", "User-Agent": agent},
            timeout=(deployment.limits.request_seconds, seconds),
            allow_redirects=False,
            stream=True,
            verify=verify_option(deployment.ca_file),
        ) as response:
            answer["status"] = response.status_code
            answer["headers"] = [[name, value] for name, value in response.headers.items()]
            body, complete = read_body(response, start + seconds, deployment.limits.body_bytes)
            answer["body"], answer["truncated"] = body.decode("utf-8", "replace"), not complete
    except requests.RequestException as error:
        answer["error"] = {"kind": error_kind(error), "text": str(error)}
    except ValueError as error:  # requests parses Location even without following it
        answer["error"] = {"kind": "protocol", "text": str(error)}
    finally:
        session.close()
    answer["seconds"] = time.monotonic() - start
    return answer


def read_body(response: requests.Response, deadline: float, limit: int) -> tuple[bytes, bool]:
    """Return (body, complete), read until a deadline (monotonic) and up to `limit` bytes."""
    body = b""
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > limit or time.monotonic() > deadline:
            return body[:limit], False
    return body, True


def error_kind(error: requests.RequestException) -> str:
    """Return the collector's error kind for an error of requests."""
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
