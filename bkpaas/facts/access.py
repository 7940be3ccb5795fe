"""Parse the access log of login: the calls of is_login and get_user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import field

from bkpaas.facts import raw
from bkpaas.facts.exceptions import FailedRoute, RequestLine, failed_routes
from bkpaas.facts.file import FileFact, Files, content, file_fact
from bkpaas.facts.logs import shanghai_ctime
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.query import Earlier, Query, ReadTail, TailName
from bkpaas.facts.ranges import Count, Time, valid_time
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

if TYPE_CHECKING:
    from bkpaas.facts.host import HostFacts

PROBE = "bkpaas-acceptance/"
"""The User-Agent of the controller's own requests begins so; what follows is of one run.

Not every log-format has the User-Agent: the request for is_login bears the same in its query, with = for the slash.
"""


class Access(Record, frozen=True, array_like=True):  # there may be thousands: JSON without names
    """Represent one call of is_login or get_user."""

    time: Time | None
    """Epoch seconds; None: it cannot be read."""
    peer: str
    """Of nginx, for what came through it."""
    path: str
    """Without the query."""
    protocol: str
    status: int
    milliseconds: Count

    @property
    def route(self) -> str:
        """Return the route of the call: nginx strips /login and uses HTTP/1.0; ESB calls login with /login."""
        if self.path.startswith("/login/"):
            return "ESB"
        return "nginx" if self.protocol == "HTTP/1.0" else "direct"


class LoginAccess(Fact, frozen=True):
    """Represent the read part of the end of login's access log."""

    files: tuple[FileFact, ...]
    calls: tuple[Access, ...] = ()
    """From old to new, the newest few."""
    probes: tuple[str, ...] = ()
    """The User-Agents of the suite's own requests for is_login, whatever the format of the lines."""
    timed: bool = True
    """Whether the lines have the duration of the requests."""
    requests: int = 0
    """Lines of any request in a format that is known."""
    unparsed: int = field(default=0, name="strange")
    """Lines that name is_login or get_user in a format that is not known."""
    since: Time | None = None
    """When the first line that was read is of; None: it was read from its beginning, or has no lines."""
    later: bool = False
    """Whether it was read in round 2, after the request of the controller."""
    problems: tuple[Message | str, ...] = ()
    failed: tuple[FailedRoute, ...] = ()
    """Requests of any path that end in server errors since login was loaded, POST first."""


_MOST_CALLS = 2000
_CTIME = r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}"
_FORMATS = (
    # as open_paas's own files have it: addr, ctime, method, uri, proto, status, msecs, referer, uagent
    re.compile(
        rf"\[(?P<peer>[^\]]*)\] \[(?P<time>{_CTIME})\] \[(?P<method>[A-Z]+)\] \[(?P<uri>\S*)\] "
        r"\[(?P<protocol>[^\]]*)\] \[(?P<status>\d{3})\] \[(?P<msecs>\d{1,9})\] \["
    ),
    # as uwsgi writes it when nothing is said; memory-report goes before
    re.compile(
        rf"(?:\{{[^}}]*\}} )*\[pid: \d+\|[^\]]*\] (?P<peer>\S+) \([^)]*\) \{{[^}}]*\}} \[(?P<time>{_CTIME})\] "
        r"(?P<method>[A-Z]+) (?P<uri>\S*) => generated \d+ bytes in (?P<msecs>\d{1,9}) msecs "
        r"\((?P<protocol>\S*) (?P<status>\d{3})\)"
    ),
    # as gunicorn writes it, without a duration
    re.compile(
        r"(?P<peer>\S+) \S+ \S+ \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]{8} [+-]\d{4})\] "
        r'"(?P<method>[A-Z]+) (?P<uri>\S*) (?P<protocol>[^"]*)" (?P<status>\d{3}) (?:\d+|-) (?P<msecs>)'
    ),
)
_NAMED = re.compile(r"/(?:is_login|get_user)\b")
_OURS = re.compile(r"bkpaas-acceptance[/=](?P<run>[0-9a-f]{12})")
_OWN = "bkpaas-acceptance"
_CALL = re.compile(r"/(?:is_login|get_user)/?$")


def login_access(tails: Files, later: bool, secrets: Secrets) -> LoginAccess:
    """Parse the ends of login's access log and of its older files, where they were read."""
    entries = tails.get(TailName.UWSGI_LOG.of("login"), [])
    lines = [line for entry in entries for line in (content(entry) or "").splitlines()]
    requests = [match for line in lines if (match := _request(line))]
    calls = sorted(filter(None, map(_call, requests)), key=lambda call: call.time or 0.0)
    starts = [
        time
        for entry in entries
        if raw.integer(entry.get("offset"))
        if (time := _first_time(content(entry) or "")) is not None
    ]
    errors = ((file_fact(entry).path, raw.reason(entry.get("error"))) for entry in entries)
    return LoginAccess(
        files=tuple(map(file_fact, entries)),
        calls=tuple(calls[-_MOST_CALLS:]),
        probes=tuple(dict.fromkeys(filter(None, map(_probe, lines)))),
        timed=not requests or any(request["msecs"] for request in requests),
        requests=len(requests),
        unparsed=sum(1 for line in lines if _NAMED.search(line) and not _request(line)),
        since=max(starts, default=None),
        later=later,
        problems=tuple(msg("{path}: {reason}", path=path, reason=error) for path, error in errors if error),
        failed=tuple(
            FailedRoute(
                route=secrets.truncate(route.route, 120),
                status=route.status,
                times=route.times,
                calls=route.calls,
                exception=secrets.truncate(route.exception, 250),
            )
            for route in failed_routes([content(entry) or "" for entry in reversed(entries)], request_line)
        ),
    )


def request_line(line: str) -> RequestLine | None:
    """Return what counts of a request; nginx strips /login, which is therefore no part of the key."""
    request = _request(line)
    if request is None:
        return None
    path = re.sub(r"\d+", "N", request["uri"].partition("?")[0].removeprefix("/login"))[:100] or "/"
    return RequestLine(
        key=f"{request['method']} {path}",
        status=int(request["status"]),
        time=_time(request["time"]),
        own=_OWN in line and request["method"] != "POST",  # a login of --login-user counts
    )


def _request(line: str) -> re.Match[str] | None:
    return next((match for form in _FORMATS if (match := form.match(line))), None)


def _call(request: re.Match[str]) -> Access | None:
    path = request["uri"].partition("?")[0]
    if not _CALL.search(path):
        return None
    return Access(
        time=_time(request["time"]),
        peer=request["peer"][:50],
        path=path[:100],
        protocol=request["protocol"][:10],
        status=int(request["status"]),
        milliseconds=int(request["msecs"] or 0),
    )


def _probe(line: str) -> str | None:
    ours = _OURS.search(line) if _NAMED.search(line) else None
    return PROBE + ours["run"] if ours else None


def _time(text: str) -> float | None:
    """Return the time of a request: ctime in the zone of Django, or with its zone as gunicorn writes it."""
    if "/" not in text:
        return shanghai_ctime(text)
    try:
        return valid_time(datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp())
    except (ValueError, OverflowError):
        return None


def _first_time(text: str) -> float | None:
    requests = (_request(line) for line in text.splitlines()[1:])
    return next((_time(request["time"]) for request in requests if request), None)


_MOST_LOGS = 4


def login_access_log(facts: HostFacts) -> str:
    """Return the path of the log of login's requests: as configured in its uwsgi file, else as shipped."""
    login = None if isinstance(facts.services, Missing) else facts.services.by_name.get("login")
    return login.logto if login and login.logto else "{home}/logs/open_paas/login_uwsgi.log"


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read login's log again in round 2, when the controller's own request must be in it."""
    if earlier is not None and entry.has_role("paas"):
        path = login_access_log(earlier.hosts[entry.name])
        yield ReadTail(TailName.UWSGI_LOG.of("login"), path, deployment.limits.log_bytes, _MOST_LOGS)
