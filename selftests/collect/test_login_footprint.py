"""The list of docs/safety.md has every change that a login makes on a host, in both languages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from collect.sshd import needs_sshd

ROOT = Path(__file__).parents[2]
PAGES = ("docs/safety.md", "docs/safety.zh-CN.md")


def documented(page: str) -> list[str]:
    """Return the paths of the table that begins after the anchor of logins; words in capitals match any text."""
    text = (ROOT / page).read_text("utf-8").partition('<a id="logins"></a>')[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [re.sub(r"[A-Z]{3,}", "*", path) for row in rows for path in re.findall(r"`(/[^`]+)`", row)]


def undocumented(paths: list[str], page: str) -> list[str]:
    known = documented(page)
    return [path for path in paths if not any(fnmatch(path, pattern) for pattern in known)]


@needs_sshd
def test_a_visit_changes_only_what_is_documented(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'selftests'}"}
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-m", "collect.login_footprint", tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=580,
    )
    assert done.returncode == 0, done.stderr
    changed = json.loads(done.stdout)
    for page in PAGES:
        assert undocumented(changed, page) == [], page


@pytest.mark.parametrize("page", PAGES)
def test_the_list_is_not_a_pattern_for_everything(page: str) -> None:
    known = documented(page)
    assert len(known) > 12 and "/run/motd.dynamic" in known
    assert undocumented(["/run/motd.dynamic", "/run/user/1000/bus"], page) == []
    foreign = ["/etc/passwd", "/run/other", "/var/log/messages.old", "/var/lib/mysql/x", "/data/bkce/etc/x"]
    assert undocumented(foreign, page) == foreign


def test_the_lists_of_both_languages_are_equal() -> None:
    assert documented(PAGES[0]) == documented(PAGES[1])
