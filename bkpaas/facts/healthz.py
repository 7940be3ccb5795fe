"""What a healthz or is_login answer means: the body decides, never the status alone."""

from __future__ import annotations

from bkpaas.facts.answers import Answer
from bkpaas.facts.missing import Record


class Health(Record, frozen=True):
    healthy: bool
    message: str
    """What the service says, or what came instead; empty when healthy."""
    code: str | int | None = None


def health(service: str, answer: Answer) -> Health:
    """Healthy: status 200, a JSON object whose ok or result is True, no warning in data."""
    raise NotImplementedError


def is_login_refusal(answer: Answer) -> bool:
    """Whether this is login itself, refusing a request without a token."""
    raise NotImplementedError
