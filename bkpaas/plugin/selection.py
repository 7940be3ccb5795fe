"""Parametrise each check by the subjects of its condition, and select by --only and --failed-of."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bkpaas.catalogue.model import Condition
from bkpaas.catalogue.registry import CONDITIONS, CUSTOM_CONDITIONS, current_id, get_condition
from bkpaas.catalogue.scope import DEPLOYMENT as WHOLE
from bkpaas.catalogue.scope import Subject
from bkpaas.checks.custom import require_known_roles
from bkpaas.errors import SuiteError
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import msg, to_text
from bkpaas.plugin.only import exists, refuse_unknown
from bkpaas.plugin.options import DEPLOYMENT
from bkpaas.record import read_json

NOTHING_FAILED = pytest.StashKey[str]()
"""Why --failed-of selects nothing."""


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
    if DEPLOYMENT not in config.stash:
        return
    deployment = config.stash[DEPLOYMENT]
    if not hasattr(config, "workerinput"):  # the workers get the extended option
        refuse_unknown(config.option.only, deployment)
        if config.option.failed_of:
            _select_failed(config, Path(config.option.failed_of), deployment)


def _select_failed(config: pytest.Config, path: Path, deployment: Deployment) -> None:
    """Add what failed in an earlier record to --only, as far as it exists here. UsageError: it cannot be read."""
    try:
        record = read_json(path)
    except (SuiteError, OSError, msgspec.DecodeError, RecursionError) as error:
        raise pytest.UsageError(f"--failed-of {path}: {error}") from None
    failed = [one.id for one in record.verdicts if one.verdict in ("fail", "no_data")]
    here = [id_ for id_ in failed if exists(id_, deployment)]
    config.option.only = [*config.option.only, *here]
    if not failed:
        config.stash[NOTHING_FAILED] = to_text(
            msg("--failed-of {path}: nothing failed there, so there is nothing to check again", path=path)
        )
    elif not config.option.only:
        config.stash[NOTHING_FAILED] = to_text(
            msg("--failed-of {path}: nothing of what failed there exists in this deployment", path=path)
        )


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, obj: object) -> list[pytest.Item] | None:
    """Make no items of a condition of the catalogue that --only leaves out: they take longer than to judge one."""
    option = collector.config.option
    if not option.only or option.collectonly or DEPLOYMENT not in collector.config.stash:
        return None
    marks = getattr(obj, "pytestmark", ())
    ids = [mark.args[0] for mark in marks if mark.name == "condition"] if isinstance(marks, list) else []
    return [] if ids and ids[0] in CONDITIONS and not is_named_condition(ids[0], option.only) else None


def is_named_condition(condition: str, only: list[str]) -> bool:
    """Return whether --only names a condition, or one of its subjects."""
    return any(current_id(id_).partition("@")[0] == condition for id_ in only)


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
    if condition.id in CUSTOM_CONDITIONS:
        require_known_roles(condition, deployment, metafunc.function)
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
