"""The answers of one host in both rounds. The worker that parses them imports no library of a transport."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from bkpaas.collect.clock import Clock, Times
from bkpaas.errors import CollectError
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.shapes import RoundQueries
from bkpaas.messages import Message, redacted

Plan = dict[str, Any]
Answer = dict[str, Any]


class Failure(Struct, frozen=True):
    """Hold why a host could not be collected: a kind of bkpaas.collect.errors and a sentence."""

    kind: str
    reason: Message | str


class HostAnswers(Struct):
    """Hold the answers of one host. `round_1` is kept when only round 2 failed."""

    host: str
    round_1: Answer | bytes | None = None
    round_2: Answer | bytes | None = None
    """Decoded, or compressed as received; see collect_hosts."""
    error: Failure | None = None
    clock: Clock | None = None
    times: dict[int, Times] = field(default_factory=dict)
    """By round, when it was sent and answered."""
    seconds: float = 0.0
    """Time spent on this host, without waiting for the others."""
    queries: dict[int, RoundQueries] = field(default_factory=dict)
    """The queries of each round, by its number."""
    rejected: dict[int, dict[str, Message]] = field(default_factory=dict)
    """By round, the sections of its answer that were not read, with the reason."""

    @classmethod
    def failed(cls, host: str, kind: str, reason: Message | str) -> HostAnswers:
        """Return the record of a host that gave no answer; secrets in the reason are redacted."""
        return cls(host, error=_redacted(kind, reason))

    def fail(self, error: CollectError) -> None:
        """Record the error; answers of an earlier round stay."""
        self.error = _redacted(error.kind, error.reason)


def _redacted(kind: str, reason: Message | str) -> Failure:
    """Return a failure without secrets; the reason may quote a banner or the output of sudo."""
    return Failure(kind, redacted(reason, Secrets().redact))
