"""Who asked login whether a user is logged in, as its access log tells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bkpaas.facts import raw
from bkpaas.facts.file import FileFact, Files, content, file_fact
from bkpaas.facts.logs import shanghai_ctime
from bkpaas.facts.missing import Fact, Record

PROBE = "bkpaas-acceptance/"
"""The User-Agent of the controller's own requests begins so; what follows is of one run."""


class Access(Record, frozen=True, array_like=True):  # there may be thousands: JSON without names
    """One call of is_login or get_user."""

    time: float | None
    """Epoch seconds; None: it cannot be read."""
    peer: str
    """Of nginx, for what came through it."""
    path: str
    """Without the query."""
    protocol: str
    status: int
    milliseconds: int

    @property
    def way(self) -> str:
        """How the caller came: nginx strips /login, and speaks HTTP/1.0; ESB asks login itself with /login."""
        if self.path.startswith("/login/"):
            return "ESB"
        return "nginx" if self.protocol == "HTTP/1.0" else "direct"


class LoginAccess(Fact, frozen=True):
    """The end of login's access log, as far as it was read."""

    files: tuple[FileFact, ...]
    calls: tuple[Access, ...] = ()
    """From old to new, the newest few."""
    probes: tuple[str, ...] = ()
    """The User-Agents of our own requests for is_login."""
    since: float | None = None
    """When the first line that was read is of; None: it was read from its beginning, or has no lines."""
    later: bool = False
    """Whether it was read in the second visit, after the controller had asked."""
    problems: tuple[str, ...] = ()


_MOST_CALLS = 2000
_LINE = re.compile(
    r"\[(?P<peer>[^\]]*)\] \[(?P<time>[A-Z][^\]]{23})\] \[(?P<method>[A-Z]+)\] \[(?P<uri>\S*)\] "
    r"\[(?P<protocol>[^\]]*)\] \[(?P<status>\d{3})\] \[(?P<msecs>\d{1,9})\] \[.*?\](?: \[(?P<agent>.*)\])?$"
)
_CALL = re.compile(r"/(?:is_login|get_user)/?$")


def login_access(tails: Files, later: bool) -> LoginAccess:
    """From the ends of login's access log and, when there was room, of its older files."""
    entries = tails.get("uwsgi-log-login", [])
    found = [call for entry in entries for call in _calls(content(entry) or "")]
    found.sort(key=lambda one: one[0].time or 0.0)
    starts = [
        time
        for entry in entries
        if raw.integer(entry.get("offset"))
        if (time := _first_time(content(entry) or "")) is not None
    ]
    errors = ((file_fact(entry).path, raw.text(entry.get("error"), 300)) for entry in entries)
    return LoginAccess(
        files=tuple(map(file_fact, entries)),
        calls=tuple(call for call, _ in found[-_MOST_CALLS:]),
        probes=tuple(
            dict.fromkeys(
                agent[:60] for call, agent in found if agent.startswith(PROBE) and "is_login" in call.path
            )
        ),
        since=max(starts, default=None),
        later=later,
        problems=tuple(f"{path}: {error}" for path, error in errors if error),
    )


def _calls(text: str) -> Iterator[tuple[Access, str]]:
    for line in text.splitlines():
        match = _LINE.match(line)
        path = match["uri"].partition("?")[0] if match else ""
        if match and _CALL.search(path):
            call = Access(
                time=shanghai_ctime(match["time"]),
                peer=match["peer"][:50],
                path=path[:100],
                protocol=match["protocol"][:10],
                status=int(match["status"]),
                milliseconds=int(match["msecs"]),
            )
            yield call, match["agent"] or ""


def _first_time(text: str) -> float | None:
    matches = (_LINE.match(line) for line in text.splitlines()[1:])
    return next((shanghai_ctime(match["time"]) for match in matches if match), None)
