"""Merge the hosts of install.config and deployment.yaml."""

from __future__ import annotations

import os
from collections.abc import Mapping

from bkpaas.inventory import words
from bkpaas.inventory.connections import connection, target
from bkpaas.inventory.deployment import Host
from bkpaas.inventory.overlay import HostEntry, Overlay
from bkpaas.inventory.problems import Problems
from bkpaas.messages import Message, msg, series


def merged(
    listed: Mapping[str, set[str]],
    overlay: Overlay,
    problems: Problems,
    projects: Mapping[str, set[str]] | None = None,
) -> tuple[Host, ...]:
    """Return the hosts in order of name.

    listed: {address: roles} of install.config, or empty. projects: {address: projects of paas} where it names them.
    """
    entries = {entry.address: entry for entry in overlay.hosts}
    hosts: dict[str, Host] = {}
    for address in {**listed, **entries}:
        entry = entries.get(address) or HostEntry(address, line=0)
        if entry.roles is None and address not in listed:
            _refuse_unlisted(entry, overlay, problems)
        roles = listed.get(address, set()) if entry.roles is None else entry.roles
        hosts[address] = Host(
            name=entry.name or address,
            address=address,
            roles=tuple(sorted({*roles, *entry.add_roles})),
            connection=connection(entry.connect.over(overlay.connect), address),
            projects=tuple(sorted((projects or {}).get(address, ()))),
        )
    _check_distinct(hosts, overlay, problems)
    return tuple(sorted(hosts.values(), key=lambda host: host.name))


def oddities(hosts: tuple[Host, ...]) -> list[Message]:
    """Return notes for the user about the hosts."""
    notes = [_unknown(hosts)] if any(words.unknown_roles(host.roles) for host in hosts) else []
    if not any(host.has_role("paas") for host in hosts):
        notes.append(msg("no host has the role paas"))
    elif not any(host.has_role("nginx") for host in hosts):
        notes.append(msg("no nginx host: the request flow is checked from the controller only"))
    for host in hosts:
        if not host.roles:
            notes.append(msg("{name} has no role", name=host.name))
        if host.has_role("appo") and host.has_role("appt"):
            notes.append(
                msg("{name} is appo and appt: both use the same port, only appo takes effect", name=host.name)
            )
    connections = [host.connection for host in hosts]
    paths = {
        path
        for connection in connections
        for path in (connection.key, connection.known_hosts, connection.ssh_config)
        if path
    }
    missing = sorted(path for path in paths if not os.path.exists(path))
    return notes + [msg("{path} does not exist", path=path) for path in missing]


def _unknown(hosts: tuple[Host, ...]) -> Message:
    """Return one note for all unknown roles: word, similar role, hosts."""
    hosts_by_word: dict[str, list[str]] = {}
    for host in hosts:
        for word in words.unknown_roles(host.roles):
            hosts_by_word.setdefault(word, []).append(host.name)
    texts = []
    for word, names in sorted(hosts_by_word.items()):
        near, listed = words.near_roles(word), ", ".join(names)
        texts.append(
            msg("{role} (did you mean {near}?) of {hosts}", role=word, near=near, hosts=listed)
            if near
            else msg("{role} of {hosts}", role=word, hosts=listed)
        )
    return msg("unknown roles, kept: {roles}", roles=series(texts))


def _refuse_unlisted(entry: HostEntry, overlay: Overlay, problems: Problems) -> None:
    problems.add(
        overlay.file,
        entry.line,
        msg("{address} has no roles: and is not in install.config", address=entry.address),
        msg("correct the address, or add roles: [paas, ...]"),
    )


def _check_distinct(hosts: dict[str, Host], overlay: Overlay, problems: Problems) -> None:
    """Report a name that is another host's address, and hosts with the same connection: with a line copied
    and not changed, one machine would be judged as two."""
    lines = {entry.address: entry.line for entry in overlay.hosts}
    reached: dict[str, Host] = {}
    for host in hosts.values():
        if host.name != host.address and host.name in hosts:
            problems.add(
                overlay.file,
                lines[host.address],
                msg("{name} is the address of another host", name=host.name),
                msg("choose another name"),
            )
        endpoint = target(host.connection.spec)
        other = reached.setdefault(endpoint, host)
        if other is not host:
            problems.add(
                overlay.file,
                lines.get(host.address) or lines.get(other.address),
                msg(
                    "{name} and {other_name} have the same connection target: {target}",
                    name=host.name,
                    other_name=other.name,
                    target=endpoint,
                ),
                msg("give each host a connection of its own"),
            )
