"""From outcomes to the record of the run: every expected id gets exactly one verdict, then the explanation."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import msgspec

from bkpaas import __version__, collect
from bkpaas import facts as facts_
from bkpaas.facts import Snapshot
from bkpaas.faq.catalogue import home, known, sections
from bkpaas.faq.explain import explain
from bkpaas.faq.model import Symptom
from bkpaas.faq.slots import fill
from bkpaas.inventory.deployment import Deployment
from bkpaas.lang import in_both, in_language, other, say, spoken
from bkpaas.report.record import Clock, HostRecord, Results, Run, Section, Verdict, Wording, count
from bkpaas.suite.cases import subjects
from bkpaas.suite.outcome import Outcome


def build(
    deployment: Deployment,
    snapshot: Snapshot,
    expected: list[str],
    outcomes: dict[str, Outcome],
    *,
    interrupted: bool,
    seconds: float,
) -> Results:
    """The record; what was expected but not judged is no_data, with the reason. seconds: that the run took."""
    with in_both():
        lost = [_lost(id_, interrupted) for id_ in expected if id_ not in outcomes]
    found = {**outcomes, **{outcome.id: outcome for outcome in lost}}
    verdicts = [verdict(id_, found[id_], deployment, snapshot) for id_ in expected]
    about = {id_: frozenset(outcome.services) for id_, outcome in outcomes.items()}
    missed = {id_: outcome.missed for id_, outcome in outcomes.items()}
    judged = [one for one in verdicts if one.id in outcomes] if interrupted else verdicts
    needs = {id_: frozenset(outcome.needs) for id_, outcome in outcomes.items()}
    roots = explain(judged, about, missed, needs)
    return Results(
        run=_run(deployment, snapshot, seconds),
        hosts=[_host(host.name, deployment, snapshot) for host in deployment.judged()],
        verdicts=verdicts,
        root_causes=roots,
        counts=count(verdicts),
        sections=[_section(symptom) for symptom in sections()],
        limits=msgspec.structs.asdict(deployment.thresholds),
    )


def _lost(id_: str, interrupted: bool) -> Outcome:
    reason = (
        say(en="not judged: the run was interrupted", zh="未判定：运行被中断")
        if interrupted
        else say(en="not judged: its test was lost", zh="未判定：对应的测试丢失")
    )
    return Outcome(id_, "no_data", reason=reason, lost=True)


def verdict(id_: str, outcome: Outcome, deployment: Deployment, snapshot: Snapshot) -> Verdict:
    """What a test found, in the words of the catalogue and in both languages."""
    name, _, subject_id = id_.partition("@")
    condition = known(name)
    subject = next(case for case in subjects(condition, deployment) if case.id == subject_id)
    needs_remedy = outcome.word in ("fail", "warn") or (
        outcome.word == "no_data" and name == "host-reachable" and not outcome.lost
    )
    with in_both():
        words = {
            "title": str(condition.title),
            "reason": outcome.reason,
            "evidence": outcome.evidence,
            "remedy": fill(str(condition.remedy), subject, deployment, snapshot, outcome.slots)
            if needs_remedy
            else None,
        }
    own = {name: text and in_language(text, spoken()) for name, text in words.items()}
    translated = {name: text and in_language(text, other()) for name, text in words.items()}
    return Verdict(
        id=id_,
        condition=name,
        subject=subject_id,
        hosts=list(subject.hosts),
        faq=home(name).key,
        severity=condition.severity,
        verdict=outcome.word,
        **own,  # type: ignore[arg-type]
        explained_by=[],
        translated=Wording(**{name: text for name, text in translated.items() if text != own[name]}),
    )


def _section(symptom: Symptom) -> Section:
    with in_both():
        title = str(symptom.title)
    return Section(
        key=symptom.key,
        title=in_language(title, spoken()),
        translated=in_language(title, other()),
        conditions=list(symptom.conditions),
    )


def _host(name: str, deployment: Deployment, snapshot: Snapshot) -> HostRecord:
    host, facts = deployment.host(name), snapshot.hosts.get(name)
    with in_both():
        error = facts.error if facts else say(en="not visited", zh="未访问")
    clock = facts.clock if facts else None
    return HostRecord(
        name=name,
        address=host.address,
        roles=list(host.roles),
        generation=deployment.generation,
        collected=bool(facts and facts.collected),
        seconds=round(facts.seconds, 3) if facts else 0.0,
        error=error and in_language(error, spoken()),
        translated=error and in_language(error, other()),
        clock=Clock(clock.offset_seconds, clock.uncertainty_seconds)
        if isinstance(clock, facts_.Clock)
        else None,
    )


def _run(deployment: Deployment, snapshot: Snapshot, seconds: float) -> Run:
    program = Path(collect.__file__).with_name("collector.py").read_bytes()
    started = datetime.fromtimestamp(snapshot.started).astimezone()
    return Run(
        id=snapshot.run,
        started=started.isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        inventory=deployment.source,
        suite=__version__,
        collector_sha256=hashlib.sha256(program).hexdigest(),
        exit=0,
        language=spoken(),
    )
