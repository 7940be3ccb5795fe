"""What a run of the suite says about a fault that was in the lab. Pure: works on the record of a run alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from bkpaas.catalogue.registry import CONDITIONS
from bkpaas.language import Language
from bkpaas.record import Results

BAD = frozenset({"fail", "warn", "no_data"})


class Judgement(NamedTuple):
    """How well the suite named one fault."""

    detected: bool
    """The expected condition is not green somewhere."""
    cause_rank: int
    """Its place among the root causes, from 1; 0: it is not one of them."""
    unexplained: list[str]
    """Ids of other conditions that are not green and that nothing accounts for."""
    unrelated: list[str]
    """Ids of other conditions that are not green and that no chain of causes leads to the expected one."""


def judge(expected: str, results: Results) -> Judgement:
    """Compare a run with the one condition that should have been its root cause."""
    bad = {verdict.id: verdict for verdict in results.verdicts if verdict.verdict in BAD}
    named = [id_ for id_, verdict in bad.items() if verdict.condition == expected]
    led_to = _consequences(named, {id_: verdict.explained_by for id_, verdict in bad.items()})
    others = [id_ for id_ in bad if id_ not in named]
    places = [place for place, id_ in enumerate(results.root_causes, 1) if id_ in named]
    return Judgement(
        detected=bool(named),
        cause_rank=min(places, default=0),
        unexplained=[id_ for id_ in others if not bad[id_].explained_by],
        unrelated=[id_ for id_ in others if id_ not in led_to],
    )


def both_named(expected: Collection[str], results: Results) -> bool:
    """Is each of these conditions among the root causes, one that was broken twice at least twice?"""
    found = Counter(results.verdict(id_).condition for id_ in results.root_causes)
    return Counter(expected) <= found


def strangers(expected: Collection[str], results: Results) -> list[str]:
    """Ids of the root causes that are none of these conditions."""
    return [id_ for id_ in results.root_causes if results.verdict(id_).condition not in expected]


def named_first(expected: str, results: Results, output: str, language: Language) -> bool:
    """Is it the first root cause, with the catalogue's words of that language, and printed?"""
    first = next((results.verdict(id_) for id_ in results.root_causes), None)
    if first is None or first.condition != expected:
        return False
    title = CONDITIONS[expected].title
    return first.title == (title.zh if language == "zh" else title.en) and first.id in output


def same(results: Results, again: Results) -> bool:
    """Return whether two records have the same verdicts, texts and causes."""
    first, second = (
        [
            (one.id, one.verdict, one.reason, one.evidence, one.remedy, one.explained_by)
            for one in record.verdicts
        ]
        for record in (results, again)
    )
    return first == second and results.root_causes == again.root_causes


def red(results: Results) -> list[str]:
    """Ids of everything that is not green; an exit code that disagrees counts as one more."""
    found = [verdict.id for verdict in results.verdicts if verdict.verdict in BAD]
    if not found and results.run.exit:
        found = [f"exit-{results.run.exit}"]
    return found


def _consequences(causes: Collection[str], explained_by: dict[str, list[str]]) -> set[str]:
    """The causes, and all that they account for, directly or through others."""
    reached = set(causes)
    while more := {id_ for id_, by in explained_by.items() if id_ not in reached and reached & set(by)}:
        reached |= more
    return reached
