"""The end of a run on a terminal: the root causes first, the rest folded, one closing line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bkpaas.lang import say
from bkpaas.report.findings import Cause, causes, label, sentence, tone, unexplained, unjudged, unseen
from bkpaas.report.news import news, since
from bkpaas.report.record import WORDS, Results, Verdict
from bkpaas.report.text import columns, cut, visible, whole_lines, wrap

CAUSES_IN_FULL = 8
"""Root causes with evidence and remedy; those after them get one line each."""
LINES_SHOWN = 20
"""One-line entries of one list."""
EVIDENCE_LINES = 6
REMEDY_LINES = 24
IDS_SHOWN = 8
"""Consequences named under one cause, subjects under one reason."""
TEXT_LIMIT = 2_000
"""Characters of one evidence or remedy that are looked at at all."""
NARROWEST, WIDEST = 40, 120
"""Columns; prose is not set wider than this even where there is room."""

_COLOURS = {
    "fail": "31",
    "no_data": "35",
    "warn": "33",
    "pass": "32",
    "waived": "36",
    "bold": "1",
    "faint": "2",
}


def summary(results: Results, *, width: int, colour: bool, where: str = "") -> list[str]:
    """The lines to print. `where` names the report in the closing line; colour adds ANSI sequences."""
    return list(_Page(width, colour).lines(results, where))


class _Page:
    """Sets the parts of the summary in a width, with or without colour."""

    def __init__(self, width: int, colour: bool) -> None:
        self.width = min(max(width, NARROWEST), WIDEST)
        self.colour = colour

    def paint(self, text: str, name: str) -> str:
        return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if self.colour and name in _COLOURS else text

    def lines(self, results: Results, where: str) -> Iterator[str]:
        yield from (self.paint(line, tone(results)) for line in wrap(sentence(results), self.width))
        for line in news(results)[:LINES_SHOWN]:
            yield from wrap(cut(line, TEXT_LIMIT), self.width)
        found = causes(results)
        for number, cause in enumerate(found[:CAUSES_IN_FULL], 1):
            yield ""
            yield from self.cause(results, number, cause)
        yield from self.one_line_each(
            say(en="further causes", zh="其他根因"), (self.short(cause) for cause in found[CAUSES_IN_FULL:])
        )
        yield from self.one_line_each(
            say(en="failures without a known cause", zh="原因不明的失败项"),
            (self.entry(verdict) for verdict in unexplained(results) if verdict.verdict == "fail"),
        )
        yield from self.one_line_each(
            say(en="hosts without data", zh="没有数据的主机"),
            (
                f"{host.name} ({host.address}): {host.error or say(en='not visited', zh='未访问')}"
                for host in unseen(results)
            ),
        )
        yield from self.unjudged(results)
        yield from self.one_line_each(
            say(en="warnings", zh="警告"),
            (
                self.entry(verdict)
                for verdict in results.verdicts
                if verdict.verdict == "warn" and not verdict.explained_by
            ),
        )
        yield ""
        yield self.closing(results, where)

    def cause(self, results: Results, number: int, cause: Cause) -> Iterator[str]:
        verdict = cause.verdict
        mark = self.paint(f"{number:>2}  {label(verdict.verdict)}", verdict.verdict)
        yield f"{mark}  {self.paint(visible(verdict.id), 'bold')}"
        yield from self.field(say(en="expected", zh="应当"), wrap(verdict.title, self.width - 14))
        named = ", ".join(verdict.hosts) or verdict.subject
        yield from self.field(say(en="hosts", zh="主机"), wrap(named, self.width - 14))
        began = since(results, verdict.id)
        yield from self.field(say(en="since", zh="始于"), [began] if began else [])
        seen = verdict.evidence if verdict.evidence else verdict.reason
        name = say(en="evidence", zh="证据") if verdict.evidence else say(en="reason", zh="原因")
        yield from self.field(
            name, self.first(wrap(cut(seen or "", TEXT_LIMIT), self.width - 14), EVIDENCE_LINES)
        )
        yield from self.field(say(en="remedy", zh="处理"), self.remedy(verdict.remedy or ""))
        yield from self.field(say(en="explains", zh="导致"), self.consequences(cause.explains))
        yield from self.field(say(en="probably", zh="可能导致"), self.consequences(cause.probably))

    def field(self, name: str, lines: list[str]) -> Iterator[str]:
        """A named block, its lines in one column; nothing when there is nothing to say."""
        if any(lines):
            head = self.paint(name, "faint") + " " * max(1, 10 - columns(name))
            yield f"    {head}{lines[0]}"
            yield from (f"{' ' * 14}{line}".rstrip() for line in lines[1:])

    def remedy(self, text: str) -> list[str]:
        """Prose wrapped; a command on one line of its own, whole, so that it can be copied."""
        lines: list[str] = []
        for line in whole_lines(text, TEXT_LIMIT).splitlines():
            command = line.removeprefix("$ ")
            lines += [f"    {command}"] if command != line else wrap(line, self.width - 14)
        return self.first(lines, REMEDY_LINES)

    def consequences(self, verdicts: list[Verdict]) -> list[str]:
        if not verdicts:
            return []
        ids = self.some([verdict.id for verdict in verdicts])
        return wrap(say(en=f"{len(verdicts)}: {ids}", zh=f"{len(verdicts)} 项：{ids}"), self.width - 14)

    def short(self, cause: Cause) -> str:
        number = cause.folded
        return self.entry(
            cause.verdict, say(en=f" (explains {number})", zh=f"（导致 {number} 项）") if number else ""
        )

    def entry(self, verdict: Verdict, note: str = "") -> str:
        seen = (verdict.evidence or verdict.reason or verdict.title).split("\n", 1)[0]
        return f"{verdict.id}{note}: {seen}"

    def one_line_each(self, heading: str, entries: Iterable[str]) -> Iterator[str]:
        listed = list(entries)
        if not listed:
            return
        yield ""
        yield self.paint(f"{heading} ({len(listed)})", "bold")
        for entry in listed[:LINES_SHOWN]:
            first, *more = wrap(cut(entry, TEXT_LIMIT), self.width - 8)
            yield f"    {first}" + (" ..." if more else "")
        if len(listed) > LINES_SHOWN:
            yield "    " + self.rest(len(listed) - LINES_SHOWN)

    def unjudged(self, results: Results) -> Iterator[str]:
        groups = unjudged(results)
        for word in dict.fromkeys(group.word for group in groups):
            yield from self.one_line_each(
                label(word),
                (
                    f"{group.reason} [{len(group.ids)}] {self.some(group.ids)}"
                    for group in groups
                    if group.word == word
                ),
            )

    def closing(self, results: Results, where: str) -> str:
        counts = (
            self.paint(f"{number} {label(word)}", word)
            for word, number in ((word, results.counts[word]) for word in WORDS)
            if number
        )
        line = say(en=", ", zh="，").join(counts) or say(en="no verdicts", zh="没有判定")
        return f"{line}  ->  {where}" if where else line

    def some(self, ids: list[str]) -> str:
        shown = ", ".join(map(visible, ids[:IDS_SHOWN]))
        return shown if len(ids) <= IDS_SHOWN else f"{shown}, {self.rest(len(ids) - IDS_SHOWN)}"

    def rest(self, number: int) -> str:
        return say(en=f"and {number} more", zh=f"另有 {number} 项")

    def first(self, lines: list[str], limit: int) -> list[str]:
        """The first lines, the rest as a number."""
        return lines if len(lines) <= limit else [*lines[:limit], "... " + self.rest(len(lines) - limit)]
