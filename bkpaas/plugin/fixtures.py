"""The fixtures of a check: a closed list of names, and the facts that each gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from bkpaas.catalogue.registry import get_condition
from bkpaas.catalogue.scope import Subject
from bkpaas.checks.finding import Finding
from bkpaas.checks.lookup import HostLookup
from bkpaas.errors import NoData
from bkpaas.facts import ControllerView, HostView, Snapshot
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import msg
from bkpaas.plugin.arguments import ARGUMENTS, Arguments, require_subject
from bkpaas.plugin.options import DEPLOYMENT, SNAPSHOT

if TYPE_CHECKING:
    from bkpaas.collect.live import LiveHost, LiveHosts

FIXTURES = frozenset({*ARGUMENTS, "live_host"})
"""The names that a check may take as parameters; it defines no fixture of its own."""

FINDING = pytest.StashKey[Finding]()


@pytest.fixture(autouse=True)
def finding(request: pytest.FixtureRequest) -> Finding:
    """Return the finding that the check adds to its verdict."""
    own_finding = Finding()
    request.node.stash[FINDING] = own_finding
    return own_finding


@pytest.fixture(autouse=True)
def _require_subject(request: pytest.FixtureRequest) -> None:
    """Raise NotApplicable where no host of the inventory is in the scope of the condition."""
    marker = request.node.get_closest_marker("condition")
    if marker is None:
        return
    condition = get_condition(marker.args[0])
    stash = request.config.stash
    require_subject(
        condition, request.node.callspec.params["subject"], stash[DEPLOYMENT], stash.get(SNAPSHOT, None)
    )


@pytest.fixture(scope="session")
def snapshot(request: pytest.FixtureRequest) -> Snapshot:
    """Return everything that was collected in this run."""
    return request.config.stash[SNAPSHOT]


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """Return the validated inventory."""
    return request.config.stash[DEPLOYMENT]


@pytest.fixture
def _arguments(deployment: Deployment, snapshot: Snapshot, subject: Subject, finding: Finding) -> Arguments:
    return Arguments(deployment, snapshot, subject, finding)


@pytest.fixture
def host_facts(_arguments: Arguments) -> HostLookup:
    """Return the function that gives the facts of any host by its name."""
    return _arguments.host_facts()


@pytest.fixture
def host(request: pytest.FixtureRequest, subject: Subject) -> HostView | LiveHost:
    """Return the facts of the host that is checked; in a plain test testinfra's own Host, as live_host."""
    if request.node.get_closest_marker("condition") is None:
        return request.getfixturevalue("live_host")
    arguments: Arguments = request.getfixturevalue("_arguments")
    return arguments.host()


@pytest.fixture
def source(host: HostView) -> HostView:
    """Return the facts of the host where the connection starts; of the first of a pair."""
    return host


@pytest.fixture
def target(_arguments: Arguments) -> Host:
    """Return the inventory's entry of the host where the connection ends."""
    return _arguments.target()


@pytest.fixture
def pair(_arguments: Arguments) -> tuple[HostView, HostView]:
    """Return the facts of both hosts that are compared."""
    return _arguments.pair()


@pytest.fixture
def controller(_arguments: Arguments) -> ControllerView:
    """Return what the machine that runs the suite collected through the domain."""
    return _arguments.controller()


@pytest.fixture
def vantage(_arguments: Arguments) -> HostView | ControllerView:
    """Return the facts of the host of the subject, or of the controller."""
    return _arguments.vantage()


@pytest.fixture(scope="session")
def _live(deployment: Deployment) -> Iterator[LiveHosts]:
    from bkpaas.collect.live import LiveHosts  # slow to import, and only tests of a site need it

    with LiveHosts(deployment) as live:
        yield live


@pytest.fixture
def live_host(
    request: pytest.FixtureRequest,
    subject: Subject,
    deployment: Deployment,
    snapshot: Snapshot,
    _live: LiveHosts,
) -> LiveHost:
    """Return testinfra's Host of the (first) host that is checked, over the connection of the inventory."""
    if request.config.option.from_snapshot:
        raise NoData(msg("checking a saved snapshot: no host is contacted"))
    if not subject.hosts:
        raise NoData(msg("{subject} is not a host", subject=subject.id))
    facts = snapshot.hosts[subject.hosts[0]]
    if not facts.collected:
        raise NoData(facts.error or msg("not collected"))
    return _live.host(deployment.host(subject.hosts[0]))
