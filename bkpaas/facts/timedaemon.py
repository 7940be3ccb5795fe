"""Parse the state of the time daemons of a host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from bkpaas.facts import raw
from bkpaas.facts.file import Files, file_fact
from bkpaas.facts.missing import Fact, Missing
from bkpaas.facts.process import Process
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile, Section
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import msg


class TimeDaemon(Fact, frozen=True):
    daemon: Literal["chronyd", "ntpd", "systemd-timesyncd"] | None
    pid: int | None = None
    synchronised: bool | None = None
    """None: it was not asked or did not answer."""
    source: str | None = None
    text: str = ""
    """What chronyc or ntpq said."""

    @property
    def follows_itself(self) -> bool:
        """Return whether its source is the clock of its own host."""
        return self.source is not None and bool(_OWN_CLOCK.fullmatch(self.source))


_TIMESYNCD = "systemd-timesyncd"[:15]  # as the kernel cuts names


def time_daemon(
    section: dict[str, Any],
    secrets: Secrets,
    processes: Iterable[Process] | None = (),
    files: Files | None = None,
) -> TimeDaemon | Missing:
    """Parse the pids of the daemons and the output of their clients; timesyncd has a file instead."""
    chronyd, ntpd = raw.integer(section.get("chronyd")), raw.integer(section.get("ntpd"))
    if chronyd is None and ntpd is None:
        if processes is None:
            return Missing(msg("neither chronyd nor ntpd runs, and the processes are not known"))
        return _timesyncd(processes, (files or {}).get(FileName.TIMESYNCD, []))
    answer = raw.record(section.get("chronyc" if chronyd is not None else "ntpq"))
    out = raw.text(answer.get("out"), 10_000) or ""
    synchronised, source = _tracking(out) if chronyd is not None else _peers(out)
    output = out or raw.text(answer.get("error")) or raw.text(answer.get("err")) or ""
    return TimeDaemon(
        daemon="ntpd" if chronyd is None else "chronyd",
        pid=ntpd if chronyd is None else chronyd,
        synchronised=synchronised,
        source=source,
        text=secrets.truncate(output.strip(), 1000),
    )


def _timesyncd(processes: Iterable[Process], entries: list[dict[str, Any]]) -> TimeDaemon:
    """Return the state of timesyncd, which touches its file at each synchronization."""
    pid = next((process.pid for process in processes if process.name == _TIMESYNCD), None)
    if pid is None:
        return TimeDaemon(daemon=None)
    marks = [file for file in map(file_fact, entries) if file.exists]
    text = "" if marks else ", ".join(file_fact(entry).path for entry in entries) + ": -"
    return TimeDaemon("systemd-timesyncd", pid, synchronised=True if marks else None, text=text)


_OWN_CLOCK = re.compile(r"7F7F[0-9A-F]{4}|LOCL|LOCAL|\.LOCL\.|127\.127\.1\.\d+", re.IGNORECASE)
"""The reference of a daemon that follows the clock of its own host. Source: chrony.conf(5) local, ntp refclock 1."""


def _tracking(out: str) -> tuple[bool | None, str | None]:
    """Parse chronyc tracking: `Leap status : Normal`, `Reference ID : CB00710F (203.0.113.15)`."""
    fields = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in out.splitlines())
    }
    leap = fields.get("Leap status")
    number, _, name = fields.get("Reference ID", "").partition("(")
    source = name.rstrip(")") or number.strip().removeprefix("00000000")
    if leap is None:
        return None, source or None
    own = bool(_OWN_CLOCK.fullmatch(number.strip()))
    return leap != "Not synchronised" and not own, source or None


def _peers(out: str) -> tuple[bool | None, str | None]:
    """Parse ntpq -pn: a star (or an o, for a pulse) marks the peer in use."""
    peers = [line for line in out.splitlines() if len(line.split()) >= 10 and "refid" not in line]
    used = next((line[1:].split()[:2] for line in peers if line[0] in "*o"), None)
    if not out.strip():
        return None, None
    own = used is not None and any(_OWN_CLOCK.fullmatch(word) for word in used)
    return used is not None and not own, used[0] if used else None


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return queries for the clients of the daemons and the file of systemd-timesyncd."""
    if earlier is None:
        yield Section("time_daemon", {"seconds": deployment.limits.command_seconds})
        yield ReadFile(FileName.TIMESYNCD.value, "/run/systemd/timesync/synchronized", read=0)
