"""Root causes that are one: equal findings with one origin, and the symptoms that are seen through the domain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from bkpaas.catalogue.registry import CONDITIONS, CUSTOM_CONDITIONS, TOPOLOGY
from bkpaas.messages import Message, msg, plural, series
from bkpaas.record import Verdict

Addresses = Mapping[str, Iterable[str]]
Reasons = Mapping[str, str]
"""By verdict id, what is wrong without what was measured; findings with equal reasons have one origin."""

SHARED = frozenset({"endpoint", "indices", "index", "nodes"})
"""Parameters of cases that name what several hosts use: with equal values it is one thing that is wrong."""

OF_ONE_HOST = frozenset({"not-running", "not-listening", "extra-process", "frozen", "full"})
"""Kinds of evidence about a process or disk of one host: equal findings on two hosts have two origins."""

NOT_MERGED = ("host-reachable", "not-merged")
"""Condition and case of hosts that one missing or old snapshot leaves without facts."""

NO_RIGHTS = ("host-reachable", "insufficient-rights")
"""Condition and case of hosts that an account without the rights of root reads."""

_BY_WORD = {"fail": 0, "no_data": 1, "warn": 2}
_MEASURED = re.compile(r"[+±-]?\d+(\.\d+)? ?(ms|s|%)(?![\w])|\b[0-9a-f]{12,}\b|\bpid \d+\b")
"""Durations, shares, request ids and pids, which differ between two views of the same."""


def root_groups(
    verdicts: list[Verdict], addresses: Addresses | None = None, reasons: Reasons | None = None
) -> list[list[Verdict]]:
    """Return the root causes, those of one origin together, the most explanatory first.

    verdicts: those that are bad, with explained_by. addresses: of the hosts, by name; evidence that differs in
    them only is equal. reasons: take the place of the evidence where there is one.
    """
    explained = consequences(verdicts)
    order = {condition: rank for rank, condition in enumerate((*CONDITIONS, *CUSTOM_CONDITIONS))}
    roots = [verdict for verdict in verdicts if not verdict.explained_by]
    views = [verdict for verdict in roots if verdict.condition in TOPOLOGY.views]
    groups: dict[tuple[str, ...], list[Verdict]] = {}
    for verdict in roots:
        reason = (reasons or {}).get(verdict.id, verdict.evidence or "")
        shared = verdict.id in (reasons or {})
        groups.setdefault(_origin(verdict, views, reason, addresses or {}, shared), []).append(verdict)
    for members in groups.values():
        members.sort(
            key=lambda one: (one.subject != "controller", order.get(one.condition, len(order)), one.id)
        )

    def rank(members: list[Verdict]) -> tuple[bool, bool, int, int, int, str]:
        ids = {one.id for one in members}
        of_others = set().union(*(explained[id_] for id_ in ids)) - ids
        return (
            members[0].condition not in TOPOLOGY.reported_first,
            any(one.may_be_explained_by for one in members),
            -len(of_others),
            min(_BY_WORD[one.verdict] for one in members),
            min(order.get(one.condition, len(order)) for one in members),
            min(ids),
        )

    return sorted(groups.values(), key=rank)


def consequences(bad: list[Verdict]) -> dict[str, set[str]]:
    """Return by id what each verdict accounts for, directly or through others."""
    explained: dict[str, set[str]] = {verdict.id: set() for verdict in bad}
    by_id = {verdict.id: verdict for verdict in bad}
    try:
        order = tuple(TopologicalSorter({one.id: one.explained_by for one in bad}).static_order())
    except CycleError:
        return _consequences_in_cycles(bad, explained)
    for id_ in reversed(order):  # effects before their causes
        for cause in by_id[id_].explained_by:
            explained[cause].add(id_)
            explained[cause] |= explained[id_]
    return explained


def _consequences_in_cycles(bad: list[Verdict], explained: dict[str, set[str]]) -> dict[str, set[str]]:
    """Fill in the consequences where verdicts explain each other."""
    by_id = {verdict.id: verdict for verdict in bad}
    for effect in bad:
        waiting, reached = list(effect.explained_by), set()
        while waiting:
            cause = waiting.pop()
            if cause not in reached:
                reached.add(cause)
                explained[cause].add(effect.id)
                waiting += by_id[cause].explained_by
    return explained


def _origin(
    verdict: Verdict, views: list[Verdict], reason: str, addresses: Addresses, shared: bool
) -> tuple[str, ...]:
    """Return what is equal for findings with one origin. shared: it is about something that several hosts use."""
    if verdict.condition in TOPOLOGY.views and (view := _view(verdict, views)):
        return view
    if verdict.condition in TOPOLOGY.reported_first and verdict.case:
        return verdict.condition, verdict.case  # one file is wrong
    if (verdict.condition, verdict.case) == NO_RIGHTS:
        return NO_RIGHTS  # one account in the inventory
    if (verdict.condition, verdict.case) == NOT_MERGED:
        return *NOT_MERGED, verdict.reason or ""
    kinds = {kind for part in verdict.parts for kind in part.kinds}
    if verdict.verdict == "no_data":
        text = _without_own(verdict, verdict.reason or "", addresses, both_ends=False)
        return (verdict.condition, "no_data", text) if text else (verdict.id,)
    if not kinds or (kinds & OF_ONE_HOST and not shared):
        return (verdict.id,)
    both = kinds == {"wrong-value"}  # two values that do not fit: either end of the link may be wrong
    text = _without_own(verdict, reason, addresses, both_ends=both)
    return verdict.condition, verdict.case or "", verdict.verdict, text


def _view(verdict: Verdict, views: list[Verdict]) -> tuple[str, ...] | None:
    """Return one origin for all symptoms that the controller sees through the domain, and hosts see as well.

    What only some hosts see may lie between them and the domain.
    """
    kinds = {kind for part in verdict.parts for kind in part.kinds}
    front = [view for view in views if view.subject == "controller"]
    front_kinds = {kind for view in front for part in view.parts for kind in part.kinds}
    if verdict.subject == "controller" or kinds & front_kinds:
        return ("through the domain",)
    return None


def _without_own(verdict: Verdict, reason: str, addresses: Addresses, *, both_ends: bool) -> str:
    """Return the reason without the names and addresses of the hosts that it is about, and what was measured."""
    text = _MEASURED.sub("", reason)
    for position, host in enumerate(verdict.hosts):
        # the target of a link is what is found wrong, its source is where that is seen
        word = host if position and not both_ends else "HOST"
        for own in sorted({host, *addresses.get(host, ())}, key=len, reverse=True):
            text = re.sub(rf"(?<![\w.-]){re.escape(own)}(?![\w-]|\.\d)", word, text)
    return text


_NAMED_HOSTS = 3


def hosts_of_group(group: list[Verdict]) -> dict[str, Message | str]:
    """Return what the variables of a headline for hosts stand for when equal findings on several hosts are one cause."""
    if len({one.condition for one in group}) > 1 or len({len(one.hosts) for one in group}) > 1:
        return {}
    names = {1: ("host",), 2: ("source", "target")}.get(len(group[0].hosts), ())
    values: dict[str, Message | str] = {}
    for position, name in enumerate(names):
        hosts = list(dict.fromkeys(one.hosts[position] for one in group))
        if len(hosts) > 1:
            values[name] = _all_of(hosts)
    return values


def _all_of(hosts: list[str]) -> Message:
    """Return several hosts as a phrase in the singular."""
    if len(hosts) > _NAMED_HOSTS:
        return plural(
            "{first} (and {count} other host)",
            "{first} (and {count} other hosts)",
            count=len(hosts) - 1,
            first=hosts[0],
        )
    return msg("{first} (and {others})", first=hosts[0], others=series(hosts[1:]))
