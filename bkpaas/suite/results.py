"""From outcomes to the record of the run: every expected id gets exactly one verdict, then the explanation."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from bkpaas import __version__, collect
from bkpaas.facts import Snapshot
from bkpaas.faq.catalogue import CONDITIONS, home
from bkpaas.faq.explain import explain
from bkpaas.faq.slots import fill
from bkpaas.inventory.deployment import Deployment
from bkpaas.lang import say
from bkpaas.report.record import HostRecord, Results, Run, Verdict, count
from bkpaas.suite.cases import subjects
from bkpaas.suite.outcome import Outcome


def build(
    deployment: Deployment,
    snapshot: Snapshot,
    expected: list[str],
    outcomes: dict[str, Outcome],
    *,
    interrupted: bool,
) -> Results:
    """The record; what was expected but not judged is no_data, with the reason."""
    verdicts = [
        verdict(id_, outcomes.get(id_) or _lost(id_, interrupted), deployment, snapshot) for id_ in expected
    ]
    about = {id_: frozenset(outcome.services) for id_, outcome in outcomes.items()}
    judged = [found for found in verdicts if found.id in outcomes] if interrupted else verdicts
    roots = explain(judged, about)
    return Results(
        run=_run(deployment, snapshot),
        hosts=[_host(host.name, deployment, snapshot) for host in deployment.judged()],
        verdicts=verdicts,
        root_causes=roots,
        counts=count(verdicts),
    )


def _lost(id_: str, interrupted: bool) -> Outcome:
    reason = (
        say(en="not judged: the run was interrupted", zh="未判定：运行被中断")
        if interrupted
        else say(en="not judged: its test was lost", zh="未判定：对应的测试丢失")
    )
    return Outcome(id_, "no_data", reason=reason, lost=True)


def verdict(id_: str, outcome: Outcome, deployment: Deployment, snapshot: Snapshot) -> Verdict:
    name, _, subject_id = id_.partition("@")
    known = CONDITIONS[name]
    subject = next(case for case in subjects(known, deployment) if case.id == subject_id)
    needs_remedy = outcome.word in ("fail", "warn") or (
        outcome.word == "no_data" and name == "host-reachable" and not outcome.lost
    )
    return Verdict(
        id=id_,
        condition=name,
        subject=subject_id,
        hosts=list(subject.hosts),
        faq=home(name).key,
        severity=known.severity,
        verdict=outcome.word,
        title=str(known.title),
        reason=outcome.reason,
        evidence=outcome.evidence,
        remedy=fill(str(known.remedy), subject, deployment, snapshot, outcome.slots)
        if needs_remedy
        else None,
        explained_by=[],
    )


def _host(name: str, deployment: Deployment, snapshot: Snapshot) -> HostRecord:
    host, facts = deployment.host(name), snapshot.hosts.get(name)
    return HostRecord(
        name=name,
        address=host.address,
        roles=list(host.roles),
        generation=deployment.generation,
        collected=bool(facts and facts.collected),
        seconds=round(facts.seconds, 3) if facts else 0.0,
        error=facts.error if facts else say(en="not visited", zh="未访问"),
    )


def _run(deployment: Deployment, snapshot: Snapshot) -> Run:
    program = Path(collect.__file__).with_name("collector.py").read_bytes()
    started = datetime.fromtimestamp(snapshot.started).astimezone()
    return Run(
        id=snapshot.run,
        started=started.isoformat(timespec="seconds"),
        seconds=round((datetime.now().astimezone() - started).total_seconds(), 3),
        inventory=deployment.source,
        suite=__version__,
        collector_sha256=hashlib.sha256(program).hexdigest(),
        exit=0,
    )
