"""A page from results.json alone, for anybody who has the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bkpaas.record import read_json, write_json
from bkpaas.report import columns, html

from .fleet import large
from .sample import SCENARIOS, three_faults

ROOT = Path(__file__).parents[2]


def render(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bkpaas.report", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"LANG": "C.UTF-8"})


def test_the_page_of_a_record_can_be_made_again(tmp_path: Path) -> None:
    write_json(three_faults(), tmp_path / "results.json")
    done = render(tmp_path / "results.json")
    assert done.returncode == 0 and done.stdout.strip() == str(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == html.page(three_faults())
    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o600
    assert render(tmp_path / "results.json", "-o", tmp_path / "again.html").returncode == 0
    assert (tmp_path / "again.html").exists()


@pytest.mark.parametrize("content", ["", "{}", '{"schema": 2}', None])
def test_a_file_that_is_not_a_record_is_reported(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "results.json").write_text(content)
    done = render(tmp_path / "results.json")
    assert done.returncode == 1 and "results.json: " in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_an_older_record_without_what_came_later_has_a_page(scenario: str, tmp_path: Path) -> None:
    """Everything that the first records did not hold is left out of one."""
    write_json(SCENARIOS[scenario](), tmp_path / "results.json")
    raw = msgspec.json.decode((tmp_path / "results.json").read_bytes())
    for name in ("sections", "flow", "limits", "comparison", "history", "waivers"):
        raw.pop(name)
    raw["run"].pop("language")
    for host in raw["hosts"]:
        host.pop("clock"), host.pop("translated")
    for verdict in raw["verdicts"]:
        verdict.pop("translated")
    (tmp_path / "results.json").write_bytes(msgspec.json.encode(raw))
    assert "<h1>" in html.page(read_json(tmp_path / "results.json"))


def test_texts_are_cut_shorter_before_the_data_grow_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    results = large(60)
    for number, verdict in enumerate(results.verdicts):
        verdict.evidence = f"{number * 7919}" * 30
    whole = columns.embed(results, [], tuple(html.MARKS), {})
    monkeypatch.setattr(columns, "BYTES", 40_000)
    less = columns.embed(results, [], tuple(html.MARKS), {})
    assert len(less.text) <= columns.BYTES < len(whole.text)
