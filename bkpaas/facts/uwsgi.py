"""Parse the configuration of the open_paas services: uwsgi ini files, or gunicorn under supervisor."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from configparser import Error, RawConfigParser
from itertools import pairwise
from os.path import basename, dirname, splitext
from typing import TYPE_CHECKING, Any

from msgspec import field

from bkpaas.facts import raw
from bkpaas.facts.file import FileFact, Files, content, file_fact, unreadable
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.supervisor import Supervisors, environment
from bkpaas.facts.supervisor_conf import ConfProgram
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

if TYPE_CHECKING:
    from bkpaas.facts.host import HostFacts

_INI = re.compile(r"uwsgi-open_paas-(?P<service>.+)\.ini")
_BINDS = ("http", "http-socket", "https", "socket", "uwsgi-socket")
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_PROXY_LENGTH = 2000
_PLACEHOLDER = re.compile(r"__[0-9A-Z_]+__")


class Service(Record, frozen=True):
    """Represent the configured start of one service."""

    name: str
    ini: FileFact
    """uwsgi-open_paas-<name>.ini, or supervisor's configuration for gunicorn."""
    bind_address: str | None = None
    """0.0.0.0 for every way to say "all IPv4 addresses"; None: one that only uwsgi can resolve."""
    bind_port: int | None = None
    bk_env: str | None = None
    chdir: str | None = None
    logto: str | None = None
    problems: tuple[Message | str, ...] = ()
    invalid: tuple[Message | str, ...] = ()
    """Why uwsgi starts without the application."""
    workers: int | None = None
    """Workers in the file; None: not set there, or a value that only uwsgi can resolve."""
    paths: tuple[tuple[str, str], ...] = ()
    """(option, absolute path) of each path that uwsgi needs at its start."""

    time_limits: tuple[tuple[str, int], ...] = ()
    """(option, seconds) of the limits after which uwsgi ends a request; 0: no limit."""
    header_bytes: int | None = None
    """buffer-size: what the line and the headers of a request may have together; None: not set, where uwsgi takes 4096."""
    proxies: dict[str, str] = field(default_factory=dict)
    """What `env =` sets of the proxy variables, by name in lower case, without credentials."""

    def __post_init__(self) -> None:
        """Refuse an address without a port, also where it is decoded."""
        if self.bind_address is not None and self.bind_port is None:
            raise ValueError("a service has an address and no port")

    @property
    def by_uwsgi(self) -> bool:
        """Return whether uwsgi runs it; else gunicorn does, by supervisor's configuration."""
        return self.ini.path.endswith(".ini")


class Services(Fact, frozen=True):
    """Hold the services by name: login, paas, esb, appengine ..."""

    by_name: dict[str, Service]


class _Repeated(dict[str, Any]):
    """Keep every value of a repeated key of an ini file, like uwsgi."""

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list) and isinstance(self.get(key), list):
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def services(files: Files, supervisors: Supervisors | None, secrets: Secrets) -> Services:
    """Parse the uwsgi ini files; a service without one comes from supervisor's gunicorn command."""
    by_name = {}
    for entry in files.get(FileName.UWSGI_INI, []):
        match = _INI.fullmatch(basename(raw.text(entry.get("path")) or ""))
        if match and entry.get("type") != "missing":
            by_name[match["service"]] = _uwsgi(match["service"], entry, secrets)
    open_paas = supervisors.by_module.get("open_paas") if supervisors else None
    for program in open_paas.programs_in_conf if open_paas else ():
        if "gunicorn" in program.command and open_paas and program.name not in by_name:
            paths = (
                entry for entry in files[FileName.SUPERVISOR_CONF] if entry.get("path") == open_paas.conf.path
            )
            variables = environment(next(paths), program.name, secrets)
            by_name[program.name] = _gunicorn(program, open_paas.conf, variables)
    return Services(by_name=by_name)


def read_ini(text: str) -> tuple[dict[str, list[str]], Message | str | None]:
    """Return the options of [uwsgi] with all values, and why parsing stopped."""
    parser = RawConfigParser(
        dict_type=_Repeated, delimiters=("=",), strict=False, allow_no_value=True, empty_lines_in_values=False
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    problem = None
    try:
        # uwsgi knows no continued lines: an indented one is an option of its own.
        parser.read_string("\n".join(line.strip() for line in text.lstrip("\ufeff").splitlines()))
    except (Error, AttributeError) as error:
        problem = type(error).__name__
    if not parser.has_section("uwsgi"):
        return {}, problem or msg("there is no [uwsgi] section")
    return {key: (value or "").split("\n") for key, value in parser.items("uwsgi")}, problem


def _uwsgi(name: str, entry: dict[str, Any], secrets: Secrets) -> Service:
    options, problem = read_ini(content(entry) or "")
    problem = unreadable(entry) or problem
    problems: list[Message | str] = [problem] if problem else []
    binds = [value.strip() for key in _BINDS for value in options.get(key, [])]
    binds = [_expanded(value, options, entry) for value in binds]
    address, port = bind(binds[0]) if binds else (None, None)
    if not binds:
        problems.append(msg("no http, http-socket or socket option"))
    elif port is None:
        problems.append(msg("not an address and port: {binds}", binds=binds[0]))
    if len(binds) > 1:
        problems.append(msg("more than one bind: {binds}", binds=binds))
    left = sorted(
        {
            placeholder
            for values in options.values()
            for v in values
            for placeholder in _PLACEHOLDER.findall(v)
        }
    )
    if left:
        problems.append(msg("not replaced: {left}", left=" ".join(left)))
    variables = [value.strip().partition("=") for value in options.get("env", [])]
    return Service(
        name=name,
        ini=file_fact(entry),
        bind_address=address,
        bind_port=port,
        bk_env=next((value for key, _, value in reversed(variables) if key == "BK_ENV"), None),
        chdir=_last(options, "chdir"),
        proxies={
            key.lower(): secrets.truncate(value, _PROXY_LENGTH)
            for key, _, value in variables
            if key.lower() in _PROXY_VARIABLES and value
        },
        logto=_log(options, entry),
        problems=tuple(problems),
        invalid=(*([problem] if problem else ()), *_refused(content(entry) or "", options)),
        workers=_workers(options),
        time_limits=tuple(
            (key, int(text))
            for key in ("harakiri", "http-timeout")
            if (text := _last(options, key) or "").isdecimal() and len(text) < 9
        ),
        header_bytes=int(size)
        if (size := _last(options, "buffer-size") or "").isdecimal() and len(size) < 9
        else None,
        paths=tuple(_paths(options, entry)),
    )


def _gunicorn(program: ConfProgram, conf: FileFact, variables: dict[str, str]) -> Service:
    command = program.command
    try:
        args = shlex.split(command)
    except ValueError:
        args = command.split()
    binds = [value for word, value in pairwise(args) if word in ("-b", "--bind")]
    binds += [word.partition("=")[2] for word in args if word.startswith("--bind=")]
    address, port = bind(binds[-1]) if binds else ("127.0.0.1", 8000)
    return Service(
        name=program.name,
        ini=conf,
        bind_address=address,
        bind_port=port,
        bk_env=variables.get("BK_ENV"),
        logto=program.stdout_logfile,
    )


def bind(value: str) -> tuple[str | None, int | None]:
    """Return address and port of a bind; the port is None for a unix socket or an invalid bind."""
    address, colon, port = value.rpartition(":")
    if not colon or not port.isdecimal() or len(port) > 5:
        return None, None
    address = address.strip("[]")
    if _VARIABLE.search(address):
        return None, int(port)
    return ("0.0.0.0" if address in ("", "*", "0.0.0.0") else address), int(port)


_VARIABLE = re.compile(r"\$\(\w+\)|%\((?P<option>[\w-]+)\)|%[a-zA-Z]|@\(")


def _expanded(value: str, options: dict[str, list[str]], entry: dict[str, Any]) -> str:
    """Expand `%(option)`, %d and %n; variables that only uwsgi can resolve stay."""
    path = raw.text(entry.get("path")) or ""
    magic = {"%d": f"{dirname(path)}/", "%n": splitext(basename(path))[0], "%s": basename(path), "%p": path}

    def expand(match: re.Match[str]) -> str:
        return _last(options, match["option"] or "") or magic.get(match[0], match[0])

    return _VARIABLE.sub(expand, _VARIABLE.sub(expand, value))


_VALUED = (
    "chdir",
    "http",
    "http-socket",
    "socket",
    "module",
    "wsgi-file",
    "workers",
    "processes",
    "logto",
    "logto2",
)
_APPLICATIONS = (
    "module",
    "wsgi-file",
    "wsgi",
    "file",
    "mount",
    "paste",
    "ini-paste",
    "plugin-wsgi",
    "emperor",
    "callable",
)


def _refused(text: str, options: dict[str, list[str]]) -> Iterator[Message]:
    """Yield the options that lack their `=`, and that no application is named: uwsgi then starts without one."""
    for number, line in enumerate(text.splitlines(), 1):
        word, blank, _ = line.strip().partition(" ")
        if blank and "=" not in line and word in _VALUED:
            yield msg("line {number}: {option} without =", number=number, option=word)
    if options and not set(_APPLICATIONS) & set(options):
        yield msg("no application: neither module nor wsgi-file")


def _workers(options: dict[str, list[str]]) -> int | None:
    text = _last(options, "workers") or _last(options, "processes") or ""
    return int(text) if text.isdecimal() and len(text) < 4 and "cheaper" not in options else None


NEEDED_PATHS = ("chdir", "chdir2", "home", "virtualenv", "venv", "pyhome", "wsgi-file", "pythonpath", "pp")
"""Options whose path must exist at the start."""
CREATED_PATHS = (
    "logto",
    "logto2",
    "daemonize",
    "pidfile",
    "pidfile2",
    "socket",
    "http-socket",
    "uwsgi-socket",
    "stats",
)
"""Options whose file uwsgi creates: the directory must exist."""


def _paths(options: dict[str, list[str]], entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for option in (*NEEDED_PATHS, *CREATED_PATHS):
        for value in options.get(option, [])[:10]:
            path = _expanded(value.strip(), options, entry)
            if path.startswith("/") and not _VARIABLE.search(path) and not re.search(r"[*?\[]", path):
                yield option, path[:300]


def _log(options: dict[str, list[str]], entry: dict[str, Any]) -> str | None:
    """Return the path of the log, None if it is absent or only uwsgi can resolve it."""
    names = (value for key in ("logto2", "logto", "daemonize") if (value := _last(options, key)))
    path = _expanded(next(names, ""), options, entry)
    return path if path.startswith("/") and not _VARIABLE.search(path) else None


def _last(options: dict[str, list[str]], key: str) -> str | None:
    values = options.get(key)
    return values[-1].strip()[:300] if values and values[-1].strip() else None


_MOST_FILES = 50


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the uwsgi files of a paas host."""
    if earlier is None and entry.has_role("paas"):
        path = "{home}/etc/uwsgi-open_paas-*.ini"
        yield ReadFile(FileName.UWSGI_INI.value, path, deployment.limits.file_bytes, _MOST_FILES)


def service_endpoint(
    service: str, entry: Host, deployment: Deployment, facts: HostFacts | None
) -> tuple[str, int]:
    """Return address and port of a service of a paas host: as configured there, else as in the inventory."""
    address, port = entry.address, deployment.service_port(service)
    if facts is not None and not isinstance(facts.services, Missing):
        configured = facts.services.by_name.get(service)
        if configured is not None and configured.bind_port:
            port = configured.bind_port
            if configured.bind_address not in (None, "0.0.0.0", "::"):
                address = configured.bind_address or address
    return address, port
