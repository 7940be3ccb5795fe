"""Parse the processes of a host."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import zip_longest
from os.path import basename
from typing import Any

from bkpaas.facts import raw
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, Query, Section
from bkpaas.facts.ranges import HostTime
from bkpaas.facts.secret_words import hide_words
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Host

_UWSGI_INI = re.compile(r"uwsgi-open_paas-(?P<service>[A-Za-z0-9_.-]+)\.ini")
_COMMAND_LENGTH = 2000
"""Of one command line, in characters: a java program names its configuration last."""
_WORD_LENGTH = 300
"""Of one word of it."""
_READ_LENGTH = 4000
"""Of one word, before secrets are searched."""
_VARIABLE_LENGTH = 2000
"""Of one variable: a no_proxy may name every host."""


class Process(Record, frozen=True, array_like=True):  # there are hundreds on a host: JSON without names
    """Represent one process; kernel threads are left out."""

    pid: int
    ppid: int
    uid: int | None = None
    start: HostTime | None = None
    """Epoch seconds of the host's clock."""
    state: str | None = None
    """The letter of ps: R S D Z T."""
    name: str = ""
    """The kernel's short name."""
    argv: tuple[str, ...] = ()
    """Without secrets, cut."""
    exe: str | None = None
    environ: dict[str, str] | None = None
    """The variables that were asked for, without secrets; None: not readable."""
    cwd: str | None = None
    """The working directory; the kernel adds (deleted) to a path that is gone."""
    open_files: int | None = None
    """Descriptors in use; None: not readable."""
    open_files_limit: int | None = None
    """The soft limit of descriptors; None: none, or not readable."""

    @property
    def command(self) -> str:
        return " ".join(self.argv)

    @property
    def is_agent(self) -> bool:
        """Return whether this is paas_agent, by its name or its program."""
        return self.name == "paas_agent" or bool(self.argv and self.argv[0].endswith("/paas_agent"))

    @property
    def service(self) -> str | None:
        """Return the open_paas service of this uwsgi or gunicorn: login, paas, esb, appengine ...

        Whole arguments decide: a grep, an editor or a shell that names the file does not count.
        """
        return _service(self.argv, self.exe)


@lru_cache(maxsize=4096)
def _service(argv: tuple[str, ...], exe: str | None) -> str | None:
    """Return the service of a process by its command; many checks ask this of every process of a host."""
    if name := _gunicorn_name(argv):
        return name
    if not argv or "uwsgi" not in (basename(argv[0]), basename(exe or "")):
        return None
    inis = (*_option(argv, "--ini"), *(word for word in argv[1:] if not word.startswith("-")))
    matches = (_UWSGI_INI.fullmatch(basename(ini)) for ini in inis)
    return next((match["service"] for match in matches if match), None)


class Processes(Fact, frozen=True, dict=True):  # dict: room for what is computed once
    """Hold all processes of a host."""

    items: tuple[Process, ...]

    @cached_property
    def _by_pid(self) -> dict[int, Process]:
        return {process.pid: process for process in reversed(self.items)}

    @cached_property
    def _services(self) -> tuple[tuple[Process, str], ...]:
        """The processes of open_paas, each with its service."""
        services = ((process, process.service) for process in self.items)
        return tuple((process, service) for process, service in services if service is not None)

    @cached_property
    def _supervisords(self) -> tuple[Process, ...]:
        return tuple(process for process in self.items if _is_supervisord(process))

    @cached_property
    def _nginx(self) -> dict[int, Process]:
        return {process.pid: process for process in self.items if _is_nginx(process)}

    @cached_property
    def _nginx_masters(self) -> tuple[Process, ...]:
        parents = {process.ppid for process in self._nginx.values()}
        return tuple(
            process
            for process in self._nginx.values()
            if process.command.startswith("nginx: master process")
            or (not process.command.startswith("nginx: ") and process.pid in parents)
        )

    @cached_property
    def _uwsgi_masters(self) -> dict[str | None, tuple[Process, ...]]:
        """By service; None: of all services."""
        return {}

    @cached_property
    def _by_parent(self) -> dict[int, list[Process]]:
        children: dict[int, list[Process]] = {}
        for process in self.items:
            children.setdefault(process.ppid, []).append(process)
        return children

    def get(self, pid: int) -> Process | None:
        return self._by_pid.get(pid)

    def children(self, pid: int) -> tuple[Process, ...]:
        return tuple(self._by_parent.get(pid, ()))

    def descends(self, pid: int, ancestor: int) -> bool:
        """Return whether pid is the ancestor or one of its descendants."""
        return self.descends_from_any(pid, (ancestor,))

    def descends_from_any(self, pid: int, ancestors: Collection[int]) -> bool:
        """Return whether pid is one of the ancestors or a descendant of one."""
        passed = set[int]()
        while pid not in passed:
            if pid in ancestors:
                return True
            if pid not in self._by_pid:
                return False
            passed.add(pid)
            pid = self._by_pid[pid].ppid
        return False

    def named(self, name: str) -> tuple[Process, ...]:
        """Return the processes with this short name."""
        return tuple(process for process in self.items if process.name == name)

    def uwsgi(self, service: str | None = None) -> tuple[Process, ...]:
        """Return the uwsgi processes of open_paas, or of one of its services."""
        return tuple(process for process, its in self._services if service in (None, its))

    def uwsgi_masters(self, service: str | None = None) -> tuple[Process, ...]:
        """Return the uwsgi processes whose parent is not a uwsgi of the same service."""
        if service not in self._uwsgi_masters:
            uwsgi_processes = self.uwsgi(service)
            services = {process.pid: process.service for process in uwsgi_processes}
            masters = tuple(p for p in uwsgi_processes if services.get(p.ppid) != p.service)
            self._uwsgi_masters[service] = masters
        return self._uwsgi_masters[service]

    def supervisords(self, conf_basename: str = "supervisor-open_paas.conf") -> tuple[Process, ...]:
        """Return the supervisord processes with this configuration."""
        return tuple(
            process
            for process in self._supervisords
            if conf_basename in (_supervisor_confs(process) or [_DEFAULT_SUPERVISOR_CONF])
        )

    def any_supervisords(self) -> tuple[Process, ...]:
        """Return all supervisord processes."""
        return self._supervisords

    def nginx_masters(self) -> tuple[Process, ...]:
        """Return the masters of nginx, by their title or as nginx programs with nginx children."""
        return self._nginx_masters


_GUNICORN_TITLE = re.compile(r"gunicorn: (?:master|worker) \[(?P<name>[\w-]+)\]")
_GUNICORN_SERVICES = ("login", "paas", "esb", "appengine", "console", "apigw")
"""Values of gunicorn's --name. Source: examples/supervisord.conf of legacy-bk-paas."""


def _gunicorn_name(argv: Sequence[str]) -> str | None:
    """Return the service of a gunicorn: of its --name, or of the title that it gives itself."""
    title = _GUNICORN_TITLE.match(" ".join(argv))
    programs = [basename(word) for word in argv[:2]]
    runs = programs[:1] == ["gunicorn"] or (programs[1:] == ["gunicorn"] and "python" in programs[0])
    names = [title["name"]] if title else list(_option(argv, "-n", "--name")) if runs else []
    return next((name for name in names if name in _GUNICORN_SERVICES), None)


def _option(argv: Sequence[str], *names: str) -> Iterator[str]:
    """Return the values of an option, written as `--ini x` or `--ini=x`."""
    for word, following in zip_longest(argv[1:], argv[2:], fillvalue=""):
        if word in names:
            yield following
        name, equals, value = word.partition("=")
        if equals and name in names:
            yield value


_DEFAULT_SUPERVISOR_CONF = "supervisord.conf"
"""The name that supervisord looks for without -c."""


def _is_supervisord(process: Process) -> bool:
    if "supervisord" not in " ".join(process.argv[:2]):  # a check of all processes has to be cheap
        return False
    program = [basename(word) for word in process.argv[:2]]
    return "supervisord" in program[:1] or (program[1:] == ["supervisord"] and "python" in program[0])


def _supervisor_confs(process: Process) -> list[str]:
    """Return the basenames of the configurations of a supervisord, with or without interpreter."""
    if not _is_supervisord(process):
        return []
    return [basename(conf) for conf in _option(process.argv, "-c", "--configuration")]


def _is_nginx(process: Process) -> bool:
    first, exe = "".join(process.argv[:1]), process.exe or ""
    if first.startswith("nginx:") and process.command.startswith(_NGINX_TITLES):
        return True
    return ("nginx" in exe or "openresty" in exe) and basename(exe).partition(" ")[0] in _NGINX_PROGRAMS


_NGINX_TITLES = ("nginx: master process", "nginx: worker process")
_NGINX_PROGRAMS = ("nginx", "openresty")


def processes(section: list[dict[str, Any]], secrets: Secrets) -> Processes:
    """Parse the raw list of processes."""
    return Processes(items=tuple(_process(item, secrets) for item in section))


def _process(item: dict[str, Any], secrets: Secrets) -> Process:
    """Parse one process, whose values have the types of sections.Process."""
    environ, value = item["environ"], item.get
    return Process(
        pid=item["pid"],
        ppid=item["ppid"],
        uid=value("uid"),
        start=value("start"),
        state=raw.text(value("state"), 1),
        name=raw.text(value("name"), 64) or "",
        argv=command_line([word[:_READ_LENGTH] for word in item["argv"]], secrets),
        exe=raw.text(value("exe"), 300),
        environ=environ and _environ(environ, secrets),
        cwd=raw.text(value("cwd"), 300),
        open_files=value("open_files"),
        open_files_limit=value("open_files_limit"),
    )


def _environ(values: dict[str, str], secrets: Secrets) -> dict[str, str]:
    return {
        name: secrets.digest(value)
        if secrets.is_secret(name, value)
        else secrets.truncate(value, _VARIABLE_LENGTH)
        for name, value in values.items()
    }


def command_line(argv: list[str], secrets: Secrets) -> tuple[str, ...]:
    """Return a command line without secrets, truncated to a total length."""
    return _command_line(argv, secrets)[0]


def _command_line(argv: list[str], secrets: Secrets) -> tuple[tuple[str, ...], bool]:
    """Return a command line without secrets, and if there was no secret in it; such a line is remembered."""
    words = tuple(argv)
    if (known := secrets.plain_line(words)) is not None:
        return known, True
    shown_args: list[str] = []
    space_left = _COMMAND_LENGTH
    shown_words = list(hide_words(argv, secrets.digest))
    without_secrets = secrets.words(argv)
    plain = without_secrets == argv and all(shown is None for shown in shown_words)
    for word, shown in zip(without_secrets, shown_words, strict=True):
        if space_left <= 0:
            break
        if shown is None and " " in word:
            parts, parts_plain = _command_line(word.split(" "), secrets)
            shown, plain = " ".join(parts), plain and parts_plain
        elif shown is None:
            shown = secrets.truncate(word, _WORD_LENGTH)
            plain = plain and shown == word[:_WORD_LENGTH]
        shown_args.append(shown[:space_left])
        space_left -= len(shown) + 1
    result = tuple(shown_args)
    if plain:
        secrets.add_plain_line(words, result)
    return result, plain


_PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
ENVIRONMENT = (*_PROXY_VARIABLES, *(name.upper() for name in _PROXY_VARIABLES), "TZ", "BK_ENV")
"""The variables of every process that are read."""
_COMMAND_BYTES = 8192


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return the query for all processes."""
    if earlier is None:
        yield Section("processes", {"environ": list(ENVIRONMENT), "cmdline_bytes": _COMMAND_BYTES})
