"""The suite as a site has it: the repository, with tests_site/ next to the other tests."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HEALTHY = ROOT / "selftests/snapshots/healthy.json"
DOCUMENTS = (ROOT / "docs/custom-checks.md", ROOT / "docs/custom-checks.zh-CN.md")
COPIED = ("conftest.py", "pytest.ini")
TREES = ("bkpaas", "tests_paas", "tests_appengine", "tests_logging")


def documented(document: Path) -> dict[str, str]:
    """The files that a document shows, by their path."""
    blocks = re.findall(r"```python\n# (tests_site/\S+)\n(.*?)```", document.read_text("utf-8"), re.S)
    assert [path for path, _ in blocks] == [
        f"tests_site/test_{name}.py" for name in ("ours", "live", "plain")
    ]
    return dict(blocks)


class Site:
    """A working copy that may be written to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in COPIED:  # not links: the suite goes back to where its files really are
            shutil.copy2(ROOT / name, folder / name)
        for name in TREES:
            shutil.copytree(ROOT / name, folder / name)
        (folder / "tests_site").mkdir()

    def put(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text, "utf-8")

    def run(self, *words: str) -> Done:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--report=report"]
        language = () if "--lang" in words else ("--lang", "en")
        done = subprocess.run(
            [*command, *language, *words], cwd=self.folder, capture_output=True, text=True, timeout=240
        )
        return Done(done.returncode, done.stdout + done.stderr, self.folder / "report")


class Done:
    """What a finished run left behind."""

    def __init__(self, code: int, out: str, report: Path) -> None:
        self.exit, self.out, self.report = code, out, report
        record = report / "results.json"
        self.results: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
        self.verdicts: dict[str, dict[str, Any]] = {
            one["id"]: one for one in self.results.get("verdicts", ())
        }

    def of(self, condition: str) -> dict[str, str]:
        """The words of a condition's verdicts, by subject."""
        return {
            one["subject"]: one["verdict"] for one in self.verdicts.values() if one["condition"] == condition
        }


def changed(path: Path, change: Any) -> str:
    """The option for the healthy snapshot with something changed in it."""
    snapshot = json.loads(HEALTHY.read_text())
    change(snapshot)
    path.write_text(json.dumps(snapshot))
    return f"--from-snapshot={path}"
