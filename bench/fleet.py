"""Records of deployments of any size, in the words of the catalogue: what a run on that many hosts would leave."""

from __future__ import annotations

from bkpaas.catalogue.model import Condition
from bkpaas.catalogue.registry import CONDITIONS, SECTIONS, section_of
from bkpaas.catalogue.scope import PerHost
from bkpaas.inventory.deployment import Thresholds
from bkpaas.record import (
    Clock,
    HostRecord,
    Results,
    Run,
    Section,
    Verdict,
    Wording,
    count,
)

ROLES = ("paas", "nginx", "appo", "appt", "cmdb", "job", "es", "redis", "mysql")
EACH_HUNDREDTH = 100
"""Of so many hosts one has a full disk, and what follows from it."""


def fleet(verdicts: int) -> Results:
    """About so many verdicts (a few less): every condition that is judged host by host, nearly all of them hold.

    Each has evidence of its own in both languages, as measured values have.
    """
    judged = [
        known for known in CONDITIONS.values() if any(isinstance(scope, PerHost) for scope in known.scopes)
    ]
    hosts = [_host(number) for number in range(max(1, verdicts // len(judged)))]
    found = [
        _verdict(known, host, number, number * 7919 + place * 104729)
        for number, host in enumerate(hosts)
        for place, known in enumerate(judged)
    ]
    return Results(
        run=Run("bench", "2026-03-07T03:15:02+08:00", 60.0, "bench", "bench", "0" * 64, 1),
        hosts=hosts,
        verdicts=found,
        root_causes=[
            verdict.id for verdict in found if verdict.verdict == "fail" and not verdict.explained_by
        ],
        counts=count(found),
        sections=[
            Section(symptom.key, symptom.title.en, symptom.title.zh, list(symptom.conditions))
            for symptom in SECTIONS
        ],
        limits={
            "clock_drift_seconds": Thresholds().clock_drift_seconds,
            "clock_apart_seconds": Thresholds().clock_apart_seconds,
            "clock_uncertainty_seconds": Thresholds().clock_uncertainty_seconds,
            "token_offset_seconds": Thresholds().token_offset_seconds,
        },
    )


def _host(number: int) -> HostRecord:
    address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
    role = ROLES[number % len(ROLES)]
    clock = Clock((number * 7919 % 4001 - 2000) / 1e6, number % 50 / 1e4)
    return HostRecord(f"{role}-{number}", address, [role], "5.x", True, 0.4, None, clock=clock)


def _verdict(known: Condition, host: HostRecord, number: int, seed: int) -> Verdict:
    bad = number % EACH_HUNDREDTH == 0 and known.id in ("disk-space", "services-answer", "login-log-dir")
    follows = bad and known.id != "disk-space"
    measured = f"{host.address}:{8000 + seed % 4}: HTTP 200 in {seed % 997} ms, pid {seed % 32749}"
    translated = Wording(title=known.title.zh, evidence=f"{measured}，{seed % 59} 秒前")
    if bad:
        translated.remedy = known.case().remedy().zh
    return Verdict(
        id=f"{known.id}@{host.name}",
        condition=known.id,
        subject=host.name,
        hosts=[host.name],
        faq=section_of(known.id).key,
        severity=known.severity,
        verdict="fail" if bad else "pass",
        title=known.title.en,
        reason=None,
        evidence=f"{measured}, {seed % 59} s ago",
        remedy=known.case().remedy().en if bad else None,
        explained_by=[f"disk-space@{host.name}"] if follows else [],
        translated=translated,
    )
