"""Connect from the paas hosts to what their settings name: CMDB, JOB, FTA, redis, and a login or appengine elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bkpaas.facts.names import CONSUL_SUFFIX
from bkpaas.facts.query import Earlier, Query, TcpConnect, TcpName
from bkpaas.facts.settings import Settings, SettingsByProject, location_host, location_port
from bkpaas.inventory.deployment import DEFAULT_PORTS, Deployment, Host

PLACES = ("HOST_CC", "HOST_CC_V3", "HOST_JOB", "HOST_FTA", "REDIS_HOST")
"""Settings with the address of another system."""
SERVICES = ("LOGIN_HOST", "ENGINE_HOST", "HOST_BK_LOGIN")
"""Settings with the address of a service of open_paas; on a host of the inventory it is requested as that service."""
_REDIS, _REDIS_PORT = "REDIS_HOST", "REDIS_PORT"
_MOST_PLACES = 12


def setting_place(settings: Settings, name: str) -> tuple[str, int] | None:
    """Return host and port of a setting; None if it is empty, not known or not one address."""
    value = settings.values.get(name)
    if value is None or value.kind != "str" or not isinstance(value.value, str):
        return None
    host, port = location_host(value.value), location_port(value.value)
    if name == _REDIS:
        number = settings.values.get(_REDIS_PORT)
        text = str(number.value) if number is not None and number.value is not None else ""
        port = int(text) if text.isdecimal() and len(text) < 6 else DEFAULT_PORTS["redis"]
    if not host or "," in host or ";" in host or " " in host:
        return None
    return host, port or 80


def setting_places(settings: SettingsByProject) -> dict[tuple[str, int], list[tuple[str, str]]]:
    """Return project and name of the settings with each address, the addresses in their order."""
    places: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for project, its in settings.by_project.items():
        for name in (*PLACES, *SERVICES):
            if (place := setting_place(its, name)) is not None:
                places.setdefault(place, []).append((project, name))
    return dict(list(places.items())[:_MOST_PLACES])


def is_front(host: str, port: int, deployment: Deployment) -> bool:
    """Return whether an address is that of nginx in front, which has conditions of its own."""
    front = {deployment.domain, *deployment.fqdns.values(), *deployment.virtual_addresses}
    return port == deployment.port and host in {name.lower() for name in front}


def is_asked(host: str, port: int, names: Iterable[str], deployment: Deployment) -> bool:
    """Return whether an address in settings is connected to: not the front, nor a service on a host of the inventory.

    names: of the settings with this address.
    """
    if is_front(host, port, deployment):
        return False
    known = {entry.address for entry in deployment.hosts} | {"localhost", "127.0.0.1"}
    inside = host in known or host.endswith(CONSUL_SUFFIX)
    return not (inside and set(names) <= set(SERVICES))


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Connect in round 2; nothing is sent."""
    if earlier is None or not entry.has_role("paas"):
        return
    settings = earlier.hosts[entry.name].settings
    if isinstance(settings, SettingsByProject):
        for (host, port), users in setting_places(settings).items():
            if not is_asked(host, port, (name for _, name in users), deployment):
                continue
            name = TcpName.SETTING.of(f"{host}:{port}")
            yield TcpConnect(name, host, port, deployment.limits.request_seconds, read=0)
