"""The facts that one check reads, as they stand in the snapshot, for --explain."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from bkpaas.catalogue.registry import current_id
from bkpaas.catalogue.scope import Subject
from bkpaas.checks.finding import Finding
from bkpaas.facts import Snapshot
from bkpaas.inventory.deployment import Deployment
from bkpaas.plugin.arguments import ARGUMENTS, Arguments
from bkpaas.plugin.options import DEPLOYMENT, SNAPSHOT
from bkpaas.plugin.selection import identity, subject_of

FACTS = pytest.StashKey[dict[str, Any]]()
"""The facts of the verdict that --explain asks for, by their place in the snapshot."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Read the facts of the one verdict that --explain asks for."""
    stash, wanted = session.config.stash, current_id(session.config.option.explain or "")
    if not wanted or SNAPSHOT not in stash:
        return
    for item in session.items:
        id_ = identity(item)
        if not isinstance(item, pytest.Function) or id_ is None or wanted not in (id_, id_.partition("@")[0]):
            continue
        names = item._fixtureinfo.argnames
        if set(names) <= ARGUMENTS.keys():
            subject = subject_of(id_, stash[DEPLOYMENT])
            stash[FACTS] = read_facts(item.function, names, subject, stash[DEPLOYMENT], stash[SNAPSHOT])


def read_facts(
    function: Callable[..., object],
    names: tuple[str, ...],
    subject: Subject,
    deployment: Deployment,
    snapshot: Snapshot,
) -> dict[str, Any]:
    """Run a check once more, on views without memory, and return the facts that it reads, by their place."""
    again = msgspec.structs.replace(snapshot)
    arguments = Arguments(deployment, again, subject, Finding())
    with suppress(Exception):  # the verdict comes from another call
        function(**{name: ARGUMENTS[name](arguments) for name in names})
    facts: dict[str, Any] = {
        f"hosts.{name}.{noun}": getattr(snapshot.hosts[name], noun)
        for name, view in again.views.items()
        for noun in sorted(view.reads)
    }
    if "controller" in names or ("vantage" in names and not subject.hosts):
        facts["controller"] = snapshot.controller
    return facts
