"""Find the addresses in the settings at which nothing answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bkpaas.checks.case import CaseMessage, about, case
from bkpaas.checks.phrases import mentions, no_answer
from bkpaas.errors import NoData, message_of
from bkpaas.facts import Connection, HostView, health
from bkpaas.facts.query import HttpName, TcpName
from bkpaas.facts.setting_places import is_asked, setting_places
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import Message, msg

_SYSTEMS = {"HOST_CC": "CC", "HOST_CC_V3": "CC", "HOST_JOB": "JOB", "HOST_FTA": "FTA", "REDIS_HOST": "redis"}
"""Setting -> what a healthz calls the system."""


class Unanswered(NamedTuple):
    """Represent a setting whose address does not accept connections."""

    project: str
    name: str
    where: str
    """file:line."""
    host: str
    port: int
    connection: Connection


def unanswered_places(
    host: HostView, deployment: Deployment, unclear: list[Message | str]
) -> Iterator[Unanswered]:
    """Yield the settings of a paas host whose address refuses connections or does not answer.

    The front of the platform has conditions of its own. A healthz that names the system reports it where the address is
    that of a host of the inventory: there the system is down, elsewhere the address may be wrong.

    Args:
        unclear: gets why an address is not known to accept connections.
    """
    known = {entry.address for entry in deployment.hosts}
    for (place, port), users in setting_places(host.settings).items():
        if not is_asked(place, port, (name for _, name in users), deployment):
            continue
        inside = place in known or bool(known.intersection(host.names.of(place)))
        connection = _connection(host, f"{place}:{port}", unclear)
        if connection is None or connection.error_kind not in ("refused", "timeout", "unreachable"):
            continue
        for project, name in users:
            if inside and _is_reported(host, project, name):
                continue
            values = host.settings.by_project[project].values
            if name == "REDIS_HOST" and inside and port != deployment.service_port("redis"):
                name = "REDIS_PORT" if "REDIS_PORT" in values else name
            value = values[name]
            yield Unanswered(project, name, f"{value.file}:{value.line}", place, port, connection)


def _connection(host: HostView, endpoint: str, unclear: list[Message | str]) -> Connection | None:
    """Return the connection to an address in the settings; None: it was not tried, and `unclear` gets why."""
    try:
        return host.connections.get(TcpName.SETTING, endpoint)
    except NoData as reason:
        unclear.append(message_of(reason))
        return None


def _is_reported(host: HostView, project: str, name: str) -> bool:
    """Return whether the healthz of a project fails and names a setting or its system."""
    try:
        answer = host.answers.get(HttpName.HEALTHZ, project)
    except NoData:
        return False
    state = health(project, answer)
    message = state.message or ""
    return not state.healthy and any(mentions(message, word) for word in (name, _SYSTEMS.get(name, name)))


def unanswered_case(one: Unanswered) -> CaseMessage:
    """Return the case of an address without an answer."""
    evidence = msg(
        "{where}: {name} leads to {place}, where a connection fails: {reason}",
        where=one.where,
        name=one.name,
        place=f"{one.host}:{one.port}",
        reason=no_answer(one.connection.error_kind),
    )
    value = f"{one.host}:{one.port}"
    if one.connection.error_kind == "refused":
        message = case("refused", evidence, key=one.name, projects=one.project, value=value)
    else:
        message = case("silent", evidence, key=one.name, projects=one.project, value=value)
    return about(message, f"setting:{one.name}")
