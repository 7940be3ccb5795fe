"""Time zones of processes: what the variable TZ means."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

_POSIX = re.compile(
    r"(?:[A-Za-z]{3,}|<[^<>]{3,}>)(?P<sign>[+-]?)(?P<hours>[0-9]{1,2})(?::(?P<minutes>[0-9]{2}))?"
)
"""A zone without daylight saving time, such as CST-8. Source: tzset(3)."""
_DATABASE = "/usr/share/zoneinfo/"


def zone_offset(variable: str, time: float) -> int | None:
    """Return the seconds east of UTC that a value of TZ gives; None where that is unknown or the host's own zone.

    Args:
        variable: such as Asia/Shanghai, :/usr/share/zoneinfo/UTC or CST-8; empty: UTC.
        time: epoch seconds at which the offset counts.
    """
    name = variable.removeprefix(":").removeprefix(_DATABASE)
    if match := _POSIX.fullmatch(name):
        seconds = int(match["hours"]) * 3600 + int(match["minutes"] or 0) * 60
        return seconds if match["sign"] == "-" else -seconds
    try:
        offset = datetime.fromtimestamp(time, ZoneInfo(name or "UTC")).utcoffset()
    except (OSError, ValueError, KeyError):  # no such zone, or not in this machine's database
        return None
    return None if offset is None else int(offset.total_seconds())
