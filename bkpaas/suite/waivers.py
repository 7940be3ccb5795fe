"""Known failures that are accepted until a day: waived, with the reason; never hidden, never for ever."""

from __future__ import annotations

from datetime import date

from bkpaas.inventory.deployment import Deployment, Waiver
from bkpaas.lang import LANGUAGES, in_language, say
from bkpaas.suite.outcome import Outcome


def waive(outcome: Outcome, deployment: Deployment, today: date | None = None) -> Outcome:
    """The same outcome, or `waived` when a waiver of the inventory holds for it today."""
    if outcome.word not in ("fail", "warn"):
        return outcome
    for waiver in deployment.waivers:
        if not _concerns(waiver, outcome):
            continue
        last = date.fromisoformat(waiver.expires)
        if (today or date.today()) > last:
            expired = say(en=f"(its waiver expired on {last})", zh=f"（豁免已于 {last} 到期）")
            outcome.evidence = f"{outcome.evidence} {expired}"
            continue
        outcome.word = "waived"
        outcome.reason = say(
            en=f"{waiver.reason} ({waiver.owner}, until {last}): {outcome.evidence}",
            zh=f"{waiver.reason}（{waiver.owner}，至 {last}）：{outcome.evidence}",
        )
        break
    return outcome


def _concerns(waiver: Waiver, outcome: Outcome) -> bool:
    condition, _, subject = outcome.id.partition("@")
    if waiver.condition != condition:
        return False
    if waiver.hosts and not set(waiver.hosts) & {subject, *subject.split("+")}:
        return False
    if waiver.evidence is None:
        return True
    return any(waiver.evidence in in_language(outcome.evidence or "", language) for language in LANGUAGES)
