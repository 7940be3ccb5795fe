"""Parse the stat of paths, with a readable form of the mode."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import Any, Literal, cast, get_args

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile
from bkpaas.facts.ranges import HostTime, Mode
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

FileType = Literal["file", "dir", "socket", "symlink", "missing", "other"]

_FORMATS = {"file": stat.S_IFREG, "dir": stat.S_IFDIR, "socket": stat.S_IFSOCK, "symlink": stat.S_IFLNK}


class FileFact(Record, frozen=True):
    """Represent one path on a host; links are followed, type `symlink` is a dangling link."""

    path: str
    type: FileType
    mode: Mode | None = None
    """The twelve permission bits."""
    uid: int | None = None
    gid: int | None = None
    size: int | None = None
    """Bytes."""
    mtime: HostTime | None = None
    """Epoch seconds of the host's clock."""
    inode: int | None = None
    ctime: HostTime | None = None
    """Of the last change of content, name or permissions, in epoch seconds of the host's clock."""
    atime: HostTime | None = None
    link_mtime: HostTime | None = None
    """Of the link itself, where the path is one."""
    folder_mtime: HostTime | None = None
    """Of the directory in which the file itself is: its last new, removed or renamed name."""
    links: int | None = None
    """Names of the file."""
    target: str | None = None
    """The real path, when the path leads through a link."""
    error: Message | str | None = None
    """Why it could not be looked at."""

    @property
    def exists(self) -> bool:
        """Return whether the path exists. Raises NoData if that is unknown."""
        if self.error is not None and self.mode is None:
            raise NoData(msg("{path}: {reason}", path=self.path, reason=self.error))
        return self.type != "missing"

    @property
    def permissions(self) -> str:
        """Return the mode as ls shows it, such as srwx------."""
        return stat.filemode(_FORMATS.get(self.type, 0) | (self.mode or 0))


class PathStats(Fact, frozen=True, tag="Places"):
    """Hold the stat of paths that are not read, by the name of their query."""

    by_name: dict[str, tuple[FileFact, ...]]

    def get(self, name: FileName, *parts: object) -> tuple[FileFact, ...]:
        """Return the entries of a name, at least one. Raises NoData if they were not queried."""
        key = name.of(*parts)
        if not self.by_name.get(key):
            raise NoData(msg("not collected: {key}", key=key))
        return self.by_name[key]


def file_fact(entry: dict[str, Any]) -> FileFact:
    """Parse one raw entry."""
    kind = entry.get("type")
    error = raw.reason(entry.get("error"))
    if kind not in get_args(FileType):
        kind, error = "other", error or f"type {kind!r:.40}"
    return FileFact(
        path=raw.text(entry.get("path"), 300) or "",
        type=cast(FileType, kind),
        mode=raw.integer(entry.get("mode")),
        uid=raw.integer(entry.get("uid")),
        gid=raw.integer(entry.get("gid")),
        size=raw.integer(entry.get("size")),
        mtime=raw.number(entry.get("mtime")),
        inode=raw.integer(entry.get("inode")),
        ctime=raw.number(entry.get("ctime")),
        atime=raw.number(entry.get("atime")),
        links=raw.integer(entry.get("links")),
        link_mtime=raw.number(entry.get("link_mtime")),
        folder_mtime=raw.number(entry.get("folder_mtime")),
        target=raw.text(entry.get("target"), 300),
        error=error,
    )


def content(entry: dict[str, Any]) -> str | None:
    """Return the text of a raw entry, None if it was not read."""
    return raw.text(entry.get("text"), 4_000_000)


def unreadable(entry: dict[str, Any]) -> Message | str | None:
    """Return why the text of a file is incomplete, None if it is complete or there is no file."""
    if (error := raw.reason(entry.get("error"))) is not None:
        return error
    if entry.get("type") == "missing":
        return None
    if content(entry) is None:
        return msg("it was not read")
    if entry.get("truncated") is True:
        return msg("only a part of it was read")
    return None


Files = dict[str, list[dict[str, Any]]]
"""Raw entries by the name under which the plan asked for them, those of both visits."""


_LOGIN_FILES = {
    FileName.LOGIN_MANAGE: "{home}/open_paas/login/manage.py",
    FileName.LOGIN_PYTHON: "{home}/.envs/*login/bin/python",
    FileName.LOGIN_LOG_DIRECTORY: "{home}/logs/open_paas",
    FileName.LOGIN_LOGS: "{home}/logs/open_paas/*login*",
}
_OPEN_SOURCE_FILES = {
    FileName.LOGIN_MANAGE: "{home}/login/manage.py",
    FileName.LOGIN_PYTHON: "/root/.virtualenvs/*login/bin/python",
    FileName.LOGIN_LOG_DIRECTORY: "{home}/logs",
    FileName.LOGIN_LOGS: "{home}/logs/*login*",
}
"""The same below an install root that is not that of a package. Source: examples of legacy-bk-paas."""
_MOST_LOGIN_FILES = 100
TEMPORARY = "/tmp"
"""The directory in which a database server keeps temporary files by default. Only its metadata is read."""


def path_stats(files: Files) -> PathStats:
    """Parse the entries of the paths that are not read."""
    by_name = {
        name.value: sorted(files.get(name, []), key=lambda entry: entry.get("type") == "missing")
        for name in (*_LOGIN_FILES, FileName.TEMPORARY)
    }
    return PathStats(by_name={name: tuple(map(file_fact, entries)) for name, entries in by_name.items()})


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return queries for the files of a password reset and the logs of login, and for the directory of temporary files."""
    if earlier is None and entry.has_role("mysql"):
        yield ReadFile(FileName.TEMPORARY.value, TEMPORARY, read=0, most=1)
    if earlier is None and entry.has_role("paas"):
        more = _OPEN_SOURCE_FILES if platform.is_open_source(deployment) else {}
        for name, path in (*_LOGIN_FILES.items(), *more.items()):
            yield ReadFile(name.value, path, read=0, most=_MOST_LOGIN_FILES)
