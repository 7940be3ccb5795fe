"""What a record says about other runs and about waivers, in short lines: only what somebody should know."""

from __future__ import annotations

from datetime import datetime

from bkpaas.lang import say
from bkpaas.report.record import Comparison, FactChange, History, Results, WaiverUse

IDS_SHOWN = 6


def news(results: Results) -> list[str]:
    """One line each: new and repaired since the last run, what changed since the baseline, waivers that need a hand."""
    lines = []
    if results.history is not None and len(results.history.runs) > 1 and results.run.exit != 2:
        lines.append(_nightly(results.history))
    if results.comparison is not None:
        lines.append(_beside(results.comparison))
    for waiver in results.waivers:
        if waiver.state != "used":
            lines.append(waiver_line(waiver))
    return lines


def _nightly(history: History) -> str:
    before = day(history.runs[-2].started)
    flapping = (
        say(en=f"; flapping: {_some(history.flapping)}", zh=f"；反复变化：{_some(history.flapping)}")
        if history.flapping
        else ""
    )
    if not history.new and not history.repaired:
        return (
            say(
                en=f"since the run of {before}: nothing new, nothing repaired",
                zh=f"与 {before} 的运行相比：没有新增异常，也没有恢复",
            )
            + flapping
        )
    return (
        say(
            en=f"since the run of {before}: new {_some(history.new)}; repaired {_some(history.repaired)}",
            zh=f"与 {before} 的运行相比：新增异常 {_some(history.new)}；已恢复 {_some(history.repaired)}",
        )
        + flapping
    )


def _beside(comparison: Comparison) -> str:
    before = day(comparison.started)
    verdicts, facts = len(comparison.verdicts), len(comparison.facts)
    if not verdicts and not facts:
        return say(
            en=f"beside the baseline of {before}: no verdict and no fact differs",
            zh=f"与 {before} 的基线相比：判定和事实均无变化",
        )
    ids = _some([change.id for change in comparison.verdicts])
    names = _some([fact_name(change) for change in comparison.facts])
    return say(
        en=f"beside the baseline of {before}: verdicts changed {ids}; facts changed {names}",
        zh=f"与 {before} 的基线相比：判定变化 {ids}；事实变化 {names}",
    )


def fact_name(change: FactChange) -> str:
    return f"{change.host} {kind(change)} {change.name}"


def kind(change: FactChange) -> str:
    return {
        "version": say(en="version", zh="版本"),
        "setting": say(en="setting", zh="配置"),
        "process": say(en="process", zh="进程"),
        "listener": say(en="listener", zh="监听"),
        "upstream": say(en="upstream", zh="上游"),
    }[change.kind]


def waiver_line(waiver: WaiverUse) -> str:
    """A waiver and what became of it, for a person: why it is mentioned, whose it is, until when."""
    what = waiver.condition + (f" ({', '.join(waiver.hosts)})" if waiver.hosts else "")
    whose = f"{waiver.owner}: {waiver.reason}"
    match waiver.state:
        case "expired":
            return say(
                en=f"waiver {what} expired on {waiver.expires}: remove or renew it ({whose})",
                zh=f"豁免 {what} 已于 {waiver.expires} 到期：请删除或续期（{whose}）",
            )
        case "unneeded":
            return say(
                en=f"waiver {what} is no longer needed, nothing fails there: remove it ({whose})",
                zh=f"豁免 {what} 已不再需要，对应检查项均已通过：请删除（{whose}）",
            )
        case "changed":
            return say(
                en=f'waiver {what} does not hold, it fails with other evidence than "{waiver.evidence}" ({whose})',
                zh=f"豁免 {what} 未生效，失败证据已不是“{waiver.evidence}”（{whose}）",
            )
        case _:
            return say(
                en=f"waiver {what} holds until {waiver.expires} ({whose})",
                zh=f"豁免 {what} 有效至 {waiver.expires}（{whose}）",
            )


def since(results: Results, id_: str) -> str | None:
    """Since when something is bad, as far as the history tells."""
    if results.history is None or id_ not in results.history.since:
        return None
    if id_ in results.history.new:
        return say(en="new in this run", zh="本次运行新出现")
    return day(results.history.since[id_])


def day(at: str) -> str:
    """The start of a run as a person reads it: 2026-03-07 03:15."""
    return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M")


def _some(names: list[str]) -> str:
    """How many, and the first of them."""
    if not names:
        return "0"
    rest = len(names) - IDS_SHOWN
    more = say(en=f", and {rest} more", zh=f"，另有 {rest} 项") if rest > 0 else ""
    shown = ", ".join(names[:IDS_SHOWN]) + more
    return say(en=f"{len(names)} ({shown})", zh=f"{len(names)} 项（{shown}）")
