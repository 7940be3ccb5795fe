"""Exchange plans and answers through a directory, with an engine that runs a command on many hosts.

    DIR/exchange.json        what was planned: Manifest
    DIR/round-1/HOST.sh      for /bin/sh of HOST, as root; it holds the collector and the plan
    DIR/round-1/HOST.out     its standard output, as the engine received it
    DIR/round-1/HOST.json    Times of the controller around it; optional
    DIR/controller.json      answers to the controller's own requests, sent when round 2 is planned
    DIR/round-2/...          the same for round 2

The answers hold files of the hosts as they are, with their secrets: the directory is private. Queries that contain a
password are not part of a plan that leaves the controller.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from bkpaas import __version__
from bkpaas.collect import clock, errors, program
from bkpaas.collect.clock import Times
from bkpaas.errors import SuiteError, message_of
from bkpaas.files import MIB, read_bounded, refused
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import msg

SCHEMA = 1
MANIFEST_BYTES = 16 * MIB
TIMES_BYTES = 4096
FILE_TIME_SECONDS = 0.01
"""How far the time of a file may be behind the clock."""
_CHANGING = ("seconds", "wait")
"""Parts of a plan that depend on the time of the run."""
_FILE_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,200}", re.ASCII)

Round = Literal[1, 2]


class Manifest(Struct, forbid_unknown_fields=True):
    """Hold what was planned: exchange.json."""

    schema: int = SCHEMA
    suite: str = __version__
    collector: str = field(default_factory=program.digest)
    """SHA-256 of the collector in the scripts."""
    rounds: dict[str, dict[str, str]] = {}
    """By round ("1", "2") and host, the id of the plan; a host that needs no round 2 is absent there."""


def plan_id(plan: dict[str, Any]) -> str:
    """Return the digest of a plan and of the collector that answers it (64 hex digits)."""
    steady = {name: value for name, value in plan.items() if name not in _CHANGING}
    text = json.dumps(steady, sort_keys=True)
    return hashlib.sha256(f"{program.digest()}\n{text}".encode()).hexdigest()


class Exchange:
    """A transport that reads answers from the directory, and writes the scripts of one round that is to be planned.

    Args:
        planned_round: the round whose scripts are written instead of answers being read; None: only read.

    Raises: SuiteError, if the directory holds no exchange of this version.
    """

    def __init__(self, directory: Path, deployment: Deployment, planned_round: Round | None = None) -> None:
        self.directory, self.planned_round = directory, planned_round
        self.limits = deployment.limits
        self.homes = (deployment.install_root,) if deployment.install_root else ()
        self.manifest = load_manifest(directory) if (directory / "exchange.json").exists() else Manifest()
        self.planned: dict[str, str] = {}
        """By host, the ids of the plans that were written."""

    async def open(self, host: Host) -> Session:
        """Return the session of a host. Raises CollectError if its name cannot be that of a file."""
        if not _FILE_NAME.fullmatch(host.name):
            reason = msg("the name {name!r} cannot be that of a file", name=host.name)
            raise errors.config(errors.host_label(host), reason)
        return Session(self, host)

    async def close(self) -> None:
        """Do nothing: no connection is open."""

    def file(self, number: int, host: Host, ending: str) -> Path:
        """Return the path of a file of a host in a round."""
        return self.directory / f"round-{number}" / f"{host.name}{ending}"

    def controller_answer(self) -> dict[str, Any]:
        """Return what save_controller_answer saved. Raises SuiteError."""
        path = self.directory / "controller.json"
        try:
            answer: dict[str, Any] = msgspec.json.decode(
                read_bounded(path, MANIFEST_BYTES), type=dict[str, Any]
            )
        except (msgspec.DecodeError, RecursionError) as error:
            raise refused(path, msg("is not readable: {error}", error=str(error)[:200])) from error
        return answer

    def save_controller_answer(self, answer: dict[str, Any]) -> None:
        """Save the result of bkpaas.collect.probes.probe, which round 2 looks for in logs. Raises OSError."""
        _write(self.directory / "controller.json", msgspec.json.encode(answer))

    def save(self) -> None:
        """Record the plans that were written. Raises OSError."""
        self.manifest.rounds[str(self.planned_round)] = self.planned
        _write(
            self.directory / "exchange.json", msgspec.json.format(msgspec.json.encode(self.manifest)) + b"\n"
        )


class Session:
    """Read the answers of one host, or write its script."""

    def __init__(self, exchange: Exchange, host: Host) -> None:
        self.clock: clock.Clock | None = None
        self.times: Times | None = None
        self._exchange, self._host, self._where = exchange, host, errors.host_label(host)
        self._samples: list[tuple[float, float, float]] = []

    async def run_plan(self, plan: dict[str, Any], seconds: float) -> bytes:
        """Return the compressed answer to a plan. Raises CollectError, also when its script was written instead."""
        public = program.without_secrets(plan)
        plan = public.plan
        number, identifier = int(plan["visit"]), plan_id(plan)
        if number == self._exchange.planned_round:
            _write(self._exchange.file(number, self._host, ".sh"), self._script(plan, identifier))
            self._exchange.planned[self._host.name] = identifier
            raise errors.planned(self._where)
        answer = self._answer(number, identifier)
        return public.complete(answer)

    def _script(self, plan: dict[str, Any], identifier: str) -> bytes:
        connection = msgspec.structs.replace(self._host.connection, sudo=False)
        lines = (
            "#!/bin/sh",
            f"# bkpaas {self._host.name} {plan['visit']}",
            f"echo '{program.MARK} plan {identifier}'",
            program.script(connection, self._exchange.homes, plan),
        )
        return "\n".join(lines).encode() + b"\n"

    def _answer(self, number: int, identifier: str) -> bytes:
        """Return the answer in the file of a round, if it is the one answer to this plan. Raises CollectError."""
        file, limit = self._exchange.file(number, self._host, ".out"), self._exchange.limits.answer_bytes
        if not os.path.lexists(file):
            raise errors.not_returned(self._where, str(file))
        try:
            output = read_bounded(file, limit)
        except SuiteError as error:
            raise errors.other_answer(self._where, message_of(error)) from None
        events: dict[str, list[Any]] = {}
        parser = program.AnswerParser(limit, decode=False)
        try:
            for word, value in parser.feed(output + b"\n" if output else b""):
                events.setdefault(f"clock {value[0]}" if word == "clock" else word, []).append(value)
        except program.AnswerTooLarge:
            raise errors.too_much(self._where, limit) from None
        except program.InvalidAnswer as error:
            raise errors.garbage(self._where, message_of(error)) from None
        self._check(events, identifier, file)
        if "answer" not in events or "clock begin" not in events or "clock end" not in events:
            for name in ("nopython", "failed"):
                if name in events:
                    raise errors.unexpected(self._where, name, events[name][0], limit)
            raise errors.ended(self._where, parser.noise, b"", None)
        self._estimate_clock(number, events["clock begin"][0][1], events["clock end"][0][1])
        answer: bytes = events["answer"][0]
        return answer

    def _check(self, events: dict[str, list[Any]], identifier: str, file: Path) -> None:
        """Raise CollectError unless the output is that of one run of this plan."""
        if len(events.get("plan", ())) > 1 or len(events.get("answer", ())) > 1:
            raise errors.other_answer(self._where, msg("{file} holds more than one answer", file=str(file)))
        if events.get("plan", [identifier]) != [identifier]:
            raise errors.other_answer(
                self._where, msg("{file} answers another plan, or is of another collector", file=str(file))
            )
        if "answer" in events and "plan" not in events:
            raise errors.other_answer(
                self._where, msg("{file} does not say which plan it answers", file=str(file))
            )

    def _estimate_clock(self, number: int, begin: float, end: float) -> None:
        """Bracket the host's clock by the times of the engine, else by those of the two files."""
        times = self.times = self._times(number)
        received = times.received - max(0.0, end - begin)
        if times.sent <= received:
            self._samples.append((times.sent, begin, received))
            self.clock = clock.best_estimate(self._samples)

    def _times(self, number: int) -> Times:
        file = self._exchange.file(number, self._host, ".json")
        if not os.path.lexists(file):
            script, output = (self._exchange.file(number, self._host, ending) for ending in (".sh", ".out"))
            sent = script.stat().st_mtime if script.exists() else 0.0
            return Times(sent, output.stat().st_mtime + FILE_TIME_SECONDS)
        try:
            return msgspec.json.decode(read_bounded(file, TIMES_BYTES), type=Times)
        except (SuiteError, msgspec.DecodeError) as error:
            cause = msg("{file} is not readable: {error}", file=str(file), error=str(error)[:100])
            raise errors.other_answer(self._where, cause) from None

    async def close(self) -> None:
        """Do nothing: no connection is open."""


def require_answers(directory: Path) -> None:
    """Raise SuiteError unless round 2 is still to be planned and some host has answered round 1."""
    if "2" in load_manifest(directory).rounds:
        raise SuiteError(
            msg(
                "{directory}: both rounds are planned; check with --from-answers {directory}",
                directory=directory,
            )
        )
    if not any((directory / "round-1").glob("*.out")):
        raise SuiteError(
            msg(
                "{directory}/round-1 has no answer: run each HOST.sh on its host, and put its output into HOST.out",
                directory=directory,
            )
        )


def load_manifest(directory: Path) -> Manifest:
    """Return exchange.json. Raises SuiteError if it is missing or not of this version."""
    path = directory / "exchange.json"
    if not path.exists():
        missing = msg(
            "{path} is missing: write the plans first, with --collect-plan {directory}",
            path=path,
            directory=directory,
        )
        raise SuiteError(missing)
    try:
        manifest = msgspec.json.decode(read_bounded(path, MANIFEST_BYTES), type=Manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise refused(path, msg("is not readable: {error}", error=str(error)[:200])) from error
    if manifest.schema != SCHEMA or manifest.collector != program.digest():
        raise SuiteError(
            msg(
                "{path}: its plans are of suite {suite} with another collector; write new ones with --collect-plan into an empty directory",
                path=path,
                suite=manifest.suite[:40],
            )
        )
    return manifest


def _write(path: Path, data: bytes) -> None:
    """Write a private file, whole or not at all. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
