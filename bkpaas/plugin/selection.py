"""Parametrise each check by the subjects of its condition, and select by --only."""

from __future__ import annotations

import pytest

from bkpaas.catalogue.model import Condition
from bkpaas.catalogue.registry import current_id, get_condition
from bkpaas.catalogue.scope import DEPLOYMENT as WHOLE
from bkpaas.catalogue.scope import Subject
from bkpaas.inventory.deployment import Deployment
from bkpaas.plugin.only import refuse_unknown
from bkpaas.plugin.options import DEPLOYMENT


def subjects(condition: Condition, deployment: Deployment) -> list[Subject]:
    """Return the subjects of a condition, or [DEPLOYMENT] if there are none."""
    return list(_subjects_by_id(condition, deployment).values())


def subject_of(id_: str, deployment: Deployment) -> Subject:
    """Return the subject of condition@subject."""
    name, _, subject_id = id_.partition("@")
    return _subjects_by_id(get_condition(name), deployment)[subject_id]


def _subjects_by_id(condition: Condition, deployment: Deployment) -> dict[str, Subject]:
    return deployment.once(
        ("subjects", condition.id),
        lambda: {one.id: one for one in condition.subjects(deployment) or [WHOLE]},
    )


def pytest_configure(config: pytest.Config) -> None:
    if DEPLOYMENT in config.stash and not hasattr(config, "workerinput"):
        refuse_unknown(config.option.only, config.stash[DEPLOYMENT])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if DEPLOYMENT not in metafunc.config.stash:
        return
    deployment = metafunc.config.stash[DEPLOYMENT]
    marker = metafunc.definition.get_closest_marker("condition")
    if marker is None:
        if {"host", "live_host"} & set(metafunc.fixturenames):
            cases = hosts_of(metafunc.module, deployment)
            metafunc.fixturenames.append("subject")
            metafunc.parametrize("subject", cases, ids=[case.id for case in cases])
        return
    condition = get_condition(marker.args[0])
    cases = subjects(condition, deployment)
    metafunc.fixturenames.append("subject")
    metafunc.parametrize("subject", cases, ids=[f"{condition.id}@{case.id}" for case in cases])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what --only names, by id or by condition."""
    only = set(map(current_id, config.option.only))
    if not only:
        return
    chosen = [item for item in items if (id_ := identity(item)) and only & {id_, id_.partition("@")[0]}]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def identity(item: pytest.Item) -> str | None:
    """Return condition@subject of an item, None for a test of another kind."""
    marker = item.get_closest_marker("condition")
    callspec = getattr(item, "callspec", None)
    if marker is None or callspec is None:
        return None
    return f"{marker.args[0]}@{callspec.params['subject'].id}"


def hosts_of(module: object, deployment: Deployment) -> list[Subject]:
    """Return the selected hosts that testinfra_hosts of a module names: names, addresses or roles; all without it."""
    hosts = getattr(module, "testinfra_hosts", None)
    return [
        Subject(host.name, (host.name,))
        for host in deployment.selected()
        if hosts is None or any(word in (host.name, host.address) or host.has_role(word) for word in hosts)
    ]
