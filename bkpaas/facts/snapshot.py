"""All facts of a run in one file, to be judged now or later."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct, field

from bkpaas.errors import SuiteError
from bkpaas.facts.answers import Answers, Connections
from bkpaas.facts.certificates import Certificates
from bkpaas.facts.host import HostFacts
from bkpaas.facts.login import LoginTrial
from bkpaas.facts.missing import Missing, Record
from bkpaas.facts.names import Names
from bkpaas.inventory.deployment import Deployment
from bkpaas.lang import say

SCHEMA = 1


class ControllerFacts(Record, frozen=True):
    """What the controller itself resolved and asked."""

    names: Names | Missing
    answers: Answers | Missing
    agent: str = ""
    """The User-Agent of its requests, of this run only."""
    login: LoginTrial | None = None
    """None: no user was given."""
    connections: Connections = Connections({})
    """To the virtual addresses: virtual-ADDRESS."""
    certificates: Certificates | Missing = field(
        default_factory=lambda: Missing(say(en="not asked", zh="未查看"))
    )
    """Of a domain behind https."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """All facts of a run."""

    schema: int = SCHEMA
    run: str
    started: float
    """Epoch seconds of the controller's clock."""
    suite: str
    deployment: Deployment
    hosts: dict[str, HostFacts]
    controller: ControllerFacts

    def save(self, path: Path) -> None:
        """Write it, private (0600), whole or not at all."""
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.encode(self))
            os.replace(beside, path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: Path) -> Snapshot:
        """SuiteError when the file is no snapshot of this schema."""
        try:
            snapshot = msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError) as error:
            words = say(en="is no snapshot that can be read", zh="不是可读取的快照")
            raise SuiteError(f"{path}: {words}: {error}") from error
        if snapshot.schema != SCHEMA:
            words = say(en=f"has schema {snapshot.schema}", zh=f"的 schema 是 {snapshot.schema}")
            raise SuiteError(f"{path} {words}, {say(en='expected', zh='应为')} {SCHEMA}")
        return snapshot
