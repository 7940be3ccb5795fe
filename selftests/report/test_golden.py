"""Each writer's output, whole, for the runs that matter."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bkpaas.language import Language, set_language
from bkpaas.record import Results, read_json, write_json
from bkpaas.report import html, junit, prometheus, summary, terminal, webhook

from .sample import SCENARIOS, settle

Golden = Callable[[str, str], None]
QUIET = 8  # verdicts of each word that asks for nothing, kept in a golden file


def sample(scenario: str) -> Results:
    """A scenario without most of what passed, so that a golden file can be read."""
    results = SCENARIOS[scenario]()
    seen: Counter[str] = Counter()
    kept = []
    for verdict in results.verdicts:
        seen[verdict.verdict] += 1
        if verdict.verdict in ("fail", "no_data", "warn") or seen[verdict.verdict] <= QUIET:
            kept.append(verdict)
    results.verdicts = kept
    return settle(results, results.run.exit)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_terminal(scenario: str, language: Language, golden: Golden) -> None:
    set_language(language)
    lines = terminal.summary(SCENARIOS[scenario](), width=100, colour=False, where="report/report.html")
    golden(f"{scenario}.{language}.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_junit(scenario: str, golden: Golden, tmp_path: Path) -> None:
    junit.write(sample(scenario), tmp_path / "junit.xml")
    golden(f"{scenario}.junit.xml", (tmp_path / "junit.xml").read_text("utf-8"))


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_summary(scenario: str, language: Language, golden: Golden) -> None:
    set_language(language)
    golden(f"{scenario}.{language}.md", summary.markdown(SCENARIOS[scenario]()))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", webhook.KINDS)
def test_webhook(kind: webhook.Kind, language: Language, golden: Golden) -> None:
    set_language(language)
    body = webhook.body(SCENARIOS["three-faults"](), kind, "https://ci.example.test/report.html")
    golden(f"three-faults.{kind}.{language}.json", json.dumps(body, ensure_ascii=False, indent=1) + "\n")


def test_prometheus(golden: Golden, tmp_path: Path) -> None:
    prometheus.write(sample("three-faults"), tmp_path / "x.prom")
    golden("three-faults.prom", (tmp_path / "x.prom").read_text("utf-8"))


@pytest.mark.parametrize("scenario", ["healthy", "among-others", "without-data"])
def test_page(scenario: str, golden: Golden) -> None:
    """Its markup, which is the same whatever the language of the run; the data and the script are for a browser."""
    page = html.page(sample(scenario))
    for tag in ("style", "script"):
        page = re.sub(f"(<{tag}[^>]*>).*?(</{tag}>)", r"\1\2", page, flags=re.DOTALL)
    page = re.sub(r'(<svg class="\w+ path"[^>]*>).*?(</svg>)', r"\1\2", page, flags=re.DOTALL)
    golden(f"{scenario}.html", re.sub(r"sha256-[^&]*", "sha256-", page))


def test_the_page_of_a_chinese_run_differs_in_its_first_language_only() -> None:
    english = html.page(SCENARIOS["three-faults"]())
    set_language("zh")
    chinese = html.page(SCENARIOS["three-faults"]())
    pairs = zip(english.split("\n"), chinese.split("\n"), strict=True)
    differing = [one[:12] for one, other in pairs if one != other]
    assert differing == ['<html lang="', "<title data-"]


def test_record(golden: Golden, tmp_path: Path) -> None:
    results = sample("three-faults")
    write_json(results, tmp_path / "results.json")
    assert read_json(tmp_path / "results.json") == results
    golden("three-faults.json", (tmp_path / "results.json").read_text("utf-8"))
