"""Return short lines on changes since other runs and on waivers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bkpaas.messages import Message, joined, msg, plural
from bkpaas.record import Comparison, FactChange, History, Results, WaiverUse
from bkpaas.report.findings import label

IDS_SHOWN = 6
VALUE_SHOWN = 120
"""Characters of a value before or after a change."""
AGE_SHOWN = 60.0
"""A snapshot that is older than the newest by so many seconds is said to be."""


def change_lines(results: Results) -> list[Message]:
    """Return a line for each change: merged snapshots, new and repaired, changed since the baseline, open waivers."""
    lines = list(merged_lines(results))
    if results.history is not None and len(results.history.runs) > 1 and results.run.exit != 2:
        lines.append(_nightly(results.history))
    if results.comparison is not None:
        lines.append(_baseline(results.comparison))
    for waiver in results.waivers:
        if waiver.state != "used":
            lines.append(waiver_line(waiver))
    return lines


def merged_lines(results: Results) -> Iterator[Message]:
    """Yield a line for each of the snapshots that were judged together, and one for the hosts that several have."""
    for part in results.merged:
        line = plural(
            "merged: {source} of {started}, {count} host",
            "merged: {source} of {started}, {count} hosts",
            count=part.hosts,
            source=part.source,
            started=day(part.started),
        )
        if part.age_seconds >= AGE_SHOWN:
            older = part.age_seconds / 60
            line = msg("{line}; {older:.0f} minutes older than the newest", line=line, older=older)
        yield line
    several = [host for part in results.merged for host in part.elsewhere]
    if several:
        yield msg(
            "in several snapshots, the newest counts: {hosts}", hosts=_some(list(dict.fromkeys(several)))
        )


def _nightly(history: History) -> Message:
    before = day(history.runs[-2].started)
    if history.new or history.repaired:
        new, repaired = _some(history.new), _some(history.repaired)
        line = msg(
            "since the run of {before}: new {new}; repaired {repaired}",
            before=before,
            new=new,
            repaired=repaired,
        )
    else:
        line = msg("since the run of {before}: nothing new, nothing repaired", before=before)
    if history.flapping:
        return msg("{line}; flapping: {flapping}", line=line, flapping=_some(history.flapping))
    return line


def _baseline(comparison: Comparison) -> Message:
    before = day(comparison.started)
    if not comparison.verdicts and not comparison.facts:
        line = msg("compared with the baseline of {before}: no verdict and no fact differs", before=before)
    else:
        line = msg(
            "compared with the baseline of {before}: changed verdicts {verdicts}; changed facts {facts}",
            before=before,
            verdicts=_some([change.id for change in comparison.verdicts]),
            facts=_some([fact_name(change) for change in comparison.facts]),
        )
    if not comparison.not_compared:
        return line
    return msg(
        "{line}; not compared, since upgraded: {hosts}",
        line=line,
        hosts=_some([one.host for one in comparison.not_compared]),
    )


def not_compared(comparison: Comparison | None) -> list[Message]:
    """Return a line for each group of upgraded hosts: what of them cannot be compared with the baseline."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for one in comparison.not_compared if comparison else ():
        groups.setdefault((one.before, one.after, tuple(one.conditions)), []).append(one.host)
    return [
        msg(
            "{hosts}: {before} -> {after}: processes, and the conditions of one generation only: {conditions}",
            hosts=", ".join(hosts),
            before=before,
            after=after,
            conditions=", ".join(conditions),
        )
        if conditions
        else msg(
            "{hosts}: {before} -> {after}: processes", hosts=", ".join(hosts), before=before, after=after
        )
        for (before, after, conditions), hosts in groups.items()
    ]


def verdict_differences(comparison: Comparison | None) -> list[Message]:
    """Return one line for each verdict that differs from the baseline: what, before -> after."""
    unchecked = msg("not checked")
    return [
        msg(
            "{what}: {before} -> {after}",
            what=change.id,
            before=label(change.before) if change.before else unchecked,
            after=label(change.after) if change.after else unchecked,
        )
        for change in (comparison.verdicts if comparison else ())
    ]


def fact_differences(comparison: Comparison | None) -> list[Message]:
    """Return one line for each fact that differs from the baseline: what, before -> after."""
    absent = msg("absent")
    return [
        msg(
            "{what}: {before} -> {after}",
            what=fact_name(fact),
            before=absent if fact.before is None else _short(fact.before),
            after=absent if fact.after is None else _short(fact.after),
        )
        for fact in (comparison.facts if comparison else ())
    ]


def _short(value: str) -> str:
    """Return the beginning of a value: what comes after the arrow must not be cut off."""
    return value if len(value) <= VALUE_SHOWN else f"{value[:VALUE_SHOWN]} ..."


def fact_name(change: FactChange) -> Message:
    return joined(" ", [change.host, kind(change), change.name])


def kind(change: FactChange) -> Message:
    return {
        "version": msg("version"),
        "setting": msg("setting"),
        "process": msg("process"),
        "listener": msg("listener"),
        "upstream": msg("upstream"),
    }[change.kind]


def waiver_line(waiver: WaiverUse) -> Message:
    """Return a line about a waiver for a reader: its state, its owner, its last day."""
    what = waiver.condition + (f" ({', '.join(waiver.hosts)})" if waiver.hosts else "")
    whose = f"{waiver.owner}: {waiver.reason}"
    match waiver.state:
        case "expired":
            return msg(
                "waiver {what} expired on {expires}: remove or renew it ({whose})",
                what=what,
                expires=waiver.expires,
                whose=whose,
            )
        case "unneeded":
            return msg(
                "waiver {waiver} is no longer needed, its conditions hold: remove it ({owner})",
                waiver=what,
                owner=whose,
            )
        case "changed":
            return msg(
                'waiver {what} does not hold, it fails with other evidence than "{evidence}" ({whose})',
                what=what,
                evidence=waiver.evidence,
                whose=whose,
            )
        case _:
            return msg(
                "waiver {what} holds until {expires} ({whose})",
                what=what,
                expires=waiver.expires,
                whose=whose,
            )


def since(results: Results, id_: str) -> Message | str | None:
    """Return since when something is bad, as far as the history reaches."""
    if results.history is None or id_ not in results.history.since:
        return None
    if id_ in results.history.new:
        return msg("new in this run")
    return day(results.history.since[id_])


def day(at: str) -> str:
    """Format the start of a run for a reader: 2026-03-07 03:15."""
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M")


def moment(at: str) -> str:
    """Format the start of a run with its zone: 2026-03-07 03:15 UTC+08:00."""
    zone = datetime.fromisoformat(at).strftime("%z")
    return f"{day(at)} UTC{zone[:3]}:{zone[3:5]}" if zone else day(at)


def _some(names: Sequence[Message | str]) -> Message | str:
    """Return the number, and the first of them."""
    if not names:
        return "0"
    rest = len(names) - IDS_SHOWN
    shown = joined(", ", names[:IDS_SHOWN], context="ids")
    if rest > 0:
        return msg("{number} ({shown}, and {rest} more)", number=len(names), shown=shown, rest=rest)
    return msg("{number} ({shown})", number=len(names), shown=shown)
