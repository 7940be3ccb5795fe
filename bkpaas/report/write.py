"""Every report of a run in one directory."""

from __future__ import annotations

from pathlib import Path

from bkpaas.report import html, junit
from bkpaas.report.record import Results, write_json


def write_all(results: Results, directory: Path) -> None:
    """Write results.json, report.html and junit.xml, private; the record first, since the others can be made from it.

    details.html beside them is pytest-html's own.
    """
    write_json(results, directory / "results.json")
    html.write(results, directory / "report.html")
    junit.write(results, directory / "junit.xml")
