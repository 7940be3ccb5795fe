"""When the deployment is ready: every service answers as a good one does, what others lean on first, the domain last."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import Any

from lab.readiness import Check

TIMEOUT_SECONDS = 3.0  # seconds for one question
ANY_CERTIFICATE = (
    ssl._create_unverified_context()
)  # ready is who answers; a bad certificate is for others to find
HEALTHZ = {"login": "/healthz/", "paas": "/healthz/", "esb": "/healthz/", "appengine": "/v1/healthz/"}
AGENTS = {"appo": "o", "appt": "t"}
DOMAIN_PATHS = {
    "5.x": ("/healthz/", "/login/healthz/", "/api/healthz/", "/v1/healthz/"),
    "6.x": ("/healthz/", "/login/healthz/", "/v1/healthz/"),
}
"""healthz of the services through the domain; that of esb is not reachable there on 6.x."""


def checks(layout: dict[str, Any]) -> list[Check]:
    """Everything that must be true, in the order in which it can become true."""
    ports = layout["ports"]
    return [
        *_own(layout, "mysql", "mysql", partial(greeting, ports["mysql"], b"")),
        *_of(layout, "redis", "redis", partial(greeting, ports["redis"], b"PING\r\n")),
        *_of(layout, "es", "es", partial(page, ports["es"], "/_cluster/health")),
        *_of(layout, "cmdb", "cmdb", partial(page, ports["cmdb_api"], "/")),
        *(
            check
            for name in ("fta", "gse", "usermgr")
            if name in ports
            for check in _of(layout, name, name, partial(page, ports[name], "/"))
        ),
        *(_of(layout, "iam", "bkiam", partial(page, ports["iam"], "/ping")) if "iam" in ports else ()),
        *_of(layout, "job", "job", partial(greeting, ports["job"], b"GET / HTTP/1.0\r\n\r\n")),
        *_own(layout, "paas", "login", partial(healthz, ports["login"], HEALTHZ["login"])),
        *_own(layout, "paas", "paas", partial(healthz, ports["paas"], HEALTHZ["paas"])),
        *_own(layout, "paas", "esb", partial(healthz, ports["esb"], HEALTHZ["esb"])),
        *(check for role in AGENTS for check in agent(layout, role)),
        *_own(layout, "paas", "appengine", partial(healthz, ports["appengine"], HEALTHZ["appengine"])),
        *_of(layout, "rabbitmq", "rabbitmq", partial(greeting, ports["rabbitmq"], b"AMQP\0\0\x09\x01")),
        *_of(layout, "es", "application logs", partial(log_index, ports["es"]))[
            : layout["plugins"]
        ],  # to one es
        *domain(layout),
    ]


def agent(layout: dict[str, Any], role: str) -> list[Check]:
    ports = layout["ports"]
    return [
        *_of(layout, role, "paas_agent", partial(page, ports["agent"], "/healthz")),
        *_of(
            layout,
            role,
            "bk_framework",
            partial(page, ports["agent_nginx"], f"/{AGENTS[role]}/bk_framework/"),
        ),
    ]


def domain(layout: dict[str, Any]) -> list[Check]:
    """The same by name, through every address of every nginx in front."""
    name, scheme = f"paas.{layout['domain']}", layout["scheme"]
    port = layout["ports"][scheme]
    paths = DOMAIN_PATHS[layout["generation"]]
    questions: list[tuple[Callable[..., str], str]] = [(healthz, path) for path in paths]
    for role, environment in AGENTS.items():
        if any(role in host["roles"] for host in layout["hosts"]):
            questions.append((page, f"/{environment}/bk_framework/"))
    return [
        Check(
            host["name"],
            f"{scheme}://{name}{path} at {address}",
            partial(ask, port, path, address, name=name, secure=scheme == "https"),
        )
        for host in layout["hosts"]
        if "nginx" in host["roles"]
        for address in (host["address"], *host["more_addresses"])
        for ask, path in questions
    ]


def _of(layout: dict[str, Any], role: str, name: str, missing: Callable[[str], str]) -> list[Check]:
    """One check for every host of a role; `missing` gets the host's address."""
    return [
        Check(host["name"], f"{name} answers on {host['name']}", partial(missing, host["address"]))
        for host in layout["hosts"]
        if role in host["roles"]
    ]


def _own(layout: dict[str, Any], role: str, name: str, missing: Callable[[str], str]) -> list[Check]:
    """The same for open_paas and its database: on 127.0.0.1 only its own host can ask, and the domain tells of it."""
    return [] if layout["loopback"] else _of(layout, role, name, missing)


def greeting(port: int, question: bytes, address: str) -> str:
    """Empty once the port says anything, after `question` if there is one."""
    with socket.create_connection((address, port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(question)
        return "" if connection.recv(1) else "closed without a word"


def page(port: int, path: str, address: str, **site: Any) -> str:
    status, body = _get(port, path, address, **site)
    return "" if status == 200 else f"{status} {body[:120]}"


def healthz(port: int, path: str, address: str, **site: Any) -> str:
    """Empty once the service calls itself healthy; which of its four ways it has to say so does not matter here."""
    status, body = _get(port, path, address, **site)
    try:
        content = json.loads(body)
    except ValueError:
        content = {}
    good = status == 200 and (content.get("result") is True or content.get("ok") is True)
    return "" if good else f"{status} {body[:200]}"


def log_index(port: int, address: str) -> str:
    """Empty once a line of an application has arrived in the search engine."""
    status, body = _get(port, "/paas_app_log-*/_count", address)
    count = json.loads(body).get("count", 0) if status == 200 else 0
    return "" if count else f"{status} {body[:120]}"


def _get(port: int, path: str, address: str, *, name: str = "", secure: bool = False) -> tuple[int, str]:
    """Status and body; asked for by `name` when there is one, whatever address that name has."""
    connection = HTTPConnection(address, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.connect()
        if secure:
            connection.sock = ANY_CERTIFICATE.wrap_socket(connection.sock, server_hostname=name)
        connection.request("GET", path, headers={"Host": name or address})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except HTTPException as error:
        raise OSError(f"{address}:{port}{path}: {error!r}") from error
    finally:
        connection.close()
