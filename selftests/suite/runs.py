"""Runs of the suite as an operator starts them, in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from selftests.suite.forks import FORKS, may_fork

ROOT = Path(__file__).parents[2]
RUN_SECONDS = 240.0


class Done:
    """Hold the exit code, the output and the record of a finished run."""

    def __init__(self, code: int, out: str, report: Path) -> None:
        self.exit, self.out, self.directory = code, out, report
        record = report / "results.json"
        self.results: dict[str, Any] = json.loads(record.read_text("utf-8")) if record.is_file() else {}
        self.verdicts: dict[str, dict[str, Any]] = {
            one["id"]: one for one in self.results.get("verdicts", ())
        }

    def of(self, condition: str) -> dict[str, str]:
        """Return the words of a condition's verdicts, by subject."""
        return {
            one["subject"]: one["verdict"] for one in self.verdicts.values() if one["condition"] == condition
        }

    def word(self, id_: str) -> str:
        """Return the word of a verdict."""
        return str(self.verdicts[id_]["verdict"])

    def reason(self, id_: str) -> str | None:
        """Return the reason of a verdict."""
        reason: str | None = self.verdicts[id_]["reason"]
        return reason


def run_suite(
    *words: str,
    report: Path,
    folder: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    around: Sequence[str] = (),
) -> Done:
    """Run pytest in the folder of a suite. around: the words of a command that starts it."""
    language = () if "--lang" in words else ("--lang", "en")
    words = ("-p", "no:cacheprovider", f"--report={report}", *language, *words)
    if environment is not None and may_fork(words, environment) and folder == ROOT and not around:
        return Done(*FORKS.run(words, environment, RUN_SECONDS), report)
    done = subprocess.run(
        [*around, sys.executable, "-m", "pytest", *words],
        cwd=folder,
        env=None if environment is None else dict(environment),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    return Done(done.returncode, done.stdout + done.stderr, report)
