"""What a record says to a person: one sentence, the root causes with what they explain, who was not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from bkpaas.messages import Message, both, joined, msg, plural
from bkpaas.record import HostRecord, Results, Verdict, Word
from bkpaas.report.bilingual import languages

FAILURES: tuple[Word, ...] = ("fail", "no_data")


class Cause(NamedTuple):
    """A root cause and the failures folded under it, in the order of the record."""

    headline: Message | str
    """What is wrong, in one sentence."""
    verdict: Verdict
    """The first of its verdicts."""
    members: list[Verdict]
    """All of them: equal findings with one origin."""
    explains: list[Verdict]
    probably: list[Verdict]
    """Consequences of something that could not be collected: likely, not proven."""
    possibly_by: list[Verdict]
    """Failures that may explain it, although its evidence does not show it."""

    @property
    def folded(self) -> int:
        return len(self.explains) + len(self.probably)

    @property
    def hosts(self) -> list[str]:
        """Return the hosts of all its verdicts."""
        return list(dict.fromkeys(host for one in self.members for host in one.hosts))


def causes(results: Results) -> list[Cause]:
    """Return what failed on its own, the most explanatory first. A failure with two causes is listed under both.

    What merely could not be judged is a cause only when something follows from it. The list must not be changed.
    """
    return results.once("causes", lambda: _causes(results))


def _causes(results: Results) -> list[Cause]:
    verdicts = {verdict.id: verdict for verdict in results.verdicts}
    roots = _root_causes(results, verdicts, FAILURES)
    behind = {id_: verdict.explained_by for id_, verdict in verdicts.items() if verdict.explained_by}
    known_causes = {id_: [c for c in ids if verdicts[c].verdict != "no_data"] for id_, ids in behind.items()}
    members: dict[str, list[int]] = {}
    for number, root in enumerate(roots):
        for one in root.members:
            members.setdefault(one.id, []).append(number)
    likely, certain = _causes_among(behind, members), _causes_among(known_causes, members)
    for id_ in behind:
        for number in likely[id_]:
            listed = roots[number].explains if number in certain[id_] else roots[number].probably
            listed.append(verdicts[id_])
    return [cause for cause in roots if cause.verdict.verdict == "fail" or cause.folded]


def warnings(results: Results) -> list[Cause]:
    """Return the warnings that nothing explains, equal ones together, in the order of the record."""
    verdicts = {verdict.id: verdict for verdict in results.verdicts}
    grouped = _root_causes(results, verdicts, ("warn",))
    listed = {one.id for warning in grouped for one in warning.members}
    return grouped + [
        Cause(_headline(verdict, None), verdict, [verdict], [], [], [])
        for verdict in results.verdicts
        if verdict.verdict == "warn" and not verdict.explained_by and verdict.id not in listed
    ]


def _root_causes(results: Results, verdicts: Mapping[str, Verdict], words: tuple[Word, ...]) -> list[Cause]:
    """Return the root causes of the record with one of these words, without what they explain."""
    headlines = {id_: cause.headline for cause in results.causes for id_ in cause.ids}
    groups = [[verdicts[id_] for id_ in ids if verdicts[id_].verdict in words] for ids in _groups(results)]
    return [
        Cause(
            _headline(group[0], headlines.get(group[0].id)),
            group[0],
            group,
            [],
            [],
            _possible(group, verdicts),
        )
        for group in groups
        if group
    ]


def _headline(verdict: Verdict, headline: str | None) -> Message | str:
    """Return the headline of a root cause; a record of an earlier version has none, only what was expected."""
    if headline is not None:
        return headline
    english, chinese = languages(verdict.title)
    title = both(en=english, zh=chinese)
    if verdict.verdict == "no_data":
        return msg("Could not be checked: {title}", title=title)
    return msg("Not as expected: {title}", title=title)


def _possible(group: list[Verdict], verdicts: Mapping[str, Verdict]) -> list[Verdict]:
    ids = dict.fromkeys(id_ for one in group for id_ in one.may_be_explained_by)
    return [verdicts[id_] for id_ in ids if id_ in verdicts]


def _groups(results: Results) -> list[list[str]]:
    """Return the ids of the root causes, those of one origin together; a record without groups has single ones."""
    grouped = {id_: tuple(cause.ids) for cause in results.causes for id_ in cause.ids}
    return [list(ids) for ids in dict.fromkeys(grouped.get(id_, (id_,)) for id_ in results.root_causes)]


def _causes_among(
    behind: Mapping[str, Sequence[str]], members: Mapping[str, Sequence[int]]
) -> dict[str, set[int]]:
    """Return by verdict the numbers of the root causes that account for it, directly or through others.

    behind: by verdict, the ids of what explains it. members: the numbers of the root causes that a verdict belongs to.
    """
    try:
        order = tuple(TopologicalSorter(behind).static_order())
    except CycleError:
        return {id_: _causes_of(id_, behind, members) for id_ in behind}
    numbers: dict[str, set[int]] = {}
    for id_ in order:
        numbers[id_] = set()
        for cause in behind.get(id_, ()):
            numbers[id_].update(members.get(cause, ()), numbers[cause])
    return numbers


def _causes_of(
    id_: str, behind: Mapping[str, Sequence[str]], members: Mapping[str, Sequence[int]]
) -> set[int]:
    """Return the numbers for one verdict of a record in which verdicts explain each other."""
    visited_ids: set[str] = set()
    numbers: set[int] = set()
    ahead = list(behind.get(id_, ()))
    while ahead:
        cause = ahead.pop()
        if cause not in visited_ids:
            visited_ids.add(cause)
            ahead.extend(behind.get(cause, ()))
            if cause != id_:
                numbers.update(members.get(cause, ()))
    return numbers


def unexplained(results: Results) -> list[Verdict]:
    """Return the failures that are neither a cause nor explained by one, mostly what could not be judged."""
    shown = {one.id for cause in causes(results) for one in cause.members}
    return [
        verdict
        for verdict in results.verdicts
        if verdict.verdict in FAILURES and verdict.id not in shown and not verdict.explained_by
    ]


def not_collected_hosts(results: Results) -> list[HostRecord]:
    """Return the hosts without data, or without a part of it, that are not a root cause themselves."""
    roots = {id_ for cause in results.causes for id_ in cause.ids}
    return [
        host
        for host in results.hosts
        if (not host.collected or host.error) and f"host-reachable@{host.name}" not in roots
    ]


def error_of(host: HostRecord) -> str | None:
    """Return why a host has no data, without its own name and address at the beginning."""
    return host.error and host.error.removeprefix(f"{host.name} ({host.address}) ")


class Group(NamedTuple):
    """Verdicts of one word that share their reason."""

    word: Word
    reason: str
    ids: list[str]


def unchecked(results: Results) -> list[Group]:
    """Return, by reason, what could not be judged and is not explained by a cause.

    What is not applicable or waived is told too when nothing failed and the run is not green all the same.
    """
    bad = results.counts["fail"] + results.counts["no_data"]
    candidates = results.verdicts if not bad and overall_verdict(results) != "pass" else unexplained(results)
    groups: dict[tuple[Word, str, str], Group] = {}
    for verdict in candidates:
        if verdict.verdict in ("no_data", "not_applicable", "waived"):
            reason = verdict.reason or verdict.title
            group = Group(verdict.verdict, reason, [])
            groups.setdefault((verdict.verdict, *languages(reason)), group).ids.append(verdict.id)
    return list(groups.values())


def overall_verdict(results: Results) -> Word:
    """Return the verdict of the whole run: pass only if the run is green."""
    if results.counts["fail"] or results.not_imported or partial(results) is not None:
        return "fail"
    return "pass" if results.run.exit == 0 and results.counts["pass"] else "no_data"


def partial(results: Results) -> Message | None:
    """Return why the record does not cover the whole run; None if it does."""
    if results.run.exit == 2:
        return msg("Interrupted: this report is partial.")
    if results.run.exit == 3:
        return msg("The suite itself broke (exit code 3): this report is partial.")
    return None


def headline(results: Results) -> Message:
    """Return the outcome in one sentence; a partial run says so first, a selection last."""
    notice = partial(results)
    outcome = _outcome(results)
    total = results.run.selected_from
    if total is not None and not _is_well(results):
        outcome = msg(
            "{outcome} Only {count} of {total} conditions were selected.",
            outcome=outcome,
            count=len(results.verdicts),
            total=total,
        )
    notices = [*([notice] if notice else []), *([_not_imported(results)] if results.not_imported else [])]
    for text in reversed(notices):
        outcome = msg("{notice} {outcome}", notice=text, outcome=outcome)
    return outcome


def _not_imported(results: Results) -> Message:
    return plural(
        "{count} test file could not be imported, so its conditions were not checked: {first}.",
        "{count} test files could not be imported, so their conditions were not checked; the first: {first}.",
        count=len(results.not_imported),
        first=" ".join(results.not_imported[0].split()),
    )


def _outcome(results: Results) -> Message:
    counts = results.counts
    if counts["fail"] or counts["no_data"]:
        return _failed(results)
    if not (counts["pass"] or counts["warn"]):
        return _nothing_checked(counts)
    if results.lost:
        return plural(
            "{all_well} But {count} output of this run could not be written or sent.",
            "{all_well} But {count} outputs of this run could not be written or sent.",
            count=len(results.lost),
            all_well=_all_well(results),
        )
    if results.run.exit == 1:
        return msg("Nothing failed, but the run does not pass: see the warnings and what was not applicable.")
    return _all_well(results)


def _is_well(results: Results) -> bool:
    counts = results.counts
    return not (counts["fail"] or counts["no_data"]) and bool(counts["pass"] or counts["warn"])


def _failed(results: Results) -> Message:
    loose = Counter(verdict.verdict for verdict in unexplained(results))
    roots = causes(results)
    warn = sum(verdict.verdict == "warn" and bool(verdict.explained_by) for verdict in results.verdicts)
    counted: dict[Word, int] = {
        "fail": results.counts["fail"] - loose["fail"],
        "warn": warn if roots else 0,
        "no_data": results.counts["no_data"] - loose["no_data"],
    }
    own = Counter(one.verdict for root in roots for one in root.members)
    parts = [_from_causes(len(roots), counted, own)] if roots else []
    other = results.counts["warn"] - counted["warn"]
    rest = [
        plural("{count} failure without a known cause", "{count} failures without a known cause", count=loose["fail"]),
        plural("{count} other warning", "{count} other warnings", count=other)
        if parts else plural("{count} warning", "{count} warnings", count=other),
        plural("{count} condition could not be checked", "{count} conditions could not be checked", count=loose["no_data"]),
    ]  # fmt: skip
    parts += [one for one in rest if one.parameters["count"]]
    return msg("{parts}.", parts=joined("; ", parts))


def _from_causes(roots: int, counted: Mapping[Word, int], own: Mapping[Word, int]) -> Message:
    """Return the number of root causes and of their consequences; a root cause is not its own consequence.

    counted: verdicts of root causes and consequences. own: those of the root causes alone.
    """
    consequences = {word: number - own.get(word, 0) for word, number in counted.items()}
    if any(consequences.values()):
        return plural(
            "{count} root cause; its consequences: {what}",
            "{count} root causes; their consequences: {what}",
            count=roots,
            what=_numbered(consequences),
        )
    what = _numbered(counted)
    if roots == sum(counted.values()):
        return what
    return plural("{what} from {count} root cause", "{what} from {count} root causes", count=roots, what=what)


def _numbered(counted: Mapping[Word, int]) -> Message:
    """Return how many failures, warnings and conditions without data there are, as a phrase."""
    number = counted.get
    named = [
        plural("{count} failure", "{count} failures", count=number("fail", 0)),
        plural("{count} warning", "{count} warnings", count=number("warn", 0)),
        plural(
            "{count} condition without data", "{count} conditions without data", count=number("no_data", 0)
        ),
    ]
    parts = [one for one in named if one.parameters["count"]]
    if len(parts) == 1:
        return parts[0]
    first = joined(", ", parts[:-1], context="series")
    return msg("{first} and {last}", first=first, last=parts[-1])


def _nothing_checked(counts: dict[str, int]) -> Message:
    other = {word: counts[word] for word in ("not_applicable", "waived") if counts[word]}
    if not other:
        return msg("Nothing was checked.")
    return msg("Nothing was checked: {rest}.", rest=numbers(other))


def _all_well(results: Results) -> Message:
    counts = results.counts
    hosts = plural("{count} host", "{count} hosts", count=len(results.hosts))
    checked, warn = counts["pass"] + counts["warn"], counts["warn"]
    if results.run.selected_from is not None:
        selected = msg(
            "{checked} of {total} conditions checked on {hosts}",
            checked=checked,
            total=results.run.selected_from,
            hosts=hosts,
        )
        if warn:
            warnings = plural("{count} warning", "{count} warnings", count=warn)
            return msg("{selected}: none failed, {warnings}.", selected=selected, warnings=warnings)
        return msg("{selected}: all hold.", selected=selected)
    if warn:
        return msg(
            "Nothing failed: {checked} conditions on {hosts}, {warnings}.",
            checked=checked,
            hosts=hosts,
            warnings=plural("{count} warning", "{count} warnings", count=warn),
        )
    return plural(
        "All is well: {count} condition holds on {hosts}.",
        "All is well: {count} conditions hold on {hosts}.",
        count=checked,
        hosts=hosts,
    )


def numbers(counts: Mapping[str, int]) -> Message:
    """Return how many verdicts there are of each word, as a list."""
    counted = (joined(" ", [number, label(word)]) for word, number in counts.items())
    return joined(", ", counted, context="clauses")


def label(word: str) -> Message:
    """Return the verdict word for a reader."""
    return {
        "pass": msg("pass"),
        "warn": msg("warn"),
        "fail": msg("fail"),
        "no_data": msg("no data"),
        "not_applicable": msg("not applicable"),
        "waived": msg("waived"),
    }[word]
