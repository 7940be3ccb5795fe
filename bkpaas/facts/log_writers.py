"""Which log files the processes of the applications write to, and which files there are below the logs' directory.

An application keeps its log open. After a rename it writes to the renamed file, after a removal to a file that no
other program can open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from os.path import basename
from typing import Any

from msgspec import structs

from bkpaas.facts import raw
from bkpaas.facts.file import Files, file_fact
from bkpaas.facts.missing import Missing, Record
from bkpaas.facts.process import Process, Processes
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile, ReadTail, Section, TailName
from bkpaas.facts.ranges import HostTime
from bkpaas.inventory.deployment import Deployment, Host

APPLICATIONS = "{home}/paas_agent/apps"
_LOST = " (deleted)"
_LOG_NAME = re.compile(r"\.log(?:$|[.\-_~])")
"""x.log, x.log.1, x.log-20261129."""
_APPLICATION = re.compile(r"/paas_agent/apps/(?:projects|Envs)/([^/]+)")
_CODE, _LOGS = "/paas_agent/apps/", "/paas_agent/apps/logs/"
_MOST_FILES, _MOST_TAILS = 400, 8


class WrittenLog(Record, frozen=True):
    """Represent a log that an application writes to."""

    app: str
    path: str
    mtime: HostTime
    size: int
    inode: int | None = None
    pids: tuple[int, ...] = ()
    """Of the processes that have it open; empty for a file that was only found below the logs' directory."""
    since: HostTime | None = None
    """The earliest start of the application's processes; None: none runs."""
    lost: bool = False
    """It has no name any more: it was removed while it was open."""
    written_since: bool = True
    """Whether it was written to after its last rename or removal."""
    covered: bool | None = None
    """Whether a path of log_agent leads to it, also through a link, whatever is excluded; None: not known."""
    hidden: bool = False
    """Its path led to no file, or to another one, when the logs were listed: something is mounted over it."""

    @property
    def first_path(self) -> str:
        """Return the path without what a rotation appends."""
        return self.path[: self.path.index(".log") + 4] if ".log" in self.path else self.path


Covers = Callable[[str], bool | None]


def written_logs(
    files: Files, writers: Any, processes: Processes | None, covers: Covers
) -> tuple[WrittenLog, ...] | None:
    """Return the logs that applications have open, and those deeper below the logs' directory; None if not known.

    covers: whether log_agent reads a path.
    """
    if not isinstance(writers, list) or processes is None:
        return None
    running = {process.pid: process for process in processes.items}
    starts: dict[str, float] = {}
    for process in processes.items:
        if (app := _application(process)) is not None and process.start is not None:
            starts[app] = min(process.start, starts.get(app, process.start))
    logs = []
    for item in map(raw.record, writers):
        own = [pid for pid in item.get("pids", ()) if pid in running]
        app = next(filter(None, (_application(running[pid]) for pid in own)), None)
        log = None if app is None else _open_log(app, item, tuple(own), starts.get(app))
        logs += [log] if log is not None else []
    inodes = {log.inode for log in logs}
    for entry in files.get(FileName.SAAS_LOG_DEEPER, []):
        file = file_fact(entry)
        app = _below(file.path)
        if file.type != "file" or file.mtime is None or app is None or file.inode in inodes:
            continue
        logs.append(WrittenLog(app, file.path, file.mtime, file.size or 0, file.inode, since=starts.get(app)))
    reached = _reached(files, covers)
    listed = _listed(files)
    return tuple(
        structs.replace(log, covered=_covered(log, reached, covers), hidden=_is_hidden(log, listed))
        for log in logs
    )


_LISTED = re.compile(r".*/paas_agent/apps/logs/[^/]+/[^/]+\.log")


def _listed(files: Files) -> set[int | None] | None:
    """Return the inodes of the listed logs; None if the list is not complete."""
    entries = files.get(FileName.SAAS_LOG_NAMES, [])
    if not entries or len(entries) >= _MOST_FILES or any(entry.get("error") for entry in entries):
        return None
    return {file_fact(entry).inode for entry in entries}


def _is_hidden(log: WrittenLog, listed: set[int | None] | None) -> bool:
    """Return whether an open log has a path of the list and is not in it; a link or a rotation has other paths."""
    if listed is None or log.lost or not log.pids or log.inode is None or not _LISTED.fullmatch(log.path):
        return False
    return log.inode not in listed


def _reached(files: Files, covers: Covers) -> set[int | None] | None:
    """Return the inodes of the logs that log_agent covers by name; None if some are not known."""
    entries = files.get(FileName.SAAS_LOG_NAMES, [])
    if len(entries) >= _MOST_FILES or any(entry.get("error") for entry in entries):
        return None
    return {file.inode for file in map(file_fact, entries) if covers(file.path) is not False}


def _covered(log: WrittenLog, reached: set[int | None] | None, covers: Covers) -> bool | None:
    if (by_name := covers(log.path)) is not False:
        return by_name
    return None if reached is None else log.inode in reached


def _open_log(
    app: str, item: dict[str, Any], pids: tuple[int, ...], since: float | None
) -> WrittenLog | None:
    path = raw.text(item.get("path"), 300) or ""
    lost = path.endswith(_LOST)
    path = path.removesuffix(_LOST)
    if not _LOG_NAME.search(basename(path)) or basename(path).startswith("uwsgi"):
        return None
    mtime, ctime = float(item["mtime"]), float(item["ctime"])
    # a write sets both times, a rename and a removal the second one only
    log = WrittenLog(app, path, mtime, int(item["size"]), item["inode"], pids, since)
    return structs.replace(log, lost=lost, written_since=ctime - mtime < 0.001)


def _application(process: Process) -> str | None:
    """Return the application whose code or virtual environment a process runs in."""
    for word in (process.cwd or "", process.exe or "", *process.argv):
        if found := _APPLICATION.search(word):
            return found[1]
    return None


def _below(path: str) -> str | None:
    """Return the application of a log below the logs' directory, by the directory's name."""
    _, mark, rest = path.partition(_LOGS)
    return rest.partition("/")[0] or None if mark else None


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Ask which files the processes of applications write to; round 2: the end of those that log_agent does not cover."""
    if not entry.has_role("appo", "appt"):
        return
    if earlier is None:
        yield Section("writers", APPLICATIONS + "/")
        logs = f"{APPLICATIONS}/logs/*"
        yield ReadFile(FileName.SAAS_LOG_NAMES.value, f"{logs}/*.log", 0, _MOST_FILES)
        yield ReadFile(FileName.SAAS_LOG_DEEPER.value, f"{logs}/*/*.log", 0, _MOST_FILES)
        return
    facts = earlier.hosts[entry.name].log_plugins
    if isinstance(facts, Missing):
        return
    others = [
        log
        for log in facts.written or ()
        if (log.covered is False or log.hidden) and log.pids and not log.lost and _LOGS in log.path
    ]
    for log in others[:_MOST_TAILS]:
        yield ReadTail(TailName.SAAS_LOG_RENAMED.value, log.path, deployment.limits.log_bytes, 1)
