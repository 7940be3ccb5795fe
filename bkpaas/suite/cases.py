"""What a condition's test is made of: the decorator, one case for each subject, and the facts it asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pytest

from bkpaas.collect.live import Opened
from bkpaas.errors import NotApplicable
from bkpaas.facts import ControllerView, HostView, Snapshot
from bkpaas.faq.catalogue import OF_SITE, known, markers
from bkpaas.faq.model import DEPLOYMENT as WHOLE
from bkpaas.faq.model import Cause, Condition, Scope, Severity, Subject, Text
from bkpaas.inventory.deployment import Deployment
from bkpaas.lang import say
from bkpaas.suite import site
from bkpaas.suite.only import refuse_unknown
from bkpaas.suite.options import DEPLOYMENT, SNAPSHOT

Test = TypeVar("Test", bound=Callable[..., None])


def condition(
    id_: str,
    *,
    title: str | Text | None = None,
    remedy: str | Text | None = None,
    roles: str | tuple[str, ...] = (),
    scope: Scope | None = None,
    severity: Severity = "fail",
    symptoms: tuple[str, ...] = (),
    causes: tuple[Cause, ...] = (),
) -> Callable[[Test], Test]:
    """Mark a test as the judge of one condition: of the catalogue, or, with words of its own, of a site.

    A site's id begins with "site-". title: what must be true, else the docstring; remedy: what to do, its commands in
    lines that begin with "$ "; both in one language or as Text in two. roles: judged on each host with any of them, on
    each host when there are none; scope: on something else. symptoms: sections of the FAQ whose -m shall select it.
    """

    def decorate(test: Test) -> Test:
        if id_.startswith(OF_SITE):
            marks = site.add(
                id_,
                test,
                title=title,
                remedy=remedy,
                roles=roles,
                scope=scope,
                severity=severity,
                symptoms=symptoms,
                causes=causes,
            )
        else:
            site.check(id_, test)
            marks = markers(id_)
        for name in marks:
            test = getattr(pytest.mark, name)(test)
        marked: Test = pytest.mark.condition(id_)(test)
        return marked

    return decorate


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
    condition = known(marker.args[0])
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


class Finding:
    """What a test adds to its verdict beside passing or failing."""

    def __init__(self) -> None:
        self.services: set[str] = set()
        self.hosts: set[str] = set()
        self.slots: dict[str, str] = {}
        self.seen: list[str] = []
        self.missed: set[str] = set()
        """Hosts that were asked about and could not be looked at."""

    def concerns(self, services: Iterable[str]) -> None:
        """The services that the failure is about: causes about others do not account for it."""
        self.services |= set(services)

    def needs(self, hosts: Iterable[str]) -> None:
        """The names of other hosts without which it cannot hold: what is wrong there may account for it."""
        self.hosts |= set(hosts)

    def fill(self, **slots: object) -> None:
        """Words for the slots of the remedy."""
        self.slots.update({name: str(value) for name, value in slots.items()})

    def saw(self, evidence: str) -> None:
        """What was looked at, kept as evidence when the condition holds."""
        self.seen.append(evidence)


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
    condition = known(marker.args[0])
    generation = request.config.stash[DEPLOYMENT].generation
    if generation not in condition.generations:
        raise NotApplicable(
            say(en=f"generation {generation} not judged yet", zh=f"尚不支持判定 {generation} 版本")
        )
    if request.node.callspec.params["subject"] is not WHOLE:
        return
    raise NotApplicable(
        str(condition.nobody)
        if condition.nobody
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
            finding.missed.add(name)
        return HostView(snapshot.hosts[name])

    return of


@pytest.fixture
def host(
    request: pytest.FixtureRequest, subject: Subject, host_facts: Callable[[str], HostView]
) -> HostView | Opened:
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
