"""The end of a run on a terminal: the root causes first, the rest folded, one closing line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bkpaas.language import Language
from bkpaas.messages import Message, msg
from bkpaas.record import WORDS, Results, Verdict
from bkpaas.report.change_lines import (
    change_lines,
    fact_differences,
    not_compared,
    since,
    verdict_differences,
)
from bkpaas.report.findings import (
    Cause,
    causes,
    error_of,
    headline,
    label,
    not_collected_hosts,
    overall_verdict,
    unchecked,
    unexplained,
    warnings,
)
from bkpaas.report.text import columns, cut, visible, whole_lines, wrap

CAUSES_IN_FULL = 8
"""Root causes with evidence and remedy; those after them get one line each."""
WARNINGS_IN_FULL = 3
LINES_SHOWN = 20
"""One-line entries of one list."""
ENTRY_LINES = 4
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
    """Return the lines to print. `where` names the report in the closing line; colour adds ANSI sequences."""
    return list(_Page(width, colour, results.run.language).lines(results, where))


class _Page:
    """Sets the parts of the summary in a width, with or without colour."""

    def __init__(self, width: int, colour: bool, language: Language) -> None:
        self.width = min(max(width, NARROWEST), WIDEST)
        self.colour = colour
        self.language = language

    def text(self, message: Message | str) -> str:
        return message.render(self.language) if isinstance(message, Message) else message

    def paint(self, text: str, name: str) -> str:
        return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if self.colour and name in _COLOURS else text

    def lines(self, results: Results, where: str) -> Iterator[str]:
        yield from (
            self.paint(line, overall_verdict(results))
            for line in wrap(self.text(headline(results)), self.width)
        )
        for line in change_lines(results)[:LINES_SHOWN]:
            yield from wrap(self.cut(line), self.width)
        root_causes = causes(results)
        for number, cause in enumerate(root_causes[:CAUSES_IN_FULL], 1):
            yield ""
            yield from self.cause(results, number, cause)
        yield from self.one_line_each(
            msg("further causes"), (self.short(cause) for cause in root_causes[CAUSES_IN_FULL:])
        )
        yield from self.one_line_each(
            msg("failures without a known cause"),
            (self.entry(verdict) for verdict in unexplained(results) if verdict.verdict == "fail"),
        )
        yield from self.one_line_each(
            msg("hosts without data"),
            (
                f"{host.name} ({host.address}): {error_of(host) or self.text(msg('not collected'))}"
                for host in not_collected_hosts(results)
            ),
        )
        yield from self.unchecked(results)
        yield from self.warnings(results)
        compared = results.comparison
        for title, changes in (
            (msg("verdicts changed since the baseline"), verdict_differences(compared)),
            (msg("facts changed since the baseline"), fact_differences(compared)),
        ):
            yield from self.one_line_each(title, map(self.text, changes))
        upgraded = not_compared(compared)
        yield from self.one_line_each(msg("not compared, since upgraded"), map(self.text, upgraded))
        yield ""
        if results.versions is not None:
            yield from wrap(visible(results.versions.text), self.width)
        yield self.closing(results, where)

    def warnings(self, results: Results) -> Iterator[str]:
        """Return the first warnings in the form of root causes, and a line for each further one."""
        listed = warnings(results)
        if listed:
            yield ""
            yield self.paint(f"{self.text(msg('warnings'))} ({len(listed)})", "bold")
        for number, warning in enumerate(listed[:WARNINGS_IN_FULL], 1):
            yield from self.cause(results, number, warning)
        yield from self.one_line_each(
            msg("further warnings"), (self.short(one) for one in listed[WARNINGS_IN_FULL:])
        )

    def cause(self, results: Results, number: int, cause: Cause) -> Iterator[str]:
        verdict = cause.verdict
        word = f"{number:>2}  {self.text(label(verdict.verdict))}"
        first, *more = wrap(self.cut(cause.headline), self.width - columns(word) - 2)
        yield f"{self.paint(word, verdict.verdict)}  {self.paint(first, 'bold')}"
        yield from (" " * (columns(word) + 2) + self.paint(line, "bold") for line in more)
        yield from self.field(msg("id"), [visible(verdict.id)])
        yield from self.field(msg("expected"), wrap(self.cut(verdict.title), self.width - 14))
        hosts = ", ".join(cause.hosts) or verdict.subject
        yield from self.field(msg("hosts"), wrap(hosts, self.width - 14))
        began = since(results, verdict.id)
        yield from self.field(msg("since"), [self.text(began)] if began is not None else [])
        evidence = verdict.evidence if verdict.evidence else verdict.reason
        name = msg("evidence") if verdict.evidence else msg("reason")
        yield from self.field(
            name, self.first(wrap(self.cut(evidence or ""), self.width - 14), EVIDENCE_LINES)
        )
        yield from self.field(msg("remedy", context="terminal"), self.remedy(verdict.remedy or ""))
        yield from self.field(msg("also"), self.listed(cause.members[1:]))
        yield from self.field(msg("maybe by"), self.listed(cause.possibly_by))
        yield from self.field(msg("explains"), self.consequences(cause.explains))
        yield from self.field(msg("probably"), self.consequences(cause.probably))

    def field(self, heading: Message, lines: list[str]) -> Iterator[str]:
        """Return a named block, its lines in one column; nothing for an empty text."""
        if any(lines):
            name = self.text(heading)
            head = self.paint(name, "faint") + " " * max(1, 10 - columns(name))
            yield f"    {head}{lines[0]}"
            yield from (f"{' ' * 14}{line}".rstrip() for line in lines[1:])

    def cut(self, text: Message | str) -> str:
        return cut(self.text(text), TEXT_LIMIT, self.language)

    def remedy(self, text: str) -> list[str]:
        """Return prose wrapped, and each command whole on a line of its own, so that it can be copied."""
        lines: list[str] = []
        for line in whole_lines(text, TEXT_LIMIT, self.language).splitlines():
            command = line.removeprefix("$ ")
            lines += [f"    {command}"] if command != line else wrap(line, self.width - 14)
        return self.first(lines, REMEDY_LINES)

    def consequences(self, verdicts: list[Verdict]) -> list[str]:
        if not verdicts:
            return []
        ids = self.some([verdict.id for verdict in verdicts])
        line = msg("{number}: {ids}", number=len(verdicts), ids=ids)
        return wrap(self.text(line), self.width - 14)

    def listed(self, verdicts: list[Verdict]) -> list[str]:
        return wrap(self.some([one.id for one in verdicts]), self.width - 14) if verdicts else []

    def short(self, cause: Cause) -> str:
        number = cause.folded
        note = self.text(msg(" (explains {number})", number=number)) if number else ""
        return f"{self.text(cause.headline)}{note}  [{cause.verdict.id}]"

    def entry(self, verdict: Verdict) -> str:
        evidence = (verdict.evidence or verdict.reason or verdict.title).split("\n", 1)[0]
        return f"{verdict.id}: {evidence}"

    def one_line_each(self, heading: Message, entries: Iterable[str]) -> Iterator[str]:
        listed = list(entries)
        if not listed:
            return
        yield ""
        yield self.paint(f"{self.text(heading)} ({len(listed)})", "bold")
        for entry in listed[:LINES_SHOWN]:
            first, *more = self.first(wrap(self.cut(entry), self.width - 6), ENTRY_LINES)
            yield f"    {first}"
            yield from (f"      {line}" for line in more)
        if len(listed) > LINES_SHOWN:
            yield "    " + self.rest(len(listed) - LINES_SHOWN)

    def unchecked(self, results: Results) -> Iterator[str]:
        groups = unchecked(results)
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
            self.paint(f"{number} {self.text(label(word))}", word)
            for word, number in ((word, results.counts[word]) for word in WORDS)
            if number
        )
        line = self.text(msg(", ", context="clauses")).join(counts) or self.text(msg("no verdicts"))
        return f"{line}  ->  {where}" if where else line

    def some(self, ids: list[str]) -> str:
        shown = ", ".join(map(visible, ids[:IDS_SHOWN]))
        return shown if len(ids) <= IDS_SHOWN else f"{shown}, {self.rest(len(ids) - IDS_SHOWN)}"

    def rest(self, number: int) -> str:
        return self.text(msg("and {number} more", number=number))

    def first(self, lines: list[str], limit: int) -> list[str]:
        """Return the first lines, and the number of the rest."""
        return lines if len(lines) <= limit else [*lines[:limit], "... " + self.rest(len(lines) - limit)]
