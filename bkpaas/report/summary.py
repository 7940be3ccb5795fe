"""The run in Markdown for a ticket: short, the causes first, nothing in it but text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bkpaas.lang import say
from bkpaas.report.findings import Cause, causes, label, sentence, unexplained, unseen
from bkpaas.report.news import news, since
from bkpaas.report.record import WORDS, Results, Verdict
from bkpaas.report.text import cut, visible, whole_lines

CAUSES_IN_FULL = 10
LINES_SHOWN = 20
EVIDENCE_LIMIT = 1_500
"""Characters of one evidence."""
REMEDY_LIMIT = 3_000
LINE_LIMIT = 300
IDS_SHOWN = 10

_SPECIAL = re.compile(
    r"([\\`*_\[\]<>#|~@&$]|^[-+=]|(?<=^\d)[.)](?=\s)|(?<=^\d\d)[.)](?=\s)|!(?=\d)|:(?=//)|(?<=www)\.)"
)
"""What some reader of Markdown makes markup, a link, a reference or a mention of."""
_RUN = re.compile("`+")


def markdown(results: Results) -> str:
    """The whole text, with a line end at its end."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield f"# {escaped(say(en='BlueKing PaaS acceptance', zh='蓝鲸 PaaS 验收'))}"
    yield ""
    yield f"**{escaped(sentence(results))}**"
    yield ""
    yield from _table(results)
    if lines := news(results):
        yield ""
        yield from (f"- {escaped(cut(line, LINE_LIMIT))}" for line in lines)
    found = causes(results)
    for number, cause in enumerate(found[:CAUSES_IN_FULL], 1):
        yield ""
        yield from _cause(results, number, cause)
    yield from _list(
        say(en="Further causes", zh="其他根因"), [_entry(cause.verdict) for cause in found[CAUSES_IN_FULL:]]
    )
    loose = [_entry(verdict) for verdict in unexplained(results)]
    yield from _list(say(en="Without a known cause", zh="原因不明"), loose)
    yield from _list(
        say(en="Hosts without data", zh="没有数据的主机"),
        [
            f"{code(host.name)}{_colon()}{code(cut(host.error or say(en='not visited', zh='未访问'), LINE_LIMIT))}"
            for host in unseen(results)
        ],
    )
    warned = [v for v in results.verdicts if v.verdict == "warn" and not v.explained_by]
    yield from _list(say(en="Warnings", zh="警告"), [_entry(verdict) for verdict in warned])
    # The reason of what is waived names who accepted it and its last day.
    yield from _list(
        say(en="Waived", zh="已豁免"),
        [_entry(verdict, verdict.reason) for verdict in results.verdicts if verdict.verdict == "waived"],
    )


def _table(results: Results) -> Iterator[str]:
    run = results.run
    yield "| | |"
    yield "|---|---|"
    for name, value in {
        say(en="started", zh="开始时间"): run.started,
        say(en="duration", zh="耗时"): f"{run.seconds:.1f} s",
        say(en="inventory", zh="清单"): run.inventory,
        say(en="hosts", zh="主机"): str(len(results.hosts)),
        say(en="exit code", zh="退出码"): str(run.exit),
        say(en="suite", zh="套件版本"): run.suite,
    }.items():
        yield f"| {escaped(name)} | {escaped(_one_line(value))} |"
    for word in WORDS:
        if results.counts[word]:
            yield f"| {escaped(label(word))} | {results.counts[word]} |"


def _cause(results: Results, number: int, cause: Cause) -> Iterator[str]:
    verdict = cause.verdict
    yield f"## {number}. {escaped(label(verdict.verdict))}{_colon()}{code(verdict.id)}"
    yield ""
    yield escaped(cut(verdict.title, LINE_LIMIT))
    facts = {
        say(en="hosts", zh="主机"): ", ".join(verdict.hosts) or verdict.subject,
        say(en="since", zh="始于"): since(results, verdict.id) or "",
    }
    told = [
        f"- {escaped(name)}{_colon()}{escaped(_one_line(value))}" for name, value in facts.items() if value
    ]
    for name, verdicts in {
        say(en="explains", zh="导致"): cause.explains,
        say(en="probably explains", zh="可能导致"): cause.probably,
    }.items():
        if verdicts:
            told.append(f"- {escaped(name)} {len(verdicts)}: {_some(verdicts)}")
    yield ""
    yield from told
    seen = verdict.evidence or verdict.reason
    if seen:
        yield ""
        yield escaped(say(en="Evidence:", zh="证据："))
        yield ""
        yield block(cut(seen, EVIDENCE_LIMIT))
    if verdict.remedy:
        yield ""
        yield escaped(say(en="Remedy:", zh="处理办法："))
        yield from _remedy(whole_lines(verdict.remedy, REMEDY_LIMIT))


def _remedy(text: str) -> Iterator[str]:
    """Prose as prose, lines that are commands in blocks, without their "$ "."""
    commands: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.startswith("$ "):
            commands.append(line[2:])
            continue
        if commands:
            yield ""
            yield block("\n".join(commands), "sh")
            commands = []
        if line.strip():
            yield ""
            yield escaped(line)


def _list(heading: str, entries: list[str]) -> Iterator[str]:
    if not entries:
        return
    yield ""
    yield f"## {escaped(heading)} ({len(entries)})"
    yield ""
    yield from (f"- {entry}" for entry in entries[:LINES_SHOWN])
    rest = len(entries) - LINES_SHOWN
    if rest > 0:
        yield "- " + escaped(say(en=f"and {rest} more", zh=f"另有 {rest} 项"))


def _entry(verdict: Verdict, said: str | None = None) -> str:
    seen = (said or verdict.evidence or verdict.reason or verdict.title).split("\n", 1)[0]
    return f"{code(verdict.id)}{_colon()}{code(cut(seen, LINE_LIMIT))}"


def _some(verdicts: list[Verdict]) -> str:
    shown = ", ".join(code(verdict.id) for verdict in verdicts[:IDS_SHOWN])
    rest = len(verdicts) - IDS_SHOWN
    return shown + (escaped(say(en=f", and {rest} more", zh=f"，另有 {rest} 项")) if rest > 0 else "")


def _colon() -> str:
    return say(en=": ", zh="：")


def _one_line(text: str) -> str:
    return " ".join(cut(text, LINE_LIMIT).split())


def escaped(text: str) -> str:
    """Text that stays text: no markup, no link, no mention, no HTML, no second line."""
    return _SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))


def code(text: str) -> str:
    """A code span that no backtick in it can end."""
    shown = " ".join(visible(text).split())
    fence = "`" * (1 + max((len(run) for run in _RUN.findall(shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def block(text: str, language: str = "") -> str:
    """A fenced block that nothing in it can end."""
    fence = "`" * max(3, 1 + max((len(run) for run in _RUN.findall(text)), default=0))
    return f"{fence}{language or 'text'}\n{text}\n{fence}"
