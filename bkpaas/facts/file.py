"""What stat says of one path, and the readable form of it."""

from __future__ import annotations

import stat
from typing import Literal

from bkpaas.errors import NoData
from bkpaas.facts.missing import Record

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
        if self.type == "missing":
            return False
        if self.error is not None and self.mode is None:
            raise NoData(f"{self.path}: {self.error}")
        return True

    @property
    def permissions(self) -> str:
        """As ls shows it: srwx------."""
        return stat.filemode(_FORMATS.get(self.type, 0) | (self.mode or 0))
