"""A record in which every text that can come from a host tries to be more than text."""

from __future__ import annotations

from bkpaas.record import Change, Comparison, FactChange, Results, WaiverUse

from .sample import judge, settle, three_faults

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script></script><!-- <svg/onload=alert(3)> ]]> &lt; \"'`{{7*7}}"
ODD = "nul \x00 esc \x1b[2J bell \x07 del \x7f c1 \x9b vt \x0b half \ud83d\udc80x line \u2028 rtl \u202egnp.exe\u202c 😀 中文"
LONG = "A" * 100_000
TEXT = f"{MARKUP}\n{ODD}\n{LONG}"
SUBJECT = "<b>paas'\"&1"


def hostile() -> Results:
    results = three_faults()
    judge(
        results,
        "supervisor-sock@paas-1",
        "fail",
        title=MARKUP,
        evidence=TEXT,
        remedy=f"{MARKUP}\n$ echo '{MARKUP}' {ODD}\n$ {LONG}",
        reason=ODD,
    )
    for verdict in results.verdicts:
        if verdict.subject == "es-1":
            verdict.subject, verdict.hosts = SUBJECT, [SUBJECT]
            verdict.id = f"{verdict.condition}@{SUBJECT}"
            verdict.explained_by = [id_.replace("es-1", SUBJECT) for id_ in verdict.explained_by]
    results.root_causes = [id_.replace("es-1", SUBJECT) for id_ in results.root_causes]
    for word, id_ in {
        "warn": "time-daemon@job-1",
        "no_data": "bk-env-production@paas-2",
        "waived": "http-proxy-env@cmdb-1",
    }.items():
        judge(results, id_, word, reason=TEXT, evidence=TEXT, title=TEXT)
    results.hosts[-1].collected, results.hosts[-1].error = False, TEXT
    results.run.inventory = MARKUP + ODD
    results.comparison = Comparison(
        ODD, results.run.started, [Change(f"disk-space@{SUBJECT}", "pass", "fail")],
        [FactChange(SUBJECT, "setting", MARKUP, TEXT, ODD)],
    )  # fmt: skip
    results.waivers = [
        WaiverUse(
            "disk-space", [SUBJECT], TEXT, MARKUP, "2026-06-30", ODD, "changed", [f"disk-space@{SUBJECT}"]
        )
    ]
    return settle(results, 1)
