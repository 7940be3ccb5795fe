"""Find the workers of the services that died, and full listen queues, in the logs of uwsgi and gunicorn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from bkpaas.facts import raw
from bkpaas.facts.file import Files, content, file_fact
from bkpaas.facts.missing import Record
from bkpaas.facts.query import TailName
from bkpaas.facts.ranges import Time, valid_time


class WorkerDeath(Record, frozen=True, array_like=True):
    """Represent a worker that did not end by itself."""

    service: str
    time: Time | None
    """Epoch seconds of the host's clock; None: the line has no time."""
    signal: int | None
    """None: gunicorn ended it for not answering in time."""
    file: str


class FullQueue(Record, frozen=True, array_like=True):
    """Represent a line about a listen queue without room: uwsgi writes it once a second while it is so."""

    service: str
    time: Time | None
    """Epoch seconds of the host's clock; None: the line has no time."""
    socket: str
    used: int
    """Connections that waited."""
    size: int
    """Of the queue, in connections."""
    file: str


_FULL = re.compile(
    r"(?:(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}) - )?"
    r'\*\*\* uWSGI listen queue of socket "(?P<socket>[^"]{0,200})" \(fd: \d+\) full !!! '
    r"\((?P<used>\d{1,9})/(?P<size>\d{1,9})\)"
)
_UWSGI = re.compile(
    r"(?:(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}) - )?"
    r"DAMN ! worker \d+ \(pid: \d+\) died(?:, killed by signal (?P<signal>\d+))?"
)
_GUNICORN = re.compile(
    r"\[(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<zone>[+-]\d{4})\] \[\d+\] \[\w+\] "
    r"(?:WORKER TIMEOUT|Worker \(pid:\d+\) was (?:sent|terminated)|Worker with pid \d+ was terminated)"
    r"(?:[^\d]* signal (?P<signal>\d+))?"
)
_SHANGHAI = timezone(timedelta(hours=8))
"""The zone of uwsgi's lines after Django has set it."""
_MOST_DEATHS = 100
_LATE = 120.0
"""Seconds by which a line may be newer than the last change of its file."""


def worker_deaths(tails: Files, host_zone: timezone | None) -> tuple[WorkerDeath, ...]:
    """Return the deaths in the logs of the services, the newest few, from old to new."""
    deaths = [
        death
        for name, entries in tails.items()
        if name.startswith(TailName.UWSGI_LOG.prefix)
        for entry in entries
        for death in _of_log(name.removeprefix(TailName.UWSGI_LOG.prefix), entry, host_zone)
    ]
    return tuple(sorted(deaths, key=lambda death: death.time or 0.0)[-_MOST_DEATHS:])


def _of_log(service: str, entry: dict[str, Any], host_zone: timezone | None) -> Iterator[WorkerDeath]:
    path, changed = file_fact(entry).path, raw.number(entry.get("mtime"))
    for line in (content(entry) or "").splitlines():
        if match := _UWSGI.match(line):
            time = _uwsgi_time(match["time"], host_zone, changed) if match["time"] else None
            signal = int(match["signal"]) if match["signal"] else None
            yield WorkerDeath(service, time, signal, path)
        elif match := _GUNICORN.match(line):
            stamp = f"{match['time']} {match['zone']}"
            time = valid_time(datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S %z").timestamp())
            yield WorkerDeath(service, time, int(match["signal"]) if match["signal"] else None, path)


def full_queues(tails: Files, host_zone: timezone | None) -> tuple[FullQueue, ...]:
    """Return the lines about full listen queues in the logs of the services, the newest few, from old to new."""
    lines = [
        FullQueue(
            service=name.removeprefix(TailName.UWSGI_LOG.prefix),
            time=_uwsgi_time(match["time"], host_zone, raw.number(entry.get("mtime")))
            if match["time"]
            else None,
            socket=match["socket"],
            used=int(match["used"]),
            size=int(match["size"]),
            file=file_fact(entry).path,
        )
        for name, entries in tails.items()
        if name.startswith(TailName.UWSGI_LOG.prefix)
        for entry in entries
        for line in (content(entry) or "").splitlines()
        if (match := _FULL.match(line))
    ]
    return tuple(sorted(lines, key=lambda line: line.time or 0.0)[-_MOST_DEATHS:])


def _uwsgi_time(text: str, host_zone: timezone | None, changed: float | None) -> float | None:
    """Return the time of a line in the host's zone or that of Django: the later one that is not in the future."""
    try:
        plain = datetime.strptime(text, "%a %b %d %H:%M:%S %Y")
    except ValueError:
        return None
    times = [plain.replace(tzinfo=zone).timestamp() for zone in (host_zone, _SHANGHAI) if zone is not None]
    past = [time for time in times if changed is None or time <= changed + _LATE]
    return valid_time(max(past or times))
