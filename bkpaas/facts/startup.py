"""Read what the programs of a host need at their next start, and what they loaded at the last one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from os.path import dirname
from typing import TYPE_CHECKING, Any, Literal

from bkpaas.facts.bytecode import Compiled, compiled
from bkpaas.facts.file import FileFact, Files, content, file_fact
from bkpaas.facts.managers import manager_of, manager_of_master
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.nginx import Nginx
from bkpaas.facts.nginx_temporary import temporary_directories
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile, Resolve, ResolveName
from bkpaas.facts.supervisor import Supervisor, pid_in
from bkpaas.facts.supervisor_conf import ConfProgram
from bkpaas.facts.uwsgi import NEEDED_PATHS, Services
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.inventory.platform import unit_of_service

if TYPE_CHECKING:
    from bkpaas.facts.agent import Saas
    from bkpaas.facts.host import HostFacts

NeedKind = Literal["command", "file", "directory", "log-directory", "output-directory"]
"""command: an executable file. log-directory: a directory in which the program creates files.
output-directory: one in which supervisord creates the file for the program's output."""


class Need(Record, frozen=True):
    """Represent one path that a program needs at its start."""

    program: str
    """login, paas_agent, supervisord (open_paas), nginx ..."""
    kind: NeedKind
    path: str
    named_by: str
    """The file that names the path."""
    application: bool = False
    """The program is a SaaS: paas_agent starts it, and a deployment makes the path again."""


class Startup(Fact, frozen=True):
    """Hold the files of the programs' starts."""

    code: dict[str, tuple[FileFact, ...]]
    """By project: further files that it imports at its start; only stat."""
    compiled: tuple[Compiled, ...]
    paths: dict[str, FileFact]
    """The needed paths and all their directories."""
    interpreters: dict[str, str]
    """By script: the interpreter in its first line."""
    pids: dict[str, int | None]
    """By pid file that was read: its number; None: it has none."""
    absent_pids: tuple[str, ...] = ()
    """Pid files that do not exist."""


_PYC_BYTES = 65536
_FIRST_LINE = 256
_MOST_FILES = 50
_MOST_PATHS = 300
"""Paths of one host, directories included."""
_MOST_STATIC = 8
"""Of the styles and scripts of a SaaS."""
_MOST_APPLICATIONS = 25
"""So many running applications of one host, in the order of their names."""
_FILE_OPTIONS = ("--ini", "-c", "-f", "--config", "--configuration", "--ini-paste")
_INTERPRETER = re.compile(r"#!\s*(?P<path>/[^\s\0]+)")


def startup(files: Files) -> Startup:
    """Parse the entries of both rounds."""
    sources = {
        str(entry["path"]): content(entry)
        for name, entries in files.items()
        if name.startswith(FileName.SETTINGS.prefix)
        for entry in entries
    }
    read = [entry for entry in files.get(FileName.COMPILED, []) if entry.get("type") == "file"]
    compiled = [_compiled(entry, sources) for entry in read]
    commands = files.get(FileName.START_COMMAND, [])
    paths = (*files.get(FileName.START_PATH, []), *commands)
    scripts = ((entry, _INTERPRETER.match(content(entry) or "")) for entry in commands)
    pid_files = [
        entry
        for name, entries in files.items()
        if name == FileName.NGINX_PID or name.startswith(FileName.UWSGI_PID.prefix)
        for entry in entries
    ]
    return Startup(
        code={
            project: tuple(
                file_fact(entry)
                for entry in files.get(FileName.CODE.of(project), [])
                if entry.get("type") != "missing"
            )
            for project in platform.SETTINGS_FILES
        },
        compiled=tuple(one for one in compiled if one is not None),
        paths={file.path: file for file in map(file_fact, paths)},
        interpreters={str(entry["path"]): match["path"][:300] for entry, match in scripts if match},
        pids={str(entry["path"]): pid_in(entry) for entry in pid_files if content(entry) is not None},
        absent_pids=tuple(str(entry["path"]) for entry in pid_files if entry.get("type") == "missing"),
    )


def _compiled(entry: dict[str, Any], sources: dict[str, str | None]) -> Compiled | None:
    file = file_fact(entry)
    text = content(entry)
    if text is None or entry.get("truncated") or file.mtime is None:
        return None
    header = compiled(file.path, file.mtime, text, None)
    source = sources.get(header.source) if header else None
    return compiled(file.path, file.mtime, text, source) if source else header


# ---- what a start needs --------------------------------------------------------------------------------------


def needs(facts: HostFacts) -> tuple[Need, ...]:
    """Return the absolute paths that the programs of a host need at their next start."""
    needs_: list[Need] = []
    if manager_of(facts) == "systemd":
        needs_ += _of_units(facts)
    elif manager_of(facts) != "docker" and not isinstance(facts.supervisors, Missing):
        for module, supervisor in facts.supervisors.by_module.items():
            if supervisor.conf.exists:
                needs_ += _of_supervisor(module, supervisor)
                needs_ += _of_daemon(module, supervisor, facts)
                for program in supervisor.programs_in_conf:
                    needs_ += _of_program(program)
                    if module == "open_paas" and not isinstance(facts.services, Missing):
                        needs_ += _of_ini(program.name, command_words(program), facts.services)
        if (agent := facts.supervisors.by_module.get("paas_agent")) is not None and agent.conf.exists:
            needs_ += _of_applications(facts)
    if not isinstance(facts.nginx, Missing):
        needs_ += _of_nginx(facts.nginx)
    plain = (one for one in needs_ if one.path.startswith("/") and not re.search(r"[*?\[%$]", one.path))
    return tuple(dict.fromkeys(plain))


def _of_units(facts: HostFacts) -> Iterator[Need]:
    """Yield what the running services of systemd need: the shell of the unit replaces itself by the uwsgi that runs."""
    if isinstance(facts.processes, Missing):
        return
    for master in facts.processes.uwsgi_masters():
        if master.service is None or manager_of_master(master, facts) != "systemd":
            continue
        unit = f"{unit_of_service(master.service)}.service"
        if master.argv[0].startswith("/"):
            yield Need(master.service, "command", master.argv[0], unit)
        for option, value in pairwise(master.argv):
            if option in _FILE_OPTIONS and value.startswith("/"):
                yield Need(master.service, "file", value, unit)
        if not isinstance(facts.services, Missing):
            yield from _of_ini(master.service, master.argv, facts.services)


def _of_supervisor(module: str, supervisor: Supervisor) -> Iterator[Need]:
    name, conf = f"supervisord ({module})", supervisor.conf.path
    for path in (supervisor.logfile_path, supervisor.pidfile_path, supervisor.socket_path):
        if path:
            yield Need(name, "log-directory", dirname(path), conf)


def _of_daemon(module: str, supervisor: Supervisor, facts: HostFacts) -> Iterator[Need]:
    """Yield the programs of the running supervisord: its interpreter, itself and the supervisorctl next to it."""
    if isinstance(facts.processes, Missing):
        return
    conf = supervisor.conf.path
    for daemon in facts.processes.supervisords(conf.rpartition("/")[2]):
        for word in daemon.argv[:2]:
            if word.startswith("/"):
                yield Need(f"supervisord ({module})", "command", word, conf)
            if word.startswith("/") and word.endswith("/supervisord"):
                yield Need(f"supervisorctl ({module})", "command", f"{dirname(word)}/supervisorctl", conf)


def _of_program(program: ConfProgram) -> Iterator[Need]:
    name, where = program.name, program.file
    command = command_words(program)
    if command and command[0].startswith("/"):
        yield Need(name, "command", command[0], where)
        if re.search(r"/(python|bash|sh)[\d.]*$", command[0]) and command[1:] and command[1].startswith("/"):
            yield Need(name, "file", command[1], where)
    for option, value in pairwise(command):
        if option in _FILE_OPTIONS and value.startswith("/"):
            yield Need(name, "file", value, where)
    for word in command[1:]:
        option, equals, value = word.partition("=")
        if equals and option in _FILE_OPTIONS and value.startswith("/"):
            yield Need(name, "file", value, where)
    if program.directory:
        yield Need(name, "directory", program.directory, where)
    for log in (program.stdout_logfile, program.stderr_logfile):
        if log:
            yield Need(name, "output-directory", dirname(log), where)


def command_words(program: ConfProgram) -> list[str]:
    """Return the words of a command as supervisor splits them."""
    try:
        return shlex.split(program.command)
    except ValueError:
        return program.command.split()


def _of_applications(facts: HostFacts) -> Iterator[Need]:
    """Yield the program of each running SaaS in its virtual environment, and its uwsgi file."""
    if isinstance(facts.saas, Missing) or isinstance(facts.processes, Missing):
        return
    for saas in sorted(facts.saas.items, key=lambda one: one.app)[:_MOST_APPLICATIONS]:
        process = facts.processes.get(saas.pid) if saas.pid is not None and saas.alive else None
        if process is None or not process.argv or f"/apps/Envs/{saas.app}/" not in process.argv[0]:
            continue
        where = f"pid {process.pid}"
        yield Need(saas.app, "command", process.argv[0], where, application=True)
        for option, value in pairwise(process.argv):
            if option in _FILE_OPTIONS and value.startswith("/"):
                yield Need(saas.app, "file", value, where, application=True)


def _of_ini(program: str, command: Sequence[str], services: Services) -> Iterator[Need]:
    service = services.by_name.get(program)
    if service is None or not service.by_uwsgi or service.ini.path not in command:
        return
    for option, path in service.paths:
        if option in NEEDED_PATHS:
            kind: NeedKind = "file" if option == "wsgi-file" else "directory"
            yield Need(program, kind, path, service.ini.path)
        else:
            yield Need(program, "log-directory", dirname(path), service.ini.path)


def _of_nginx(nginx: Nginx) -> Iterator[Need]:
    if nginx.main is None:
        return
    logs = {log for server in nginx.servers for log in (server.error_log, server.access_log) if log}
    for log in sorted({*nginx.error_logs, *logs}):
        if log.startswith("/") and not log.startswith("/dev/"):
            yield Need("nginx", "log-directory", dirname(log), nginx.main)
    if nginx.pid and nginx.pid.startswith("/"):
        yield Need("nginx", "log-directory", dirname(nginx.pid), nginx.main)
    for path, place in zip_longest(nginx.certificates, nginx.certificate_places, fillvalue=nginx.main):
        if path.startswith("/"):
            yield Need("nginx", "file", path, place)


def directories(path: str) -> list[str]:
    """Return the directories that lead to a path, from / on."""
    parts = path.strip("/").split("/")[:-1]
    return ["/", *("/" + "/".join(parts[:end]) for end in range(1, len(parts) + 1))]


APP_DIRECTORIES = ("", "/apps", "/apps/projects", "/apps/Envs", "/apps/logs")
"""Directories below BASE_APP_PATH in which paas_agent creates files for a deployment; only the first must be there."""


def app_directories(facts: HostFacts) -> tuple[str, ...]:
    """Return BASE_APP_PATH of paas_agent and the directories below it, none if it is not known."""
    config = None if isinstance(facts.agent, Missing) else facts.agent.config
    base = (config.base_app_path or "") if config is not None else ""
    if not base.startswith("/"):
        return ()
    return tuple(f"{base.rstrip('/')}{name}" or "/" for name in APP_DIRECTORIES)


def static_directory(saas: Saas) -> str:
    """Return the directory from which nginx of the app host serves styles and scripts of a SaaS; empty if not known."""
    project = dirname(dirname(saas.socket.path)) if saas.socket is not None else ""
    return f"{project}/code/{saas.app}/static" if project.endswith(f"/projects/{saas.app}") else ""


def nginx_directories(facts: HostFacts) -> tuple[str, ...]:
    """Return the directories in which the running nginx may keep bodies of requests and answers."""
    if isinstance(facts.nginx, Missing) or isinstance(facts.processes, Missing):
        return ()
    return tuple(
        path
        for master in facts.processes.nginx_masters()[:1]
        for one in temporary_directories(facts.nginx.temporary, master.exe)
        for path in (one.body, one.proxy, one.uwsgi)
        if path
    )


def pid_files(facts: HostFacts) -> dict[str, str]:
    """Return {pid file: program} of nginx and of the uwsgi services."""
    files: dict[str, str] = {}
    if not isinstance(facts.nginx, Missing) and facts.nginx.pid and facts.nginx.pid.startswith("/"):
        files[facts.nginx.pid] = "nginx"
    if not isinstance(facts.services, Missing):
        for service in facts.services.by_name.values():
            for option, path in service.paths:
                if option in ("pidfile", "pidfile2"):
                    files[path] = service.name
    return files


def accounts(facts: HostFacts) -> Iterator[tuple[str, str, str]]:
    """Yield (program, account, file) of the accounts that programs change to at their start."""
    if not isinstance(facts.nginx, Missing) and facts.nginx.main and facts.nginx.user:
        yield "nginx", facts.nginx.user, facts.nginx.main
    if not isinstance(facts.supervisors, Missing):
        for supervisor in facts.supervisors.by_module.values():
            for program in supervisor.programs_in_conf:
                if program.user and not program.user.isdecimal():
                    yield program.name, program.user, program.file


# ---- queries -------------------------------------------------------------------------------------------------


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the compiled settings; round 2: the paths that the programs need, their directories and pid files."""
    if earlier is None:
        if entry.has_role("paas"):
            yield from _of_projects()
        return
    if not entry.has_role("paas", "nginx", "appo", "appt"):
        return
    facts = earlier.hosts[entry.name]
    needed = needs(facts)
    commands = [need.path for need in needed if need.kind == "command"]
    paths = {one: None for path in app_directories(facts) for one in (*directories(path), path)}
    paths |= {path: None for one in nginx_directories(facts) for path in (*directories(one), one)}
    paths |= {path: None for need in needed for path in (*directories(need.path), need.path)}
    if not isinstance(facts.saas, Missing):
        sockets = [one.socket.path for one in facts.saas.items if one.socket is not None]
        paths |= {directory: None for path in sockets for directory in directories(path)}
        folders = [static_directory(one) for one in facts.saas.items[:_MOST_APPLICATIONS]]
        paths |= {path: None for folder in folders if folder for path in (*directories(folder), folder)}
        for folder in filter(None, folders):
            yield ReadFile(FileName.START_PATH.value, f"{folder}/*", read=0, most=_MOST_STATIC)
    for path in dict.fromkeys(commands):
        yield ReadFile(FileName.START_COMMAND.value, path, _FIRST_LINE, 1)
        python = f"{dirname(path)}/python"
        paths |= dict.fromkeys((python,))
    for path in list(paths)[:_MOST_PATHS]:
        if path not in commands:
            yield ReadFile(FileName.START_PATH.value, path, read=0, most=1)
    for account in dict.fromkeys(one for _, one, _ in accounts(facts)):
        yield Resolve(ResolveName.ACCOUNT.of(account), deployment.limits.resolve_seconds, account=account)
    for path, name in list(pid_files(facts).items())[:_MOST_FILES]:
        query = FileName.NGINX_PID.value if name == "nginx" else FileName.UWSGI_PID.of(name)
        yield ReadFile(query, path, 64, 1)


def _of_projects() -> Iterator[Query]:
    for project, paths in platform.SETTINGS_FILES.items():
        for name in platform.LOADED_FILES:
            yield ReadFile(
                FileName.CODE.of(project), f"{{home}}/open_paas/{project}/{name}", read=0, most=_MOST_FILES
            )
        for path in paths:
            folder, _, name = path.rpartition("/")
            stem = name.removesuffix(".py")
            for compiled_path in (f"{folder}/{stem}.pyc", f"{folder}/__pycache__/{stem}.*.pyc"):
                yield ReadFile(FileName.COMPILED.value, "{home}/" + compiled_path, _PYC_BYTES, _MOST_FILES)
