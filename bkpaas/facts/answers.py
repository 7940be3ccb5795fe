"""Parse the answers to HTTP requests and TCP connections."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Literal

from msgspec import UNSET, field

from bkpaas.errors import NoData
from bkpaas.facts import database, raw
from bkpaas.facts.database import DatabaseLogin
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.names import RESOLVER_SILENT
from bkpaas.facts.query import LOST_CONNECTION, Earlier, HttpName, Query, TcpName, http_get, large_get
from bkpaas.facts.ranges import Seconds
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.uwsgi import service_endpoint
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

_BODY_LENGTH = 4000
"""Of what is kept of a body, in characters."""
_PAGE_LENGTH = 100_000
_MOST_INPUTS = 30

Greeting = Literal["mysql", "mysql-error", "amqp", "ssh", "none", "other"]


class Answer(Record, frozen=True):
    """Represent one HTTP answer; redirects are not followed."""

    url: str
    status: int | None = None
    """None: there was no answer, see error_kind."""
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case; repeated ones joined by a line end."""
    body: str = ""
    """Without secrets, cut."""
    seconds: Seconds | None = None
    peer: str | None = None
    """address:port."""
    error_kind: str | None = None
    """refused timeout silent unreachable reset resolve resolver tls protocol empty withheld other."""
    error_text: Message | str | None = None
    truncated: bool = False
    inputs: tuple[str, ...] = ()
    """The names of the input fields of an HTML page, also beyond where its body is cut."""

    def __post_init__(self) -> None:
        """Refuse an answer without status whose reason is not given, also where it is decoded."""
        if self.status is None and self.error_kind is None:
            raise ValueError("an answer has neither a status nor an error")

    @property
    def ok(self) -> bool:
        """Return whether an answer was received."""
        return self.error_kind is None

    def json(self) -> dict[str, Any] | None:
        """Return the body if it is a JSON object, else None."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return body if isinstance(body, dict) else None


class Answers(Fact, frozen=True):
    """Hold HTTP answers by the name of their query."""

    by_name: dict[str, Answer]
    missing: dict[str, Message | str] = field(default_factory=dict)
    """Why the answer for a name cannot be used."""

    def get(self, name: HttpName, *parts: object) -> Answer:
        """Return an answer. Raises NoData if there was no such query or its answer is not usable."""
        key = name.of(*parts)
        if key in self.missing:
            raise NoData(self.missing[key])
        if key not in self.by_name:
            raise NoData(msg("not queried: {key}", key=key))
        return self.by_name[key]

    def find(self, name: str) -> Answer | None:
        """Return an answer; None when it was not asked. NoData: the answer cannot be used."""
        if name in self.missing:
            raise NoData(self.missing[name])
        return self.by_name.get(name)


class Connection(Record, frozen=True):
    """Represent one TCP connection and the first bytes of the peer."""

    error_kind: str | None = None
    error_text: Message | str | None = None
    seconds: Seconds | None = None
    greeting: Greeting = "none"
    text: str = ""
    login: DatabaseLogin | None = None
    """Of a connection to a database."""

    @property
    def ok(self) -> bool:
        return self.error_kind is None


class Connections(Fact, frozen=True):
    by_name: dict[str, Connection]
    missing: dict[str, Message | str] = field(default_factory=dict)
    """Why the answer for a name cannot be used."""

    def get(self, name: TcpName, *parts: object) -> Connection:
        """Return a connection. Raises NoData if it was not tried or its answer is not usable."""
        key = name.of(*parts)
        if key in self.missing:
            raise NoData(self.missing[key])
        if key not in self.by_name:
            raise NoData(msg("not connected: {key}", key=key))
        return self.by_name[key]


def answers(
    section: dict[str, dict[str, Any]], secrets: Secrets, missing: dict[str, Message | str] | None = None
) -> Answers:
    """Parse the raw HTTP answers by name."""
    large = HttpName.LARGE.value  # of these only that they arrive is of interest
    shown = {name: item | {"body": ""} if name.startswith(large) else item for name, item in section.items()}
    by_name = {name: answer(item, secrets) for name, item in shown.items()}
    return Answers(by_name=by_name, missing=missing or {})


def answer(item: dict[str, Any], secrets: Secrets) -> Answer:
    """Parse one raw HTTP answer."""
    error_text: Message | str | None
    error_kind, error_text = error_of(item, secrets)
    status = raw.integer(item.get("status"))
    if status is None and error_kind is None:
        error_kind, error_text = "other", msg("no status")
    body = raw.text(item.get("body"), 1_000_000) or ""
    headers = _headers(item.get("headers"), secrets)
    return Answer(
        url=secrets.truncate(raw.text(item.get("url"), 2000) or "", 500),
        status=status,
        headers=headers,
        body=secrets.truncate(body, _BODY_LENGTH),
        seconds=raw.number(item.get("seconds")),
        peer=raw.text(item.get("peer"), 100),
        error_kind=error_kind,
        error_text=error_text,
        truncated=item.get("truncated") is True or len(body) > _BODY_LENGTH,
        inputs=_inputs(body) if "html" in headers.get("content-type", "") and "<input" in body else (),
    )


class _Inputs(HTMLParser):
    """Collect the names of all input fields."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        name = dict(attributes).get("name")
        if tag == "input" and name:
            self.names.append(name[:50])


def _inputs(page: str) -> tuple[str, ...]:
    parser = _Inputs()
    parser.feed(page[:_PAGE_LENGTH])
    return tuple(parser.names[:_MOST_INPUTS])


def error_of(item: dict[str, Any], secrets: Secrets) -> tuple[str | None, str | None]:
    """Return kind and text of the error of a request or connection, or None."""
    error = item.get("error")
    if error is None:
        return None, None
    record = raw.record(error)
    kind, text = raw.text(record.get("kind"), 20) or "other", raw.text(record.get("text")) or ""
    if (kind, text) == ("resolve", RESOLVER_SILENT):
        kind = "resolver"
    return kind, secrets.truncate(text, 300)


def _headers(pairs: Any, secrets: Secrets) -> dict[str, str]:
    headers: dict[str, str] = {}
    for pair in pairs[:100] if isinstance(pairs, list) else ():
        name = pair[0].lower()[:100]
        value = secrets.header(name, pair[1][:2000])[:500]
        headers[name] = f"{headers[name]}\n{value}" if name in headers else value
    return headers


def connections(
    section: dict[str, dict[str, Any]], secrets: Secrets, missing: dict[str, Message | str] | None = None
) -> Connections:
    """Parse the raw TCP connections by name."""
    by_name = {name: _connection(item, secrets) for name, item in section.items()}
    return Connections(by_name=by_name, missing=missing or {})


def _connection(item: dict[str, Any], secrets: Secrets) -> Connection:
    error_kind, error_text = error_of(item, secrets)
    try:
        data = base64.b64decode(raw.text(item.get("data"), 100_000) or "")
    except (binascii.Error, ValueError):
        data = b""
    kind, text = greeting(data)
    return Connection(
        error_kind=error_kind,
        error_text=error_text,
        seconds=raw.number(item.get("seconds")),
        greeting=kind,
        text=secrets.truncate(text, 200),
        login=database.login(item, secrets),
    )


def greeting(data: bytes) -> tuple[Greeting, str]:
    """Return the kind of server with this greeting, and the text of the greeting."""
    if not data:
        return "none", ""
    if data.startswith(b"SSH-"):
        return "ssh", _printable(data.partition(b"\n")[0])
    if data.startswith(b"AMQP"):
        return "amqp", _printable(data[:8])
    # MySQL: 3 bytes of length, the number 0, then protocol 10 and a version, or 255, a code and a message.
    if len(data) > 5 and data[3] == 0 and data[4] == 10:
        return "mysql", _printable(data[5:].partition(b"\0")[0])
    if len(data) > 7 and data[3] == 0 and data[4] == 255:
        return "mysql-error", f"{int.from_bytes(data[5:7], 'little')} {_printable(data[7:])}"
    return "other", _printable(data[:64])


def _printable(data: bytes) -> str:
    return "".join(c if c.isprintable() else "." for c in data.decode("utf-8", "replace"))


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return requests to services, agents, nginx upstream servers and login, from the hosts that depend on them."""
    if earlier is None:
        return
    if entry.has_role("paas"):
        yield from _of_services(entry, deployment, earlier)
    if entry.has_role("nginx"):
        yield from _of_paas_hosts(deployment, earlier)
        nginx = earlier.hosts[entry.name].nginx
        for address, port in () if isinstance(nginx, Missing) else nginx.http_servers():
            yield http_get(deployment, HttpName.UPSTREAM.of(address, port), f"http://{address}:{port}/")
    if entry.has_role("nginx", "paas"):
        yield from _of_app_hosts(entry, deployment)
    if entry.has_role("appo", "appt"):
        yield from _of_own_agent(entry, deployment, earlier)
    if entry.has_role(*platform.LOGIN_CALLER_ROLES):
        url = deployment.url(platform.IS_LOGIN_PATH)
        yield http_get(deployment, HttpName.IS_LOGIN_DOMAIN.value, url)
        yield large_get(deployment, HttpName.LARGE_DOMAIN.value, deployment.url(_large_paths(deployment)[0]))
        if deployment.scheme == "https":
            yield http_get(deployment, HttpName.DOMAIN_TRUSTED.value, url, own_trust=True)


def _large_paths(deployment: Deployment) -> tuple[str, str]:
    """Return the paths of login through the domain and on its own port whose large request is answered by login alone.

    The answer is a page of several packets on 5.x; on 6.x login asks usermgr for that page, and it waits with it.
    """
    if deployment.generation == "6.x":
        return platform.IS_LOGIN_PATH, platform.SERVICE_PATHS["login"]
    return platform.LOGIN_PAGE_PATH, "/"


def _of_services(entry: Host, deployment: Deployment, earlier: Earlier) -> Iterator[Query]:
    """Return requests to the services of a paas host, at the addresses of its configuration."""
    facts = earlier.hosts[entry.name]
    services = [name for name in platform.OPEN_PAAS_SERVICES if platform.has_project(entry, name)]
    if not isinstance(facts.services, Missing) and "console" in facts.services.by_name:
        services.append("console")
    for service in services:
        address, port = service_endpoint(service, entry, deployment, facts)
        base, seconds = f"http://{address}:{port}", deployment.limits.healthz_seconds
        healthz = base + platform.HEALTHZ_PATHS[service]
        again = LOST_CONNECTION if service == "esb" else UNSET
        yield http_get(deployment, HttpName.HEALTHZ.of(service), healthz, seconds=seconds, again=again)
        if service in platform.SERVICE_PATHS:
            yield http_get(deployment, HttpName.SERVICE.of(service), base + platform.SERVICE_PATHS[service])
        if service == "login":
            yield http_get(deployment, HttpName.IS_LOGIN_V2.value, base + platform.IS_LOGIN_V2_PATH)
            yield large_get(deployment, HttpName.LARGE.value, base + _large_paths(deployment)[1])
        if service == "esb":
            url = base + platform.IS_LOGIN_ESB_PATH
            yield http_get(deployment, HttpName.IS_LOGIN_ESB.value, url, again=LOST_CONNECTION)


def _of_paas_hosts(deployment: Deployment, earlier: Earlier) -> Iterator[Query]:
    for paas in deployment.hosts_with("paas"):
        for service, path in platform.SERVICE_PATHS.items():
            if not platform.has_project(paas, service):
                continue
            _, port = service_endpoint(service, paas, deployment, earlier.hosts.get(paas.name))
            address = _as_nginx_sees(paas, deployment, port, earlier)
            name = HttpName.SERVICE_OF_HOST.of(service, paas.name)
            yield http_get(deployment, name, f"http://{address}:{port}{path}")
            if service == "login":
                large = f"http://{address}:{port}{_large_paths(deployment)[1]}"
                yield large_get(deployment, HttpName.LARGE_OF_HOST.of(paas.name), large)


def _as_nginx_sees(paas: Host, deployment: Deployment, port: int, earlier: Earlier) -> str:
    """Return the address under which nginx' own files name a paas host; else the inventory's."""
    facts = earlier.hosts.get(paas.name)
    addresses = {paas.address}
    if facts is not None and not isinstance(facts.addresses, Missing) and paas.has_role("nginx"):
        addresses |= set(facts.addresses.items)
    for entry in deployment.hosts_with("nginx"):
        nginx = earlier.hosts[entry.name].nginx if entry.name in earlier.hosts else None
        for server in () if nginx is None or isinstance(nginx, Missing) else nginx.http_servers():
            if server[0] in addresses and server[1] == port:
                return server[0]
    return paas.address


def _of_app_hosts(entry: Host, deployment: Deployment) -> Iterator[Query]:
    for app in deployment.hosts_with("appo", "appt"):
        url = f"http://{app.address}:{deployment.service_port('agent_nginx')}/"
        yield http_get(deployment, HttpName.AGENT_NGINX_OF_HOST.of(app.name), url)
        if entry.has_role("paas"):
            url = f"http://{app.address}:{deployment.service_port('paas_agent')}/healthz"
            yield http_get(deployment, HttpName.AGENT_HEALTHZ_OF_HOST.of(app.name), url)


def _of_own_agent(entry: Host, deployment: Deployment, earlier: Earlier) -> Iterator[Query]:
    url = f"http://{entry.address}:{deployment.service_port('agent_nginx')}/"
    yield http_get(deployment, HttpName.AGENT_NGINX.value, url)
    address, port = entry.address, deployment.service_port("paas_agent")
    agent = earlier.hosts[entry.name].agent
    if not isinstance(agent, Missing) and agent.config is not None:
        address, port = agent.config.ip or address, agent.config.port or port
    yield http_get(deployment, HttpName.AGENT_HEALTHZ.value, f"http://{address}:{port}/healthz")
