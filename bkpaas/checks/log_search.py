"""Helpers of the checks of the log search: is it installed, and on which hosts are its parts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from bkpaas.checks.lookup import HostLookup
from bkpaas.errors import NoData, NotApplicable
from bkpaas.facts import HostView, LogPlugin, Missing, RedisTarget
from bkpaas.facts.settings import SEARCH_SETTINGS
from bkpaas.inventory.deployment import Deployment
from bkpaas.inventory.platform import LOG_PLUGIN_ROLES
from bkpaas.messages import Message, msg

IpAddress = IPv4Address | IPv6Address


def require_log_search(deployment: Deployment, host_facts: HostLookup) -> None:
    """Raise NotApplicable if no host has a part of the log search; the community edition has none.

    Raises:
        NotApplicable: no host has a part of it.
        NoData: no collected host has a part of it, and some host was not collected.
    """
    host_facts.once("log-search", lambda lookup: _require_log_search(deployment, lookup))


def _require_log_search(deployment: Deployment, host_facts: HostLookup) -> None:
    not_collected = []
    for entry in deployment.selected(*LOG_PLUGIN_ROLES):
        facts = host_facts(entry.name)
        if entry.has_role("paas") and _search_setting(facts):
            return
        if isinstance(facts.facts.log_plugins, Missing):
            not_collected.append(entry.name)
            continue
        plugins = facts.log_plugins
        if any(one.filled or one.pids for one in (plugins.agent, plugins.parser)):
            return
    if not_collected:
        raise NoData(
            msg("no paas_plugins found, but {hosts} could not be collected", hosts=", ".join(not_collected))
        )
    raise NotApplicable(
        msg(
            "no log_agent, no log_parser and no ELASTICSEARCH setting on any host: an edition without paas_plugins"
        )
    )


def _search_setting(host: HostView) -> bool:
    if isinstance(host.facts.settings, Missing):
        return False
    project = host.settings.by_project.get("paas")
    values = [project.get(name) for name in SEARCH_SETTINGS] if project else []
    return any(value is not None and bool(value.value or value.kind == "expression") for value in values)


def parsers(
    deployment: Deployment, host_facts: HostLookup
) -> tuple[list[tuple[HostView, LogPlugin]], list[str]]:
    """Return ([(host, its log_parser)], names of hosts without data)."""
    return host_facts.once("parsers", lambda lookup: _parsers(deployment, lookup))


def _parsers(
    deployment: Deployment, host_facts: HostLookup
) -> tuple[list[tuple[HostView, LogPlugin]], list[str]]:
    collected, not_collected = [], []
    for entry in deployment.selected(*LOG_PLUGIN_ROLES):
        facts = host_facts(entry.name)
        if isinstance(facts.facts.log_plugins, Missing):
            not_collected.append(entry.name)
        else:
            collected.append((facts, facts.log_plugins.parser))
    return collected, not_collected


def addresses(host: HostView, name: str, deployment: Deployment) -> set[IpAddress] | None:
    """Return the addresses of an address or name as this host resolves it, None if it does not resolve.

    Loopback stands for the addresses of the host itself.
    """
    resolved = None if isinstance(host.facts.names, Missing) else host.names.get(name)
    resolved_addresses = valid_addresses([name, *(resolved.addresses if resolved else ())])
    if any(address.is_loopback for address in resolved_addresses):
        resolved_addresses |= own_addresses(host, deployment)
    return {address for address in resolved_addresses if not address.is_loopback} or None


def own_addresses(host: HostView, deployment: Deployment) -> set[IpAddress]:
    """Return the addresses of a host from the inventory and from its facts, without loopback."""
    own = () if isinstance(host.facts.addresses, Missing) else host.addresses.items
    valid = valid_addresses([deployment.host(host.name).address, *own])
    return {address for address in valid if not address.is_loopback}


def _owners(deployment: Deployment, host_facts: HostLookup) -> dict[IpAddress, set[str]]:
    """Return the names of the hosts that have an address, by their facts."""

    def compute(lookup: HostLookup) -> dict[IpAddress, set[str]]:
        found: dict[IpAddress, set[str]] = {}
        for one in deployment.selected():
            for address in own_addresses(lookup(one.name), deployment):
                found.setdefault(address, set()).add(one.name)
        return found

    return host_facts.once("owners-of-addresses", compute)


def _listed(deployment: Deployment) -> dict[IpAddress, set[str]]:
    """Return the names of the hosts that have an address, by the inventory."""

    def compute() -> dict[IpAddress, set[str]]:
        found: dict[IpAddress, set[str]] = {}
        for one in deployment.hosts:
            for address in valid_addresses([one.address]):
                found.setdefault(address, set()).add(one.name)
        return found

    return deployment.once("hosts-by-address", compute)


def hosts_at(wanted: set[IpAddress] | None, deployment: Deployment, host_facts: HostLookup) -> list[str]:
    """Return the names of the hosts that have any of these addresses, by the inventory, else by their facts."""
    listed = _listed(deployment)
    names = {name for address in wanted or () for name in listed.get(address, ())}
    if not names:
        owners = _owners(deployment, host_facts)
        names = {name for address in wanted or () for name in owners.get(address, ())}
    return sorted(names, key=deployment.position)


def valid_addresses(texts: Iterable[str]) -> set[IpAddress]:
    """Return the words that are IP addresses."""
    return {address for address in map(_address, texts) if address is not None}


@lru_cache(maxsize=4096)
def _address(text: str) -> IpAddress | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_loopback(text: str) -> bool:
    """Return whether a text is a loopback address."""
    return any(address.is_loopback for address in valid_addresses([text]))


def unknown_field(target: RedisTarget, field: str) -> Message:
    """Return the text for a field of a redis that could not be read from its file."""
    return msg(
        "{location}: {field} {reason}",
        location=f"{target.file}:{target.line}",
        field=field,
        reason=target.unknown[field],
    )


def redis_endpoint(target: RedisTarget) -> str:
    """Return host:port of a redis."""
    return f"{target.host}:{target.port}"
