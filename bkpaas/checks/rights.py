"""What could not be read because the suite does not have the rights of root."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from bkpaas.facts import HostFacts
from bkpaas.facts.missing import Missing
from bkpaas.facts.sockets import Sockets
from bkpaas.inventory.deployment import Connection
from bkpaas.messages import Message, msg

_DENIED = "Permission denied"
"""What the host's libc calls EACCES; the collector runs with LC_ALL=C."""


def unreadable_for_want_of_rights(facts: HostFacts) -> list[Message | str]:
    """Return the files that were refused, and the sockets if their owners are unknown; empty for root."""
    if isinstance(facts.system, Missing) or facts.system.uid in (0, None):
        return []
    found: list[Message | str] = list(dict.fromkeys(_denied(msgspec.to_builtins(facts))))
    sockets = facts.sockets
    if isinstance(sockets, Sockets) and any(one.pids is None for one in sockets.listeners):
        found.append(msg("the processes of sockets"))
    return found


def collecting_account(facts: HostFacts, connection: Connection) -> str:
    """Return the account with which a host was read."""
    user = connection.sudo_user if connection.sudo else urlsplit(connection.spec).username
    uid = None if isinstance(facts.system, Missing) else facts.system.uid
    return unquote(user) if user else f"uid {uid}"


def _denied(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key in ("error", "reason"):
            if value.get(key) and _DENIED in str(value[key]):
                yield str(value.get("path") or value.get("name") or value[key])
        for key, one in value.items():
            if key not in ("error", "reason"):
                yield from _denied(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _denied(one)
