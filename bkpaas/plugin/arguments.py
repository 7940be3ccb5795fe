"""The arguments of a check: what each name of the closed list stands for, with fixtures and without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bkpaas.catalogue.model import Condition
from bkpaas.catalogue.scope import DEPLOYMENT as WHOLE
from bkpaas.catalogue.scope import Subject
from bkpaas.checks.finding import Finding
from bkpaas.checks.lookup import HostLookup
from bkpaas.errors import NotApplicable
from bkpaas.facts import ControllerView, HostView, Snapshot
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import msg


class Arguments:
    """Hold what the arguments of one check are taken from."""

    def __init__(
        self, deployment: Deployment, snapshot: Snapshot, subject: Subject, finding: Finding
    ) -> None:
        self.deployment, self.snapshot, self.subject, self.finding = deployment, snapshot, subject, finding

    def host_facts(self) -> HostLookup:
        """Return the function that gives the facts of any host by its name."""
        snapshot = self.snapshot
        return HostLookup(snapshot.views, self.finding.unreachable_hosts, snapshot.fleet_values)

    def host(self) -> HostView:
        """Return the facts of the (first) host of the subject."""
        return self.host_facts()(self.subject.hosts[0])

    def target(self) -> Host:
        """Return the inventory's entry of the host where the connection ends."""
        return self.deployment.host(self.subject.hosts[1])

    def pair(self) -> tuple[HostView, HostView]:
        """Return the facts of both hosts that are compared."""
        facts = self.host_facts()
        return facts(self.subject.hosts[0]), facts(self.subject.hosts[1])

    def controller(self) -> ControllerView:
        """Return what the machine that runs the suite collected through the domain."""
        return ControllerView(self.snapshot.controller)

    def vantage(self) -> HostView | ControllerView:
        """Return the facts of the host of the subject, or of the controller."""
        return self.host() if self.subject.hosts else self.controller()


ARGUMENTS: Mapping[str, Callable[[Arguments], Any]] = {
    "controller": Arguments.controller,
    "deployment": lambda its: its.deployment,
    "finding": lambda its: its.finding,
    "host": Arguments.host,
    "host_facts": Arguments.host_facts,
    "pair": Arguments.pair,
    "snapshot": lambda its: its.snapshot,
    "source": Arguments.host,
    "subject": lambda its: its.subject,
    "target": Arguments.target,
    "vantage": Arguments.vantage,
}
"""The arguments that are facts; live_host is a connection and a fixture only."""


def require_subject(condition: Condition, subject: Subject, deployment: Deployment) -> None:
    """Raise NotApplicable where no host of the inventory is in the scope of the condition."""
    reason = condition.not_applicable_reason
    if deployment.generation not in condition.generations:
        raise NotApplicable(
            reason.message()
            if reason
            else msg(
                "only generation {generations} has this, and the deployment is {generation}",
                generations=", ".join(condition.generations),
                generation=deployment.generation,
            )
        )
    if subject is not WHOLE:
        return
    raise NotApplicable(
        reason.message()
        if reason
        else msg("no host of the inventory has the role that this condition is about")
    )
