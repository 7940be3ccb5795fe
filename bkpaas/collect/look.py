"""Look at the whole deployment once: both visits to every host and the controller's probes, as one snapshot."""

from __future__ import annotations

import time
import uuid
from functools import partial
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

from bkpaas import __version__
from bkpaas.collect import plan
from bkpaas.collect.login import Credentials, try_login
from bkpaas.collect.parsing import Parser
from bkpaas.collect.probes import probe
from bkpaas.collect.visit import Interrupted, State, Trouble, Visit, visit_hosts
from bkpaas.facts import HostFacts, Snapshot
from bkpaas.facts.build import controller_facts, host_facts
from bkpaas.facts.query import Earlier, Plan
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.lang import many, say
from bkpaas.messages import set_redactor


class Watcher(Protocol):
    """Told how far the looking is."""

    def start(self, hosts: int) -> None: ...
    def __call__(self, host: str, state: State) -> None: ...
    def end(self, text: str) -> None: ...


class Looked(Struct, frozen=True):
    snapshot: Snapshot
    interrupted: bool


def look(
    deployment: Deployment,
    transport: Literal["asyncssh", "openssh"],
    watcher: Watcher,
    credentials: Credentials | None = None,
    key: bytes | None = None,
) -> Looked:
    """Everything that the conditions need to know, read-only; Ctrl-C ends it with what there is.

    credentials: of a user to log in, which writes what a login writes. key: digests the secrets, instead of one
    that this run alone has.
    """
    started = time.time()
    secrets = Secrets(key)
    set_redactor(secrets.scrub)
    facts = _Facts(deployment, secrets)
    seen: dict[str, Any] = {}
    watcher.start(len(deployment.judged()))
    interrupted = False
    try:
        visits = visit_hosts(
            deployment,
            partial(plan.round_1, deployment=deployment),
            facts.second,
            transport=transport,
            between=lambda: seen.update(probe(deployment)),
            progress=watcher,
            parse=facts.parse,
        )
    except Interrupted as interruption:
        visits, interrupted = interruption.visits, True
    finally:
        facts.close()
    took = time.time() - started
    watcher.end(
        say(
            en=f"looked at {many(len(visits), 'host')} in {took:.1f} s",
            zh=f"{took:.1f} 秒内查看了 {len(visits)} 台主机",
        )
    )
    hosts = {
        host.name: facts.at_last(host, visits.get(host.name) or _never(host)) for host in deployment.judged()
    }
    controller = controller_facts(seen, secrets)
    if credentials is not None and not interrupted:
        trial = try_login(deployment, credentials, hosts, secrets)
        controller = msgspec.structs.replace(controller, login=trial)
    snapshot = Snapshot(
        run=uuid.uuid4().hex,
        started=started,
        suite=__version__,
        deployment=deployment,
        hosts=hosts,
        controller=controller,
        key=secrets.fingerprint,
    )
    return Looked(snapshot, interrupted)


class _Facts:
    """Parse each answer when it is there; plan round 2 when the facts of round 1 of all hosts are."""

    def __init__(self, deployment: Deployment, secrets: Secrets) -> None:
        self._deployment, self._secrets = deployment, secrets
        self._parser = Parser(secrets)
        self._facts: dict[str, HostFacts] = {}

    def parse(self, host: Host, visit: Visit) -> None:
        """Called in one thread. Raises CollectError."""
        self._facts[host.name] = self._parser.facts(host, visit)

    def second(self, host: Host, visits: dict[str, Visit]) -> Plan | None:
        """Plan round 2 of a host; those that failed count as not collected."""
        for known in self._deployment.judged():
            if known.name not in self._facts:
                self._facts[known.name] = self._none(known, visits[known.name])
        return plan.round_2(host, self._deployment, Earlier(self._facts, self._secrets.reveal))

    def at_last(self, host: Host, visit: Visit) -> HostFacts:
        """Return the facts of a host; those of round 1 stay when round 2 failed."""
        facts = self._facts.get(host.name)
        if facts is None or not facts.collected:
            return self._none(host, visit)
        error = (visit.error.kind, visit.error.reason) if visit.error else (None, None)
        return msgspec.structs.replace(facts, error_kind=error[0], error=error[1], seconds=visit.seconds)

    def _none(self, host: Host, visit: Visit) -> HostFacts:
        return host_facts(host, msgspec.structs.replace(visit, first=None, second=None), self._secrets)

    def close(self) -> None:
        self._parser.close()


def _never(host: Host) -> Visit:
    reason = say(en="not visited: the run was interrupted", zh="未访问：运行被中断")
    return Visit(host.name, error=Trouble("interrupted", reason))
