"""Take each noun of facts from the hosts of a failed check in turn: what was not read must not become a pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from bkpaas.facts import HostFacts, Missing, Snapshot
from bkpaas.record import Verdict
from selftests.suite import in_process

NOUNS = tuple(
    name
    for name in HostFacts.__struct_fields__
    if name not in ("host", "collected", "error_kind", "error", "seconds")
)
DONE: set[tuple[str, str | None]] = set()
"""Conditions and cases of this process: one verdict of each is tried."""
ALLOWED = {
    ("esb-token", "units"): "the generation of the inventory counts, and on 5.x the row may be absent",
    (
        "login-request-arrives",
        "clock",
    ): "the request is in the log of another host, which is what must be true",
    (
        "login-request-arrives",
        "login_access",
    ): "the request is in the log of another host, which is what must be true",
}
"""Condition and noun without which it may pass, and why."""


def silent_passes(snapshot: Snapshot, verdicts: Iterable[Verdict]) -> list[str]:
    """Return what passes, or does not apply, once a noun of a host of a failed check is not there."""
    failed = [one for one in verdicts if one.verdict in ("fail", "warn")]
    new = [one for one in failed if (one.condition, one.case) not in DONE]
    found = []
    for verdict in new:
        if (verdict.condition, verdict.case) not in DONE:
            DONE.add((verdict.condition, verdict.case))
            found += list(_passes(snapshot, verdict))
    return found


def _passes(snapshot: Snapshot, verdict: Verdict) -> Iterator[str]:
    condition, test = next(one for one in in_process.suite_checks() if one[0].id == verdict.condition)
    subject = next(
        one for one in condition.subjects(snapshot.deployment) if f"{condition.id}@{one.id}" == verdict.id
    )
    for host in subject.hosts:
        facts = snapshot.hosts.get(host)
        for noun in NOUNS if facts is not None else ():
            if isinstance(getattr(facts, noun), Missing) or (condition.id, noun) in ALLOWED:
                continue
            masked = msgspec.structs.replace(facts, **{noun: Missing("masked")})
            hosts = snapshot.hosts | {host: masked}
            word = in_process.judge_one(
                msgspec.structs.replace(snapshot, hosts=hosts), condition, test, subject
            ).word
            if word not in ("fail", "warn", "no_data"):
                yield f"{verdict.id} [{verdict.case}] is {word} without {noun} of {host}"
