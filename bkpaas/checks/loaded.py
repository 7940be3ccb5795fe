"""Decide whether a process has loaded the file that is on disk now.

What decides, in this order: the time and size of the source in the compiled file that the process made (settings),
values of the source that are not in that compiled file, and without a compiled file the traces of a write. A time of
the content that is newer than the load is no such trace: touch sets it too. These are: a name that came into the
directory in the same moment (editors, sed, mv, rsync), or content that was written after it was read last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from bkpaas.checks.case import CaseMessage, case
from bkpaas.checks.clocks import comparable_clocks
from bkpaas.checks.lookup import HostLookup
from bkpaas.facts import FileFact, HostView, Process
from bkpaas.facts.bytecode import Compiled
from bkpaas.inventory.deployment import Deployment

TICK_SECONDS = 1.0
"""Start times of processes are that exact."""
_EQUAL_SECONDS = 2e-6
"""Two times that one system call has set."""
_RENAME_SECONDS = 0.01
"""Between the change of a directory and of the file that came into it, at most."""


def clock_slack(host: HostView, deployment: Deployment, host_facts: HostLookup) -> float:
    """Return the seconds by which the start of a process and the time of a file may differ and mean the same moment.

    Starts are counted back from the clock as it goes now, files have the time of their day: a clock that was set in
    between, or should be, puts them apart by as much.
    """
    off = abs(host.clock.offset_seconds - _median_offset(host, deployment, host_facts))
    return off + host.clock.uncertainty_seconds + TICK_SECONDS


def _median_offset(host: HostView, deployment: Deployment, host_facts: HostLookup) -> float:
    """Return the median of the clocks that can be compared with that of a host, in seconds from the controller's."""

    def compute(lookup: HostLookup) -> float:
        clocks = comparable_clocks(deployment, lookup, host.clock)
        return median([clock.offset_seconds for clock in clocks])

    return host_facts.once(("median-offset", host.clock.controller), compute)


def load_time(host: HostView, process: Process) -> float | None:
    """Return when a master has loaded its files at the latest: at the start of its oldest child, or its own.

    A master that reloads keeps its pid and start; its children are new.
    """
    children = [
        child.start
        for child in host.processes.children(process.pid)
        if child.start is not None and "shutting down" not in child.command
    ]
    return min(children) if children else process.start


def changes(files: Iterable[FileFact], process: Process, loaded: float, slack: float) -> list[CaseMessage]:
    """Return what is on disk and is not what a process has loaded, one message per file.

    loaded: when, in epoch seconds of the host's clock.
    """
    there = [file for file in files if file.exists and file.type == "file"]
    read = any((file.atime or 0) > (file.mtime or 0) + TICK_SECONDS for file in there)
    messages = (_change(file, process, loaded + slack, read) for file in there)
    return [one for one in messages if one is not None]


def edits_since(
    files: Iterable[FileFact], process: Process, loaded: float, slack: float, *, in_place: bool = True
) -> list[CaseMessage]:
    """Return the same without files that have an old date, for a process of which can be read what it has loaded.

    in_place: whether a change without a new name in the directory is a finding; not of a file that other programs
    read, which hides that it was only touched.
    """
    there = [file for file in files if file.exists and file.type == "file"]
    messages = (
        _new_content(file, process, loaded + slack) for file in there if in_place or not _is_same_name(file)
    )
    return [one for one in messages if one is not None]


def newer_files(files: Iterable[FileFact], loaded: float, slack: float) -> list[FileFact]:
    """Return the files that were written or put there after a process had loaded them, in seconds of the host's clock."""
    limit = loaded + slack
    return [file for file in files if file.exists and file.type == "file" and _is_other_file(file, limit)]


def _is_other_file(file: FileFact, limit: float) -> bool:
    """Return whether a file was written, linked anew or put there since; chmod and touch are not."""
    if not _is_new(file, limit):
        return False
    if (file.link_mtime or 0) > limit:
        return True
    return not only_touched(file) if (file.mtime or 0) > limit else _put_there(file, limit)


def settings_changes(
    files: Iterable[FileFact],
    process: Process,
    loaded: float,
    slack: float,
    compiled: Sequence[Compiled],
) -> list[CaseMessage]:
    """Return the same for Python files, of which the compiled form shows what was loaded."""
    messages: list[CaseMessage] = []
    for file in files:
        if not file.exists or file.type != "file" or not _is_new(file, loaded + slack):
            continue
        made = [one for one in compiled if one.source == file.path]
        newest = max(
            (one for one in made if one.compiled <= loaded + slack),
            key=lambda one: one.compiled,
            default=None,
        )
        if newest is None:
            change = _change(file, process, loaded + slack, atimes=False)
            messages += [change] if change else []
        elif _is_source(newest, file):
            continue
        elif newest.changed:
            messages.append(
                case(
                    "values",
                    "{path}: {names} was changed after pid {pid} ({command}) had loaded it",
                    path=file.path,
                    names=", ".join(newest.changed),
                    pid=process.pid,
                    command=process.command[:80],
                )
            )
        elif newest.source_size is None:  # Python 2 records no size
            change = _change(file, process, loaded + slack, atimes=False)
            messages += [change] if change else []
        elif newest.source_size != file.size and not newest.commented:
            messages.append(_edited(file, process, loaded + slack))
    return messages


def keeps_settings(
    file: FileFact, compiled: Sequence[Compiled], loaded: float | None, names: Iterable[str]
) -> bool:
    """Return whether the compiled form shows that a process has loaded the present values of these settings."""
    own = [
        one
        for one in compiled
        if one.source == file.path and loaded and one.compiled <= loaded + TICK_SECONDS
    ]
    newest = max(own, key=lambda one: one.compiled, default=None)
    return newest is not None and not set(names) & set(newest.changed)


def _is_source(compiled: Compiled, file: FileFact) -> bool:
    """Return whether the compiled file was made from the file that is there now."""
    same_size = compiled.source_size in (None, file.size)
    return same_size and compiled.source_mtime == int(file.mtime or 0) & 0xFFFFFFFF


def _is_new(file: FileFact, limit: float) -> bool:
    """Return whether anything about a file is newer than the limit."""
    return file.mtime is not None and max(file.mtime, file.ctime or 0, file.link_mtime or 0) > limit


def _new_content(file: FileFact, process: Process, limit: float) -> CaseMessage | None:
    if file.mtime is None:
        return None
    new = (file.link_mtime or 0) > limit or (file.mtime > limit and not only_touched(file))
    return _edited(file, process, limit) if new else None


def _change(file: FileFact, process: Process, limit: float, atimes: bool) -> CaseMessage | None:
    if file.mtime is None or not _is_new(file, limit):
        return None
    if max(file.mtime, file.link_mtime or 0) > limit:
        return _new_content(file, process, limit)
    if _put_there(file, limit) or (atimes and _is_unread(file)):
        return case(
            "replaced",
            "{path} was replaced by a file with an older date after pid {pid} ({command}) had loaded it",
            path=file.path,
            pid=process.pid,
            command=process.command[:80],
        )
    return None


def _is_unread(file: FileFact) -> bool:
    """Return whether a file that the program reads at each start was never read since its content was made."""
    return file.links == 1 and _has_unread_content(file)


def _has_unread_content(file: FileFact) -> bool:
    """Return whether the content is newer than the last read; touch sets both times, and a read follows a touch."""
    return file.mtime is not None and file.atime is not None and file.atime < file.mtime - _EQUAL_SECONDS


def _edited(file: FileFact, process: Process, limit: float) -> CaseMessage:
    return case(
        "edited",
        "{path} was changed {seconds:.0f} s after pid {pid} ({command}) had loaded it",
        path=file.path,
        seconds=max(file.mtime or 0, file.link_mtime or 0) - limit + TICK_SECONDS,
        pid=process.pid,
        command=process.command[:80],
    )


def only_touched(file: FileFact) -> bool:
    """Return whether nothing shows that a newer time of the content comes of a write and not of touch.

    A touch that a program has read since looks like a write to the same inode that a program has read since.
    """
    return not _has_unread_content(file) and not _has_new_name(file)


def _is_same_name(file: FileFact) -> bool:
    """Return whether no name came into the directory since the content was changed: an editor or sed makes one."""
    return file.folder_mtime is not None and file.mtime is not None and file.folder_mtime < file.mtime - 0.001


def _has_new_name(file: FileFact) -> bool:
    """Return whether a name came into the directory in the moment of the write or of the change of status."""
    if file.folder_mtime is None:
        return False
    times = [time for time in (file.mtime, file.ctime) if time is not None]
    return any(abs(file.folder_mtime - time) <= _RENAME_SECONDS for time in times)


def _put_there(file: FileFact, limit: float) -> bool:
    """Return whether a file with an old date got its name after the limit.

    Its directory changed when its status did, and it was last read before it got the name and not before the load:
    a copy of what was loaded keeps the time of that read, and a backup reads the file after it made the new name.
    """
    if file.ctime is None or file.folder_mtime is None or file.atime is None or file.links != 1:
        return False
    new_name = file.folder_mtime > limit and abs(file.folder_mtime - file.ctime) <= _RENAME_SECONDS
    return new_name and (_has_unread_content(file) or limit < file.atime < file.folder_mtime)
