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
from bkpaas.collect.probes import probe
from bkpaas.collect.visit import Interrupted, State, Trouble, Visit, visit_hosts
from bkpaas.facts import HostFacts, Snapshot
from bkpaas.facts.build import controller_facts, host_facts
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.lang import many, say


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
    seen: dict[str, Any] = {}
    watcher.start(len(deployment.judged()))
    interrupted = False
    try:
        visits = visit_hosts(
            deployment,
            partial(plan.first, deployment=deployment),
            _Second(deployment, secrets),
            transport=transport,
            between=lambda: seen.update(probe(deployment)),
            progress=watcher,
        )
    except Interrupted as interruption:
        visits, interrupted = interruption.visits, True
    took = time.time() - started
    watcher.end(
        say(
            en=f"looked at {many(len(visits), 'host')} in {took:.1f} s",
            zh=f"{took:.1f} 秒内查看了 {len(visits)} 台主机",
        )
    )
    hosts = {
        host.name: host_facts(host, visits.get(host.name) or _never(host), secrets)
        for host in deployment.judged()
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


class _Second:
    """Plans the second visits, once the first answers of all hosts are there."""

    def __init__(self, deployment: Deployment, secrets: Secrets) -> None:
        self._deployment, self._secrets = deployment, secrets
        self._facts: dict[str, HostFacts] = {}

    def __call__(self, host: Host, firsts: dict[str, Visit]) -> plan.Plan | None:
        if not self._facts:
            self._facts = {
                known.name: host_facts(known, firsts[known.name], self._secrets)
                for known in self._deployment.judged()
                if known.name in firsts
            }
        return plan.second(host, self._deployment, self._facts, self._secrets.reveal)


def _never(host: Host) -> Visit:
    reason = say(en="not visited: the run was interrupted", zh="未访问：运行被中断")
    return Visit(host.name, error=Trouble("interrupted", reason))
