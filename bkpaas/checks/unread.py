"""Find the facts of a host that were not read, for checks that use what is there: nothing read is never a pass."""

from __future__ import annotations

from typing import Literal

from bkpaas.facts import HostView, Missing
from bkpaas.inventory.deployment import Deployment
from bkpaas.inventory.platform import LOG_PLUGIN_ROLES
from bkpaas.messages import Message

Noun = Literal[
    "addresses",
    "agent",
    "answers",
    "log_plugins",
    "logs",
    "names",
    "nginx",
    "processes",
    "saas",
    "services",
    "settings",
    "sockets",
    "startup",
    "supervisors",
    "system",
    "units",
]
ROLES: dict[Noun, tuple[str, ...]] = {
    "agent": ("appo", "appt"),
    "log_plugins": LOG_PLUGIN_ROLES,
    "nginx": ("nginx", "appo", "appt"),
    "saas": ("appo", "appt"),
    "services": ("paas",),
    "settings": ("paas",),
    "supervisors": ("paas", "appo", "appt"),
}
"""The roles whose hosts are asked for a noun; every host is asked for the others."""


def unread_nouns(host: HostView, deployment: Deployment, *nouns: Noun) -> list[Message | str]:
    """Return why nouns that a host is asked for were not read, each reason once."""
    entry = deployment.host(host.name)
    facts = [getattr(host.facts, noun) for noun in nouns if entry.has_role(*ROLES.get(noun, entry.roles))]
    return list(dict.fromkeys(fact.reason for fact in facts if isinstance(fact, Missing)))
