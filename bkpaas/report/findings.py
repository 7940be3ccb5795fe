"""What a record says to a person: one sentence, the root causes with what they explain, who was not seen."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from bkpaas.lang import many, say
from bkpaas.report.record import HostRecord, Results, Verdict, Word

FAILURES: tuple[Word, ...] = ("fail", "no_data")


class Cause(NamedTuple):
    """A root cause and the failures folded under it, in the order of the record."""

    verdict: Verdict
    explains: list[Verdict]
    probably: list[Verdict]
    """Those behind something that nobody could look at: likely consequences, not known ones."""

    @property
    def folded(self) -> int:
        return len(self.explains) + len(self.probably)


def causes(results: Results) -> list[Cause]:
    """What failed on its own, the most explanatory first. A failure with two causes stands under both.

    What merely could not be judged is a cause only when something follows from it.
    """
    verdicts = {verdict.id: verdict for verdict in results.verdicts}
    roots = (verdicts[id_] for id_ in results.root_causes)
    found = {root.id: Cause(root, [], []) for root in roots if root.verdict in FAILURES}
    behind = {id_: verdict.explained_by for id_, verdict in verdicts.items() if verdict.explained_by}
    known = {id_: [c for c in ids if verdicts[c].verdict != "no_data"] for id_, ids in behind.items()}
    for id_ in behind:
        verdict = verdicts[id_]
        certain = _roots(id_, known)
        for root in sorted((found.keys() & _roots(id_, behind)) - {id_}):
            (found[root].explains if root in certain else found[root].probably).append(verdict)
    return [cause for cause in found.values() if cause.verdict.verdict == "fail" or cause.folded]


def _roots(id_: str, behind: dict[str, list[str]]) -> set[str]:
    """Everything that accounts for a verdict, directly or through others."""
    seen: set[str] = set()
    ahead = list(behind.get(id_, ()))
    while ahead:
        cause = ahead.pop()
        if cause not in seen:
            seen.add(cause)
            ahead.extend(behind.get(cause, ()))
    return seen


def unexplained(results: Results) -> list[Verdict]:
    """Failures that are neither a cause nor folded under one: mostly what could not be judged."""
    shown = {cause.verdict.id for cause in causes(results)}
    return [
        verdict
        for verdict in results.verdicts
        if verdict.verdict in FAILURES and verdict.id not in shown and not verdict.explained_by
    ]


def unseen(results: Results) -> list[HostRecord]:
    """Hosts that gave no data, or not all of it."""
    return [host for host in results.hosts if not host.collected or host.error]


class Group(NamedTuple):
    """Verdicts of one word that share their reason."""

    word: Word
    reason: str
    ids: list[str]


def unjudged(results: Results) -> list[Group]:
    """What could not be judged and is not folded under a cause, by reason.

    What is not applicable or waived is told too when nothing failed and the run is not green all the same.
    """
    bad = results.counts["fail"] + results.counts["no_data"]
    told = results.verdicts if not bad and tone(results) != "pass" else unexplained(results)
    groups: dict[tuple[Word, str], Group] = {}
    for verdict in told:
        if verdict.verdict in ("no_data", "not_applicable", "waived"):
            key = (verdict.verdict, verdict.reason or verdict.title)
            groups.setdefault(key, Group(*key, [])).ids.append(verdict.id)
    return list(groups.values())


def tone(results: Results) -> Word:
    """The word that stands for the whole run: pass only if it is green."""
    if results.counts["fail"] or partial(results):
        return "fail"
    return "pass" if results.run.exit == 0 and results.counts["pass"] else "no_data"


def partial(results: Results) -> str | None:
    """Why the record does not cover the whole run; None when it does."""
    if results.run.exit == 2:
        return say(en="Interrupted: this report is partial.", zh="运行被中断，本报告不完整。")
    if results.run.exit == 3:
        return say(
            en="The suite itself broke (exit code 3): this report is partial.",
            zh="测试套件自身出错（退出码 3），本报告不完整。",
        )
    return None


def sentence(results: Results) -> str:
    """The outcome in one sentence; a partial run says so first."""
    notice = partial(results)
    outcome = _outcome(results)
    return notice + say(en=" ", zh="") + outcome if notice else outcome


def _outcome(results: Results) -> str:
    counts = results.counts
    if counts["fail"] or counts["no_data"]:
        return _failed(results)
    if not (counts["pass"] or counts["warn"]):
        return _nothing_judged(counts)
    if results.lost:
        lost = many(len(results.lost), "output")
        return say(
            en=f"{_all_well(results)} But {lost} of this run could not be written or sent.",
            zh=f"{_all_well(results)}但本次运行有 {len(results.lost)} 项输出未能写入或送达。",
        )
    if results.run.exit == 1:
        return say(
            en="Nothing failed, yet the run is not green: see the warnings and what was not applicable.",
            zh="没有失败项，但本次运行不算通过：请查看警告和不适用的检查项。",
        )
    return _all_well(results)


def _failed(results: Results) -> str:
    loose = Counter(verdict.verdict for verdict in unexplained(results))
    fail, no_data = results.counts["fail"] - loose["fail"], results.counts["no_data"] - loose["no_data"]
    parts = [_explained(len(causes(results)), fail, no_data)] if fail + no_data else []
    if loose["fail"]:
        told = many(loose["fail"], "failure")
        parts.append(say(en=f"{told} without a known cause", zh=f"{loose['fail']} 项失败原因不明"))
    if loose["no_data"]:
        told = many(loose["no_data"], "condition")
        parts.append(say(en=f"{told} could not be judged", zh=f"{loose['no_data']} 项检查未能判定"))
    return say(en="; ", zh="；").join(parts) + say(en=".", zh="。")


def _explained(roots: int, fail: int, no_data: int) -> str:
    bad = fail + no_data
    mixed = say(en=f" ({fail} failed, {no_data} without data)", zh=f"（{fail} 项失败，{no_data} 项无数据）")
    detail = mixed if fail and no_data else ""
    what = say(en=many(bad, "failure"), zh=f" {bad} 项{'异常' if detail else '失败'}") + detail
    if roots == bad:
        return say(en=what, zh=f"共{what}")
    verb = "explains" if roots == 1 else "explain"
    return say(en=f"{many(roots, 'cause')} {verb} {what}", zh=f"{roots} 个根因解释了全部{what}")


def _nothing_judged(counts: dict[str, int]) -> str:
    other = {word: counts[word] for word in ("not_applicable", "waived") if counts[word]}
    rest = say(en=", ", zh="，").join(f"{number} {label(word)}" for word, number in other.items())
    return say(en="Nothing was judged", zh="没有做出任何判定") + say(
        en=f": {rest}." if rest else ".", zh=f"：{rest}。" if rest else "。"
    )


def _all_well(results: Results) -> str:
    counts = results.counts
    hosts, judged, warn = len(results.hosts), counts["pass"] + counts["warn"], counts["warn"]
    if warn:
        return say(
            en=f"Nothing failed: {judged} conditions on {many(hosts, 'host')}, {many(warn, 'warning')}.",
            zh=f"没有失败项：{hosts} 台主机，{judged} 项检查，{warn} 项警告。",
        )
    return say(
        en=f"All is well: {many(judged, 'condition')} {'holds' if judged == 1 else 'hold'} on {many(hosts, 'host')}.",
        zh=f"一切正常：{hosts} 台主机上的 {judged} 项检查全部通过。",
    )


def label(word: str) -> str:
    """The verdict word for a person."""
    return {
        "pass": say(en="pass", zh="通过"),
        "warn": say(en="warn", zh="警告"),
        "fail": say(en="fail", zh="失败"),
        "no_data": say(en="no data", zh="无数据"),
        "not_applicable": say(en="not applicable", zh="不适用"),
        "waived": say(en="waived", zh="已豁免"),
    }[word]
