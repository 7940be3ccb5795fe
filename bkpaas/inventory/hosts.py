"""The hosts of a deployment, from install.config and deployment.yaml together."""

from __future__ import annotations

import os
from collections.abc import Mapping

from bkpaas.inventory import words
from bkpaas.inventory.connections import connection, target
from bkpaas.inventory.deployment import Host
from bkpaas.inventory.overlay import HostEntry, Overlay
from bkpaas.inventory.problems import Problems
from bkpaas.lang import say


def merged(listed: Mapping[str, set[str]], overlay: Overlay, problems: Problems) -> tuple[Host, ...]:
    """The hosts, in order of name. listed: address -> roles of install.config, empty when there is none."""
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
        )
    _check_distinct(hosts, overlay, problems)
    return tuple(sorted(hosts.values(), key=lambda host: host.name))


def oddities(hosts: tuple[Host, ...]) -> list[str]:
    """What a person should know of the hosts."""
    notes = [_unknown(hosts)] if any(words.unknown_roles(host.roles) for host in hosts) else []
    if not any(host.has("paas") for host in hosts):
        notes.append(say(en="no host has the role paas", zh="没有任何主机具有 paas 角色"))
    elif not any(host.has("nginx") for host in hosts):
        notes.append(
            say(
                en="no nginx host: the way of requests is judged from the controller only",
                zh="没有 nginx 主机：请求路径只能从运行套件的机器判定",
            )
        )
    for host in hosts:
        if not host.roles:
            notes.append(say(en=f"{host.name} has no role", zh=f"{host.name} 没有角色"))
        if host.has("appo") and host.has("appt"):
            notes.append(
                say(
                    en=f"{host.name} is appo and appt: both want one port, only appo takes effect",
                    zh=f"{host.name} 同时是 appo 和 appt：端口相同，只有 appo 生效",
                )
            )
    ways = [host.connection for host in hosts]
    paths = {path for way in ways for path in (way.key, way.known_hosts, way.ssh_config) if path}
    missing = sorted(path for path in paths if not os.path.exists(path))
    return notes + [say(en=f"{path} does not exist", zh=f"{path} 不存在") for path in missing]


def _unknown(hosts: tuple[Host, ...]) -> str:
    """One note for all of them: word, what it looks like, who has it."""
    having: dict[str, list[str]] = {}
    for host in hosts:
        for word in words.unknown_roles(host.roles):
            having.setdefault(word, []).append(host.name)
    told = []
    for word, names in sorted(having.items()):
        near, listed = words.near_roles(word), ", ".join(names)
        meant = say(en=f" (did you mean {near}?)", zh=f"（是否想写 {near}？）") if near else ""
        told.append(say(en=f"{word}{meant} of {listed}", zh=f"{listed} 的 {word}{meant}"))
    return say(
        en=f"roles this suite does not know, kept: {', '.join(told)}",
        zh=f"本套件不认识的角色（已保留）：{'、'.join(told)}",
    )


def _refuse_unlisted(entry: HostEntry, overlay: Overlay, problems: Problems) -> None:
    problems.add(
        overlay.file,
        entry.line,
        say(
            en=f"{entry.address} has no roles: and install.config does not know it",
            zh=f"{entry.address} 没有写 roles:，install.config 中也没有它",
        ),
        say(en="correct the address, or add roles: [paas, ...]", zh="请更正地址，或补上 roles: [paas, ...]"),
    )


def _check_distinct(hosts: dict[str, Host], overlay: Overlay, problems: Problems) -> None:
    """No name is another host's address, and no two hosts are reached in the same way: with a line copied
    and not changed, one machine would be judged as two."""
    lines = {entry.address: entry.line for entry in overlay.hosts}
    reached: dict[str, Host] = {}
    for host in hosts.values():
        if host.name != host.address and host.name in hosts:
            problems.add(
                overlay.file,
                lines[host.address],
                say(en=f"{host.name} is the address of another host", zh=f"{host.name} 是另一台主机的地址"),
                say(en="choose another name", zh="请换一个名称"),
            )
        place = target(host.connection.spec)
        other = reached.setdefault(place, host)
        if other is not host:
            problems.add(
                overlay.file,
                lines.get(host.address) or lines.get(other.address),
                say(
                    en=f"{host.name} and {other.name} are both reached by {place}",
                    zh=f"{host.name} 与 {other.name} 的连接目标相同：{place}",
                ),
                say(en="give each host a connection of its own", zh="每台主机的连接方式必须不同"),
            )
