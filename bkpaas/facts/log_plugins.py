"""log_agent and log_parser: whether they are there and run, and the redis lists between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from ipaddress import ip_address
from os.path import basename
from typing import Any, Literal
from urllib.parse import urlsplit

from msgspec import field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from bkpaas.facts import logstash, raw
from bkpaas.facts.file import FileFact, Files, content, file_fact, unreadable
from bkpaas.facts.logs import line_times
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.names import unresolved
from bkpaas.facts.process import Process, Processes
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile, Section, TailName
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import DEFAULT_PORTS, Deployment, Host
from bkpaas.lang import say

FieldName = Literal["host", "port", "db", "key", "type", "password"]


class RedisTarget(Record, frozen=True):
    """Represent a redis list that a plugin writes to or reads from by its configuration."""

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
        """Return the key of a redis login: host:port/db and the digest of the password."""
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
    outputs: tuple[str, ...] = ()
    """Hosts of Elasticsearch that log_parser delivers to, as written, without a login."""
    paths: tuple[str, ...] = ()
    """Globs of the logs that log_agent reads."""
    left_out: tuple[str, ...] = ()
    """Regular expressions of those among them that it does not."""
    selects: bool = False
    """Whether some lines are dropped on purpose."""
    peers: tuple[tuple[str, int], ...] | None = None
    """Where the established TCP connections of its processes lead; None: not known."""

    def reads(self, path: str) -> bool:
        """Whether log_agent surely reads this log. Expressions of a host are never run: who needs more is in doubt."""
        return any(_globbed(path, glob) for glob in self.paths) and not any(
            _PLAIN.fullmatch(one) is None or _core(one) in path for one in self.left_out
        )


class LogFile(Record, frozen=True):
    """Represent a log of an application."""

    path: str
    mtime: float
    """Epoch seconds of the host's clock."""
    times: tuple[float, ...] = ()
    """Of its lines, by the same clock, old to new: of each quarter of a minute that has lines the last one."""
    whole: bool = True
    """Whether these are all; of a long log only its end was read."""


class LogPlugins(Fact, frozen=True):
    agent: LogPlugin
    parser: LogPlugin
    logs: tuple[LogFile, ...] = ()
    """Of the applications on this host, the newest first; uwsgi's own logs do not count."""

    @property
    def targets(self) -> tuple[RedisTarget, ...]:
        """Return the redis lists that the plugins write to and read from."""
        return (*self.agent.targets, *self.parser.targets)


_PROGRAMS = {"agent": ("filebeat",), "parser": ("java", "logstash", "jruby")}
_REDIS_PORT = DEFAULT_PORTS["redis"]
_VARIABLE = re.compile(r"\$\{(?P<name>[^}:]*)")
_MOST_NODES = 20_000
_TRUE = ("true", "True", "TRUE", "yes", "on")
_PLAIN = re.compile(r"(?:\^?\.\*)?(?:[\w/-]|\\[.\-])+\$?")
"""An expression that means a part of a path, such as uwsgi\\.log$; nothing else is understood."""
_PATHS = re.compile(r"filebeat\.(?:prospectors|inputs)\.\d+\.(?P<what>paths|exclude_files)\.\d+")
_SELECTS = re.compile(r"(?:^|\.)(?:include_lines|exclude_lines|drop_event)(?:\.|$)")
_SLOT_SECONDS, _MOST_TIMES = 15, 120
_FAR_SECONDS = 90.0
"""A last line further than this from the time its file was written has a time of another zone."""


def log_plugins(
    files: Files, logs: Files, processes: Processes | None, secrets: Secrets, peers: Any = None
) -> LogPlugins:
    """Parse the directories, configurations, logs and the connections by pid."""
    return LogPlugins(
        agent=_plugin("agent", files, processes, peers, secrets),
        parser=_plugin("parser", files, processes, peers, secrets),
        logs=_logs(logs),
    )


def _plugin(which: str, files: Files, processes: Processes | None, peers: Any, secrets: Secrets) -> LogPlugin:
    (folder, *_) = [
        *map(file_fact, files.get(FileName.LOG_PLUGIN_DIRECTORY.of(which), [])),
        FileFact("", "missing"),
    ]
    inside = [
        entry
        for entry in files.get(FileName.LOG_PLUGIN_CONTENT.of(which), [])
        if entry.get("type") != "missing"
    ]
    running = [one for one in (processes.items if processes else ()) if _runs(one, which, folder.path)]
    used = [
        entry for entry in files.get(FileName.LOG_PLUGIN_CONF.of(which), []) if entry.get("type") != "missing"
    ]
    named = [entry for entry in used if any(_names(one, file_fact(entry).path) for one in running)]
    read = _Read()
    problems: list[str] = []
    for entry in named or used:
        path = file_fact(entry).path
        if reason := unreadable(entry):
            problems.append(f"{path}: {reason}")
            continue
        reader = _filebeat if which == "agent" else _logstash
        try:
            reader(path, content(entry) or "", secrets, read)
        except _Unreadable as error:
            problems.append(f"{path}:{error.line}: {error.reason}")
    return LogPlugin(
        folder=folder,
        filled=bool(inside),
        pids=None if processes is None else tuple(one.pid for one in running),
        files=tuple(file_fact(entry).path for entry in named or used),
        targets=tuple(read.targets),
        problems=tuple(problems),
        outputs=tuple(dict.fromkeys(read.outputs)),
        paths=tuple(dict.fromkeys(read.paths)),
        left_out=tuple(dict.fromkeys(read.left_out)),
        selects=read.selects,
        peers=_peers(peers, running),
    )


class _Read:
    """Gather the settings of a plugin while its configurations are read."""

    def __init__(self) -> None:
        self.targets: list[RedisTarget] = []
        self.outputs: list[str] = []
        self.paths: list[str] = []
        self.left_out: list[str] = []
        self.selects = False


def _peers(peers: Any, running: list[Process]) -> tuple[tuple[str, int], ...] | None:
    found: list[tuple[str, int]] = []
    for process in running:
        places = raw.record(peers).get(str(process.pid))
        if not isinstance(places, list):
            return None
        for place in places:
            address, _, port = place.rpartition(":")
            with suppress(ValueError):
                known = ip_address(address.strip("[]"))
                found.append((str(getattr(known, "ipv4_mapped", None) or known), int(port)))
    return tuple(dict.fromkeys(found))


def _runs(process: Process, which: str, folder: str) -> bool:
    """Return whether a process is the plugin's program, started from its directory."""
    programs = {basename(process.exe or ""), *map(basename, process.argv[:1])}
    if not folder or process.state == "Z" or not programs & set(_PROGRAMS[which]):
        return False
    words = [part for word in (process.exe or "", *process.argv) for part in re.split("[=:]", word)]
    return any(word == folder or word.startswith(f"{folder}/") for word in words)


def _names(process: Process, path: str) -> bool:
    """Return whether a process was started with this file or its directory."""
    words = {word.rpartition("=")[2].rstrip("/") for word in process.argv[1:]}
    return path in words or path.rpartition("/")[0] in words


def _logs(logs: Files) -> tuple[LogFile, ...]:
    found = []
    for entry in logs.get(TailName.SAAS_LOG, []):
        file = file_fact(entry)
        if file.mtime is None or file.type != "file" or basename(file.path).startswith("uwsgi"):
            continue
        times, whole = _times(content(entry) or "", file.mtime)
        found.append(LogFile(file.path, file.mtime, times, whole=whole and not entry.get("offset")))
    return tuple(sorted(found, key=lambda log: -log.mtime))


def _times(end: str, mtime: float) -> tuple[tuple[float, ...], bool]:
    """Return (times, complete); no times if the last one is in an unexpected time zone."""
    slots: dict[int, float] = {}
    for time in line_times(end):
        slots[int(time // _SLOT_SECONDS)] = max(time, slots.get(int(time // _SLOT_SECONDS), 0.0))
    times = tuple(sorted(slots.values()))
    if times and abs(times[-1] - mtime) > _FAR_SECONDS:
        return (), False
    return times[-_MOST_TIMES:], len(times) <= _MOST_TIMES


def _globbed(path: str, glob: str) -> bool:
    """Return whether a pattern of filebeat surely matches; a star does not match a slash."""
    if "**" in glob:
        return False
    words, patterns = path.split("/"), glob.split("/")
    return len(words) == len(patterns) and all(map(fnmatchcase, words, patterns))


def _core(expression: str) -> str:
    return re.sub(r"^\^?(?:\.\*)?|\$$|\\", "", expression)


class _Unreadable(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line, self.reason = line, reason


class _Target:
    """Gather the fields of a target while it is read."""

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


def _logstash(file: str, text: str, secrets: Secrets, read: _Read) -> None:
    """Read the redis blocks of the inputs and the hosts of the elasticsearch blocks of the outputs."""
    try:
        blocks = logstash.plugins(text)
    except logstash.ParseError as error:
        raise _Unreadable(error.line, say(en="is not logstash's syntax", zh="不是 logstash 语法")) from None
    read.selects |= any((block.section, block.name) == ("filter", "drop") for block in blocks)
    for block in blocks:
        if (block.section, block.name) == ("output", "elasticsearch"):
            hosts = block.settings.get("hosts", ("127.0.0.1:9200", 0))[0]
            read.outputs += [
                place_of(host) for host in (hosts if isinstance(hosts, list) else [hosts]) if host
            ]
        if (block.section, block.name) != ("input", "redis"):
            continue
        target = _Target(file, block.line, secrets)
        given = {name: value for name, (value, _) in block.settings.items()}
        target.text("host", given.get("host", "127.0.0.1"))
        target.number("port", given.get("port", str(_REDIS_PORT)))
        target.number("db", given.get("db", "0"))
        target.text("key", given.get("key", ""))
        target.text("password", given.get("password", ""))
        target.text("type", given.get("data_type", "list"))
        read.targets.append(target.made(tls=given.get("ssl") in _TRUE))


def place_of(host: Any) -> str:
    """Return host:port of an address that may have a scheme, a login and a path."""
    text = str(host).rpartition("@")[2].partition("://")
    return (text[2] or text[0]).partition("/")[0][:300]


def _filebeat(file: str, text: str, secrets: Secrets, read: _Read) -> None:
    """Read output.redis, one target per host and key, and the paths of the logs."""
    settings = _settings(text)
    read.selects |= any(_SELECTS.search(name) for name in settings)
    for name, node in settings.items():
        if match := _PATHS.fullmatch(name):
            (read.paths if match["what"] == "paths" else read.left_out).append((_scalar(node) or "")[:300])
    given = {
        name.removeprefix("output.redis."): node
        for name, node in settings.items()
        if name.startswith("output.redis.")
    }
    if "hosts" not in given or _scalar(given.get("enabled")) in ("false", "False", "FALSE", "no", "off"):
        return
    secure = any(name.startswith("ssl.") for name in given) and _scalar(given.get("ssl.enabled")) not in (
        "false",
        "no",
    )
    keys = [_scalar(node) for name, node in given.items() if re.fullmatch(r"keys\.\d+\.key", name)]
    keys.append(next((_scalar(given[name]) for name in ("key", "index") if name in given), "filebeat"))
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
            read.targets.append(target.made(tls=tls or secure))


def _place(target: _Target, text: str | None, port: str | None) -> bool:
    """Parse "host", "host:port", "[::1]:port" or "redis://:password@host:port"; return host, port, encrypted."""
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
    """Return {dotted name: node} of scalars and lists, nested or flat; the last of a repeated name."""
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
    """Return the text of a scalar, None for other nodes; an empty value is an empty text."""
    if not isinstance(node, ScalarNode):
        return None
    return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)


def _items(node: Any) -> list[Any]:
    return list(node.value) if isinstance(node, SequenceNode) else [node]


_MOST_FILES = 50
_MOST_PIDS = 20
_CONF_ENDINGS = {"agent": "yml", "parser": "conf"}


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the plugins' configurations; round 2: resolve their redis, and ask where their connections lead."""
    if not entry.has_role(*platform.LOG_PLUGIN_ROLES):
        return
    if earlier is None:
        for plugin, ending in _CONF_ENDINGS.items():
            directory, size = f"{{home}}/paas_plugins/log_{plugin}", deployment.limits.file_bytes
            yield ReadFile(FileName.LOG_PLUGIN_DIRECTORY.of(plugin), directory, read=0)
            yield ReadFile(FileName.LOG_PLUGIN_CONTENT.of(plugin), f"{directory}/*", read=0)
            for path in (f"{directory}/*.{ending}", f"{directory}/*/*.{ending}"):
                yield ReadFile(FileName.LOG_PLUGIN_CONF.of(plugin), path, size, _MOST_FILES)
        return
    facts = earlier.hosts[entry.name].log_plugins
    if not isinstance(facts, Missing):
        yield from unresolved((target.host for target in facts.targets if target.host), deployment)
        pids = (*(facts.agent.pids or ()), *(facts.parser.pids or ()))
        yield Section("peers", list(pids[:_MOST_PIDS]))
