"""What a condition's test is made of: the decorator, one case for each subject, and the facts it asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bkpaas.catalogue.model import Condition
from bkpaas.catalogue.registry import get_condition
from bkpaas.catalogue.scope import DEPLOYMENT as WHOLE
from bkpaas.catalogue.scope import Subject
from bkpaas.checks.finding import Finding
from bkpaas.collect.live import LiveHost
from bkpaas.errors import NotApplicable
from bkpaas.facts import ControllerView, HostView, Snapshot
from bkpaas.inventory.deployment import Deployment
from bkpaas.lang import say
from bkpaas.suite import site
from bkpaas.suite.only import refuse_unknown
from bkpaas.suite.options import DEPLOYMENT, SNAPSHOT


def subjects(condition: Condition, deployment: Deployment) -> list[Subject]:
    """Whom a condition is judged on; the deployment as a whole when there is nobody."""
    return condition.subjects(deployment) or [WHOLE]


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
            cases = site.hosts_of(metafunc.module, deployment)
            metafunc.fixturenames.append("subject")
            metafunc.parametrize("subject", cases, ids=[case.id for case in cases])
        return
    condition = get_condition(marker.args[0])
    cases = subjects(condition, deployment)
    metafunc.fixturenames.append("subject")
    metafunc.parametrize("subject", cases, ids=[f"{condition.id}@{case.id}" for case in cases])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """--only: keep what was asked for, by id or by condition."""
    only = set(config.option.only)
    if not only:
        return
    kept = [item for item in items if (id_ := identity(item)) and only & {id_, id_.partition("@")[0]}]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def identity(item: pytest.Item) -> str | None:
    """condition@subject of an item, None for a test of another kind."""
    marker = item.get_closest_marker("condition")
    callspec = getattr(item, "callspec", None)
    if marker is None or callspec is None:
        return None
    return f"{marker.args[0]}@{callspec.params['subject'].id}"


FIXTURES = frozenset(
    {
        "controller",
        "deployment",
        "finding",
        "host",
        "host_facts",
        "live_host",
        "pair",
        "snapshot",
        "source",
        "subject",
        "target",
        "vantage",
    }
)
"""The names that a check may take as parameters; it defines no fixture of its own."""

FINDING = pytest.StashKey[Finding]()


@pytest.fixture(autouse=True)
def finding(request: pytest.FixtureRequest) -> Finding:
    """Evidence, services and remedy slots of this verdict."""
    found = Finding()
    request.node.stash[FINDING] = found
    return found


@pytest.fixture(autouse=True)
def _somebody_to_judge(request: pytest.FixtureRequest) -> None:
    marker = request.node.get_closest_marker("condition")
    if marker is None:
        return
    condition = get_condition(marker.args[0])
    generation = request.config.stash[DEPLOYMENT].generation
    if generation not in condition.generations:
        raise NotApplicable(
            say(en=f"generation {generation} not judged yet", zh=f"尚不支持判定 {generation} 版本")
        )
    if request.node.callspec.params["subject"] is not WHOLE:
        return
    raise NotApplicable(
        str(condition.not_applicable_reason)
        if condition.not_applicable_reason
        else say(
            en="no host of the inventory has the role that this condition is about",
            zh="清单中没有该检查所针对的角色的主机",
        )
    )


@pytest.fixture(scope="session")
def snapshot(request: pytest.FixtureRequest) -> Snapshot:
    """Everything that was collected in this run."""
    return request.config.stash[SNAPSHOT]


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """The validated inventory."""
    return request.config.stash[DEPLOYMENT]


@pytest.fixture
def host_facts(snapshot: Snapshot, finding: Finding) -> Callable[[str], HostView]:
    """The facts of any host, by its name."""

    def of(name: str) -> HostView:
        if not snapshot.hosts[name].collected:
            finding.unreachable_hosts.add(name)
        return HostView(snapshot.hosts[name])

    return of


@pytest.fixture
def host(
    request: pytest.FixtureRequest, subject: Subject, host_facts: Callable[[str], HostView]
) -> HostView | LiveHost:
    """The facts of the host that is judged; in a test that judges no condition testinfra's own Host, as live_host."""
    if request.node.get_closest_marker("condition") is None:
        return request.getfixturevalue("live_host")
    return host_facts(subject.hosts[0])


@pytest.fixture
def source(host: HostView) -> HostView:
    """Where the judged connection starts; the first of a pair."""
    return host


@pytest.fixture
def target(subject: Subject, deployment: Deployment) -> Any:
    """The inventory's entry of the host where the judged connection ends."""
    return deployment.host(subject.hosts[1])


@pytest.fixture
def pair(subject: Subject, host_facts: Callable[[str], HostView]) -> tuple[HostView, HostView]:
    """The facts of both hosts that are compared."""
    return host_facts(subject.hosts[0]), host_facts(subject.hosts[1])


@pytest.fixture
def controller(snapshot: Snapshot) -> ControllerView:
    """What the machine that runs the suite saw through the domain."""
    return ControllerView(snapshot.controller)


@pytest.fixture
def vantage(
    subject: Subject, host_facts: Callable[[str], HostView], controller: ControllerView
) -> HostView | ControllerView:
    """Whoever looked: the host of the subject, or the controller."""
    return host_facts(subject.hosts[0]) if subject.hosts else controller
