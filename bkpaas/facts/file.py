"""What stat says of one path, and the readable form of it."""

from __future__ import annotations

import stat
from typing import Any, Literal, cast, get_args

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.missing import Fact, Record
from bkpaas.lang import say

FileType = Literal["file", "dir", "socket", "symlink", "missing", "other"]

_FORMATS = {"file": stat.S_IFREG, "dir": stat.S_IFDIR, "socket": stat.S_IFSOCK, "symlink": stat.S_IFLNK}


class FileFact(Record, frozen=True):
    """One path on a host; links are followed, `symlink` is a dangling one."""

    path: str
    type: FileType
    mode: int | None = None
    """The twelve permission bits."""
    uid: int | None = None
    gid: int | None = None
    size: int | None = None
    """Bytes."""
    mtime: float | None = None
    """Epoch seconds of the host's clock."""
    inode: int | None = None
    target: str | None = None
    """The real path, when the path leads through a link."""
    error: str | None = None
    """Why it could not be looked at."""

    @property
    def exists(self) -> bool:
        """Whether there is something at the path; NoData when it could not be looked at."""
        if self.error is not None and self.mode is None:
            raise NoData(f"{self.path}: {self.error}")
        return self.type != "missing"

    @property
    def permissions(self) -> str:
        """As ls shows it: srwx------."""
        return stat.filemode(_FORMATS.get(self.type, 0) | (self.mode or 0))


class Places(Fact, frozen=True):
    """What stat says of the paths that are only looked for, by the name under which the plan asks for them."""

    by_name: dict[str, tuple[FileFact, ...]]

    def get(self, name: str) -> tuple[FileFact, ...]:
        """At least one; NoData when they were not looked for."""
        if not self.by_name.get(name):
            raise NoData(say(en=f"not looked for: {name}", zh=f"未查看：{name}"))
        return self.by_name[name]


def file_fact(entry: dict[str, Any]) -> FileFact:
    """From one raw entry."""
    kind = entry.get("type")
    error = raw.text(entry.get("error"), 300)
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
        target=raw.text(entry.get("target"), 300),
        error=error,
    )


def content(entry: dict[str, Any]) -> str | None:
    """The text of a raw entry; None when it was not read."""
    return raw.text(entry.get("text"), 4_000_000)


def unreadable(entry: dict[str, Any]) -> str | None:
    """Why a file has no whole text; None when it has, and when there is no file."""
    if (error := raw.text(entry.get("error"), 300)) is not None:
        return error
    if entry.get("type") == "missing":
        return None
    if content(entry) is None:
        return say(en="it was not read", zh="未读取")
    if entry.get("truncated") is True:
        return say(en="only a part of it was read", zh="只读取了一部分")
    return None


Files = dict[str, list[dict[str, Any]]]
"""Raw entries by the name under which the plan asked for them, those of both visits."""


_LOOKED_FOR = ("login-manage", "login-python", "login-log-folder", "login-logs")


def places(files: Files) -> Places:
    """From the entries of the paths that are only looked for."""
    return Places(by_name={name: tuple(map(file_fact, files.get(name, []))) for name in _LOOKED_FOR})
