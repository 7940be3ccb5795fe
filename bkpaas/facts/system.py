"""The host itself: name, account, home of the deployment, time zone, addresses."""

from __future__ import annotations

from bkpaas.facts.missing import Fact


class System(Fact, frozen=True):
    """The host as the collector saw it."""

    hostname: str | None
    uid: int | None
    """Of the collector."""
    python: str | None
    home: str | None
    """/data/bkce, /data/bkee ...; None when none was found."""
    boot_time: float | None
    """Epoch seconds of the host's clock."""
    time: float | None
    """Epoch seconds of the host's clock when it was looked at."""
    utc_offset_seconds: int | None
    """East is positive."""
    zone: str | None
    """The abbreviation of libc: CST."""
    localtime: str | None
    """Where /etc/localtime leads: /usr/share/zoneinfo/Asia/Shanghai."""
    timezone_file: str | None
    """The text of /etc/timezone."""

    @property
    def root(self) -> bool:
        return self.uid == 0


class Addresses(Fact, frozen=True):
    """The host's own addresses, IPv4 and IPv6, loopback included."""

    items: tuple[str, ...]
