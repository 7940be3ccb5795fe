"""All facts of a run in one file, to be judged now or later."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from bkpaas.facts.answers import Answers
from bkpaas.facts.host import HostFacts
from bkpaas.facts.missing import Missing, Record
from bkpaas.facts.names import Names
from bkpaas.inventory.deployment import Deployment


class ControllerFacts(Record, frozen=True):
    """What the controller itself resolved and asked."""

    names: Names | Missing
    answers: Answers | Missing


class Snapshot(Struct, frozen=True, kw_only=True):
    """All facts of a run."""

    schema: int = 1
    run: str
    started: float
    """Epoch seconds of the controller's clock."""
    suite: str
    deployment: Deployment
    hosts: dict[str, HostFacts]
    controller: ControllerFacts

    def save(self, path: Path) -> None:
        """Write it, private (0600), whole or not at all."""
        raise NotImplementedError

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """SuiteError when the file is no snapshot of this schema."""
        raise NotImplementedError
