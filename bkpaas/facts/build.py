"""From the raw answers of a host to its facts."""

from __future__ import annotations

from typing import Any, Protocol

from bkpaas.facts.host import HostFacts
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.snapshot import ControllerFacts
from bkpaas.inventory.deployment import Host


class Visit(Protocol):
    """What a visit left: see bkpaas.collect.visit."""


def host_facts(host: Host, visit: Visit, secrets: Secrets) -> HostFacts:
    """The facts of a host. Never raises: what is absent or malformed is Missing."""
    raise NotImplementedError


def controller_facts(raw: dict[str, Any], secrets: Secrets) -> ControllerFacts:
    """The controller's own probes, in the collector's form: {"resolve": ..., "http": ...}."""
    raise NotImplementedError
