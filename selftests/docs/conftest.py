"""A copy of the suite in which an example can run as on a site: its hosts are a recorded snapshot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.pages import ROOT
from selftests.suite.judges import register_markers

HEALTHY = ROOT / "selftests" / "snapshots" / "healthy.json"
PARTS = ("bkpaas", "tests_paas", "tests_appengine", "tests_logging", "conftest.py", "pytest.ini", "docs")


def pytest_configure(config: pytest.Config) -> None:
    register_markers(config)


PYTHON = """#!/bin/bash
# Builds nothing, and judges the snapshot where an inventory is named.
case "$2" in
venv | pip) echo "$*" >> "$SITE/installed"; exit 0 ;;
esac
words=()
while [ $# != 0 ]; do
    case "$1" in
    --inventory) [ -d "$2" ] || exit 99; words+=(--from-snapshot "$SITE/snapshot.json"); shift ;;
    --secret-key-file) [ "$(stat -c '%a' "$2")" = 600 ] || exit 98; shift ;; # the snapshot has its digests
    *) words+=("$1") ;;
    esac
    shift
done
case " ${words[*]} " in *" -m bkpaas.report "*) exec @PYTHON@ "${words[@]}" ;; esac
exec @PYTHON@ "${words[@]}" -c pytest.ini --rootdir . --lang en
"""


class Site:
    """A directory with the suite in it, an inventory, a key and room for what the examples write."""

    def __init__(self, root: Path) -> None:
        self.root, self.suite, self.state = root, root / "suite", root / "state"
        for folder in (self.suite / ".venv/bin", self.state, root / "etc/inventory", root / "bin"):
            folder.mkdir(parents=True)
        for part in PARTS:
            (self.suite / part).symlink_to(ROOT / part)
        (self.suite / "docs").unlink()
        (self.suite / "docs" / "examples").mkdir(parents=True)
        for file in filter(Path.is_file, (ROOT / "docs" / "examples").iterdir()):
            target = self.suite / "docs" / "examples" / file.name
            target.write_bytes(file.read_bytes())
            target.chmod(file.stat().st_mode)
        (self.suite / "inventory").mkdir()
        (self.suite / "inventory/site").symlink_to(root / "etc/inventory")
        (root / "etc/key").write_text("a private key\n")
        for place in (self.suite / ".venv/bin/python", root / "bin/python3"):
            place.write_text(PYTHON.replace("@PYTHON@", sys.executable))
            place.chmod(0o755)
        self.change_snapshot(lambda snapshot: None)

    def change_snapshot(self, change: Callable[[dict[str, object]], None]) -> None:
        """From now on the hosts are the healthy ones with this change."""
        snapshot = json.loads(HEALTHY.read_text("utf-8"))
        change(snapshot)
        (self.root / "snapshot.json").write_text(json.dumps(snapshot), "utf-8")

    def run(self, script: str, *shell: str, cwd: Path | None = None, **variables: str) -> Done:
        """The script in a shell (bash as GitLab and GitHub start it, unless another is named)."""
        environment = {
            "PATH": f"{self.root}/bin:/usr/bin:/bin",
            "HOME": str(self.root),
            "LANG": "C.UTF-8",
            "SITE": str(self.root),
            **variables,
        }
        done = subprocess.run(
            [*(shell or ("bash", "-eo", "pipefail")), "-c", script],
            cwd=cwd or self.suite,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        return Done(done.returncode, done.stdout, done.stderr)


class Done:
    def __init__(self, exit: int, out: str, err: str) -> None:
        self.exit, self.out, self.err = exit, out, err

    def __repr__(self) -> str:
        return f"exit {self.exit}\n{self.out}\n{self.err}"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    os.umask(0o022)
    return Site(tmp_path)
