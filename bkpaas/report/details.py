"""What this suite adds to pytest-html's page: columns for each row, the outcome before the table.

pytest-html puts what it is given into the page as it is, so everything is escaped here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from html import escape
from pathlib import Path
from typing import Any

import pytest
from pytest_html.basereport import BaseReport

from bkpaas.lang import say
from bkpaas.report.findings import causes, label, sentence
from bkpaas.report.record import Results, Verdict, write_private
from bkpaas.report.text import cut, whole_lines

TEXT_LIMIT = 2_000
"""Characters of one evidence or remedy; results.json holds the whole."""
ROWS = 3_000
"""More verdicts than this, and only what is not pass gets a row: a browser shows no more of pytest-html's rows in time."""
CAUSES_SHOWN = 20
IDS_SHOWN = 200


def write_privately(
    plugins: pytest.PytestPluginManager, attempt: Callable[[Path, Callable[[Path], object]], bool]
) -> None:
    """Let pytest-html's report replace its file as a whole, private from its creation; attempt does the writing.

    If that fails, the report is unregistered, else it would claim to be there.
    """
    for report in [plugin for plugin in plugins.get_plugins() if isinstance(plugin, BaseReport)]:

        def write(page: str, report: Any = report) -> None:
            data = page.encode("utf-8", "replace")
            if not attempt(report._report_path, lambda path: write_private(path, data)):
                plugins.unregister(report)

        report._write_report = write


def header_cells() -> list[str]:
    """The head of our columns, for pytest_html_results_table_header. Those that fit on a line can be sorted by."""
    # pytest-html keeps what it sorts by in one namespace with its own "id", "result" and so on.
    columns = {
        "bkId": say(en="Id", zh="编号"),
        "bkTitle": say(en="Condition", zh="检查项"),
        "bkSubject": say(en="Subject", zh="对象"),
        "bkVerdict": say(en="Verdict", zh="判定"),
    }
    return [
        *(f'<th class="sortable" data-column-type="{key}">{name}</th>' for key, name in columns.items()),
        f"<th>{say(en='Evidence', zh='证据')}</th>",
        f"<th>{say(en='Remedy', zh='处理办法')}</th>",
    ]


def row_cells(verdict: Verdict) -> list[str]:
    """The cells of one row in the order of header_cells, for pytest_html_results_table_row."""
    return [
        f'<td class="col-bkId">{_line(verdict.id)}</td>',
        f'<td class="col-bkTitle">{_line(verdict.title)}</td>',
        f'<td class="col-bkSubject">{_line(verdict.subject)}</td>',
        f'<td class="col-bkVerdict">{_line(label(verdict.verdict))}</td>',
        f"<td>{_block(verdict.evidence or verdict.reason)}</td>",
        f"<td>{_block(verdict.remedy, whole_lines)}</td>",
    ]


def plain_cells(test: str, said: str | None) -> list[str]:
    """Those of a test that judges no condition."""
    empty = "<td></td>"
    return [
        f'<td class="col-bkId">{_line(test)}</td>',
        empty,
        empty,
        empty,
        f"<td>{_block(said)}</td>",
        empty,
    ]


def prefix(results: Results, lost: Collection[str] = (), left_out: int = 0) -> list[str]:
    """What stands before the table, for pytest_html_results_summary.

    lost: ids without a row of their own, such as those of a worker that died; pytest-html drops them without a word.
    left_out: how many verdicts got no row because they are pass and there are too many.
    """
    found = causes(results)
    parts = [f"<h2>{_line(sentence(results))}</h2>"]
    if left_out:
        parts.append(
            "<p>"
            + say(
                en=f"{left_out} verdicts that are pass have no row here; report.html has them all.",
                zh=f"此处省略 {left_out} 项通过的判定，全部判定见 report.html。",
            )
            + "</p>"
        )
    if found:
        parts.append(
            f"<ol>{''.join(f'<li>{_cause(cause.verdict)}</li>' for cause in found[:CAUSES_SHOWN])}</ol>"
        )
    if len(found) > CAUSES_SHOWN:
        more = len(found) - CAUSES_SHOWN
        parts.append(
            f"<p>{say(en=f'{more} further causes: see report.html', zh=f'其余 {more} 个根因见 report.html')}</p>"
        )
    if lost:
        ids = sorted(lost)
        named = ", ".join(ids[:IDS_SHOWN]) + (" ..." if len(ids) > IDS_SHOWN else "")
        heading = say(en=f"{len(ids)} without a row below", zh=f"下表中缺少的 {len(ids)} 项")
        parts.append(f"<p><strong>{heading}</strong>: {_line(named)}</p>")
    return parts


def _cause(verdict: Verdict) -> str:
    seen, remedy = _block(verdict.evidence or verdict.reason), _block(verdict.remedy, whole_lines)
    return f"<strong>{_line(verdict.id)}</strong> {_line(verdict.title)}{seen}{remedy}"


def _line(text: str) -> str:
    """On one line, since pytest-html finds what it sorts by with an expression that stops at a newline."""
    return escape(" ".join(cut(text, TEXT_LIMIT).split()))


def _block(text: str | None, shorten: Callable[[str, int], str] = cut) -> str:
    if not text:
        return ""
    style = "white-space: pre-wrap; overflow-wrap: anywhere; margin: 0"
    return f'<pre style="{style}">{escape(shorten(text, TEXT_LIMIT))}</pre>'
