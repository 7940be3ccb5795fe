"""Parse the lines of logs that matter, with their times."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from os.path import basename, dirname
from typing import Any

from msgspec import field, structs

from bkpaas.facts import raw
from bkpaas.facts.exceptions import last_exceptions
from bkpaas.facts.file import Files, content, file_fact
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.query import Earlier, Query, ReadTail, TailName
from bkpaas.facts.rabbit import RabbitLog, rabbit_log
from bkpaas.facts.ranges import Time, valid_time
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.workers import FullQueue, WorkerDeath, full_queues, worker_deaths
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg


class LogHit(Record, frozen=True):
    file: str
    time: Time | None
    """Epoch seconds of the host's clock; None: the line carries none that can be read."""
    text: str
    """Without secrets, cut."""
    upstream: str | None = None
    """address:port (or unix:/path) of the upstream that an nginx error names."""
    level: str = ""
    """Of a line of nginx: error, crit, alert or emerg."""
    server: str | None = None
    """The first name of the server block that an nginx error names."""


class Logs(Fact, frozen=True):
    """Hold the newest lines of each kind, from old to new."""

    nginx_errors: tuple[LogHit, ...] = ()
    refusals: tuple[LogHit, ...] = ()
    """"Login validity is illegal" in either language."""
    start_errors: dict[str, LogHit] = field(default_factory=dict)
    """By service: why its newest start failed."""
    exceptions: dict[str, LogHit] = field(default_factory=dict)
    """By service: the newest exception of a request since it was loaded, from the log of uwsgi or else its own."""
    problems: tuple[Message | str, ...] = ()
    """Logs that could not be read."""
    rabbit: RabbitLog | None = None
    """None: there is no log of RabbitMQ."""
    worker_deaths: tuple[WorkerDeath, ...] = ()
    """Of all services, from old to new."""
    full_queues: tuple[FullQueue, ...] = ()
    """Of all services, from old to new."""
    application_exceptions: dict[str, tuple[LogHit, ...]] = field(default_factory=dict)
    """By service: the exceptions in its own log, as login.log, from old to new."""
    service_logs: tuple[str, ...] = ()
    """The services of which a log was read."""
    application_logs: tuple[str, ...] = ()
    """The logs of login, paas, esb and the SaaS that were read."""
    nginx_logs: tuple[str, ...] = ()
    """The error logs of nginx that were read."""
    later: tuple[str, ...] = ()
    """The files that were read in round 2."""
    esb_refusals: tuple[LogHit, ...] = ()
    """Calls of login that ESB refused, since it does not know the application or its secret, from old to new."""
    saas_errors: dict[str, LogHit] = field(default_factory=dict)
    """By SaaS: the newest exception in its uwsgi.log since it was loaded, or why its newest start failed."""


_MOST_SERVERS = 20
_MOST_HITS = 20
"""Of each kind, the newest."""
_TEXT_LENGTH = 400
_SHANGHAI = timezone(timedelta(hours=8))
"""The zone of the applications' own lines, whatever the host's is: Django sets it."""

_NGINX = re.compile(r"(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>error|crit|alert|emerg)\] ")
_UPSTREAM = re.compile(r'upstream: "(?:[a-z]+://)?(?P<place>unix:[^:"]+|[^/"]+)')
_SERVER = re.compile(r", server: (?P<name>[^\s,]+)")
_OF_CLIENTS = ("while SSL handshaking", "SSL_read() failed", "SSL_shutdown() failed", "left in connection")
"""Parts of lines above the level error that clients cause, or a reload."""
TOO_LARGE_BODY = "client intended to send too large"
"""Of a request that nginx refuses with 413."""
_NGINX_MARKERS = ("upstream", "resolve", "limiting requests", "limiting connections", TOO_LARGE_BODY)

_DJANGO = re.compile(r"[A-Z]+ \[(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_REQUEST = re.compile(r"\[[^\]]*\] \[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})\] \[")
_JSON_TIMES = ("req_end_time", "req_start_time", "asctime", "time", "timestamp", "@timestamp")
_REFUSED = ("Login validity is illegal", "登录态有效期不合法")
_SAAS_UWSGI_LOG = "uwsgi.log"
_ESB_CALL = "call esb api error!"
"""In a record of login.log on 6.x: ESB did not do what login called it for."""
_NOT_TRUSTED = ("Invalid APP Code", "APP Code", "APP Secret")
"""Starts of ESB's messages about the calling application."""
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")

_START = re.compile(
    r"\*\*\* Starting uWSGI .*\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})\]"
)
_LINE_TIME = re.compile(r"(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}) - ")
_LOADED = re.compile(r"WSGI app 0 \(.*\) ready in")
_START_MARKERS = ("bind(): ", "probably another instance of uWSGI", "no app loaded", "unable to load app")
_NO_APP = "no python application found"
"""What a uwsgi without its application answers to every request."""
_BRACKETED = re.compile(r"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})\]")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Configured|Interrupt)\b.*")


_APPLICATION_LOGS = (TailName.LOGIN_LOG, TailName.PAAS_LOG, TailName.ESB_LOG, TailName.SAAS_LOG)
_OWN_LOGS = {
    TailName.LOGIN_LOG.value: "login",
    TailName.PAAS_LOG.value: "paas",
    TailName.ESB_LOG.value: "esb",
}
"""The services that write the logs of their own."""


def logs(tails: Files, utc_offset_seconds: int | None, secrets: Secrets, later: tuple[str, ...] = ()) -> Logs:
    """Parse the ends of the logs.

    Args:
        utc_offset_seconds: of the host; None if unknown.
        later: the files that were read in round 2.
    """
    host_zone = None if utc_offset_seconds is None else _zone(utc_offset_seconds)
    reader = _Reader(host_zone, secrets)
    applications: list[LogHit] = []
    start_errors: dict[str, LogHit] = {}
    exceptions: dict[str, LogHit] = {}
    logged: dict[str, list[LogHit]] = {}
    esb_refusals: list[LogHit] = []
    saas_errors: dict[str, LogHit] = {}
    for name, entries in tails.items():
        # The newest file first, as the collector sends them.
        ends = [(file_fact(entry).path, content(entry) or "") for entry in entries if content(entry)]
        if name.startswith(TailName.UWSGI_LOG.prefix) and ends:
            hit = reader.start_error(*ends[0])
            service = name.removeprefix(TailName.UWSGI_LOG.prefix)
            start_errors |= {service: hit} if hit else {}
            newest = reader.exception(*ends[0])
            exceptions |= {service: newest} if newest else {}
        elif name in _APPLICATION_LOGS:
            applications += [hit for path, end in ends for hit in reader.refusals(path, end)]
        if name == TailName.SAAS_LOG:
            saas_errors |= reader.saas_errors(ends)
        if name in _OWN_LOGS:
            logged[_OWN_LOGS[name]] = [hit for path, end in ends for hit in reader.logged(path, end)]
        if name == TailName.LOGIN_LOG:
            esb_refusals += [hit for path, end in ends for hit in reader.esb_refusals(path, end)]
    nginx_ends = _ends(tails.get(TailName.NGINX_ERROR_LOG, []))
    nginx_hits = [hit for path, end in nginx_ends for hit in reader.nginx_errors(path, end)]
    rabbit_ends = [(path, end) for path, end in reversed(_ends(tails.get(TailName.RABBIT_LOG, []))) if end]
    return Logs(
        rabbit=rabbit_log(
            rabbit_ends,
            lambda text, form: _epoch(text, form, host_zone),
            lambda text: secrets.truncate(text, 200),
        ),
        nginx_errors=_newest_by_server(nginx_hits),
        refusals=_newest(applications),
        start_errors=start_errors,
        exceptions={service: _newest(hits)[-1] for service, hits in logged.items() if hits} | exceptions,
        problems=_unread(tails),
        worker_deaths=worker_deaths(tails, host_zone),
        full_queues=full_queues(tails, host_zone),
        application_exceptions={service: _newest(hits) for service, hits in logged.items() if hits},
        application_logs=_paths_read(tails, *_APPLICATION_LOGS),
        later=later,
        esb_refusals=_newest(esb_refusals),
        saas_errors=saas_errors,
        nginx_logs=_paths_read(tails, TailName.NGINX_ERROR_LOG),
        service_logs=_services_read(tails),
    )


def _unread(tails: Files) -> tuple[Message | str, ...]:
    """Return `path: reason` of each log that could not be read."""
    return tuple(
        msg("{path}: {reason}", path=file_fact(entry).path, reason=error)
        for entries in tails.values()
        for entry in entries
        if (error := raw.reason(entry.get("error")))
    )


def _services_read(tails: Files) -> tuple[str, ...]:
    return tuple(
        name.removeprefix(TailName.UWSGI_LOG.prefix)
        for name, entries in tails.items()
        if name.startswith(TailName.UWSGI_LOG.prefix) and any(content(one) is not None for one in entries)
    )


def _ends(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the path and the text of each log; an empty text if it was not read."""
    return [(file_fact(entry).path, content(entry) or "") for entry in entries]


def _paths_read(tails: Files, *names: TailName) -> tuple[str, ...]:
    entries = [entry for name in names for entry in tails.get(name.value, [])]
    return tuple(file_fact(entry).path for entry in entries if content(entry) is not None)[:_MOST_HITS]


def _zone(seconds: int) -> timezone | None:
    return timezone(timedelta(seconds=seconds)) if abs(seconds) < 86400 else None


def _newest(hits: list[LogHit]) -> tuple[LogHit, ...]:
    return tuple(sorted(hits, key=lambda hit: hit.time or 0.0)[-_MOST_HITS:])


def _newest_by_server(hits: list[LogHit]) -> tuple[LogHit, ...]:
    """Return the newest lines of each server block: another system may write most of a log."""
    by_server: dict[tuple[str | None, bool, bool], list[LogHit]] = {}
    for hit in hits:
        key = hit.server, hit.level == "error", TOO_LARGE_BODY in hit.text
        by_server.setdefault(key, []).append(hit)
    kept = [hit for group in list(by_server.values())[:_MOST_SERVERS] for hit in _newest(group)]
    return tuple(sorted(kept, key=lambda hit: hit.time or 0.0))


class _Reader:
    def __init__(self, host_zone: timezone | None, secrets: Secrets) -> None:
        self.host_zone = host_zone
        self.secrets = secrets

    def _hit(self, path: str, time: float | None, text: str, upstream: str | None = None) -> LogHit:
        shown = self.secrets.truncate(" ".join(text.split()), _TEXT_LENGTH)
        return LogHit(file=path, time=time, text=shown, upstream=upstream)

    def nginx_errors(self, path: str, end: str) -> Iterator[LogHit]:
        """Yield nginx's errors about upstreams, names and limits, and all lines above the level error."""
        for line in end.splitlines():
            match = _NGINX.match(line)
            if match is None or any(text in line for text in _OF_CLIENTS):
                continue
            if match["level"] != "error" or any(word in line for word in _NGINX_MARKERS):
                upstream, server = _UPSTREAM.search(line), _SERVER.search(line)
                time = _epoch(match["time"], "%Y/%m/%d %H:%M:%S", self.host_zone)
                hit = self._hit(path, time, line, upstream["place"] if upstream else None)
                yield structs.replace(
                    hit, level=match["level"], server=server["name"][:255] if server else None
                )

    def refusals(self, path: str, end: str) -> Iterator[LogHit]:
        """Yield the refusals; a record may have several lines, the first one has the time."""
        time = None
        for line in end.splitlines():
            time = _application_time(line, time)
            plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), line)
            if any(pattern in plain for pattern in _REFUSED):
                yield self._hit(path, time, plain)

    def esb_refusals(self, path: str, end: str) -> Iterator[LogHit]:
        """Yield ESB's messages about the application as which login called it.

        The message ends the record; what a user typed is before it.
        """
        time = None
        for line in end.splitlines():
            time = _application_time(line, time)
            reason = line.rpartition(", message: ")[2]
            if _ESB_CALL in line and reason.startswith(_NOT_TRUSTED):
                yield self._hit(path, time, reason)

    def exception(self, path: str, end: str) -> LogHit | None:
        """Return the newest exception of a request, with the time of the request line after it."""
        exceptions = last_exceptions(end)
        if not exceptions:
            return None
        number, text = exceptions[-1]
        after = (match for line in end.splitlines()[number:] if (match := _BRACKETED.search(line)))
        match = next(after, None)
        return self._hit(path, shanghai_ctime(match["time"]) if match else None, text)

    def saas_errors(self, ends: list[tuple[str, str]]) -> dict[str, LogHit]:
        """Return why an application fails, by its name, from the newest of its logs of uwsgi."""
        errors = {}
        for path, end in reversed([one for one in ends if basename(one[0]) == _SAAS_UWSGI_LOG]):
            if hit := self.exception(path, end) or self.start_error(path, end):
                errors[basename(dirname(path))] = hit
        return errors

    def logged(self, path: str, end: str) -> Iterator[LogHit]:
        """Yield the exceptions in an application's own log, with the times of their records."""
        exceptions, time = dict(last_exceptions(end)), None
        for number, line in enumerate(end.splitlines()):
            time = _application_time(line, time)
            if number in exceptions:
                yield self._hit(path, time, exceptions[number])

    def start_error(self, path: str, end: str) -> LogHit | None:
        """Return why the newest start failed, None if it succeeded or is not in this part of the log."""
        time: float | None = None
        messages: list[str] = []
        starting = False
        for line in end.splitlines():
            stamp = _LINE_TIME.match(line)
            text = line[stamp.end() :] if stamp else line
            if match := _START.search(line):
                time, messages, starting = _ctime(match["time"], self.host_zone), [], True
            elif _LOADED.search(line):
                messages, starting = [], False
            elif (_NO_APP in text or (starting and _is_start_error(text))) and text not in messages:
                messages.append(text)
        return self._hit(path, time, " | ".join(messages[-4:])) if messages else None


def _is_start_error(line: str) -> bool:
    return any(word in line for word in _START_MARKERS) or bool(_EXCEPTION.match(line))


def line_times(end: str) -> list[float]:
    """Return the times at the starts of the lines of an application's log, in order."""
    times = (_application_time(line, None) for line in end.splitlines())
    return [time for time in times if time is not None]


def _application_time(line: str, before: float | None) -> float | None:
    """Return the time of the record that a line starts or continues."""
    if match := _DJANGO.match(line):
        return _epoch(match["time"], "%Y-%m-%d %H:%M:%S", _SHANGHAI)
    if match := _REQUEST.match(line):
        return _ctime(match["time"], _SHANGHAI)
    return _json_time(line) if line.startswith("{") else before


def _json_time(line: str) -> float | None:
    try:
        record = raw.record(json.loads(line))
    except (ValueError, RecursionError):
        return None
    values = (record[name] for name in _JSON_TIMES if name in record)
    value = next(values, None)
    if isinstance(value, str):
        return _epoch(value[:19].replace("T", " "), "%Y-%m-%d %H:%M:%S", _SHANGHAI)
    return valid_time(raw.number(raw.clean(value)))


def shanghai_ctime(text: str) -> float | None:
    """Parse the time of a request line, such as Mon Jul 30 09:47:28 2018."""
    return _ctime(text, _SHANGHAI)


def _ctime(text: str, zone: timezone | None) -> float | None:
    return _epoch(text, "%a %b %d %H:%M:%S %Y", zone)


def _epoch(text: str, form: str, zone: timezone | None) -> float | None:
    """Return epoch seconds, None if the text has another form or the zone is unknown."""
    try:
        time = datetime.strptime(text, form).replace(tzinfo=zone).timestamp() if zone else None
    except (ValueError, OverflowError):
        return None
    return valid_time(time)


_MOST_LOGS = 4
_MOST_ERROR_LOGS = 8
_MOST_RABBIT_LOGS = 2


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the end of the services' and nginx' logs; round 2: of the error logs that nginx' own files name."""

    def tail(name: str, path: str, most: int = _MOST_LOGS) -> ReadTail:
        return ReadTail(name, path, deployment.limits.log_bytes, most)

    if earlier is not None:
        facts = earlier.hosts[entry.name]
        services = {} if isinstance(facts.services, Missing) else facts.services.by_name
        for name, its in services.items():
            usual = f"/logs/open_paas/{name}_uwsgi.log"
            if its.logto and name != "login" and not its.logto.endswith(usual):  # login's: facts.access
                yield tail(TailName.UWSGI_LOG.of(name), its.logto)
        nginx = earlier.hosts[entry.name].nginx
        if entry.has_role("nginx") and not isinstance(nginx, Missing):
            for path in nginx.error_logs:
                yield tail(TailName.NGINX_ERROR_LOG.value, path)
        return
    if entry.has_role("paas"):
        for service in platform.OPEN_PAAS_SERVICES:
            yield tail(TailName.UWSGI_LOG.of(service), f"{{home}}/logs/open_paas/{service}_uwsgi.log")
        for folder in platform.log_directories(deployment):
            yield tail(TailName.LOGIN_LOG.value, f"{folder}/login.log")
            yield tail(TailName.PAAS_LOG.value, f"{folder}/paas.log")
            yield tail(TailName.ESB_LOG.value, f"{folder}/esb*.log")
    if entry.has_role("rabbitmq"):
        for path in ("/var/log/rabbitmq/rabbit@*.log", "{home}/logs/rabbitmq/rabbit@*.log"):
            yield tail(TailName.RABBIT_LOG.value, path, _MOST_RABBIT_LOGS)
    if entry.has_role("nginx"):
        for path in ("{home}/logs/nginx/*error*.log", "/var/log/nginx/*error*.log"):
            yield tail(TailName.NGINX_ERROR_LOG.value, path, _MOST_ERROR_LOGS)
