"""Collect a whole deployment once: both rounds of every host and the controller's probes, as one snapshot."""

from __future__ import annotations

import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

from bkpaas import __version__, interruption
from bkpaas.collect import plan
from bkpaas.collect.exchange import Exchange, require_answers
from bkpaas.collect.host_answers import Failure, HostAnswers
from bkpaas.collect.login import Credentials, try_login
from bkpaas.collect.parsing import Parser
from bkpaas.collect.probes import probe
from bkpaas.collect.rounds import Interrupted, State, Transport, collect_hosts
from bkpaas.facts import HostFacts, Snapshot
from bkpaas.facts.build import controller_facts, host_facts
from bkpaas.facts.query import Earlier, Plan
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg, plural, set_redactor


class ProgressListener(Protocol):
    """Receive the progress of a collection."""

    def start(self, hosts: int) -> None: ...
    def __call__(self, host: str, state: State) -> None: ...
    def end(self, text: Message) -> None: ...


class CollectResult(Struct, frozen=True):
    """Hold the snapshot, and whether the collection was interrupted."""

    snapshot: Snapshot
    interrupted: bool


def collect(
    deployment: Deployment,
    transport: Literal["asyncssh", "openssh"] | Transport,
    listener: ProgressListener,
    credentials: Credentials | None = None,
    key: bytes | None = None,
) -> CollectResult:
    """Collect all facts that the conditions use, read-only; a signal ends it with a partial snapshot.

    Args:
        credentials: account for the login trial, which writes what every login writes. None: no trial.
        key: key of the digests of secrets. None: a random key of this run.
    """
    start = time.time()
    secrets = Secrets(key)
    set_redactor(secrets.redact)
    rounds = _Facts(deployment, secrets)
    controller_answer: dict[str, Any] = {}
    listener.start(len(deployment.selected()))
    interrupted = False
    try:
        answers = collect_hosts(
            deployment,
            partial(plan.round_1, deployment=deployment),
            rounds.plan_round_2,
            transport=transport,
            between=lambda: controller_answer.update(_controller_answer(deployment, transport)),
            progress=listener,
            parse=rounds.parse,
        )
    except Interrupted as stop:
        answers, interrupted = stop.answers, True
    finally:
        rounds.close()
    listener.end(_last_line(answers, time.time() - start, interrupted=interrupted))
    hosts = {
        host.name: rounds.final(host, answers.get(host.name) or _interrupted_host(host))
        for host in deployment.selected()
    }
    controller = controller_facts(controller_answer, secrets)
    if credentials is not None and not interrupted:
        try:
            with interruption.raising():
                trial = try_login(deployment, credentials, hosts, secrets)
            controller = msgspec.structs.replace(controller, login=trial)
        except KeyboardInterrupt:
            interrupted = True
    snapshot = Snapshot(
        run=uuid.uuid4().hex,
        started=start,
        suite=__version__,
        deployment=deployment,
        hosts=hosts,
        controller=controller,
        key=secrets.fingerprint,
    )
    return CollectResult(snapshot, interrupted)


def _last_line(answers: dict[str, HostAnswers], seconds: float, *, interrupted: bool) -> Message:
    """Return what the progress says at the end."""
    if interrupted:
        return msg(
            "interrupted: hosts read: {read} of {count}; what they answered is checked",
            count=len(answers),
            read=sum(host.round_1 is not None for host in answers.values()),
        )
    return plural(
        "collected {count} host in {seconds:.1f} s",
        "collected {count} hosts in {seconds:.1f} s",
        count=len(answers),
        seconds=seconds,
    )


def _controller_answer(deployment: Deployment, transport: object) -> dict[str, Any]:
    """Return the answers to the controller's own requests: sent now, or when the exchange planned round 2."""
    return transport.controller_answer() if isinstance(transport, Exchange) else probe(deployment)


def plan_round(deployment: Deployment, directory: Path) -> tuple[int, int]:
    """Write the scripts of the next round into the directory of an exchange; return its number and their number.

    Round 2 is planned from the answers of round 1 that are there.

    Raises: SuiteError, OSError.
    """
    number: Literal[1, 2] = 2 if (directory / "exchange.json").exists() else 1
    if number == 2:
        require_answers(directory)
    exchange = Exchange(directory, deployment, planned_round=number)
    secrets = Secrets()
    set_redactor(secrets.redact)
    facts = _Facts(deployment, secrets)
    try:
        collect_hosts(
            deployment,
            partial(plan.round_1, deployment=deployment),
            facts.plan_round_2,
            transport=exchange,
            between=partial(_save_probe, exchange, deployment) if number == 2 else None,
            parse=facts.parse,
        )
    finally:
        facts.close()
    exchange.save()
    return number, len(exchange.planned)


def _save_probe(exchange: Exchange, deployment: Deployment) -> None:
    exchange.save_controller_answer(probe(deployment))


class _Facts:
    """Parse each answer when it arrives; plan round 2 from the facts of round 1 of all hosts."""

    def __init__(self, deployment: Deployment, secrets: Secrets) -> None:
        self._deployment, self._secrets = deployment, secrets
        self._parser = Parser(secrets)
        self._facts: dict[str, HostFacts] = {}

    def parse(self, host: Host, answers: HostAnswers) -> None:
        """Parse the answers of a host; called in one thread. Raises CollectError."""
        self._facts[host.name] = self._parser.facts(host, answers)

    def plan_round_2(self, host: Host, answers: dict[str, HostAnswers]) -> Plan | None:
        """Plan round 2 of a host; hosts that failed count as not collected."""
        for selected in self._deployment.selected():
            if selected.name not in self._facts:
                self._facts[selected.name] = self._not_collected(selected, answers[selected.name])
        sources = self._parser.sources.get(host.name, {})
        earlier = Earlier(
            self._facts, partial(self._parser.secret, host.name), lambda _, digest: sources.get(digest)
        )
        return plan.round_2(host, self._deployment, earlier)

    def final(self, host: Host, answers: HostAnswers) -> HostFacts:
        """Return the final facts of a host; those of round 1 stay when round 2 failed."""
        facts = self._facts.get(host.name)
        if facts is None or not facts.collected:
            return self._not_collected(host, answers)
        error = (answers.error.kind, answers.error.reason) if answers.error else (None, None)
        return msgspec.structs.replace(facts, error_kind=error[0], error=error[1], seconds=answers.seconds)

    def _not_collected(self, host: Host, answers: HostAnswers) -> HostFacts:
        return host_facts(host, msgspec.structs.replace(answers, round_1=None, round_2=None), self._secrets)

    def close(self) -> None:
        self._parser.close()


def _interrupted_host(host: Host) -> HostAnswers:
    reason = msg("not collected: the run was interrupted")
    return HostAnswers(host.name, error=Failure("interrupted", reason))
