"""Root causes where a CI server shows findings of a tool: GitLab's code quality report, GitHub's annotations."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bkpaas.record import Results, RootCause, write_private
from bkpaas.report.text import cut

TEXT_LIMIT = 500
"""Characters of one description."""


def write(results: Results, path: Path) -> None:
    """Write the root causes as a code quality report of GitLab: a JSON array, private, replacing the file as a whole."""
    text = json.dumps([_finding(results, cause) for cause in results.causes], ensure_ascii=False, indent=1)
    write_private(path, (text + "\n").encode("utf-8", "replace"))


def github(results: Results) -> list[str]:
    """Return the root causes as workflow commands of GitHub, which become annotations of the run."""
    return [
        f"::{'warning' if _verdict(results, cause) == 'warn' else 'error'}"
        f" title={_escaped(cause.headline, ',:')}::{_escaped(', '.join(cause.ids))}"
        for cause in results.causes
    ]


def _verdict(results: Results, cause: RootCause) -> str:
    return results.verdict(cause.ids[0]).verdict


def _finding(results: Results, cause: RootCause) -> dict[str, object]:
    language = results.run.language
    hosts = ", ".join(cause.hosts)
    name = results.verdict(cause.ids[0]).condition
    return {
        "description": cut(f"{cause.headline} ({hosts})" if hosts else cause.headline, TEXT_LIMIT, language),
        "check_name": name,
        "fingerprint": hashlib.sha256(f"{name}\n{cause.case}\n{cause.ids[0]}".encode()).hexdigest(),
        "severity": "minor" if _verdict(results, cause) == "warn" else "critical",
        "location": {"path": results.run.inventory, "lines": {"begin": 1}},
    }


def _escaped(text: str, more: str = "") -> str:
    """Escape what would end a workflow command or one of its properties."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
