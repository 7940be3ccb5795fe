"""Causes before consequences: which few failures account for all the others.

Works on the flat list of verdicts alone, so that a saved record can be explained again. A cause accounts for a
consequence where an edge of the catalogue leads from one to the other, the edge can produce the kind of evidence
that was seen, and the cause is about the components that the evidence names. Where the edge exists and the evidence
does not show it, the consequence stays a root cause and lists the cause as one that may explain it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from bkpaas.catalogue.grouping import NO_RIGHTS, Addresses, Reasons, root_groups
from bkpaas.catalogue.model import SERVICES, Cause, Relation
from bkpaas.catalogue.registry import TOPOLOGY, find_condition
from bkpaas.catalogue.scope import roles_of
from bkpaas.record import Part, Verdict

BAD = frozenset({"fail", "warn", "no_data"})

BAD_ANSWERS = frozenset({"5xx", "wrong-body", "log-line"})
NO_ANSWER = frozenset({"refused", "silent", "unresolved", "not-listening", "not-running"})

OWN = frozenset({"wrong-value", "frozen", "extra-process"})
"""Kinds of evidence that nothing may be behind unless an edge produces them: files, settings, clocks, signals."""

RIGHTS = ("Permission denied", "only root can", "root only", "by root", "/proc/")
"""Words in the reason of a verdict that lacks the rights of root; what /proc has of a process, its account may read."""

INVENTORY = "inventory-roles"
"""The condition that says which role a host does not have."""

Names = frozenset[str]
_NONE: Names = frozenset()


class Context(Struct, frozen=True):
    """What the checks said about their verdicts, by verdict id."""

    about: Mapping[str, Names] = {}
    """The services that a failure concerns; absent or empty: all of them."""
    missed: Mapping[str, Iterable[str]] = {}
    """The hosts that it was to be judged by and that could not be collected."""
    needs: Mapping[str, Names] = {}
    """The other hosts without which it cannot hold."""
    generations: Mapping[str, str] = {}
    """The generation of each host; empty: not known, and every edge counts."""


def explain(
    verdicts: list[Verdict],
    about: Mapping[str, Names] | None = None,
    missed: Mapping[str, Iterable[str]] | None = None,
    needs: Mapping[str, Names] | None = None,
    addresses: Addresses | None = None,
    reasons: Reasons | None = None,
    generations: Mapping[str, str] | None = None,
) -> list[str]:
    """Fill explained_by and may_be_explained_by, and return the ids of the root causes, the most explanatory first.

    The arguments are the fields of Context, and those of root_groups.
    """
    groups = explained_groups(verdicts, about, missed, needs, addresses, reasons, generations)
    return [verdict.id for group in groups for verdict in group]


def explained_groups(
    verdicts: list[Verdict],
    about: Mapping[str, Names] | None = None,
    missed: Mapping[str, Iterable[str]] | None = None,
    needs: Mapping[str, Names] | None = None,
    addresses: Addresses | None = None,
    reasons: Reasons | None = None,
    generations: Mapping[str, str] | None = None,
) -> list[list[Verdict]]:
    """Fill explained_by and may_be_explained_by, and return the root causes as root_groups does.

    What the evidence of a verdict shows stands in the verdict itself.
    """
    context = Context(about or {}, missed or {}, needs or {}, generations or {})
    bad = [verdict for verdict in verdicts if verdict.verdict in BAD]
    causes = _Causes(bad)
    for verdict in verdicts:
        verdict.explained_by, verdict.may_be_explained_by = [], []
    for effect in bad:
        shown, possible = _causes(effect, causes, context)
        effect.explained_by = list(dict.fromkeys(cause.id for cause in shown))
        effect.may_be_explained_by = list(dict.fromkeys(cause.id for cause in possible))
    return root_groups(bad, addresses, reasons)


def _causes(effect: Verdict, causes: _Causes, context: Context) -> tuple[list[Verdict], list[Verdict]]:
    """Return the verdicts that account for one, or those that may although its evidence does not show it."""
    shown: list[Verdict] = []
    possible: list[Verdict] = []
    left = set(effect.parts)
    for edge in _edges(effect):
        for cause in causes.of(edge, effect, context):
            if cause.id == effect.id or not _accounts(cause, edge, effect, context):
                continue
            parts = [part for part in effect.parts if _is_about(cause, part, context)]
            covered = [part for part in parts if _kinds_meet(edge, part) and not _answers(cause, part)]
            if covered or not effect.parts:
                shown.append(cause)
                left -= set(covered)
            elif any(_is_possible(edge, part) for part in parts):
                possible.append(cause)
    if effect.verdict == "no_data":  # there is nothing to compare with
        missed = context.missed.get(effect.id, ())
        missing = {f"host-reachable@{host}" for host in missed} - {effect.id}
        shown += [cause for cause in causes.on("host-reachable", missed) if cause.id in missing]
    return ([], [*shown, *possible]) if left else (shown, [])


class _Causes:
    """Find verdicts by condition and host, in their order: most edges begin at a host of the effect."""

    def __init__(self, verdicts: Iterable[Verdict]) -> None:
        self._verdicts = tuple(verdicts)
        self._places: dict[str, list[int]] = {}
        """By condition."""
        self._places_on: dict[tuple[str, str | None], list[int]] = {}
        """By condition and host; None: of those without a host."""
        for place, verdict in enumerate(self._verdicts):
            self._places.setdefault(verdict.condition, []).append(place)
            for host in verdict.hosts or (None,):
                self._places_on.setdefault((verdict.condition, host), []).append(place)

    def of(self, edge: Cause, effect: Verdict, context: Context) -> list[Verdict]:
        """Return the verdicts of the condition of an edge that may be where its relation says."""
        if edge.relation in ("anywhere", "seen-from-host", "seen-by-all"):
            return [self._verdicts[place] for place in self._places.get(edge.condition, ())]
        if edge.relation == "needed":
            return self.on(edge.condition, context.needs.get(effect.id, _NONE))
        return self.on(edge.condition, (*effect.hosts, None))

    def on(self, condition: str, hosts: Iterable[str | None]) -> list[Verdict]:
        """Return the verdicts of a condition on these hosts."""
        places = {place for host in hosts for place in self._places_on.get((condition, host), ())}
        return [self._verdicts[place] for place in sorted(places)]


def _edges(effect: Verdict) -> Iterable[Cause]:
    if effect.condition != "host-reachable":
        yield Cause("host-reachable", "same-host")
    if effect.condition != INVENTORY:
        yield Cause(INVENTORY, "wrong-role", (), ("other-host", "twice", "role-elsewhere", "other-app-role"))
    condition = find_condition(effect.condition)
    if condition is not None:
        yield from condition.causes


def _kinds_meet(edge: Cause, part: Part) -> bool:
    return not part.kinds or not edge.produces or bool(set(part.kinds) & set(edge.produces))


def _answers(cause: Verdict, part: Part) -> bool:
    """Return whether the cause gives answers, only bad ones, while the evidence shows no answer."""
    kinds = {kind for own in cause.parts for kind in own.kinds}
    return bool(kinds) and kinds <= BAD_ANSWERS and bool(part.kinds) and set(part.kinds) <= NO_ANSWER


def _is_possible(edge: Cause, part: Part) -> bool:
    """Return whether a mechanism may be behind what was seen although the evidence does not show it."""
    return set(edge.produces) != {"no-data"} and not set(part.kinds) <= OWN and not part.component


def _is_about(cause: Verdict, part: Part, context: Context) -> bool:
    """Return whether a cause is about what a part of the evidence names."""
    type_ = _type(part.component)
    own = {other.component for other in cause.parts if _type(other.component) == type_}
    if type_ and own:
        return part.component in own
    if type_ == "service":
        name, services = part.component.partition(":")[2], context.about.get(cause.id)
        is_program = ":" not in name and name not in SERVICES and name != "agent"
        return is_program or not services or name in services
    if type_ == "unit":  # of nginx, consul, usermgr: none of the services that a cause may be limited to
        return not context.about.get(cause.id)
    # a setting that is wrong is not explained by another one
    return not (
        part.kinds == ("wrong-value",) and any(_type(other.component) == "setting" for other in cause.parts)
    )


def _type(component: str) -> str:
    return component.partition(":")[0]


def _accounts(cause: Verdict, edge: Cause, effect: Verdict, context: Context) -> bool:
    """Return whether a cause stands where the edge wants it, and can bring down anything there."""
    relation = edge.relation
    if edge.generations and not _is_of_generation(edge, cause, effect, context):
        return False
    cases = edge.cases or (TOPOLOGY.breaks_in.get(cause.condition, ()) if effect.verdict != "no_data" else ())
    if cases and cause.case and cause.case not in cases:
        return False
    if (cause.condition, cause.case) == NO_RIGHTS and not _lacks_rights(effect):
        return False
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
    ours, theirs = context.about.get(effect.id), context.about.get(cause.id)
    if ours and theirs and not ours & theirs:
        return False
    if relation == "wrong-role":
        return bool(set(cause.hosts) & set(effect.hosts)) and _is_for_a_role_of(cause, effect)
    if relation == "needed":
        return bool(set(cause.hosts) & context.needs.get(effect.id, _NONE))
    return _stands(cause, relation, effect)


def _is_of_generation(edge: Cause, cause: Verdict, effect: Verdict, context: Context) -> bool:
    """Return whether the hosts of a cause are of a generation of the edge; without hosts those of the effect, else all."""
    hosts = cause.hosts or effect.hosts or tuple(context.generations)
    known = {context.generations[host] for host in hosts if host in context.generations}
    return not known or not known.isdisjoint(edge.generations)


def _lacks_rights(effect: Verdict) -> bool:
    """Return whether a verdict is no_data because something is readable by root only."""
    reasons = f"{effect.reason or ''} {effect.translated.reason or ''}"
    return effect.verdict == "no_data" and any(sign in reasons for sign in RIGHTS)


def _is_for_a_role_of(cause: Verdict, effect: Verdict) -> bool:
    """Return whether a condition is judged for a role that a cause names; a cause that names none is about all of them."""
    condition = find_condition(effect.condition)
    wanted = {role for scope in condition.scopes for role in roles_of(scope)} if condition else set()
    named = {part.component.partition(":")[2] for part in cause.parts if _type(part.component) == "role"}
    return bool(wanted & named) if named else bool(wanted)


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
    if relation == "same-setting" and not _settings(cause) & _settings(effect):
        return False
    return bool(set(cause.hosts) & set(effect.hosts)) or cause.subject == effect.subject == "controller"


def _settings(verdict: Verdict) -> set[str]:
    """Return the settings that the evidence names."""
    return {part.component for part in verdict.parts if _type(part.component) == "setting"}
