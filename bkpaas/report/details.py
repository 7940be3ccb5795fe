"""What this suite adds to pytest-html's page: columns for each row, the outcome before the table.

pytest-html puts what it is given into the page as it is, so everything is escaped here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from html import escape
from pathlib import Path
from typing import Any

import pytest
from pytest_html.basereport import BaseReport

from bkpaas.language import Language, get_language
from bkpaas.messages import Message, msg
from bkpaas.record import Results, Verdict, write_private
from bkpaas.report.findings import Cause, causes, headline, label
from bkpaas.report.text import cut, whole_lines

Shorten = Callable[[str, int, Language], str]

TEXT_LIMIT = 2_000
"""Characters of one evidence or remedy; results.json holds the whole."""
ROWS = 3_000
"""More verdicts than this, and only what is not pass gets a row: a browser shows no more of pytest-html's rows in time."""
CAUSES_SHOWN = 20
_FILTER = re.compile(r'(<input checked="true" class="filter"[^>]* data-test-result="([a-z]+)")')
IDS_SHOWN = 200

_REPAIRS = {
    "resultBody.querySelector('tbody').id = testId": "",  # the id of each row would be "undefined"
    "</li>`).join('')}<ul>`": "</li>`).join('')}</ul>`",
}
"""By text of pytest-html's script, what replaces it: markup that a screen reader cannot follow."""


def write_privately(
    plugins: pytest.PytestPluginManager, attempt: Callable[[Path, Callable[[Path], object]], bool]
) -> None:
    """Let pytest-html's report replace its file as a whole, private from its creation; attempt does the writing.

    If that fails, the report is unregistered, else it would claim to be there.
    """
    for report in [plugin for plugin in plugins.get_plugins() if isinstance(plugin, BaseReport)]:

        def write(page: str, report: Any = report) -> None:
            data = readable(page, get_language()).encode("utf-8", "replace")
            if not attempt(report._report_path, lambda path: write_private(path, data)):
                plugins.unregister(report)

        report._write_report = write


def readable(page: str, language: Language) -> str:
    """Return pytest-html's page with its language, a viewport for phones, our style after its own, and names for readers.

    A person who hears the page needs a main region, a name for each filter and an alternative for each picture.
    """
    style = Path(__file__).with_name("details.css").read_text("utf-8")
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    page = page.replace("<html>", f'<html lang="{"zh-CN" if language == "zh" else "en"}">', 1)
    page = page.replace("</head>", f"{viewport}<style>{style}</style></head>", 1)
    head, end, rest = page.partition('<div id="data-container"')  # behind it are texts of hosts
    head = head.replace("<body>", "<body><main>", 1)
    before, footer, after = head.rpartition("<footer>")
    head = f"{before}</main>{footer}{after}" if footer else f"{head}</main>"
    head = _FILTER.sub(r'\1 aria-label="\2"', head).replace('<img src="" />', '<img src="" alt="">')
    for text, repaired in _REPAIRS.items():
        rest = rest.replace(text, repaired, 1)
    return head + end + rest


def header_cells(language: Language) -> list[str]:
    """Return our columns' header cells for pytest_html_results_table_header. One-line columns can be sorted by."""
    # pytest-html keeps what it sorts by in one namespace with its own "id", "result" and so on.
    columns = {
        "bkId": msg("Id"),
        "bkTitle": msg("Condition"),
        "bkSubject": msg("Subject"),
        "bkVerdict": msg("Verdict"),
    }
    return [
        *(
            f'<th class="sortable" data-column-type="{key}">{name.render(language)}</th>'
            for key, name in columns.items()
        ),
        f"<th>{msg('Evidence').render(language)}</th>",
        f"<th>{msg('Remedy').render(language)}</th>",
    ]


def row_cells(verdict: Verdict, language: Language) -> list[str]:
    """Return the cells of a row in the order of header_cells, for pytest_html_results_table_row."""
    return [
        f'<td class="col-bkId">{_line(verdict.id, language)}</td>',
        f'<td class="col-bkTitle">{_line(verdict.title, language)}</td>',
        f'<td class="col-bkSubject">{_line(verdict.subject, language)}</td>',
        f'<td class="col-bkVerdict">{_line(label(verdict.verdict).render(language), language)}</td>',
        f"<td>{_block(verdict.evidence or verdict.reason, language)}</td>",
        f"<td>{_block(verdict.remedy, language, whole_lines)}</td>",
    ]


def plain_cells(test: str, message: str | None, language: Language) -> list[str]:
    """Return the cells of a test that judges no condition."""
    empty = "<td></td>"
    return [
        f'<td class="col-bkId">{_line(test, language)}</td>',
        empty,
        empty,
        empty,
        f"<td>{_block(message, language)}</td>",
        empty,
    ]


def prefix(results: Results, lost: Collection[str] = (), left_out: int = 0) -> list[str]:
    """Return what stands before the table, for pytest_html_results_summary.

    lost: ids without a row of their own, such as those of a worker that died; pytest-html drops them without a word.
    left_out: how many verdicts got no row because they are pass and there are too many.
    """
    root_causes, language = causes(results), results.run.language
    parts = [f"<h2>{_line(headline(results).render(language), language)}</h2>"]
    if left_out:
        parts.append(
            "<p>"
            + msg(
                "{left_out} verdicts that are pass have no row here; report.html has them all.",
                left_out=left_out,
            ).render(language)
            + "</p>"
        )
    if root_causes:
        parts.append(
            f"<ol>{''.join(f'<li>{_cause(cause, language)}</li>' for cause in root_causes[:CAUSES_SHOWN])}</ol>"
        )
    if len(root_causes) > CAUSES_SHOWN:
        more = msg("{more} further causes: see report.html", more=len(root_causes) - CAUSES_SHOWN)
        parts.append(f"<p>{more.render(language)}</p>")
    if lost:
        ids = sorted(lost)
        listed = ", ".join(ids[:IDS_SHOWN]) + (" ..." if len(ids) > IDS_SHOWN else "")
        heading = msg("{number} without a row below", number=len(ids)).render(language)
        parts.append(f"<p><strong>{heading}</strong>: {_line(listed, language)}</p>")
    return parts


def _cause(cause: Cause, language: Language) -> str:
    verdict = cause.verdict
    problem = cause.headline.render(language) if isinstance(cause.headline, Message) else cause.headline
    evidence = _block(verdict.evidence or verdict.reason, language)
    remedy = _block(verdict.remedy, language, whole_lines)
    return f"<strong>{_line(problem, language)}</strong> {_line(verdict.id, language)}{evidence}{remedy}"


def _line(text: str, language: Language) -> str:
    """Join the lines: pytest-html finds what it sorts by with an expression that stops at a newline."""
    return escape(" ".join(cut(text, TEXT_LIMIT, language).split()))


def _block(text: str | None, language: Language, shorten: Shorten = cut) -> str:
    if not text:
        return ""
    style = "white-space: pre-wrap; overflow-wrap: anywhere; margin: 0"
    return f'<pre style="{style}">{escape(shorten(text, TEXT_LIMIT, language))}</pre>'
