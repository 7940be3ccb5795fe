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
from bkpaas.facts.generations import generation_of
from bkpaas.inventory.deployment import Deployment, Generation, Host
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

    def of_generation(self) -> Deployment:
        """Return the deployment, with the generation of the host that is judged alone."""
        if len(self.subject.hosts) != 1:
            return self.deployment
        return own_deployment(self.subject.hosts[0], self.deployment, self.snapshot)

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
    "deployment": Arguments.of_generation,
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


BY_INVENTORY = frozenset({"process-manager"})
"""Conditions that compare a host with the generation of the inventory."""


def require_subject(
    condition: Condition, subject: Subject, deployment: Deployment, snapshot: Snapshot | None = None
) -> None:
    """Raise NotApplicable where no host of the inventory is in the scope of the condition.

    Each host is judged by its own generation, whatever that of the inventory.
    """
    reason = condition.not_applicable_reason
    generations = generations_of(condition, subject, deployment, snapshot)
    if generations.isdisjoint(condition.generations):
        raise NotApplicable(
            reason.message()
            if reason
            else msg(
                "only generation {generations} has this, and the deployment is {generation}",
                generations=", ".join(condition.generations),
                generation=deployment.generation,
            )
            if generations == {deployment.generation}
            else msg(
                "only generation {generations} has this, and {hosts} is {generation}",
                generations=", ".join(condition.generations),
                hosts=", ".join(subject.hosts),
                generation=", ".join(sorted(generations)),
            )
        )
    if subject is not WHOLE:
        return
    raise NotApplicable(
        reason.message()
        if reason
        else msg("no host of the inventory has the role that this condition is about")
    )


def generations_of(
    condition: Condition, subject: Subject, deployment: Deployment, snapshot: Snapshot | None
) -> set[Generation]:
    """Return the generations of the hosts of a subject; without hosts or their facts that of the inventory."""
    if snapshot is None or not subject.hosts or condition.id in BY_INVENTORY:
        return {deployment.generation}
    return {own_deployment(name, deployment, snapshot).generation for name in subject.hosts}


def own_deployment(name: str, deployment: Deployment, snapshot: Snapshot) -> Deployment:
    """Return the deployment with the generation of one host."""
    view = snapshot.views.get(name)
    if view is None:
        return deployment
    entry = deployment.host(name)
    generation = view.once(
        ("generation", deployment.generation), lambda: generation_of(view.facts, entry, deployment)
    )
    return deployment.as_generation(generation)
