"""What several conditions of the search for logs ask first: is it there at all, and where are its parts?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

from bkpaas.errors import NoData, NotApplicable
from bkpaas.facts import HostView, LogPlugin, Missing, RedisTarget
from bkpaas.facts.settings import SEARCH_SETTINGS
from bkpaas.inventory.deployment import Deployment
from bkpaas.inventory.platform import LOG_PLUGIN_ROLES
from bkpaas.lang import say

Views = Callable[[str], HostView]
Address = IPv4Address | IPv6Address


def in_use(deployment: Deployment, host_facts: Views) -> None:
    """Whether this deployment has the search for logs: a part of it on any host. The community edition has none.

    Raises NotApplicable, and NoData where a host that could not be looked at may have it.
    """
    unseen = []
    for known in deployment.judged(*LOG_PLUGIN_ROLES):
        facts = host_facts(known.name)
        if known.has("paas") and _search_setting(facts):
            return
        if isinstance(facts.facts.log_plugins, Missing):
            unseen.append(known.name)
            continue
        plugins = facts.log_plugins
        if any(one.filled or one.pids for one in (plugins.agent, plugins.parser)):
            return
    if unseen:
        raise NoData(
            say(
                en=f"no paas_plugins found, but {', '.join(unseen)} could not be looked at",
                zh=f"没有发现 paas_plugins，但未能查看 {', '.join(unseen)}",
            )
        )
    raise NotApplicable(
        say(
            en="no log_agent, no log_parser and no ELASTICSEARCH setting on any host: an edition without paas_plugins",
            zh="所有主机上都没有 log_agent、log_parser 和 ELASTICSEARCH 配置：该版本不含 paas_plugins",
        )
    )


def _search_setting(host: HostView) -> bool:
    if isinstance(host.facts.settings, Missing):
        return False
    project = host.settings.by_project.get("paas")
    values = [project.get(name) for name in SEARCH_SETTINGS] if project else []
    return any(value is not None and bool(value.value or value.kind == "expression") for value in values)


def parsers(deployment: Deployment, host_facts: Views) -> tuple[list[tuple[HostView, LogPlugin]], list[str]]:
    """([(host, its log_parser)], names of hosts that could not be looked at)."""
    found, unseen = [], []
    for known in deployment.judged(*LOG_PLUGIN_ROLES):
        facts = host_facts(known.name)
        if isinstance(facts.facts.log_plugins, Missing):
            unseen.append(known.name)
        else:
            found.append((facts, facts.log_plugins.parser))
    return found, unseen


def addresses(host: HostView, place: str, deployment: Deployment) -> set[Address] | None:
    """What an address or name means on this host: loopback is that host; None: it does not resolve."""
    resolved = None if isinstance(host.facts.names, Missing) else host.names.get(place)
    found = valid([place, *(resolved.addresses if resolved else ())])
    if any(address.is_loopback for address in found):
        found |= own_addresses(host, deployment)
    return {address for address in found if not address.is_loopback} or None


def own_addresses(host: HostView, deployment: Deployment) -> set[Address]:
    """Of a host: the inventory's and all that it says it has, loopback not among them."""
    own = () if isinstance(host.facts.addresses, Missing) else host.addresses.items
    found = valid([deployment.host(host.name).address, *own])
    return {address for address in found if not address.is_loopback}


def hosts_at(found: set[Address] | None, deployment: Deployment, host_facts: Views) -> list[str]:
    """The names of the hosts that have any of these addresses: by the inventory, else by what they say themselves."""
    there = found or set()
    names = [one.name for one in deployment.hosts if valid([one.address]) & there]
    return names or [
        one.name for one in deployment.judged() if own_addresses(host_facts(one.name), deployment) & there
    ]


def valid(words: list[str]) -> set[Address]:
    """Those that are addresses."""
    found: set[Address] = set()
    for word in words:
        with suppress(ValueError):
            found.add(ip_address(word))
    return found


def place(target: RedisTarget) -> str:
    """host:port, for a person."""
    return f"{target.host}:{target.port}"
