"""The lines of logs that mean something, with their times."""

from __future__ import annotations

from msgspec import field

from bkpaas.facts.missing import Fact, Record


class LogHit(Record, frozen=True):
    file: str
    time: float | None
    """Epoch seconds of the host's clock; None: the line carries none that can be read."""
    text: str
    """Without secrets, cut."""
    upstream: str | None = None
    """address:port (or unix:/path) of the upstream that an nginx error names."""


class Logs(Fact, frozen=True):
    """Each list from old to new, the newest few."""

    nginx_errors: tuple[LogHit, ...] = ()
    refused_tokens: tuple[LogHit, ...] = ()
    """"Login validity is illegal" in either language."""
    start_errors: dict[str, LogHit] = field(default_factory=dict)
    """By service: why its newest start failed."""
    problems: tuple[str, ...] = ()
    """Logs that could not be read."""
