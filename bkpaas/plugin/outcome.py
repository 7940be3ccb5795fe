"""What one test found."""

from __future__ import annotations

import msgspec

from bkpaas.messages import Message
from bkpaas.record import WaiverState, Word


class Outcome(msgspec.Struct):
    """What one test found; travels from a worker to the controller with its report."""

    id: str
    word: Word
    evidence: Message | str | None = None
    reason: Message | str | None = None
    services: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    """Hosts that were asked about and could not be looked at."""
    needs: tuple[str, ...] = ()
    """Other hosts without which it cannot hold."""
    slots: dict[str, Message | str] = {}
    """Remedy variables."""
    case: str | None = None
    """The case that the check names; None: it names none."""
    parameters: dict[str, Message | str] = {}
    """Those of the case, by name."""
    lost: bool = False
    """Expected, but never judged."""
    waivers: dict[int, WaiverState] = {}
    """What became of those waivers of the deployment that are about it, by their place there."""
