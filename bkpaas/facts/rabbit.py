"""Parse the log of RabbitMQ: alarms that are set, and clients that it refuses.

Source: RabbitMQ 3.6 to 3.13 write "memory resource limit alarm set on node N" and "... cleared on node N".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from bkpaas.facts.missing import Record
from bkpaas.facts.ranges import Time

_ALARM = re.compile(
    r"\b(?P<kind>memory|disk|file.descriptor\w*) resource limit alarm (?P<state>set|cleared) on node"
)
_START = re.compile(r"Starting RabbitMQ \d")
_TIME = re.compile(
    r"(?P<iso>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)|=\w+ REPORT==== (?P<report>\d{1,2}-[A-Z][a-z]{2}-\d{4}::\d\d:\d\d:\d\d)"
)
_REFUSED = re.compile(
    r"login refused: user '(?P<user>[^']{0,60})' - (?P<why>[^'\n]{1,100})"
    r"|access to vhost '(?P<vhost>[^']{0,60})' refused for user '(?P<denied>[^']{0,60})'"
    r"|no access to this vhost|vhost (?P<gone>\S{1,60}) not found"
    r"|access_refused, *\"?(?P<right>access to [^\"\n]{1,100})"
)
_MOST = 20


class RabbitRefusal(Record, frozen=True):
    """Represent one line about a refused client."""

    time: Time | None
    text: str


class RabbitLog(Record, frozen=True):
    """Represent the end of RabbitMQ's log."""

    files: tuple[str, ...]
    alarms: tuple[str, ...] = ()
    """Kinds of alarms that are set and not cleared: memory, disk ..."""
    refusals: tuple[RabbitRefusal, ...] = ()
    """The newest few, from old to new."""


def rabbit_log(
    ends: Iterable[tuple[str, str]],
    epoch: Callable[[str, str], float | None],
    redact: Callable[[str], str],
) -> RabbitLog | None:
    """Parse (path, text) of the logs from old to new; None without a log.

    epoch: returns the time of a text and its format in the zone of the host.
    """
    files: list[str] = []
    alarms: dict[str, None] = {}
    refusals: list[RabbitRefusal] = []
    for path, text in ends:
        files.append(path)
        time: float | None = None
        for line in text.splitlines():
            time = _time(line, epoch) or time
            if _START.search(line):
                alarms = {}
            if match := _ALARM.search(line):
                if match["state"] == "set":
                    alarms[match["kind"]] = None
                else:
                    alarms.pop(match["kind"], None)
            if match := _REFUSED.search(line):
                refusals.append(RabbitRefusal(time=time, text=redact(match[0])))
    if not files:
        return None
    return RabbitLog(files=tuple(files), alarms=tuple(alarms), refusals=tuple(refusals[-_MOST:]))


def _time(line: str, epoch: Callable[[str, str], float | None]) -> float | None:
    match = _TIME.search(line[:60])
    if match is None:
        return None
    if match["iso"]:
        return epoch(match["iso"].replace("T", " "), "%Y-%m-%d %H:%M:%S")
    return epoch(match["report"], "%d-%b-%Y::%H:%M:%S")
