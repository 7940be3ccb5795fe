"""Apply waivers: known failures that are accepted until a date, with the reason.

A waiver accepts a failure with evidence. A condition that could not be checked stays no_data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec.structs import replace

from bkpaas.catalogue.registry import current_id, find_condition
from bkpaas.inventory.deployment import Deployment, Waiver
from bkpaas.language import LANGUAGES
from bkpaas.messages import Message, joined, msg
from bkpaas.plugin.outcome import Outcome
from bkpaas.record import WaiverState, WaiverUse


def waive(outcome: Outcome, deployment: Deployment, today: date | None = None) -> Outcome:
    """Return the outcome, `waived` if a waiver of the inventory holds for it today, with the reason if one does not."""
    about = [(index, one) for index, one in enumerate(deployment.waivers) if _is_about(one, outcome.id)]
    if outcome.word == "no_data" and about:
        note = msg("(a waiver accepts a failure, not missing data)")
        outcome.reason = joined(" ", [outcome.reason, note])
    if outcome.word not in ("fail", "warn"):
        return outcome
    notes = []
    for index, waiver in about:
        if _expired(waiver, today):
            outcome.waivers[index] = "expired"
            day = waiver.expires
            notes.append(msg("(its waiver expired on {day})", day=day))
        elif not _accepts(waiver, outcome):
            outcome.waivers[index] = "changed"
            notes.append(
                msg('(not waived: the evidence that was accepted is "{evidence}")', evidence=waiver.evidence)
            )
        else:
            outcome.waivers = {index: "used"}
            outcome.word = "waived"
            outcome.reason = msg(
                "{reason} ({owner}, until {expires}): {evidence}",
                reason=waiver.reason,
                owner=waiver.owner,
                expires=waiver.expires,
                evidence=outcome.evidence,
            )
            return outcome
    if notes:
        outcome.evidence = joined(" ", [outcome.evidence, *notes] if outcome.evidence else notes)
    elif isinstance(outcome.evidence, str):
        outcome.evidence = outcome.evidence.strip() or None
    return outcome


def uses(
    deployment: Deployment, outcomes: Mapping[str, Outcome], today: date | None = None
) -> list[WaiverUse]:
    """Return the state of each waiver, except those for which too little was judged.

    outcomes: what was judged, by id.
    """
    waiver_uses = []
    for index, waiver in enumerate(deployment.waivers):
        touched = {id_: one.waivers[index] for id_, one in outcomes.items() if index in one.waivers}
        ids = [id_ for id_ in outcomes if _is_about(waiver, id_)]
        if _expired(waiver, today):
            waiver_uses.append(_use(waiver, "expired", list(touched)))
        elif changed := [id_ for id_, state in touched.items() if state == "changed"]:
            waiver_uses.append(_use(waiver, "changed", changed))
        elif touched:
            waiver_uses.append(_use(waiver, "used", list(touched)))
        elif _everything_about(waiver, deployment) <= set(ids) and all(
            outcomes[id_].word in ("pass", "not_applicable") for id_ in ids
        ):
            waiver_uses.append(_use(waiver, "unneeded", ids))
    return waiver_uses


def _use(waiver: Waiver, state: WaiverState, ids: list[str]) -> WaiverUse:
    return WaiverUse(
        condition=waiver.condition,
        hosts=list(waiver.hosts),
        reason=waiver.reason,
        owner=waiver.owner,
        expires=waiver.expires,
        evidence=waiver.evidence,
        state=state,
        verdicts=ids,
    )


def _is_about(waiver: Waiver, id_: str) -> bool:
    condition, _, subject = id_.partition("@")
    if current_id(waiver.condition) != condition:
        return False
    return not waiver.hosts or bool(set(waiver.hosts) & {subject, *subject.split("+")})


def _accepts(waiver: Waiver, outcome: Outcome) -> bool:
    """Return whether the evidence is what was accepted: the name of the case, or a text that it contains."""
    if waiver.evidence is None:
        return True
    condition = find_condition(outcome.id.partition("@")[0])
    if condition is not None and any(case.name == waiver.evidence for case in condition.cases):
        return condition.case(outcome.case).name == waiver.evidence
    evidence = outcome.evidence or ""
    return any(
        waiver.evidence in (evidence.render(language) if isinstance(evidence, Message) else evidence)
        for language in LANGUAGES
    )


def _expired(waiver: Waiver, today: date | None) -> bool:
    return (today or date.today()) > date.fromisoformat(waiver.expires)


def _everything_about(waiver: Waiver, deployment: Deployment) -> set[str]:
    """Return the ids that a waiver is about when --limit, -m and --only leave nothing out."""
    condition = find_condition(waiver.condition)
    if condition is None:
        return {waiver.condition}  # of a site's own tests, which are not part of this run
    hosts = tuple(replace(host, selected=True) for host in deployment.hosts)
    subjects = condition.subjects(replace(deployment, hosts=hosts))
    ids = (f"{condition.id}@{subject.id}" for subject in subjects)
    return {id_ for id_ in ids if _is_about(waiver, id_)}
