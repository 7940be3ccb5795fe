"""The raw answers of all hosts of a healthy lab, read into facts and judged, with one of them changed."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from bkpaas.collect.clock import Clock
from bkpaas.collect.host_answers import HostAnswers
from bkpaas.facts import HostFacts, Secrets, Snapshot, controller_facts, host_facts
from bkpaas.facts.shapes import RoundQueries
from bkpaas.inventory.deployment import Deployment
from selftests.recordings.store import KEY
from selftests.suite.in_process import ROOT, Verdict, verdicts

ROUNDS = {"round_1": "first", "round_2": "second"}
"""Field of HostAnswers: its name in the recorded file."""


class Answers:
    """The recorded answers; each change is made to a copy."""

    def __init__(self) -> None:
        self.secrets = Secrets(KEY)
        recorded = json.loads((ROOT / "selftests/snapshots/answers.json").read_text())
        self.deployment = msgspec.convert(recorded["deployment"], Deployment)
        self.visits: dict[str, dict[str, Any]] = recorded["visits"]
        self.healthy = Snapshot(
            run="healthy",
            started=recorded["started"],
            suite="1",
            deployment=self.deployment,
            hosts={name: self.facts(name) for name in self.visits},
            controller=controller_facts(recorded["controller"], self.secrets),
        )

    def facts(self, host: str, **rounds: Any) -> HostFacts:
        """Return the facts of a host with other answers: first=..., second=..."""
        recorded = self.visits[host]
        visit = HostAnswers(
            host,
            **{field: rounds.get(name, recorded[name]) for field, name in ROUNDS.items()},
            clock=msgspec.convert(recorded["clock"], Clock),
            seconds=recorded["seconds"],
            queries={
                int(number): msgspec.convert(queries, RoundQueries)
                for number, queries in recorded["asked"].items()
            },
        )
        return host_facts(self.deployment.host(host), visit, self.secrets)

    def verdicts(self, host: str, **rounds: Any) -> dict[str, Verdict]:
        """Return all verdicts when this host answers otherwise."""
        hosts = {**self.healthy.hosts, host: self.facts(host, **rounds)}
        return verdicts(msgspec.structs.replace(self.healthy, hosts=hosts))
