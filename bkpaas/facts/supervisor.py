"""Parse the configuration, the socket and the supervisorctl status of supervisors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from configparser import Error, MissingSectionHeaderError, ParsingError, RawConfigParser
from functools import lru_cache
from os.path import basename
from typing import Any

from msgspec import field

from bkpaas.facts import raw
from bkpaas.facts.file import FileFact, Files, content, file_fact, unreadable
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile, Section, SupervisorStatus
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.supervisor_conf import (
    ConfProgram,
    conf_files,
    conf_path,
    conf_programs,
    included,
    refused,
    shown_variables,
    variables,
)
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

STATES = ("STOPPED", "STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "FATAL", "UNKNOWN")
_CONF = re.compile(r"supervisor-(?P<module>[\w.-]+)\.conf")
_RUNNING = re.compile(
    r"pid (?P<pid>\d+), uptime (?:(?P<days>\d+) days?, )?(?P<h>\d+):(?P<m>\d\d):(?P<s>\d\d)"
)


class Program(Record, frozen=True):
    """Represent one line of supervisorctl status."""

    name: str
    """group:name for a program in a group."""
    state: str
    """STOPPED STARTING RUNNING BACKOFF STOPPING EXITED FATAL UNKNOWN."""
    pid: int | None = None
    uptime_seconds: int | None = None
    description: str = ""


class Supervisor(Record, frozen=True):
    """Represent one supervisor-<module>.conf with its socket, pid file and status."""

    conf: FileFact
    programs_in_conf: tuple[ConfProgram, ...] = ()
    socket_path: str | None = None
    pidfile_path: str | None = None
    logfile_path: str | None = None
    socket: FileFact | None = None
    """None: not looked at."""
    pidfile: FileFact | None = None
    """None: not looked at."""
    pidfile_pid: int | None = None
    status: tuple[Program, ...] | None = None
    """None: supervisorctl was not run or did not answer, see status_error."""
    status_error: Message | str | None = None
    """What supervisorctl said instead of a status."""
    later: tuple[Program, ...] | None = None
    """The status of the second visit."""
    later_error: Message | str | None = None
    """Why it was asked for, and is not there."""
    conf_error: Message | str | None = None
    """Why the configuration cannot be read."""
    conf_refused: tuple[Message | str, ...] = ()
    """What supervisord refuses at its next start, in a configuration that can be read."""
    files: tuple[FileFact, ...] = ()
    """The configuration and the files that it includes."""
    user: str | None = None
    """To which supervisord changes at its start."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables for all programs, of those that are read of each process too."""
    server_url: str | None = None
    """Where supervisorctl connects."""
    has_interface: bool = True
    """Whether there is a section for the interface that supervisorctl needs."""


class Supervisors(Fact, frozen=True):
    """Hold the supervisors by module: open_paas, paas_agent ..."""

    by_module: dict[str, Supervisor]


def supervisors(files: Files, status: Any, later: Any, secrets: Secrets) -> Supervisors:
    """Parse the configurations, the entries of their paths, and supervisorctl's output of both rounds."""
    by_module: dict[str, Supervisor] = {}
    for entry in files.get(FileName.SUPERVISOR_CONF, []):
        module = _module(entry, by_module)
        if module is not None:
            answers = raw.record(status).get(module), raw.record(later).get(module)
            by_module[module] = _supervisor(entry, module, files, answers, secrets)
    return Supervisors(by_module=by_module)


def _module(entry: dict[str, Any], by_module: dict[str, Supervisor]) -> str | None:
    """Return the module of a configuration: by its name, or open_paas if it starts login and paas."""
    if match := _CONF.fullmatch(basename(raw.text(entry.get("path")) or "")):
        return match["module"]
    text = content(entry) or ""
    usual = by_module.get("open_paas")
    others = usual is None or usual.conf.type == "missing"
    return "open_paas" if others and all(f"[program:{name}]" in text for name in ("login", "paas")) else None


def _supervisor(
    entry: dict[str, Any], module: str, files: Files, answers: tuple[Any, Any], secrets: Secrets
) -> Supervisor:
    conf = file_fact(entry)
    parser, conf_error = _read(entry, secrets)
    programs: list[ConfProgram] = []
    more = included(parser, conf.path, files.get(FileName.SUPERVISOR_INCLUDE, []))
    readings = [(conf.path, parser), *((str(one["path"]), _read(one, secrets)[0]) for one in more)]
    problems = [] if conf_error or not conf.exists else refused(parser, conf.path)
    for one in more:
        if reason := _read(one, secrets)[1]:
            problems.append(msg("{path}: {reason}", path=str(one["path"]), reason=reason))
    for path, reading in readings:
        try:
            programs += conf_programs(reading, path, secrets)
        except ValueError as error:
            conf_error = conf_error or secrets.truncate(str(error), 300)
    socket_path = conf_path(parser, "unix_http_server", "file", conf.path)
    pidfile_path = conf_path(parser, "supervisord", "pidfile", conf.path)
    pidfile = _at(pidfile_path, files.get(FileName.SUPERVISOR_PID.of(module), []))
    socket = _at(socket_path, files.get(FileName.SUPERVISOR_SOCKET.of(module), []))
    shown, error_text = status_of(answers[0], secrets)
    later, later_error = status_of(answers[1], secrets)
    if not _CONF.fullmatch(basename(conf.path)):  # asked for in round 2 only, when its name was known
        shown, error_text = later, later_error
    return Supervisor(
        conf=conf,
        programs_in_conf=tuple(programs),
        socket_path=socket_path,
        pidfile_path=pidfile_path,
        logfile_path=conf_path(parser, "supervisord", "logfile", conf.path),
        socket=None if socket is None else file_fact(socket),
        pidfile=None if pidfile is None else file_fact(pidfile),
        pidfile_pid=None if pidfile is None else pid_in(pidfile),
        status=shown,
        status_error=error_text,
        later=later,
        later_error=later_error if answers[1] is not None else None,
        conf_error=conf_error,
        conf_refused=tuple(problems),
        files=conf_files(conf, more),
        user=parser.get("supervisord", "user", fallback=None),
        environment=shown_variables(parser, "supervisord", secrets),
        server_url=parser.get("supervisorctl", "serverurl", fallback=None),
        has_interface=any(section.startswith("rpcinterface:") for section in parser.sections()),
    )


def _read(entry: dict[str, Any], secrets: Secrets) -> tuple[RawConfigParser, Message | str | None]:
    """Parse a configuration; return it with the reason if it is incomplete. The parser is not to be changed."""
    parser, error = _parsed((content(entry) or "").lstrip("\ufeff"))
    problem = unreadable(entry)
    if error is not None:
        problem = problem or _refusal(error, secrets)
    return parser, problem


def _refusal(error: Error, secrets: Secrets) -> Message | str:
    """Return what is wrong with a text, with the number of its first wrong line."""
    if isinstance(error, MissingSectionHeaderError):
        text = secrets.truncate(error.line.strip(), 100)
        return msg("line {line} is in no section: {text}", line=error.lineno, text=text)
    if isinstance(error, ParsingError) and error.errors:
        line, text = error.errors[0]
        return msg("line {line} has no =: {text}", line=line, text=secrets.truncate(text, 100))
    return f"{type(error).__name__}: {secrets.truncate(str(error), 300)}"


@lru_cache(maxsize=16)
def _parsed(text: str) -> tuple[RawConfigParser, Error | None]:
    """Parse a text once for all that is read from it; hosts of a deployment have equal files."""
    parser = RawConfigParser(strict=False, inline_comment_prefixes=(";",))
    try:
        parser.read_string(text)
    except Error as error:
        return parser, error.with_traceback(None)
    return parser, None


def environment(entry: dict[str, Any], program: str, secrets: Secrets) -> dict[str, str]:
    """Return the variables that a supervisor configuration sets for a program; empty if unreadable."""
    parser, values = _read(entry, secrets)[0], dict[str, str]()
    for section in ("supervisord", f"program:{program}"):  # supervisord's own, and over them the program's
        values |= variables(parser, section)
    return values


def _at(path: str | None, entries: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the newest entry of this path."""
    return next((entry for entry in reversed(entries) if path and entry.get("path") == path), None)


def pid_in(entry: dict[str, Any]) -> int | None:
    """Return the number in a pid file."""
    fields = (content(entry) or "").split()
    return int(fields[0]) if fields and fields[0].isdecimal() and len(fields[0]) < 10 else None


def status_of(answer: Any, secrets: Secrets) -> tuple[tuple[Program, ...] | None, Message | str | None]:
    """Parse `supervisorctl status`: the programs, else the message; the exit code is meaningless."""
    if not isinstance(answer, dict):
        return None, msg("supervisorctl was not run")
    out = raw.text(answer.get("out"), 100_000) or ""
    programs = tuple(program for line in out.splitlines() if (program := _program(line, secrets)) is not None)
    error = raw.reason(answer.get("error"))
    if programs and error is None:
        return programs, None
    message = error or _relevant_line(out) or _relevant_line(raw.text(answer.get("err"), 100_000) or "")
    if message is None and answer.get("rc") == 0:
        return (), None
    if isinstance(message, Message):
        return None, message
    return None, secrets.truncate(message, 300) if message else msg("supervisorctl printed nothing")


def _relevant_line(output: str) -> str | None:
    """Return the relevant line: the last one of a traceback, else the first."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if not lines:
        return None
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


def _program(line: str, secrets: Secrets) -> Program | None:
    fields = line.split(None, 2)
    if len(fields) < 2 or fields[1] not in STATES:
        return None
    description = fields[2].strip() if len(fields) > 2 else ""
    running = _RUNNING.fullmatch(description)
    uptime = None
    if running:
        days, hours, minutes, seconds = (int(running[part] or 0) for part in ("days", "h", "m", "s"))
        uptime = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return Program(
        name=fields[0][:100],
        state=fields[1],
        pid=int(running["pid"]) if running else None,
        uptime_seconds=uptime,
        description=secrets.truncate(description, 200),
    )


_MOST_FILES = 50
_YOUNG_SECONDS = 10
"""A program that started so recently is checked again a little later: its pid must not change."""
_STEADY_SECONDS = 4.0
"""How much later: more than supervisor's start retries are apart."""


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read each supervisor's configuration, socket and pid file and ask for the status; open_paas' again in round 2."""
    if earlier is None:
        if entry.has_role("paas"):
            yield from _first(deployment, "open_paas")
            for conf in platform.supervisor_confs(deployment):
                yield ReadFile(
                    FileName.SUPERVISOR_CONF.value, conf, deployment.limits.file_bytes, _MOST_FILES
                )
        if entry.has_role("appo", "appt"):
            yield from _first(deployment, "paas_agent")
        if entry.has_role(*platform.LOG_PLUGIN_ROLES):
            size = deployment.limits.file_bytes
            conf = "{home}/etc/supervisor-paas_plugins.conf"
            yield ReadFile(FileName.SUPERVISOR_CONF.value, conf, size, _MOST_FILES)
            more = "{home}/etc/supervisor-*/*.conf"
            yield ReadFile(FileName.SUPERVISOR_INCLUDE.value, more, size, _MOST_FILES)
        return
    facts = earlier.hosts[entry.name].supervisors
    if entry.has_role("paas") and isinstance(facts, Supervisors) and "open_paas" in facts.by_module:
        yield from _again(deployment, "open_paas", facts.by_module["open_paas"])


def _first(deployment: Deployment, module: str) -> Iterator[Query]:
    conf, size = f"{{home}}/etc/supervisor-{module}.conf", deployment.limits.file_bytes
    yield ReadFile(FileName.SUPERVISOR_CONF.value, conf, size, _MOST_FILES)
    yield ReadFile(FileName.SUPERVISOR_SOCKET.of(module), f"{{home}}/logs/{module}/supervisor.sock", read=0)
    pid_file = f"{{home}}/logs/{module}/supervisord.pid"
    yield ReadFile(FileName.SUPERVISOR_PID.of(module), pid_file, size, _MOST_FILES)
    yield SupervisorStatus(module, conf, deployment.limits.command_seconds)


def _again(deployment: Deployment, module: str, supervisor: Supervisor) -> Iterator[Query]:
    """Return queries of round 2 for the paths that the configuration names."""
    yield SupervisorStatus(module, supervisor.conf.path, deployment.limits.command_seconds)
    if supervisor.socket_path:
        yield ReadFile(FileName.SUPERVISOR_SOCKET.of(module), supervisor.socket_path, read=0)
    if supervisor.pidfile_path:
        size = deployment.limits.file_bytes
        yield ReadFile(FileName.SUPERVISOR_PID.of(module), supervisor.pidfile_path, size, _MOST_FILES)
    programs = supervisor.status or ()
    if any(one.state != "RUNNING" or (one.uptime_seconds or 0) < _YOUNG_SECONDS for one in programs):
        yield Section("after", _STEADY_SECONDS)
