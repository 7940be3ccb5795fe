"""From outcomes to the record of the run: every expected id gets exactly one verdict, then the explanation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from bkpaas import __version__
from bkpaas import facts as facts_
from bkpaas.catalogue import model
from bkpaas.catalogue.explain import BAD, explained_groups
from bkpaas.catalogue.grouping import SHARED, consequences, hosts_of_group
from bkpaas.catalogue.registry import (
    get_condition,
    section_of,
    sections,
)
from bkpaas.catalogue.variables import render
from bkpaas.collect import program
from bkpaas.facts import Snapshot
from bkpaas.inventory.deployment import Deployment
from bkpaas.language import Language, get_language, other_language
from bkpaas.messages import Message, msg
from bkpaas.plugin.arguments import own_deployment
from bkpaas.plugin.flow import request_flow
from bkpaas.plugin.outcome import Outcome
from bkpaas.plugin.proved import platform_versions
from bkpaas.plugin.selection import subject_of
from bkpaas.record import (
    Clock,
    HostRecord,
    MergedSnapshot,
    Part,
    Results,
    RootCause,
    Run,
    Section,
    Verdict,
    Wording,
    count,
)


def build(
    deployment: Deployment,
    snapshot: Snapshot,
    expected: list[str],
    outcomes: dict[str, Outcome],
    *,
    interrupted: bool,
    seconds: float,
    rows: Mapping[str, Verdict] | None = None,
) -> Results:
    """Return the record; what was expected but not judged is no_data, with the reason.

    seconds: duration of the run. rows: verdicts that were made for rows of details.html, by id.
    """
    lost = [_lost(id_, interrupted) for id_ in expected if id_ not in outcomes]
    by_id = {**outcomes, **{outcome.id: outcome for outcome in lost}}
    made = rows or {}
    verdicts = [made.get(id_) or verdict(id_, by_id[id_], deployment, snapshot) for id_ in expected]
    about = {id_: frozenset(outcome.services) for id_, outcome in outcomes.items()}
    missed = {id_: outcome.unreachable_hosts for id_, outcome in outcomes.items()}
    checked = _read(verdicts, outcomes, snapshot) if interrupted else verdicts
    needs = {id_: frozenset(outcome.depends_on_hosts) for id_, outcome in outcomes.items()}
    addresses = _addresses(deployment, snapshot)
    reasons = _reasons(checked, outcomes)
    generations = {
        host.name: own_deployment(host.name, deployment, snapshot).generation for host in deployment.hosts
    }
    groups = explained_groups(checked, about, missed, needs, addresses, reasons, generations)
    explained = consequences([one for one in checked if one.verdict in BAD])
    effects = _Effects(expected, explained, checked)
    return Results(
        run=_run(deployment, snapshot, seconds),
        hosts=[_host(host.name, deployment, snapshot) for host in deployment.selected()],
        verdicts=verdicts,
        root_causes=[one.id for group in groups for one in group],
        causes=[
            _root_cause(group, by_id[group[0].id], effects.of(group), deployment, snapshot)
            for group in groups
        ],
        counts=count(verdicts),
        sections=[_section(section) for section in sections()],
        flow=request_flow(),
        limits=msgspec.structs.asdict(deployment.thresholds),
        versions=platform_versions(deployment, snapshot),
        merged=_merged(snapshot),
    )


def _merged(snapshot: Snapshot) -> list[MergedSnapshot]:
    newest = max((part.started for part in snapshot.parts), default=0.0)
    return [
        MergedSnapshot(
            part.source,
            _iso(part.started),
            round(newest - part.started, 3),
            len(part.hosts),
            list(part.elsewhere),
        )
        for part in snapshot.parts
    ]


def _read(verdicts: list[Verdict], outcomes: dict[str, Outcome], snapshot: Snapshot) -> list[Verdict]:
    """Return the verdicts that an interruption did not leave open: those are no causes."""
    cut = {name for name, facts in snapshot.hosts.items() if facts.error_kind == "interrupted"}
    return [
        one
        for one in verdicts
        if one.id in outcomes and not (one.verdict == "no_data" and cut.intersection(one.hosts))
    ]


def _lost(id_: str, interrupted: bool) -> Outcome:
    reason = (
        msg("not checked: the run was interrupted")
        if interrupted
        else msg("not checked: its test did not run (worker died, or pytest stopped early)")
    )
    return Outcome(id_, "no_data", reason=reason, lost=True)


def verdict(id_: str, outcome: Outcome, deployment: Deployment, snapshot: Snapshot) -> Verdict:
    """Return the verdict of a test, with the texts of the catalogue in both languages."""
    name, _, subject_id = id_.partition("@")
    condition = get_condition(name)
    subject = subject_of(id_, deployment)
    case = condition.case(outcome.case) if _shows_a_case(id_, outcome) else None

    hosts = subject.hosts
    as_judged = own_deployment(hosts[0], deployment, snapshot) if len(hosts) == 1 else deployment

    def texts(language: Language) -> dict[str, str | None]:
        remedy = case.remedy(as_judged.generation) if case and outcome.word != "waived" else None
        return {
            "title": condition.title.in_(language),
            "reason": _rendered(outcome.reason, language),
            "evidence": _rendered(outcome.evidence, language),
            "remedy": render(remedy, subject, as_judged, snapshot, _values(case, outcome), language)
            if case and remedy
            else None,
        }

    own, translated = texts(get_language()), texts(other_language())
    return Verdict(
        id=id_,
        condition=name,
        subject=subject_id,
        hosts=list(subject.hosts),
        faq=section_of(name).key,
        severity=condition.severity,
        verdict=outcome.word,
        **own,  # type: ignore[arg-type]
        explained_by=[],
        case=case.name if case else None,
        parts=_parts(condition, outcome) if case else [],
        translated=Wording(**{name: text for name, text in translated.items() if text != own[name]}),
    )


def _parts(condition: model.Condition, outcome: Outcome) -> list[Part]:
    """Return what the evidence shows: the failures that it lists, or its case for each component that it names.

    Where it names settings, their services are no parts of their own.
    """
    listed = outcome.parts or (("", outcome.case),)
    settings = tuple(name for name in outcome.components if name.startswith("setting:"))
    if any(component for component, _ in listed):
        pairs = list(listed)
    else:
        pairs = [
            (component, name) for component in settings or outcome.components or ("",) for _, name in listed
        ]
    parts = [Part(component, condition.case(name).evidence) for component, name in pairs]
    return list(dict.fromkeys(parts))


def _values(case: model.Case, outcome: Outcome) -> dict[str, Message | str]:
    """Return the values that the check has for headline and remedy; of two, that of the finding."""
    declared = {name: value for name, value in outcome.parameters.items() if name in case.parameters}
    return {**declared, **outcome.remedy_values}


def _shows_a_case(id_: str, outcome: Outcome) -> bool:
    """Return whether something was seen to fail; a host that cannot be collected fails as one that cannot be reached."""
    return outcome.word in ("fail", "warn", "waived") or (
        outcome.word == "no_data" and id_.startswith("host-reachable@") and not outcome.lost
    )


def _addresses(deployment: Deployment, snapshot: Snapshot) -> dict[str, list[str]]:
    """Return the addresses of each host: that of the inventory, and its own."""
    by_name = {host.name: [host.address] for host in deployment.selected()}
    for name, addresses in by_name.items():
        facts = snapshot.hosts.get(name)
        if facts is not None and isinstance(facts.addresses, facts_.Addresses):
            addresses += [address for address in facts.addresses.items if not address.startswith("127.")]
    return by_name


def _reasons(verdicts: list[Verdict], outcomes: Mapping[str, Outcome]) -> dict[str, str]:
    """Return the parameters of the case, for verdicts about something that several hosts use."""
    reasons: dict[str, str] = {}
    for one in verdicts:
        if one.case is not None and one.id in outcomes:
            names = get_condition(one.condition).case(one.case).parameters
            values = {name: str(outcomes[one.id].parameters.get(name)) for name in names}
            if SHARED & set(names):
                reasons[one.id] = " ".join(f"{name}={value}" for name, value in values.items())
    return reasons


class _Effects:
    """Give the ids that root causes account for, in the order of the record, which is looked up once for all."""

    def __init__(
        self, expected: list[str], explained: Mapping[str, set[str]], verdicts: list[Verdict]
    ) -> None:
        self._places = {id_: place for place, id_ in enumerate(expected)}
        self._explained = explained
        self._possible: dict[str, set[str]] = {}
        for one in verdicts:
            for cause in one.may_be_explained_by:
                self._possible.setdefault(cause, set()).add(one.id)

    def of(self, group: list[Verdict]) -> tuple[list[str], list[str]]:
        """Return the ids that a root cause explains, and those that it may explain."""
        ids = {one.id for one in group}
        shown = set().union(*(self._explained[id_] for id_ in ids)) - ids
        possible = set[str]().union(*(self._possible.get(id_, ()) for id_ in ids)) - ids
        return self._ordered(shown), self._ordered(possible)

    def _ordered(self, ids: set[str]) -> list[str]:
        return sorted(ids & self._places.keys(), key=self._places.__getitem__)


def _without_address(headline: model.Text) -> model.Text:
    """Return a headline without the address of its host, for several hosts or one whose name is its address."""
    return model.Text(headline.en.replace(" ({address})", ""), headline.zh.replace("（{address}）", ""))


def _root_cause(
    group: list[Verdict],
    outcome: Outcome,
    effects: tuple[list[str], list[str]],
    deployment: Deployment,
    snapshot: Snapshot,
) -> RootCause:
    verdict = group[0]
    condition = get_condition(verdict.condition)
    hosts = list(dict.fromkeys(host for one in group for host in one.hosts))
    no_address = len(group) > 1 or hosts == [deployment.host(name).address for name in hosts]

    def text(language: Language) -> str:
        if verdict.case is None:
            return msg("Could not be checked: {title}", title=condition.title.message()).render(language)
        case = condition.case(verdict.case)
        subject = subject_of(verdict.id, deployment)
        values = {**hosts_of_group(group), **_values(case, outcome)}
        headline = _without_address(case.headline) if no_address else case.headline
        return render(headline, subject, deployment, snapshot, values, language)

    headline, translated = text(get_language()), text(other_language())
    return RootCause(
        headline=headline,
        case=verdict.case,
        ids=[one.id for one in group],
        hosts=hosts,
        explains=effects[0],
        may_explain=effects[1],
        translated=translated if translated != headline else None,
    )


def _rendered(text: Message | str | None, language: Language) -> str | None:
    if text is None:
        return None
    return text.render(language) if isinstance(text, Message) else text


def _section(section: model.Section) -> Section:
    return Section(
        key=section.key,
        title=section.title.in_(get_language()),
        translated=section.title.in_(other_language()),
        conditions=list(section.conditions),
    )


def _host(name: str, deployment: Deployment, snapshot: Snapshot) -> HostRecord:
    host, facts = deployment.host(name), snapshot.hosts.get(name)
    error = facts.error if facts else msg("not collected")
    clock = facts.clock if facts else None
    return HostRecord(
        name=name,
        address=host.address,
        roles=list(host.roles),
        generation=own_deployment(name, deployment, snapshot).generation,
        collected=bool(facts and facts.collected),
        seconds=round(facts.seconds, 3) if facts else 0.0,
        error=_rendered(error, get_language()),
        translated=_rendered(error, other_language()),
        clock=Clock(clock.offset_seconds, clock.uncertainty_seconds, clock.controller)
        if isinstance(clock, facts_.Clock)
        else None,
    )


def _run(deployment: Deployment, snapshot: Snapshot, seconds: float) -> Run:
    return Run(
        id=snapshot.run,
        started=_iso(snapshot.started),
        seconds=round(seconds, 3),
        inventory=deployment.source,
        domain=deployment.domain,
        suite=__version__,
        collector_sha256=program.digest(),
        exit=0,
        language=get_language(),
    )


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch).astimezone().isoformat(timespec="seconds")
