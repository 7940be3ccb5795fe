"""What a run prints at its end: remarks on the inventory, the summary or an explanation, what else happened."""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bkpaas import former_names, libraries
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment
from bkpaas.libraries import MESSAGES
from bkpaas.messages import msg, plural, to_text
from bkpaas.plugin.explanation import explain
from bkpaas.record import Results
from bkpaas.report import terminal
from bkpaas.report.text import columns, visible, wrap

_ERROR_LENGTH = 2000
"""Characters of the error of a file that could not be imported."""


def lines(
    option: argparse.Namespace,
    deployment: Deployment,
    results: Results,
    facts: Mapping[str, Any] | None,
    *,
    colour: bool,
) -> Iterator[str]:
    """Yield the notes on the inventory and the summary, or what --explain asks for, with the facts."""
    width = shutil.get_terminal_size((100, 24)).columns
    where = str(Path(option.report) / "report.html")
    notes = deployment.notes[2:]  # after the files and the generation
    yield from _notes([to_text(note).replace(f"{deployment.source}/", "") for note in notes], width)
    if not option.explain:
        yield from terminal.summary(results, width=width, colour=colour, where=where)
        return
    try:
        yield from explain(results, option.explain, width, facts)
    except pytest.UsageError as error:
        yield str(error)


def remarks(option: argparse.Namespace, failures: list[str], notices: list[str]) -> Iterator[str]:
    """Yield what else is to be said, line by line."""
    if failures:
        yield ""
        yield to_text(msg("Other pytest tests (not conditions):"))
        yield from (f"  {visible(failure)}" for failure in failures)
    yield from map(visible, former_names.USES)
    yield from map(visible, notices)
    if MESSAGES.total:
        yield _messages(Path(option.report))


def why_not_imported(report: pytest.CollectReport) -> str:
    """Return the file, the line and the whole error of a file that could not be collected."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        location, text = f"{report.nodeid}:{crash.lineno}", str(crash.message)
    else:
        shown = str(report.longrepr).strip().splitlines()
        error = [line[1:].rstrip() for line in shown if line.startswith("E")] or shown
        lines_of_file = re.findall(rf"^{re.escape(report.nodeid)}:(\d+): ", "\n".join(shown), re.MULTILINE)
        location = f"{report.nodeid}:{lines_of_file[-1]}" if lines_of_file else report.nodeid
        text = "\n    ".join(error).strip()
    return Secrets().redact(f"{location}: {text}"[:_ERROR_LENGTH])


def _messages(report: Path) -> str:
    file = report / libraries.FILE
    return to_text(
        plural(
            "{count} message of libraries: {file}",
            "{count} messages of libraries: {file}",
            count=MESSAGES.total,
            file=file,
        )
    )


def _notes(notes: Sequence[str], width: int) -> list[str]:
    """Return what was assumed or ignored in the inventory, in at most two lines; --plan shows all of it."""
    if not notes:
        return []
    head = to_text(msg("inventory: "))
    lines = wrap(visible(head + "; ".join(notes).replace("\n", " ")), width)
    if len(lines) <= 2:
        return lines
    more = to_text(msg(" ... (all of it: --plan)"))
    return [lines[0], wrap(lines[1], width - columns(more))[0] + more]
