"""Parse the configuration of the paas agent and the applications of its host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from os.path import basename, dirname, splitext
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from bkpaas.facts.database_state import agent_secret, is_agent_secret
from bkpaas.facts.file import FileFact, Files, content, file_fact, unreadable
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.process import Processes
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile, ReadTail, TailName
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.supervisor import pid_in
from bkpaas.inventory.deployment import DEFAULT_PORTS, Deployment, Host
from bkpaas.messages import Message, msg


class TimeLimit(Record, frozen=True):
    """Represent settings.EXECUTE_TIME_LIMIT."""

    text: str | None
    """As written; None: not in the file."""
    seconds: int
    """As the agent reads it: what is missing or no number is 0."""
    line: int | None = None
    earlier: tuple[int, ...] = ()
    """The lines before it with another value: the agent takes the last."""


class AgentConfig(Record, frozen=True):
    """Represent paas_agent_config.yaml as the agent reads it."""

    files: tuple[FileFact, ...]
    port: int
    ip: str
    """Empty: all addresses."""
    execute_time_limit: TimeLimit
    controller_url: str | None
    base_app_path: str | None
    sid: str = ""
    """A digest of auth.sid; empty if it is not a UUID."""
    token: str = ""
    """A digest of auth.token; empty if it is not a UUID."""
    problems: tuple[Message | str, ...] = ()
    malformed: tuple[str, ...] = ()
    """Which of sid and token have characters that do not belong to them, such as a blank at the end."""


class Agent(Fact, frozen=True):
    config: AgentConfig | None
    """None: there is no configuration file."""


class Saas(Record, frozen=True):
    """Represent an application that nginx serves here because its pid file exists, or whose uwsgi runs without one."""

    app: str
    environment: Literal["o", "t"] | None
    """Production or test, by the role of the host; None: the host has both roles, or neither."""
    pid: int | None
    alive: bool | None
    """None: the pid or the processes could not be read."""
    socket: FileFact | None
    """None: it could not be looked for."""
    pid_file: bool = True
    """False: its uwsgi runs, and the pid file that nginx looks for does not exist."""


class SaasRuns(Fact, frozen=True):
    items: tuple[Saas, ...]


MOST_SOCKETS = 400
"""So many are looked for on one host."""
_PORT = DEFAULT_PORTS["paas_agent"]
"""As shipped."""


def agent(files: Files, secrets: Secrets) -> Agent | Missing:
    """Parse the first existing candidate of the configuration file."""
    entries = files.get(FileName.AGENT_CONFIG, [])
    there = [entry for entry in entries if entry.get("type") != "missing"]
    if not there:
        return Agent(config=None)
    if reason := unreadable(there[0]):
        return Missing(msg("{path}: {reason}", path=file_fact(there[0]).path, reason=reason))
    return Agent(config=_config(there, secrets))


def _config(entries: list[dict[str, Any]], secrets: Secrets) -> AgentConfig:
    file = file_fact(entries[0])
    scalars, repeated, problem = _scalars(content(entries[0]) or "")
    problems: list[Message | str] = [f"{file.path}:{problem}"] if problem else []
    limit = scalars.get("settings.execute_time_limit")
    if limit is None and (elsewhere := [key for key in scalars if key.endswith("execute_time_limit")]):
        line = scalars[elsewhere[0]].start_mark.line + 1
        location = f"{file.path}:{line}"
        problems.append(msg("{location}: EXECUTE_TIME_LIMIT is not under settings", location=location))
    if len({content(entry) for entry in entries}) > 1:
        paths = " ".join(file_fact(entry).path for entry in entries)
        problems.append(msg("these differ: {paths}", paths=paths))
    return AgentConfig(
        files=tuple(map(file_fact, entries)),
        port=whole_number(_text(scalars, "port")) or _PORT,
        ip=_text(scalars, "ip") or "",
        execute_time_limit=TimeLimit(
            text=None if limit is None else limit.value[:100],
            seconds=whole_number(None if limit is None else limit.value),
            line=None if limit is None else limit.start_mark.line + 1,
            earlier=tuple(repeated.get("settings.execute_time_limit", ())),
        ),
        controller_url=_text(scalars, "settings.controller_server_url"),
        base_app_path=_text(scalars, "settings.base_app_path"),
        sid=agent_secret(_text(scalars, "auth.sid"), secrets),
        token=agent_secret(_text(scalars, "auth.token"), secrets),
        problems=tuple(problems),
        malformed=tuple(
            name
            for name in ("sid", "token")
            if (text := _text(scalars, f"auth.{name}")) and not is_agent_secret(text)
        ),
    )


def _scalars(text: str) -> tuple[dict[str, ScalarNode], dict[str, list[int]], str | None]:
    """Return ({lower-case dotted path: scalar}, {path: earlier lines with another value}, problem).

    The paths are those that the agent looks up.
    """
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        return {}, {}, f"{line}: {getattr(error, 'problem', None) or type(error).__name__}"
    scalars: dict[str, ScalarNode] = {}
    repeated: dict[str, list[int]] = {}
    todo = [("", root)]
    while todo:
        path, node = todo.pop()
        if isinstance(node, ScalarNode):
            scalars[path.lower()] = node
        elif isinstance(node, MappingNode) and path.count(".") < 5:
            dot = "." if path else ""
            last = {
                str(key.value).lower(): (key, value) for key, value in node.value
            }  # as the agent's loader
            todo += [(f"{path}{dot}{key.value}", value) for key, value in last.values()]
            for key, value in node.value:
                final = last[str(key.value).lower()][1]
                if final is not value and getattr(final, "value", None) != getattr(value, "value", None):
                    name = f"{path}{dot}{key.value}".lower()
                    repeated.setdefault(name, []).append(key.start_mark.line + 1)
    return scalars, repeated, None


def _text(scalars: dict[str, ScalarNode], path: str) -> str | None:
    node = scalars.get(path)
    return node.value[:300] if node is not None else None


def whole_number(text: str | None) -> int:
    """Parse a number like the agent: a leading 0 means octal, text that is not a number is 0."""
    text = (text or "").strip()
    if re.fullmatch(r"[+-]?0[0-7]+", text):
        return int(text, 8)
    try:
        return int(text, 0) if len(text) < 20 else 0
    except ValueError:
        return int(float(text)) if re.fullmatch(r"\d{1,9}\.\d*", text) else 0


def saas(host: Host, files: Files, processes: Processes | None) -> SaasRuns:
    """Return the applications with the pid file that nginx checks: uwsgi.pid, or nginx.pid of a container."""
    entries = files.get(FileName.SAAS_SOCKET, [])
    sockets = {file.path: file for file in map(file_fact, entries)}
    complete = 0 < len(entries) < MOST_SOCKETS and not any(entry.get("error") for entry in entries)
    runs = {}
    for entry in files.get(FileName.SAAS_PID, []):
        file = file_fact(entry)
        stem = splitext(basename(file.path))[0]
        if file.type != "file" or stem not in ("uwsgi", "nginx"):
            continue
        app = basename(dirname(dirname(file.path)))
        pid = pid_in(entry)
        alive = None if pid is None or processes is None else processes.get(pid) is not None
        path = f"{dirname(file.path)}/{stem}.sock"
        missing = file_fact({"path": path, "type": "missing"}) if complete else None
        socket = sockets.get(path, missing)
        runs[app] = Saas(app=app, environment=_environment(host), pid=pid, alive=alive, socket=socket)
    if complete:
        for root, pid in _without_pid_file(processes, set(runs)):
            socket = sockets.get(f"{root}/run/uwsgi.sock")
            if socket is not None:
                app = basename(root)
                runs[app] = Saas(app, _environment(host), pid, True, socket, pid_file=False)
    return SaasRuns(items=tuple(runs.values()))


_INI_OF_APPLICATION = re.compile(r"(?P<root>/.+/paas_agent/apps/projects/[^/]+)/.+\.ini")


def _without_pid_file(processes: Processes | None, known: set[str]) -> Iterator[tuple[str, int]]:
    """Yield (directory of the application, pid of its uwsgi) of the applications that run and are not known."""
    masters: dict[int, tuple[str, int]] = {}
    for process in processes.items if processes else ():
        if process.argv and basename(process.argv[0]) == "uwsgi" and process.state != "Z":
            match = next(filter(None, map(_INI_OF_APPLICATION.fullmatch, process.argv[1:])), None)
            if match is not None:
                masters[process.pid] = (match["root"], process.ppid)
    for pid, (root, parent) in masters.items():
        if parent not in masters and basename(root) not in known:
            yield root, pid


def _environment(host: Host) -> Literal["o", "t"] | None:
    production, test = host.has_role("appo"), host.has_role("appt")
    if production == test:
        return None
    return "o" if production else "t"


_MOST_FILES = 50
_PID_BYTES = 100
_MOST_LOGS = 16


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the agent's configuration, and the pid files, sockets and logs of the applications."""
    if earlier is not None or not entry.has_role("appo", "appt"):
        return
    for path in (
        "{home}/etc/paas_agent_config.yaml",
        "{home}/paas_agent/paas_agent/etc/paas_agent_config.yaml",
    ):
        yield ReadFile(FileName.AGENT_CONFIG.value, path, deployment.limits.file_bytes, _MOST_FILES)
    run = "{home}/paas_agent/apps/projects/*/run"
    yield ReadFile(FileName.SAAS_PID.value, f"{run}/*.pid", _PID_BYTES, MOST_SOCKETS)
    yield ReadFile(FileName.SAAS_SOCKET.value, f"{run}/*.sock", 0, MOST_SOCKETS)
    logs = "{home}/paas_agent/apps/logs/*/*.log"
    yield ReadTail(TailName.SAAS_LOG.value, logs, deployment.limits.log_bytes, _MOST_LOGS)
