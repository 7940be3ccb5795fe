"""Give checks a view of the facts of the controller."""

from __future__ import annotations

from typing import TypeVar

from bkpaas.errors import NoData
from bkpaas.facts.answers import Answers, Connections
from bkpaas.facts.certificates import Certificates
from bkpaas.facts.missing import Missing
from bkpaas.facts.names import Names
from bkpaas.facts.snapshot import ControllerFacts

T = TypeVar("T")


class ControllerView:
    """Give the facts of the controller by noun. Raises NoData with the reason for a missing noun."""

    def __init__(self, facts: ControllerFacts) -> None:
        self.facts = facts

    @property
    def names(self) -> Names:
        return _had(self.facts.names)

    @property
    def answers(self) -> Answers:
        return _had(self.facts.answers)

    @property
    def connections(self) -> Connections:
        return self.facts.connections

    @property
    def certificates(self) -> Certificates:
        return _had(self.facts.certificates)


def _had(fact: T | Missing) -> T:
    if isinstance(fact, Missing):
        raise NoData(fact.reason)
    return fact
