"""docs/new-condition.md is true: its blocks, applied to a copy of the suite, give a condition that works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docs.conftest import HEALTHY, PARTS
from docs.pages import ROOT, page
from lab.faults.fault import Fault

PAGE = ROOT / "docs" / "new-condition.md"
ID = "hostname-set"
TOML = "bkpaas/catalogue/conditions/hostname-set.toml"
SECTION = "bkpaas/catalogue/sections/foundations.toml"
CHECK = "tests_paas/test_hostname.py"


def block(begin: str, path: Path = PAGE) -> str:
    """Return the code block of the page that begins with this text."""
    (found,) = [code for code in page(path).code if code.startswith(begin)]
    return found


def content(name: str) -> str:
    """Return the content of a file that the page shows, without the line that names it."""
    return block(f"# {name}\n").split("\n", 1)[1]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Return a copy of the suite with the files of the page."""
    for part in PARTS:
        if part in ("bkpaas", "tests_paas"):
            shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (tmp_path / part).symlink_to(ROOT / part)
    (tmp_path / TOML).write_text(content(TOML), "utf-8")
    (tmp_path / CHECK).write_text(content(CHECK), "utf-8")
    section = (tmp_path / SECTION).read_text("utf-8")
    line = block(f'    "{ID}"')
    changed = section.replace("\n]\n", f"\n{line}]\n", 1)
    assert changed.count(f'"{ID}"') == 1
    (tmp_path / SECTION).write_text(changed, "utf-8")
    return tmp_path


def verdicts(suite: Path, hostname: str, language: str = "en") -> dict[str, dict[str, Any]]:
    """Run the copy on the recorded hosts, es-1 with this hostname; return the verdicts of the condition by subject."""
    snapshot = json.loads(HEALTHY.read_text("utf-8"))
    snapshot["hosts"]["es-1"]["system"]["hostname"] = hostname
    (suite / "snapshot.json").write_text(json.dumps(snapshot), "utf-8")
    command = [sys.executable, "-m", "pytest", "-c", "pytest.ini", "--rootdir", ".", "-p", "no:cacheprovider"]
    command += ["--from-snapshot", "snapshot.json", "--report", "report", "--lang", language]
    environment = {"PATH": os.environ["PATH"], "HOME": str(suite), "LANG": "C.UTF-8"}
    done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    results = json.loads((suite / "report" / "results.json").read_text("utf-8"))
    return {one["subject"]: one for one in results["verdicts"] if one["condition"] == ID}


def test_the_condition_passes_and_fails(suite: Path) -> None:
    assert ID not in (ROOT / SECTION).read_text("utf-8"), "the page needs another example"
    healthy = verdicts(suite, "es-1")
    assert len(healthy) == 9 and {one["verdict"] for one in healthy.values()} == {"pass"}
    assert healthy["es-1"]["evidence"] == "es-1"
    found = verdicts(suite, "localhost.localdomain")
    bad = found.pop("es-1")
    assert {one["verdict"] for one in found.values()} == {"pass"}
    assert (bad["verdict"], bad["case"]) == ("warn", "default")
    assert bad["evidence"] == "the hostname is 'localhost.localdomain'"
    assert "$ hostnamectl set-hostname es-1    # on es-1" in bad["remedy"]


def test_the_fault_is_one_of_this_condition() -> None:
    fault = eval(block("Fault("), {"Fault": Fault})
    assert (fault.name, fault.condition, fault.faq) == ("hostname-default", ID, "foundations")


def test_the_figures_are_those_of_the_blocks() -> None:
    rows = {
        name.strip("` "): int(count)
        for name, count in (
            line.split("|")[1:3] for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")
        )
    }
    assert rows.pop(TOML) == len(content(TOML).splitlines())
    assert rows.pop(CHECK) == len(content(CHECK).splitlines())
    assert rows.pop("lab/faults/hosts.py") == len(block("Fault(").splitlines())
    assert rows.pop("bkpaas/locale/zh_CN/LC_MESSAGES/bkpaas.po") == block("msgid").count("msgstr")
    assert set(rows.values()) == {1} and all((ROOT / name).exists() for name in rows)


def test_both_languages_show_the_same_code() -> None:
    chinese = page(PAGE.with_name("new-condition.zh-CN.md"))
    assert page(PAGE).code == chinese.code
