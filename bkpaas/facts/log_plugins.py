"""log_agent and log_parser: whether they are there and run, and the redis lists between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from ipaddress import ip_address
from os.path import basename
from typing import Any

from bkpaas.facts import raw
from bkpaas.facts.file import FileFact, Files, content, file_fact, unreadable
from bkpaas.facts.log_plugin_conf import (
    AgentPattern,
    IndexName,
    PluginSettings,
    RedisTarget,
    UnreadableConf,
    read_filebeat,
    read_logstash,
)
from bkpaas.facts.log_registry import Registry, read_registry
from bkpaas.facts.log_writers import WrittenLog, written_logs
from bkpaas.facts.logs import line_times
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.names import unresolved
from bkpaas.facts.process import Process, Processes
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile, Section, TailName
from bkpaas.facts.ranges import HostTime, Time
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg


class LogPlugin(Record, frozen=True):
    folder: FileFact
    filled: bool
    """Whether anything is in the folder."""
    pids: tuple[int, ...] | None
    """Of the processes that run with a configuration below the folder; None: the processes are not known."""
    files: tuple[str, ...]
    """The configurations that were read: those that a process names, all when none does."""
    targets: tuple[RedisTarget, ...]
    problems: tuple[Message | str, ...]
    """`file:line: ...` for what could not be read."""
    outputs: tuple[str, ...] = ()
    """Hosts of Elasticsearch that log_parser delivers to, as written, without a login."""
    paths: tuple[str, ...] = ()
    """Globs of the logs that log_agent reads."""
    left_out: tuple[str, ...] = ()
    """Regular expressions of those among them that it does not."""
    disabled: tuple[tuple[str, str], ...] = ()
    """Of inputs with `enabled: false`: file:line of that, and a glob."""
    selects: bool = False
    """Whether some lines are dropped on purpose."""
    indices: tuple[IndexName, ...] = ()
    """Of the outputs of log_parser."""
    drops: str | None = None
    """file:line of a filter that drops every line."""
    stopped: tuple[int, ...] = ()
    """Processes of it that a signal has stopped (state T)."""
    uids: tuple[int, ...] = ()
    """The accounts that its processes run as."""
    registries: tuple[str, ...] = ()
    """Files in which log_agent may keep how far it has read each log."""
    peers: tuple[tuple[str, int], ...] | None = None
    """Where the established TCP connections of its processes lead; None: not known."""
    file_facts: tuple[FileFact, ...] = ()
    """The stat of `files`."""
    patterns: tuple[AgentPattern, ...] = ()
    """Where `paths` and `left_out` are written."""

    def reads(self, path: str) -> bool:
        """Return whether log_agent surely reads this log; costly expressions of a host are not evaluated."""
        return any(_globbed(path, glob) for glob in self.paths) and all(
            _fits(one, path) is False for one in self.left_out
        )

    def disabled_at(self, path: str) -> str | None:
        """Return file:line where an input that covers this log is disabled, None if none is."""
        return next((where for where, glob in self.disabled if _globbed(path, glob)), None)

    def covers_without_exclusions(self, path: str) -> bool | None:
        """Return whether a glob matches, whatever is excluded; None if that is not known."""
        if any(_globbed(path, glob) for glob in self.paths):
            return True
        return None if any("**" in glob for glob in self.paths) else False

    def covers(self, path: str) -> bool | None:
        """Return whether log_agent reads this log by its globs and exclusions, None if that is not known."""
        globbed = [_globbed(path, glob) for glob in self.paths if "**" not in glob]
        if not any(globbed):
            return None if any("**" in glob for glob in self.paths) else False
        hits = [_fits(one, path) for one in self.left_out]
        return False if any(hits) else None if None in hits else True

    def excluded_by(self, path: str) -> list[AgentPattern]:
        """Return the exclusions that fit this log."""
        return [one for one in self.patterns if one.excludes and _fits(one.text, path)]


class LogFile(Record, frozen=True):
    """Represent a log of an application."""

    path: str
    mtime: HostTime
    """Epoch seconds of the host's clock."""
    times: tuple[Time, ...] = ()
    """Of its lines, by the same clock, old to new: of each quarter of a minute that has lines the last one."""
    whole: bool = True
    """Whether these are all; of a long log only its end was read."""
    ends: tuple[int, ...] = ()
    """For each of the times, the offset in bytes after its line."""
    size: int | None = None
    inode: int | None = None
    mode: int | None = None
    uid: int | None = None
    offset: int | None = None
    """How far log_agent says to have read it; None: not in its registry, or not known."""


class LogPlugins(Fact, frozen=True):
    agent: LogPlugin
    parser: LogPlugin
    logs: tuple[LogFile, ...] = ()
    """Of the applications on this host, the newest first; uwsgi's own logs do not count."""
    registry: str | None = None
    """The registry of log_agent that was read; None: none was found."""
    unread_writers: Message | str | None = None
    """Why the files that applications have open are not known; None if they are, or were not asked for."""
    written: tuple[WrittenLog, ...] | None = None
    """The logs that running applications write to; None: not known."""
    renamed: tuple[LogFile, ...] = ()
    """Of them, those that log_agent does not cover, with their lines."""

    def uncovered_logs(self) -> tuple[WrittenLog, ...]:
        """Return the logs that applications write to and that no path of log_agent covers."""
        return tuple(log for log in self.written or () if log.covered is False)

    @property
    def targets(self) -> tuple[RedisTarget, ...]:
        """Return the redis lists that the plugins write to and read from."""
        return (*self.agent.targets, *self.parser.targets)


_PROGRAMS = {"agent": ("filebeat",), "parser": ("java", "logstash", "jruby")}
_ANYTHING_FIRST = re.compile(r"^\^?\.\*")
_NOT_EVALUATED = re.compile(r"\(\?|\[\[|\\[1-9pPQz]|(?:(?<!\\)[*+?{].*){2}")
"""More than one repeat may cost more than linear time in each start; the others differ between Go and Python."""
_LONGEST_EXPRESSION = 200
_SLOT_SECONDS, _MOST_TIMES = 15, 120
_FAR_SECONDS = 90.0
"""A last line further than this from the time its file was written has a time of another zone."""


def log_plugins(
    files: Files,
    logs: Files,
    processes: Processes | None,
    secrets: Secrets,
    peers: Any = None,
    writers: Any = None,
    unread_writers: Message | str | None = None,
) -> LogPlugins:
    """Parse the directories, configurations, logs, the connections by pid and the files that are written to."""
    registry = read_registry(files.get(FileName.LOG_REGISTRY, []))
    agent = _plugin("agent", files, processes, peers, secrets)
    return LogPlugins(
        agent=agent,
        parser=_plugin("parser", files, processes, peers, secrets),
        logs=_logs(logs.get(TailName.SAAS_LOG, []), registry),
        registry=registry.path if registry else None,
        unread_writers=unread_writers,
        written=written_logs(files, writers, processes, agent.covers_without_exclusions),
        renamed=_logs(logs.get(TailName.SAAS_LOG_RENAMED, []), registry),
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
    read = PluginSettings()
    problems: list[Message | str] = []
    for entry in named or used:
        path = file_fact(entry).path
        if reason := unreadable(entry):
            problems.append(msg("{path}: {reason}", path=path, reason=reason))
            continue
        reader = read_filebeat if which == "agent" else read_logstash
        try:
            reader(path, content(entry) or "", secrets, read)
        except UnreadableConf as error:
            problems.append(msg("{path}: {reason}", path=f"{path}:{error.line}", reason=error.reason))
    return LogPlugin(
        folder=folder,
        filled=bool(inside),
        pids=None if processes is None else tuple(one.pid for one in running),
        files=tuple(file_fact(entry).path for entry in named or used),
        file_facts=tuple(file_fact(entry) for entry in named or used),
        targets=tuple(read.targets),
        problems=tuple(problems),
        outputs=tuple(dict.fromkeys(read.outputs)),
        paths=tuple(dict.fromkeys(read.paths)),
        left_out=tuple(dict.fromkeys(read.left_out)),
        disabled=tuple(dict.fromkeys(read.disabled)),
        patterns=tuple(read.patterns),
        selects=read.selects,
        indices=tuple(read.indices),
        drops=read.drops,
        stopped=tuple(one.pid for one in running if one.state in ("T", "t")),
        uids=tuple(dict.fromkeys(one.uid for one in running if one.uid is not None)),
        registries=tuple(dict.fromkeys(read.registries)) if which == "agent" else (),
        peers=_peers(peers, running),
    )


def _peers(peers: Any, running: list[Process]) -> tuple[tuple[str, int], ...] | None:
    peer_addresses: list[tuple[str, int]] = []
    for process in running:
        sockets = raw.record(peers).get(str(process.pid))
        if not isinstance(sockets, list):
            return None
        for socket in sockets:
            address, _, port = socket.rpartition(":")
            with suppress(ValueError):
                parsed_address = ip_address(address.strip("[]"))
                peer_addresses.append(
                    (str(getattr(parsed_address, "ipv4_mapped", None) or parsed_address), int(port))
                )
    return tuple(dict.fromkeys(peer_addresses))


def _runs(process: Process, which: str, folder: str) -> bool:
    """Return whether a process is the plugin's program, started from its directory."""
    programs = {basename(process.exe or ""), *map(basename, process.argv[:1])}
    if not folder or process.state == "Z" or not programs & set(_PROGRAMS[which]):
        return False
    parts = [part for word in (process.exe or "", *process.argv) for part in re.split("[=:]", word)]
    return any(word == folder or word.startswith(f"{folder}/") for word in parts)


def _names(process: Process, path: str) -> bool:
    """Return whether a process was started with this file or its directory."""
    names = {word.rpartition("=")[2].rstrip("/") for word in process.argv[1:]}
    return path in names or path.rpartition("/")[0] in names


def _logs(entries: list[dict[str, Any]], registry: Registry | None) -> tuple[LogFile, ...]:
    log_files = []
    for entry in entries:
        file = file_fact(entry)
        if file.mtime is None or file.type != "file" or basename(file.path).startswith("uwsgi"):
            continue
        slots, whole = _times(content(entry) or "", file.mtime, raw.integer(entry.get("offset")) or 0)
        log = LogFile(
            file.path,
            file.mtime,
            tuple(time for time, _ in slots),
            whole=whole and not entry.get("offset"),
            ends=tuple(end for _, end in slots),
            size=file.size,
            inode=file.inode,
            mode=file.mode,
            uid=file.uid,
            offset=registry.offset(file) if registry else None,
        )
        log_files.append(log)
    return tuple(sorted(log_files, key=lambda log: -log.mtime))


def _times(end: str, mtime: float, begin: int) -> tuple[tuple[tuple[float, int], ...], bool]:
    """Return (times with the offsets after their lines, complete); none if the last one is of another time zone."""
    slots: dict[int, tuple[float, int]] = {}
    for line in end.splitlines(keepends=True):
        begin += len(line.encode("utf-8", "replace"))
        for time in line_times(line):
            slots[int(time // _SLOT_SECONDS)] = max(
                (time, begin), slots.get(int(time // _SLOT_SECONDS), (0.0, 0))
            )
    times = tuple(sorted(slots.values()))
    if times and abs(times[-1][0] - mtime) > _FAR_SECONDS:
        return (), False
    return times[-_MOST_TIMES:], len(times) <= _MOST_TIMES


def _globbed(path: str, glob: str) -> bool:
    """Return whether a pattern of filebeat surely matches; a star does not match a slash."""
    if "**" in glob:
        return False
    parts, patterns = path.split("/"), glob.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _fits(expression: str, path: str) -> bool | None:
    """Return whether an expression of filebeat fits a path, in which it may stand anywhere; None if not evaluated."""
    core = _ANYTHING_FIRST.sub("", expression)
    if len(core) > _LONGEST_EXPRESSION or _NOT_EVALUATED.search(core):
        return None
    try:
        return re.search(core, path) is not None
    except re.error:
        return None


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
        for path in facts.agent.registries:
            yield ReadFile(FileName.LOG_REGISTRY.value, path, deployment.limits.file_bytes)
        pids = (*(facts.agent.pids or ()), *(facts.parser.pids or ()))
        yield Section("peers", list(pids[:_MOST_PIDS]))
