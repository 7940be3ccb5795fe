"""Causes before consequences: which few failures account for all the others.

Works on the flat list of verdicts alone, so that a saved record can be explained again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bkpaas.catalogue.model import Cause, Relation
from bkpaas.catalogue.registry import CONDITIONS, CUSTOM_CONDITIONS, find_condition
from bkpaas.record import Verdict

BAD = frozenset({"fail", "warn", "no_data"})

_BY_WORD = {"fail": 0, "no_data": 1, "warn": 2}


def explain(
    verdicts: list[Verdict],
    about: Mapping[str, frozenset[str]] | None = None,
    missed: Mapping[str, Iterable[str]] | None = None,
    needs: Mapping[str, frozenset[str]] | None = None,
) -> list[str]:
    """Fill explained_by of every verdict and return the ids of the root causes, the most explanatory first.

    about: by verdict id, the services that a failure concerns; absent or empty: all of them.
    missed: by verdict id, the hosts that it was to be judged by and that could not be looked at.
    needs: by verdict id, the other hosts without which it cannot hold.
    """
    about, missed, needs = about or {}, missed or {}, needs or {}
    bad = [verdict for verdict in verdicts if verdict.verdict in BAD]
    by_condition: dict[str, list[Verdict]] = {}
    for verdict in bad:
        by_condition.setdefault(verdict.condition, []).append(verdict)
    for verdict in verdicts:
        verdict.explained_by = []
    for effect in bad:
        effect.explained_by = [
            cause.id
            for edge in _edges(effect)
            for cause in by_condition.get(edge.condition, ())
            if cause.id != effect.id and _accounts(cause, edge.relation, effect, about, needs)
        ]
        if effect.verdict == "no_data":  # nothing to compare with
            unseen = {f"host-reachable@{host}" for host in missed.get(effect.id, ())} - {effect.id}
            effect.explained_by += [
                cause.id for cause in by_condition.get("host-reachable", ()) if cause.id in unseen
            ]
        effect.explained_by = list(dict.fromkeys(effect.explained_by))
    return _rank(bad)


def _edges(effect: Verdict) -> Iterable[Cause]:
    if effect.condition != "host-reachable":
        yield Cause("host-reachable", "same-host")
    condition = find_condition(effect.condition)
    if condition is not None:
        yield from condition.causes


def _accounts(
    cause: Verdict,
    relation: Relation,
    effect: Verdict,
    about: Mapping[str, frozenset[str]],
    needs: Mapping[str, frozenset[str]],
) -> bool:
    if cause.verdict == "warn" and effect.verdict != "warn":
        return False  # what is only a warning does not bring anything down
    if cause.verdict == "no_data" and not (
        effect.verdict == "no_data" and set(cause.hosts) & set(effect.hosts)
    ):
        return False  # not having looked accounts only for not knowing more of the same host
    if (
        cause.condition == "host-reachable"
        and effect.verdict != "no_data"
        and set(cause.hosts) == set(effect.hosts)
    ):
        return False  # what was seen on the host itself is not for want of a look at it
    ours, theirs = about.get(effect.id), about.get(cause.id)
    if ours and theirs and not ours & theirs:
        return False
    if relation == "needed":
        return bool(set(cause.hosts) & needs.get(effect.id, frozenset()))
    return _stands(cause, relation, effect)


def _stands(cause: Verdict, relation: Relation, effect: Verdict) -> bool:
    if relation == "anywhere":
        return True
    if relation == "seen-from-host":
        return effect.subject == "controller" and cause.subject != "controller"
    if relation == "seen-by-all":
        return cause.subject == "controller"
    if relation == "same-link":
        return set(cause.hosts) == set(effect.hosts)
    if relation == "source":
        # an effect on a single host is the source of the links that start there
        return bool(effect.hosts and cause.hosts) and cause.hosts[0] == effect.hosts[0]
    if relation == "target":
        return bool(effect.hosts) and effect.hosts[-1] in cause.hosts
    return bool(set(cause.hosts) & set(effect.hosts)) or cause.subject == effect.subject == "controller"


def consequences(bad: list[Verdict]) -> dict[str, set[str]]:
    """Return by id what each verdict accounts for, directly or through others."""
    explained: dict[str, set[str]] = {verdict.id: set() for verdict in bad}
    by_id = {verdict.id: verdict for verdict in bad}
    for effect in bad:
        waiting, seen = list(effect.explained_by), set()
        while waiting:
            cause = waiting.pop()
            if cause not in seen:
                seen.add(cause)
                explained[cause].add(effect.id)
                waiting += by_id[cause].explained_by
    return explained


def _rank(bad: list[Verdict]) -> list[str]:
    """Return the ids of those that nothing accounts for, by how much they account for."""
    explained = consequences(bad)
    order = {condition: rank for rank, condition in enumerate((*CONDITIONS, *CUSTOM_CONDITIONS))}
    roots = [verdict for verdict in bad if not verdict.explained_by]
    roots.sort(
        key=lambda verdict: (
            _BY_WORD[verdict.verdict],
            -len(explained[verdict.id]),
            order.get(verdict.condition, len(order)),
            verdict.id,
        )
    )
    return [verdict.id for verdict in roots]
