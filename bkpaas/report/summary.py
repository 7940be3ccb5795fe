"""The run in Markdown for a ticket, or in plain text for a mail: short, the causes first, nothing in it but text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bkpaas.language import Language
from bkpaas.messages import Message, msg
from bkpaas.record import WORDS, Results, Verdict
from bkpaas.report import terminal
from bkpaas.report.change_lines import (
    change_lines,
    fact_differences,
    moment,
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
    unexplained,
    warnings,
)
from bkpaas.report.text import cut, visible, whole_lines

CAUSES_IN_FULL = 10
WARNINGS_IN_FULL = 3
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
    """Return the whole text, with a final newline."""
    return "\n".join(_Ticket(results).lines()) + "\n"


def plain(results: Results) -> str:
    """Return the text for a mail: no markup, lines of at most 78 columns, commands whole."""
    head = msg(
        "{domain}, {when}",
        domain=results.run.domain or results.run.inventory,
        when=moment(results.run.started),
    )
    lines = [head.render(results.run.language), "", *terminal.summary(results, width=78, colour=False)]
    return "\n".join(map(visible, lines)) + "\n"


def written(results: Results, file: str) -> str:
    """Return the text for a file: plain text for *.txt, Markdown for any other name."""
    return plain(results) if file.endswith(".txt") else markdown(results)


class _Ticket:
    """The parts of the text in the language of the record."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.language: Language = results.run.language
        self.colon = self.text(msg(": "))

    def text(self, message: Message | str) -> str:
        return message.render(self.language) if isinstance(message, Message) else message

    def prose(self, message: Message | str) -> str:
        return escaped(self.text(message))

    def lines(self) -> Iterator[str]:
        results = self.results
        yield f"# {self.prose(msg('BlueKing PaaS acceptance'))}"
        yield ""
        yield f"**{self.prose(headline(results))}**"
        yield ""
        yield from self.table()
        if lines := change_lines(results):
            yield ""
            yield from (f"- {escaped(self.cut(self.text(line)))}" for line in lines)
        root_causes = causes(results)
        for number, cause in enumerate(root_causes[:CAUSES_IN_FULL], 1):
            yield ""
            yield from self.cause(number, cause)
        further = [self.short(cause) for cause in root_causes[CAUSES_IN_FULL:]]
        yield from self.list(msg("Further causes"), further)
        loose = [self.entry(verdict) for verdict in unexplained(results)]
        yield from self.list(msg("Without a known cause"), loose)
        not_visited = self.text(msg("not collected"))
        hosts = [
            f"{code(host.name)}{self.colon}{code(self.cut(error_of(host) or not_visited))}"
            for host in not_collected_hosts(results)
        ]
        yield from self.list(msg("Hosts without data"), hosts)
        warned = warnings(results)
        if warned:
            yield ""
            yield f"## {self.prose(msg('Warnings'))} ({len(warned)})"
        for number, warning in enumerate(warned[:WARNINGS_IN_FULL], 1):
            yield ""
            yield from self.cause(number, warning, level=3)
        rest = [self.short(warning) for warning in warned[WARNINGS_IN_FULL:]]
        yield from self.list(msg("Further warnings"), rest)
        compared = results.comparison
        for title, changes in (
            (msg("Verdicts changed since the baseline"), verdict_differences(compared)),
            (msg("Facts changed since the baseline"), fact_differences(compared)),
            (msg("Not compared, since upgraded"), not_compared(compared)),
        ):
            yield from self.list(title, [escaped(self.cut(self.text(line))) for line in changes])
        # The reason of what is waived names who accepted it and its last day.
        waived = [self.entry(v, v.reason) for v in results.verdicts if v.verdict == "waived"]
        yield from self.list(msg("Waived"), waived)

    def table(self) -> Iterator[str]:
        results, run = self.results, self.results.run
        yield "| | |"
        yield "|---|---|"
        for name, value in (
            (msg("started"), run.started),
            (msg("duration"), f"{run.seconds:.1f} s"),
            (msg("inventory"), run.inventory),
            (msg("hosts"), str(len(results.hosts))),
            (msg("exit code"), str(run.exit)),
            (msg("suite"), run.suite),
        ):
            yield f"| {self.prose(name)} | {escaped(self.one_line(value))} |"
        for word in WORDS:
            if results.counts[word]:
                yield f"| {self.prose(label(word))} | {results.counts[word]} |"

    def cause(self, number: int, cause: Cause, level: int = 2) -> Iterator[str]:
        verdict = cause.verdict
        yield f"{'#' * level} {number}. {escaped(self.cut(self.text(cause.headline)))}"
        yield ""
        yield f"- {self.prose(label(verdict.verdict))}{self.colon}{code(verdict.id)}"
        facts = (
            (msg("expected"), verdict.title),
            (msg("hosts"), ", ".join(cause.hosts) or verdict.subject),
            (msg("since"), since(self.results, verdict.id) or ""),
        )
        for name, value in facts:
            if text := self.text(value):
                yield f"- {self.prose(name)}{self.colon}{escaped(self.one_line(text))}"
        for name, verdicts in (
            (msg("also"), cause.members[1:]),
            (msg("may also be explained by"), cause.possibly_by),
            (msg("explains"), cause.explains),
            (msg("probably explains"), cause.probably),
        ):
            if verdicts:
                yield f"- {self.prose(name)} {len(verdicts)}: {self.some(verdicts)}"
        evidence = verdict.evidence or verdict.reason
        if evidence:
            yield ""
            yield self.prose(msg("Evidence:"))
            yield ""
            yield block(cut(evidence, EVIDENCE_LIMIT, self.language))
        if verdict.remedy:
            yield ""
            yield self.prose(msg("Remedy:"))
            yield from _remedy(whole_lines(verdict.remedy, REMEDY_LIMIT, self.language))

    def list(self, heading: Message, entries: Sequence[str]) -> Iterator[str]:
        if not entries:
            return
        yield ""
        yield f"## {self.prose(heading)} ({len(entries)})"
        yield ""
        yield from (f"- {entry}" for entry in entries[:LINES_SHOWN])
        rest = len(entries) - LINES_SHOWN
        if rest > 0:
            yield "- " + self.prose(msg("and {number} more", number=rest))

    def short(self, cause: Cause) -> str:
        return f"{escaped(self.cut(self.text(cause.headline)))} {code(cause.verdict.id)}"

    def entry(self, verdict: Verdict, reason: str | None = None) -> str:
        evidence = (reason or verdict.evidence or verdict.reason or verdict.title).split("\n", 1)[0]
        return f"{code(verdict.id)}{self.colon}{code(self.cut(evidence))}"

    def some(self, verdicts: Sequence[Verdict]) -> str:
        shown = ", ".join(code(verdict.id) for verdict in verdicts[:IDS_SHOWN])
        rest = len(verdicts) - IDS_SHOWN
        return shown + (self.prose(msg(", and {number} more", number=rest)) if rest > 0 else "")

    def cut(self, text: str) -> str:
        return cut(text, LINE_LIMIT, self.language)

    def one_line(self, text: str) -> str:
        return " ".join(self.cut(text).split())


def _remedy(text: str) -> Iterator[str]:
    """Return prose as prose, and lines that are commands in blocks, without their "$ "."""
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


def escaped(text: str) -> str:
    """Escape text: no markup, link, mention, HTML or second line results from it."""
    return _SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))


def code(text: str) -> str:
    """Return a code span that no backtick in it can end."""
    shown = " ".join(visible(text).split())
    fence = "`" * (1 + max((len(run) for run in _RUN.findall(shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def block(text: str, language: str = "") -> str:
    """Return a fenced block that nothing in it can end."""
    fence = "`" * max(3, 1 + max((len(run) for run in _RUN.findall(text)), default=0))
    return f"{fence}{language or 'text'}\n{text}\n{fence}"
