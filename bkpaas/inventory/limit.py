"""--limit: which hosts a run judges; the others stay known."""

from __future__ import annotations

from msgspec.structs import replace

from bkpaas.errors import InventoryError
from bkpaas.inventory import words
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.inventory.problems import quoted
from bkpaas.messages import Message, msg


def select_hosts(deployment: Deployment, limit: str) -> Deployment:
    """Return the deployment with only the hosts selected that limit names.

    limit: names, addresses and roles, separated by commas; a word that is both a name and a role means both.
    Raises InventoryError: empty, or a word that matches no host.
    """
    chosen = [word.strip().lower() for word in limit.replace("，", ",").split(",")]
    chosen = [word for word in chosen if word]
    if not chosen:
        raise _error(deployment, msg("is empty"))
    for word in chosen:
        if not any(_matches(host, word) for host in deployment.hosts):
            raise _error(
                deployment,
                msg("{word} is not a host of this inventory", word=quoted(word)),
            )
    hosts = tuple(
        replace(host, selected=any(_matches(host, word) for word in chosen)) for host in deployment.hosts
    )
    return replace(deployment, hosts=hosts)


def _matches(host: Host, word: str) -> bool:
    return word in (host.name, host.address) or words.role(word) in host.roles


def _error(deployment: Deployment, reason: Message) -> InventoryError:
    hosts = ", ".join(
        host.name if host.name == host.address else f"{host.name} ({host.address})"
        for host in deployment.hosts
    )
    roles = ", ".join(sorted({role for host in deployment.hosts for role in host.roles}))
    return InventoryError(
        "--limit",
        None,
        reason,
        msg("hosts: {hosts}; roles: {roles}", hosts=hosts, roles=roles),
    )
