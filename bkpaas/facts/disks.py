"""Room on the file systems."""

from __future__ import annotations

from bkpaas.facts.missing import Fact, Record


class Disk(Record, frozen=True):
    """The file system that holds a path."""

    path: str
    bytes: int | None = None
    bytes_available: int | None = None
    inodes: int | None = None
    inodes_available: int | None = None
    readonly: bool | None = None
    error: str | None = None

    @property
    def free_percent(self) -> float:
        """NoData when it could not be looked at."""
        raise NotImplementedError

    @property
    def free_inodes_percent(self) -> float | None:
        """None for a file system without a limit of inodes; NoData when it could not be looked at."""
        raise NotImplementedError


class Disks(Fact, frozen=True):
    items: tuple[Disk, ...]
