"""Find the exceptions of requests in a service's log, and the requests that they ended in a server error.

A traceback of an application precedes the line of its request in SERVICE_uwsgi.log. Source: uWSGI writes the line when
the request has ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Literal

from bkpaas.facts.missing import Record

Subject = Literal["database", "disk", "code", "other"]
"""What an exception names: the database, a file system, the code and its packages, something else."""

_TRACEBACK = "Traceback (most recent call last):"
_DATE = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4} - ")
_EXCEPTION = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?$")
_LOADED = re.compile(r"WSGI app 0 \(.*\) ready in|\*\*\* Starting uWSGI ")
_DATABASE = re.compile(
    r"OperationalError|ProgrammingError|InternalError|InterfaceError|DatabaseError|IntegrityError|DataError"
    r"|MySQL|pymysql|_mysql"
)
_DISK = re.compile(
    r"No space left on device|Read-only file system|Disk quota exceeded|\[Errno (?:28|30|122)\]"
)
_CODE = re.compile(r"(?:Import|ModuleNotFound|Type|Attribute|Name|Syntax|Key|Index|Unicode\w*)Error\b")
_DATABASE_ERROR = re.compile(r"(?:Error|Warning)\b[^(]{0,80}\([\"']?(\d{1,5})\b")
_OF_THE_SERVER = frozenset({
    0, 32, 104, 110, 111, 113, 1040, 1043, 1044, 1045, 1047, 1049, 1053, 1129, 1130, 1142, 1143, 1152, 1153, 1158,
    1159, 1160, 1161, 1184, 1198,
    1203, 1205, 1213, 1226, 1227, 1290, 1317, 1698, 1792, 1820, 1836, 1862, 1927, 1969, 2002, 2003, 2005, 2006, 2012,
    2013, 2014, 2027, 2055, 3024, 4031,
})  # fmt: skip
"""Numbers for the state of a database, the account or the connection; 0 is a closed connection, below 120 are errno."""
_OF_A_TABLE = frozenset({1016, 1017, 1030, 1033, 1034, 1035, 1146, 1194, 1195, 1813, 1814, 1932})
"""Numbers for a table that is missing or damaged."""
_NEAR_LINES = 200
"""An exception so many lines before a request does not belong to it."""


class RequestLine(Record, frozen=True):
    """Represent what a request line says, as the caller's parser reads it."""

    key: str
    status: int
    time: float | None
    own: bool = False
    """Whether the suite sent the request."""


class FailedRoute(Record, frozen=True):
    """Represent requests of one method and path that end in server errors, and are not followed by a success."""

    route: str
    """Method and path, without the query."""
    status: int
    """Of the last."""
    times: tuple[float, ...]
    """Of the failures, from old to new, the newest few; epoch seconds."""
    calls: int
    """Requests of the route since the service was loaded."""
    exception: str = ""
    """Of the last, as the log has it; the caller redacts it."""


class _Route:
    def __init__(self) -> None:
        self.times: list[float] = []
        self.status, self.calls, self.failed = 0, 0, 0
        self.successes, self.longest = 0, 0
        """Successes since the last failure; the most between two failures."""
        self.exception = ""

    def add(self, line: RequestLine, exception: str) -> None:
        self.calls += 1
        if line.status < 500:
            self.successes += 1
        elif not line.own:
            if self.failed:
                self.longest = max(self.longest, self.successes)
            self.failed, self.successes, self.status = self.failed + 1, 0, line.status
            self.exception = exception or self.exception
            self.times += [line.time] if line.time is not None else []

    def recovered(self) -> bool:
        """Return whether a success followed the last failure, and not only as between the failures."""
        return self.successes > self.longest


def exception_subject(text: str) -> Subject:
    """Return what an exception names."""
    if _DISK.search(text):
        return "disk"
    if _DATABASE.search(text):
        return "database"
    return "code" if _CODE.search(text) else "other"


def database_error(text: str) -> int | None:
    """Return the number of the database's error that an exception has: `DataError: (1406, "Data too long ...")`.

    Numbers below 1000 are of its storage engines (167: an AUTO_INCREMENT is used up) and of the system.
    """
    number = _DATABASE_ERROR.search(text)
    return int(number[1]) if number else None


def is_about_server(text: str, tables: Collection[str]) -> bool:
    """Return whether an exception is about a state of the database that is seen from outside, so that it can be over.

    All others are about the statement: a column, a key, a value, a number that is used up.
    tables: those that are known to be readable, for an error about a table.

    Source: MariaDB, server error codes: the account, locks, connections and read-only states.
    """
    number = database_error(text)
    if number in _OF_A_TABLE:
        return any(re.search(rf"\b{table}\b", text) for table in tables)
    return number in _OF_THE_SERVER


def last_exceptions(text: str) -> list[tuple[int, str]]:
    """Return the exceptions of a log since the service was loaded, with the numbers of their lines."""
    exceptions: list[tuple[int, str]] = []
    for number, exception in _events(text):
        exceptions = [] if exception is None else [*exceptions[-20:], (number, exception)]
    return exceptions


def failed_routes(
    texts: list[str], parse: Callable[[str], RequestLine | None], most: int = 20
) -> tuple[FailedRoute, ...]:
    """Return the routes whose last request failed; texts: the parts of the log from old to new."""
    routes: dict[str, _Route] = {}
    for text in texts:
        exceptions = dict(_events(text))
        pending, since = "", 0
        for number, line in enumerate(text.splitlines()):
            if number in exceptions:
                exception = exceptions[number]
                if exception is None:
                    routes, pending = {}, ""
                    continue
                pending, since = exception, number
            request = parse(line)
            if request is None:
                continue
            near = pending if number - since <= _NEAR_LINES else ""
            routes.setdefault(request.key, _Route()).add(request, near)
            if request.status >= 500:
                pending = ""
    failed = [(key, route) for key, route in routes.items() if route.failed and not route.recovered()]
    failed.sort(key=lambda item: (not item[0].startswith("POST"), -item[1].failed))
    return tuple(
        FailedRoute(
            route=key,
            status=route.status,
            times=tuple(route.times[-200:]),
            calls=route.calls,
            exception=route.exception,
        )
        for key, route in failed[:most]
    )


def _events(text: str) -> Iterator[tuple[int, str | None]]:
    """Yield (number of the line, exception), and (number, None) where the service was loaded."""
    inside = False
    for number, line in enumerate(text.splitlines()):
        date = _DATE.match(line)
        plain = line[date.end() :] if date else line
        if _LOADED.search(plain):
            inside = False
            yield number, None
        elif plain.strip() == _TRACEBACK:
            inside = True
        elif inside and plain and not plain[0].isspace():
            inside = False
            if _EXCEPTION.match(plain):
                yield number, " ".join(plain.split())[:1000]
