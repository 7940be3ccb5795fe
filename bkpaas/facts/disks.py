"""Parse the free space of file systems."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import Any

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.query import Earlier, Query, Section
from bkpaas.facts.ranges import Count
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg


class Holder(Record, frozen=True):
    """Represent a process that keeps removed files of a file system open."""

    pid: int
    bytes: Count
    """The space that its end would free."""
    files: Count


class Disk(Record, frozen=True):
    """Represent the file system of a path."""

    path: str
    bytes: Count | None = None
    bytes_available: Count | None = None
    inodes: Count | None = None
    inodes_available: Count | None = None
    readonly: bool | None = None
    error: Message | str | None = None
    holders: tuple[Holder, ...] | None = None
    """The processes with most space in removed files first; None: not asked, since there is enough space."""

    @property
    def held_bytes(self) -> int:
        """Return the space of removed files that processes keep open."""
        return sum(holder.bytes for holder in self.holders or ())

    @property
    def file_system(self) -> tuple[object, ...]:
        """Return what is equal for two paths of one file system; its figures, since a path has no other mark."""
        return (self.bytes, self.inodes, self.bytes_available, self.inodes_available, self.readonly)

    @property
    def free_percent(self) -> float:
        """Return the free space in percent. Raises NoData if it was not readable."""
        if self.bytes_available is None or not self.bytes:
            raise self._no_data()
        return 100 * self.bytes_available / self.bytes

    @property
    def free_inodes_percent(self) -> float | None:
        """Return the free inodes in percent, None without a limit. Raises NoData if they were not readable."""
        if self.inodes_available is None or self.inodes is None:
            raise self._no_data()
        return 100 * self.inodes_available / self.inodes if self.inodes else None

    def _no_data(self) -> NoData:
        return NoData(msg("{path}: {reason}", path=self.path, reason=self.error or msg("no figures")))


class Disks(Fact, frozen=True):
    items: tuple[Disk, ...]
    """Of the paths that were asked for and exist."""


def disks(section: list[dict[str, Any]], deleted: list[dict[str, Any]] | None = None) -> Disks:
    """Parse the raw list of disks, and for the full ones the processes that keep removed files open."""
    return Disks(
        items=tuple(
            Disk(
                path=path,
                bytes=raw.integer(item.get("bytes")),
                bytes_available=raw.integer(item.get("bytes_available")),
                inodes=raw.integer(item.get("inodes")),
                inodes_available=raw.integer(item.get("inodes_available")),
                readonly=raw.flag(item.get("readonly")),
                error=raw.reason(item.get("error")),
                holders=_holders(path, deleted),
            )
            for item in section
            if (path := raw.text(item.get("path"), 300)) and not _absent(item)
        )
    )


def _holders(path: str, deleted: list[dict[str, Any]] | None) -> tuple[Holder, ...] | None:
    if deleted is None:
        return None
    of_path = (item for item in deleted if item["path"] == path)
    return tuple(Holder(pid=item["pid"], bytes=item["bytes"], files=item["files"]) for item in of_path)


def _absent(item: dict[str, Any]) -> bool:
    """Return whether the path does not exist; it then has no file system."""
    return os.strerror(errno.ENOENT) in str(item.get("error") or "")


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return queries for the file systems of the system, the install root, its logs and the data of the roles.

    Round 2: which processes keep removed files open, where there is little space.
    """
    if earlier is None:
        paths = [
            path
            for by_role in (platform.DATA_DIRECTORIES, platform.LOG_DIRECTORIES)
            for role, paths in by_role.items()
            if entry.has_role(role)
            for path in paths
        ]
        yield Section("disks", list(dict.fromkeys((*platform.SYSTEM_DIRECTORIES, *paths))))
        return
    facts = earlier.hosts[entry.name].disks
    full = [] if isinstance(facts, Missing) else [disk for disk in facts.items if _is_full(disk, deployment)]
    if full:
        first = {disk.file_system: disk.path for disk in reversed(full)}
        yield Section("deleted", sorted(first.values()))


def _is_full(disk: Disk, deployment: Deployment) -> bool:
    limits = deployment.thresholds
    limit = max(limits.disk_free_percent, limits.disk_headroom_percent)
    return (
        not disk.readonly
        and bool(disk.bytes)
        and disk.bytes_available is not None
        and disk.free_percent < limit
    )
