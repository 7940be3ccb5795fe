"""The outcome of one check, from the test process to the ledger."""

from __future__ import annotations

import msgspec

from bkpaas.messages import Message
from bkpaas.record import WaiverState, Word


class Outcome(msgspec.Struct):
    """The outcome of one check; a worker sends it to the controller with its report."""

    id: str
    word: Word
    evidence: Message | str | None = None
    reason: Message | str | None = None
    services: tuple[str, ...] = ()
    unreachable_hosts: tuple[str, ...] = ()
    """Names of hosts whose facts the check asked for and that could not be collected."""
    depends_on_hosts: tuple[str, ...] = ()
    """Names of other hosts that the condition depends on."""
    components: tuple[str, ...] = ()
    """What its evidence names, as `TYPE:NAME`."""
    remedy_values: dict[str, Message | str] = {}
    """Variables of the remedy, by name."""
    case: str | None = None
    """The case that the check names; None: it names none."""
    parts: tuple[tuple[str, str], ...] = ()
    """Where its evidence lists several failures: what each is about, and its case."""
    parameters: dict[str, Message | str] = {}
    """Those of the case, by name."""
    lost: bool = False
    """Expected, but never checked."""
    waivers: dict[int, WaiverState] = {}
    """What became of those waivers of the deployment that are about it, by their place there."""
