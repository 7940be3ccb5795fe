"""The request flow of the record: its stations and steps, with the conditions that judge them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bkpaas.catalogue import model
from bkpaas.catalogue.registry import CONDITIONS, CUSTOM_CONDITIONS, TOPOLOGY
from bkpaas.catalogue.scope import PerHost, roles_of
from bkpaas.catalogue.topology import Station, Step
from bkpaas.language import get_language, other_language
from bkpaas.record import FlowPart


def request_flow() -> list[FlowPart]:
    """Return the stations and steps of the request flow, with the conditions that judge them.

    A condition that the topology names nowhere belongs to the stations of the roles that it is judged on, or to
    open_paas if there is no such station, so that no failure leaves the whole picture green.
    """
    drawn: list[Station | Step] = [*TOPOLOGY.station.values(), *TOPOLOGY.step.values()]
    named = {condition for part in drawn for condition in (*TOPOLOGY.conditions(part), *_anywhere(part))}
    others = {
        name: _judged_roles(condition)
        for name, condition in {**CONDITIONS, **CUSTOM_CONDITIONS}.items()
        if name not in named
    }
    shown = {role for key in STATIONS_OF_HOSTS for role in TOPOLOGY.station[key].roles}
    stations = [
        FlowPart(
            key=key,
            title=station.name.in_(get_language()),
            translated=station.name.in_(other_language()),
            conditions=[*TOPOLOGY.conditions(station), *_on_roles(key, station.roles, others)],
            roles=list(station.roles),
            anywhere=[
                name
                for name, roles_ in others.items()
                if key == PLATFORM and not (roles_ & shown or EVERY in roles_)
            ],
        )
        for key, station in TOPOLOGY.station.items()
    ]
    steps = [
        FlowPart(
            key=key,
            title="",
            translated="",
            conditions=list(TOPOLOGY.conditions(step)),
            roles=list(step.roles),
            anywhere=list(step.anywhere),
        )
        for key, step in TOPOLOGY.step.items()
    ]
    return stations + steps


PLATFORM = "open_paas"
"""The station of conditions whose hosts have no station."""
STATIONS_OF_HOSTS = ("nginx", PLATFORM, "cmdb", "job", "appo", "appt", "mysql", "redis", "es")
"""The stations that stand for all that is judged on hosts of their roles."""


EVERY = "every-host"


def _judged_roles(condition: model.Condition) -> set[str]:
    """Return the roles that a condition is judged on; EVERY: on each host."""
    roles = {role for scope in condition.scopes for role in roles_of(scope)}
    every = any(isinstance(scope, PerHost) and not scope.roles for scope in condition.scopes)
    return {*roles, EVERY} if every else roles


def _on_roles(key: str, roles: Sequence[str], others: Mapping[str, set[str]]) -> list[str]:
    """Return the other conditions that are judged on hosts of these roles."""
    if key not in STATIONS_OF_HOSTS:
        return []
    return [name for name, roles_ in others.items() if roles_ & {*roles, EVERY}]


def _anywhere(part: Station | Step) -> Sequence[str]:
    return part.anywhere if isinstance(part, Step) else ()
