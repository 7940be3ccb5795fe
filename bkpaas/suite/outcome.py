"""What one test found."""

from __future__ import annotations

import msgspec

from bkpaas.report.record import Word


class Outcome(msgspec.Struct):
    """What one test found; travels from a worker to the controller with its report."""

    id: str
    word: Word
    evidence: str | None = None
    reason: str | None = None
    services: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    slots: dict[str, str] = {}
    lost: bool = False
    """Expected, but never judged."""
