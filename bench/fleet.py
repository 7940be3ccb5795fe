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
    """Return a record of about so many verdicts: every condition that is judged host by host, nearly all hold.

    Each has evidence of its own in both languages, as measured values have.
    """
    conditions = [
        condition
        for condition in CONDITIONS.values()
        if any(isinstance(scope, PerHost) for scope in condition.scopes)
    ]
    hosts = [_host(number) for number in range(max(1, verdicts // len(conditions)))]
    result = [
        _verdict(condition, host, number, number * 7919 + position * 104729)
        for number, host in enumerate(hosts)
        for position, condition in enumerate(conditions)
    ]
    return Results(
        run=Run("bench", "2026-03-07T03:15:02+08:00", 60.0, "bench", "bench", "0" * 64, 1),
        hosts=hosts,
        verdicts=result,
        root_causes=[
            verdict.id for verdict in result if verdict.verdict == "fail" and not verdict.explained_by
        ],
        counts=count(result),
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


def _verdict(condition: Condition, host: HostRecord, number: int, seed: int) -> Verdict:
    bad = number % EACH_HUNDREDTH == 0 and condition.id in ("disk-space", "services-answer", "login-log-dir")
    follows = bad and condition.id != "disk-space"
    measured = f"{host.address}:{8000 + seed % 4}: HTTP 200 in {seed % 997} ms, pid {seed % 32749}"
    translated = Wording(title=condition.title.zh, evidence=f"{measured}，{seed % 59} 秒前")
    if bad:
        translated.remedy = condition.case().remedy().zh
    return Verdict(
        id=f"{condition.id}@{host.name}",
        condition=condition.id,
        subject=host.name,
        hosts=[host.name],
        faq=section_of(condition.id).key,
        severity=condition.severity,
        verdict="fail" if bad else "pass",
        title=condition.title.en,
        reason=None,
        evidence=f"{measured}, {seed % 59} s ago",
        remedy=condition.case().remedy().en if bad else None,
        explained_by=[f"disk-space@{host.name}"] if follows else [],
        translated=translated,
    )
