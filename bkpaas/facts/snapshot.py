"""Store all facts of a run in one file, to check them now or later."""

from __future__ import annotations

import os
from collections.abc import Hashable
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from bkpaas import __version__
from bkpaas.errors import SuiteError
from bkpaas.facts.answers import Answers, Connections
from bkpaas.facts.certificates import Certificates
from bkpaas.facts.former_texts import as_messages, have_marks
from bkpaas.facts.host import HostFacts, HostView
from bkpaas.facts.login import LoginTrial
from bkpaas.facts.missing import Missing, Record
from bkpaas.facts.names import Names
from bkpaas.facts.ranges import Time
from bkpaas.files import MIB, read_bounded, refused
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import Message, msg

SCHEMA = 1
SNAPSHOT_BYTES = 256 * MIB
"""A snapshot of 1000 hosts has about 30 MiB."""
_EARLIEST, _LATEST = 0.0, 253_402_300_799.0
"""Epoch seconds: 1970 to 9999."""


class ControllerFacts(Record, frozen=True):
    """Hold the results of the controller's own requests."""

    names: Names | Missing
    answers: Answers | Missing
    agent: str = ""
    """The User-Agent of its requests, of this run only."""
    login: LoginTrial | None = None
    """None: no user was given."""
    connections: Connections = Connections({})
    """To the virtual addresses: virtual-ADDRESS."""
    certificates: Certificates | Missing = field(default_factory=lambda: Missing(msg("not queried")))
    """Of a domain behind https."""
    sent: Time | None = None
    """When the requests were sent, in epoch seconds of the controller's clock."""


class SnapshotPart(Struct, frozen=True):
    """Describe one of the snapshots that were merged into one."""

    source: str
    """Its file, as given."""
    run: str
    started: float
    """Epoch seconds of its controller's clock."""
    hosts: tuple[str, ...]
    """Those whose facts come from it."""
    elsewhere: tuple[str, ...] = ()
    """Hosts that it has too, and whose facts come from another one."""


class _Head(Struct):
    """Declare the fields that snapshots of every version have."""

    schema: int
    suite: str


class Snapshot(Struct, frozen=True, kw_only=True, dict=True):
    """Hold all facts of a run."""

    schema: int = SCHEMA
    run: str
    started: float
    """Epoch seconds of the controller's clock."""
    suite: str
    deployment: Deployment
    hosts: dict[str, HostFacts]
    controller: ControllerFacts
    key: str | None = None
    """Fingerprint of the key that its secrets were digested with; None: a key of this run only."""
    parts: tuple[SnapshotPart, ...] = ()
    """Those that it was merged of, first the one with the controller's own requests; empty: it is of one run."""

    def has_own_controller(self, host: str) -> bool:
        """Return whether a host was collected by the controller whose own requests this snapshot has."""
        return not self.parts or host in self.parts[0].hosts

    @cached_property
    def views(self) -> dict[str, HostView]:
        """Return one view for each host, which remembers what it has computed."""
        return {name: HostView(facts) for name, facts in self.hosts.items()}

    @cached_property
    def fleet_values(self) -> dict[Hashable, Any]:
        """Return what checks have computed of many hosts; see HostLookup.once."""
        return {}

    def save(self, path: Path) -> None:
        """Write it, private (0600), whole or not at all."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.encode(self))
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    @classmethod
    def _decoded(cls, data: bytes) -> Snapshot:
        if not have_marks(data):
            return msgspec.json.decode(data, type=cls)
        return msgspec.convert(as_messages(msgspec.json.decode(data)), cls)

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """Load a snapshot. Raises SuiteError if the file is not a snapshot of this schema."""
        try:
            data = read_bounded(path, SNAPSHOT_BYTES)
            head = msgspec.json.decode(data, type=_Head)
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            reason = msg("is not a readable snapshot: {error}", error=str(error)[:200])
            raise refused(path, reason) from error
        try:
            if head.schema == SCHEMA:
                snapshot = cls._decoded(data)
                if (flaw := _flaw(snapshot)) is None:
                    return snapshot
                raise refused(path, flaw)
            problem = f"schema {head.schema}"
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            problem = str(error)[:200]
        raise SuiteError(
            msg(
                "{path}: was saved by suite {suite}, which this one ({own}) cannot read; check it with the suite that saved it, or save a new one ({problem})",
                path=path,
                suite=head.suite,
                own=__version__,
                problem=problem,
            )
        )


def _flaw(snapshot: Snapshot) -> Message | None:
    """Return why a snapshot cannot be one that a run has saved."""
    names = [host.name for host in snapshot.deployment.hosts]
    selected = {host.name for host in snapshot.deployment.selected()}
    if not names:
        return msg("its deployment has no host")
    if len(set(names)) != len(names):
        return msg("its deployment has two hosts of one name")
    if snapshot.hosts.keys() != selected:
        differing = ", ".join(sorted(snapshot.hosts.keys() ^ selected))[:200]
        return msg("its facts and its deployment differ: {hosts}", hosts=differing)
    if any(facts.host != name for name, facts in snapshot.hosts.items()):
        return msg("it has the facts of a host under another name")
    if not _EARLIEST <= snapshot.started <= _LATEST:
        return msg("the time of its run is impossible")
    return None
