"""The suite as a site has it: the repository, with tests_site/ next to the other tests."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from selftests.snapshots.edited import HEALTHY, Change, write_edited
from selftests.suite.runs import Done, run_suite

__all__ = ["DOCUMENTS", "HEALTHY", "Site", "changed", "documented"]

ROOT = Path(__file__).resolve().parents[2]
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
        return run_suite(*words, report=self.folder / "report", folder=self.folder)


def changed(path: Path, change: Change) -> str:
    """The option for the healthy snapshot with something changed in it."""
    return f"--from-snapshot={write_edited(path, change)}"
