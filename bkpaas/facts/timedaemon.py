"""What keeps the host's clock right."""

from __future__ import annotations

from typing import Literal

from bkpaas.facts.missing import Fact


class TimeDaemon(Fact, frozen=True):
    daemon: Literal["chronyd", "ntpd"] | None
    pid: int | None = None
    synchronised: bool | None = None
    """None: it was not asked or did not answer."""
    source: str | None = None
    text: str = ""
    """What chronyc or ntpq said."""
