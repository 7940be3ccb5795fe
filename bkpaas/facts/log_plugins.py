"""log_agent and log_parser: whether they are there and run, and the redis lists between them."""

from __future__ import annotations

import re
from os.path import basename
from typing import Any, Literal
from urllib.parse import urlsplit

from msgspec import field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from bkpaas.facts import logstash
from bkpaas.facts.file import FileFact, Files, content, file_fact, unreadable
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.process import Process, Processes
from bkpaas.facts.secrets import Secrets
from bkpaas.lang import say

FieldName = Literal["host", "port", "db", "key", "type", "password"]


class RedisTarget(Record, frozen=True):
    """One list of one redis that a plugin writes to or reads from, as its configuration says."""

    file: str
    line: int
    host: str | None = None
    port: int | None = None
    db: int | None = None
    key: str | None = None
    type: str | None = None
    """list or channel."""
    password: str | None = None
    """A digest."""
    tls: bool = False
    unknown: dict[str, str] = field(default_factory=dict)
    """Why a field cannot be told from the file, by its name; the field is None then."""

    @property
    def server(self) -> str:
        """What tells apart who is to be asked: host:port/db, and the digest of the password."""
        return f"{self.host}:{self.port}/{self.db}" + (f" {self.password}" if self.password else "")


class LogPlugin(Record, frozen=True):
    folder: FileFact
    filled: bool
    """Whether anything is in the folder."""
    pids: tuple[int, ...] | None
    """Of the processes that run with a configuration below the folder; None: the processes are not known."""
    files: tuple[str, ...]
    """The configurations that were read: those that a process names, all when none does."""
    targets: tuple[RedisTarget, ...]
    problems: tuple[str, ...]
    """`file:line: ...` for what could not be read."""


class LogFile(Record, frozen=True):
    path: str
    mtime: float
    """Epoch seconds of the host's clock."""


class LogPlugins(Fact, frozen=True):
    agent: LogPlugin
    parser: LogPlugin
    newest_log: LogFile | None
    """Of the applications on this host, the one that was written to last; uwsgi's own logs do not count."""


_PROGRAMS = {"agent": ("filebeat",), "parser": ("java", "logstash", "jruby")}
_REDIS_PORT = 6379
_VARIABLE = re.compile(r"\$\{(?P<name>[^}:]*)")
_MOST_NODES = 20_000
_TRUE = ("true", "True", "TRUE", "yes", "on")


def log_plugins(files: Files, logs: Files, processes: Processes | None, secrets: Secrets) -> LogPlugins:
    """From the folders, configurations and logs that were looked for."""
    return LogPlugins(
        agent=_plugin("agent", files, processes, secrets),
        parser=_plugin("parser", files, processes, secrets),
        newest_log=_newest_log(logs),
    )


def _plugin(which: str, files: Files, processes: Processes | None, secrets: Secrets) -> LogPlugin:
    (folder, *_) = [*map(file_fact, files.get(f"log-{which}", [])), FileFact("", "missing")]
    inside = [entry for entry in files.get(f"log-{which}-content", []) if entry.get("type") != "missing"]
    running = [one for one in (processes.items if processes else ()) if _runs(one, which, folder.path)]
    used = [entry for entry in files.get(f"log-{which}-conf", []) if entry.get("type") != "missing"]
    named = [entry for entry in used if any(_names(one, file_fact(entry).path) for one in running)]
    targets: list[RedisTarget] = []
    problems: list[str] = []
    for entry in named or used:
        path = file_fact(entry).path
        if reason := unreadable(entry):
            problems.append(f"{path}: {reason}")
            continue
        read = _filebeat if which == "agent" else _logstash
        try:
            targets += read(path, content(entry) or "", secrets)
        except _Unreadable as error:
            problems.append(f"{path}:{error.line}: {error.reason}")
    return LogPlugin(
        folder=folder,
        filled=bool(inside),
        pids=None if processes is None else tuple(one.pid for one in running),
        files=tuple(file_fact(entry).path for entry in named or used),
        targets=tuple(targets),
        problems=tuple(problems),
    )


def _runs(process: Process, which: str, folder: str) -> bool:
    """The plugin's program, with a word of its command line at or below the folder: no tail, no editor."""
    programs = {basename(process.exe or ""), *map(basename, process.argv[:1])}
    if not folder or process.state == "Z" or not programs & set(_PROGRAMS[which]):
        return False
    words = [part for word in (process.exe or "", *process.argv) for part in re.split("[=:]", word)]
    return any(word == folder or word.startswith(f"{folder}/") for word in words)


def _names(process: Process, path: str) -> bool:
    """Whether it is started with this file, or with the directory that the file lies in."""
    words = {word.rpartition("=")[2].rstrip("/") for word in process.argv[1:]}
    return path in words or path.rpartition("/")[0] in words


def _newest_log(logs: Files) -> LogFile | None:
    found = [
        file
        for file in map(file_fact, logs.get("saas-log", []))
        if not basename(file.path).startswith("uwsgi")
    ]
    newest = max(found, key=lambda file: file.mtime or 0.0, default=None)
    return LogFile(newest.path, newest.mtime) if newest and newest.mtime is not None else None


class _Unreadable(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line, self.reason = line, reason


class _Target:
    """A target while it is read, field by field."""

    def __init__(self, file: str, line: int, secrets: Secrets) -> None:
        self.file, self.line, self.secrets = file, line, secrets
        self.known: dict[str, Any] = {}
        self.unknown: dict[str, str] = {}

    def text(self, name: FieldName, value: Any) -> None:
        """A text; what stands for an environment variable or a part of the event is not known here."""
        if value is None or isinstance(value, list | dict):
            self._cannot(name, say(en="is not a text", zh="不是文本"))
        elif variable := _VARIABLE.search(value):
            variable_name = variable["name"][:60]
            self._cannot(
                name, say(en=f"comes from the variable {variable_name}", zh=f"来自变量 {variable_name}")
            )
        elif name == "key" and "%{" in value:
            self._cannot(name, say(en="differs from event to event", zh="随事件变化"))
        elif name == "password":
            self.known[name] = self.secrets.digest(value) if value else None
        else:
            self.known[name] = value

    def number(self, name: FieldName, value: Any) -> None:
        self.text(name, value)
        text = self.known.pop(name, None)
        if text is not None and re.fullmatch(r"\d{1,5}", text):
            self.known[name] = int(text)
        elif text is not None:
            self._cannot(name, say(en="is not a number", zh="不是数字"))

    def _cannot(self, name: FieldName, reason: str) -> None:
        self.known.pop(name, None)
        self.unknown[name] = reason

    def made(self, **more: Any) -> RedisTarget:
        known = {**self.known, **more}
        return RedisTarget(self.file, self.line, unknown=dict(self.unknown), **known)


def _logstash(file: str, text: str, secrets: Secrets) -> list[RedisTarget]:
    """Every redis block of the inputs."""
    try:
        inputs = [one for one in logstash.plugins(text) if one.section == "input" and one.name == "redis"]
    except logstash.Broken as error:
        raise _Unreadable(error.line, say(en="is not logstash's syntax", zh="不是 logstash 语法")) from None
    targets = []
    for block in inputs:
        target = _Target(file, block.line, secrets)
        given = {name: value for name, (value, _) in block.settings.items()}
        target.text("host", given.get("host", "127.0.0.1"))
        target.number("port", given.get("port", str(_REDIS_PORT)))
        target.number("db", given.get("db", "0"))
        target.text("key", given.get("key", ""))
        target.text("password", given.get("password", ""))
        target.text("type", given.get("data_type", "list"))
        targets.append(target.made(tls=given.get("ssl") in _TRUE))
    return targets


def _filebeat(file: str, text: str, secrets: Secrets) -> list[RedisTarget]:
    """output.redis, once for each host and key that it names."""
    settings = _settings(text)
    given = {
        name.removeprefix("output.redis."): node
        for name, node in settings.items()
        if name.startswith("output.redis.")
    }
    if "hosts" not in given or _scalar(given.get("enabled")) in ("false", "False", "FALSE", "no", "off"):
        return []
    secure = any(name.startswith("ssl.") for name in given) and _scalar(given.get("ssl.enabled")) not in (
        "false",
        "no",
    )
    keys = [_scalar(node) for name, node in given.items() if re.fullmatch(r"keys\.\d+\.key", name)]
    keys.append(next((_scalar(given[name]) for name in ("key", "index") if name in given), "filebeat"))
    targets = []
    for node in _items(given["hosts"]):
        for key in keys:
            target = _Target(file, node.start_mark.line + 1, secrets)
            target.text("password", _scalar(given["password"]) if "password" in given else "")
            tls = _place(
                target, _scalar(node), _scalar(given["port"]) if "port" in given else str(_REDIS_PORT)
            )
            target.number("db", _scalar(given["db"]) if "db" in given else "0")
            target.text("key", key)
            target.text("type", _scalar(given["datatype"]) if "datatype" in given else "list")
            targets.append(target.made(tls=tls or secure))
    return targets


def _place(target: _Target, text: str | None, port: str | None) -> bool:
    """Host and port of "host", "host:port", "[::1]:port" or "redis://:password@host:port"; whether it is encrypted."""
    target.text("host", text)
    if "host" not in target.known or text is None:
        target.number("port", port)
        return False
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, own = parts.hostname or "", parts.port
    except ValueError:
        parts, host, own = urlsplit(""), text, None
    target.text("host", host)
    target.number("port", port if own is None else str(own))
    if parts.password:
        target.text("password", parts.password)
    return parts.scheme == "rediss"


def _settings(text: str) -> dict[str, Any]:
    """Nodes of scalars and lists by their dotted names, whether written nested or flat; of a repeated name the last."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = say(en="is not YAML", zh="不是合法的 YAML")
        raise _Unreadable(mark.line + 1 if mark else 1, reason) from None
    except (RecursionError, ValueError):
        raise _Unreadable(1, say(en="is not YAML", zh="不是合法的 YAML")) from None
    found: dict[str, Any] = {}
    todo: list[tuple[str, Any]] = [("", root)]
    for _ in range(_MOST_NODES):
        if not todo:
            return found
        name, node = todo.pop()
        if isinstance(node, MappingNode):
            dot = "." if name else ""
            pairs = [(key.value, value) for key, value in node.value if isinstance(key, ScalarNode)]
            todo += [(f"{name}{dot}{key}"[:300], value) for key, value in reversed(pairs)]
            continue
        found[name] = node
        if isinstance(node, SequenceNode):
            todo += [(f"{name}.{number}", item) for number, item in enumerate(node.value)]
    raise _Unreadable(1, say(en="has too many settings", zh="配置项过多"))


def _scalar(node: Any) -> str | None:
    """The text of a scalar; None for what is none. An empty value is an empty text."""
    if not isinstance(node, ScalarNode):
        return None
    return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)


def _items(node: Any) -> list[Any]:
    return list(node.value) if isinstance(node, SequenceNode) else [node]
