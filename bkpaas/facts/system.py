"""Parse the host itself: name, account, install root, time zone, addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import field

from bkpaas.facts import raw
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, Query, Section
from bkpaas.facts.ranges import HostTime
from bkpaas.inventory.deployment import Deployment, Host

_LAST_YEAR = 253_370_764_800.0
"""Epoch seconds of the year 9999: there is no date some days later."""


class System(Fact, frozen=True):
    """Represent the host as the collector read it."""

    hostname: str | None
    uid: int | None
    """Of the collector."""
    python: str | None
    install_root: str | None = field(name="home")
    """/data/bkce, /data/bkee ...; None when none was found."""
    boot_time: HostTime | None
    """Epoch seconds of the host's clock."""
    time: HostTime | None
    """Epoch seconds of the host's clock when it was looked at."""
    utc_offset_seconds: int | None
    """East is positive."""
    zone: str | None
    """The abbreviation of libc: CST."""
    localtime: str | None
    """Where /etc/localtime leads: /usr/share/zoneinfo/Asia/Shanghai."""
    timezone_file: str | None
    """The text of /etc/timezone."""
    local_ports: tuple[int, int] | None = None
    """The first and last port that the kernel gives to connections; None: not known."""

    @property
    def root(self) -> bool:
        return self.uid == 0


class Moment(Record, frozen=True):
    """Represent when a host was read in one round."""

    time: HostTime | None = None
    """Epoch seconds of the host's clock."""
    sent: HostTime | None = None
    """Epoch seconds of the controller's clock before the round, and after it."""
    received: HostTime | None = None


class Moments(Fact, frozen=True):
    """Hold when each round was; through an engine they may be hours apart."""

    first: Moment
    later: Moment | None = None
    """None: there was no round 2."""

    @property
    def seconds_apart(self) -> float:
        """Return the time between the rounds by the controller's clock, else by that of the host; 0 if unknown."""
        if self.later is None:
            return 0.0
        for begin, end in ((self.first.received, self.later.sent), (self.first.time, self.later.time)):
            if begin is not None and end is not None:
                return max(0.0, end - begin)
        return 0.0

    @property
    def far_apart(self) -> bool:
        """Return whether a restart between the rounds does not show that something restarts again and again."""
        return self.seconds_apart > _FAR_APART_SECONDS


_FAR_APART_SECONDS = 300.0


def moment(system: dict[str, Any] | None, times: Any) -> Moment:
    """Return when a round was.

    Args:
        system: the section of its answer. None: there is no such section.
        times: `sent` and `received` of the controller. None: unknown.
    """
    ordered = times is not None and times.sent <= times.received
    return Moment(
        time=raw.number((system or {}).get("time")),
        sent=times.sent if ordered else None,
        received=times.received if ordered else None,
    )


def usable_time(system: System | Moment) -> float | None:
    """Return the time of the host's clock in epoch seconds; None if it is unknown, before 1970 or after 9998."""
    return system.time if system.time is not None and 0 <= system.time < _LAST_YEAR else None


class Addresses(Fact, frozen=True):
    """Hold the host's own addresses, IPv4 and IPv6, loopback included."""

    items: tuple[str, ...]
    loopback: tuple[str, ...] = ()
    """Those on the loopback interface, where no other host finds them."""


def system(section: dict[str, Any], collector: dict[str, Any]) -> System:
    """Read the section `system`, and what the collector reports of itself."""
    return System(
        hostname=raw.text(section.get("hostname"), 255),
        uid=raw.integer(collector.get("uid")),
        python=raw.text(collector.get("python"), 20),
        install_root=raw.text(collector.get("home"), 300),
        boot_time=raw.number(section.get("boot_time")),
        time=raw.number(section.get("time")),
        utc_offset_seconds=raw.integer(section.get("utc_offset")),
        zone=raw.text(section["zone"][0], 20),
        localtime=raw.text(section.get("localtime"), 300),
        timezone_file=raw.text(section.get("timezone_file"), 100),
        local_ports=(ports[0], ports[1]) if (ports := section.get("local_ports")) else None,
    )


def addresses(section: list[list[str]]) -> Addresses:
    """Parse the raw list of addresses with their interfaces."""
    return Addresses(
        items=tuple(address for address, _ in section),
        loopback=tuple(address for address, interface in section if interface.partition(":")[0] == "lo"),
    )


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return the query for the host's addresses; the data of `system` is part of every answer."""
    if earlier is None:
        yield Section("addresses", True)
