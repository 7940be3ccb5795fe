"""A record of a large deployment."""

from __future__ import annotations

from bkpaas.language import get_language
from bkpaas.record import HostRecord, Results, Verdict

from .sample import CONDITIONS, healthy, settle


def large(hosts: int) -> Results:
    """A fleet: every condition on every host, every fiftieth host with a full disk and what follows from it."""
    results = healthy()
    lines = [line.split("|") for line in CONDITIONS.strip().splitlines()] * 2
    results.hosts = [
        HostRecord(
            f"host-{n}", f"10.{n // 65536}.{n // 256 % 256}.{n % 256}", ["paas"], "5.x", True, 0.4, None
        )
        for n in range(hosts)
    ]
    results.verdicts = [
        Verdict(
            id=f"{condition}{copy}@{host.name}",
            condition=f"{condition}{copy}",
            subject=host.name,
            hosts=[host.name],
            faq=faq,
            severity="warn" if severity == "warn" else "fail",
            verdict="pass",
            title=zh if get_language() == "zh" else en,
            reason=None,
            evidence=None,
            remedy=None,
            explained_by=[],
        )
        for host in results.hosts
        for copy, (condition, faq, severity, _, en, zh) in (
            ("-2" * (n >= 55), line) for n, line in enumerate(lines[:70])
        )
    ]
    for number, verdict in enumerate(results.verdicts):
        if number // 70 % 50 == 0:
            if verdict.condition == "disk-space":
                evidence = f"/data: 100 % of {number} GiB used"
                verdict.verdict, verdict.evidence, verdict.remedy = "fail", evidence, "$ du -xh /data"
                results.root_causes.append(verdict.id)
            elif number % 7 == 0:
                verdict.verdict, verdict.evidence = "fail", f"no space left on device: errno {number}"
                verdict.explained_by = [f"disk-space@{verdict.subject}"]
    return settle(results, 1)
