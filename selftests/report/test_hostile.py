"""Hostile text stays text in every format, and costs no more than its limit."""

from __future__ import annotations

import json
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

from bkpaas.language import LANGUAGES
from bkpaas.record import read_json, write_json
from bkpaas.report import details, html, junit
from bkpaas.report.terminal import summary
from bkpaas.report.text import columns, cut, visible

from .hostile import MARKUP, ODD, SUBJECT, TEXT, hostile


class Tags(HTMLParser):
    """The tags, the attributes and the text a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_record_keeps_it(tmp_path: Path) -> None:
    write_json(hostile(), tmp_path / "results.json")
    evidence = read_json(tmp_path / "results.json").verdict("supervisor-sock@paas-1").evidence
    assert evidence is not None and evidence.startswith(MARKUP) and len(evidence) == len(TEXT)
    assert "nul \x00 esc \x1b" in evidence and "\u202e" in evidence


def test_wrong_counts_of_a_record_are_not_believed(tmp_path: Path) -> None:
    path, results = tmp_path / "results.json", hostile()
    write_json(results, path)
    data = json.loads(path.read_text("utf-8"))
    for counts in ({}, {"fail": 0, "pass": 9}):
        path.write_text(json.dumps(data | {"counts": counts}), "utf-8")
        assert read_json(path).counts == results.counts and results.counts["fail"]


def test_junit(tmp_path: Path) -> None:
    junit.write(hostile(), tmp_path / "junit.xml")
    assert (tmp_path / "junit.xml").stat().st_size < 400_000
    root = ET.parse(tmp_path / "junit.xml").getroot()
    failure = root.findtext(".//testcase[@name='supervisor-sock@paas-1']/failure") or ""
    assert MARKUP in failure and visible(ODD) in failure
    names = [case.get("name") for case in root.iter("testcase")]
    assert f"es-health@{SUBJECT}" in names


def test_terminal() -> None:
    lines = summary(hostile(), width=90, colour=False, where="report")
    assert not [line for line in lines for char in line if unicodedata.category(char) in ("Cc", "Cs", "Zl")]
    assert not any("\u202e" in line for line in lines)
    assert all(columns(line) <= 90 or line.startswith(" " * 18) for line in lines)
    assert sum(map(len, lines)) < 30_000
    assert MARKUP.split()[0] in "\n".join(lines)


def test_page() -> None:
    page = html.page(hostile())
    seen = Tags(page)
    assert seen.tags.count("script") == 2
    assert "img" not in seen.tags
    assert not any(name.startswith("on") for name in seen.attributes)
    assert len(page) < 300_000
    page.encode("utf-8")
    embedded = page.split('<script type="application/json" id="data">', 1)[1].split("</script>", 1)[0]
    texts = json.loads(embedded)["texts"]
    assert [cut(TEXT, html.TEXT_LIMIT, language) for language in LANGUAGES] in texts and MARKUP in texts


def test_details() -> None:
    results = hostile()
    for verdict in results.verdicts:
        seen = Tags("".join(details.row_cells(verdict, "en")))
        assert set(seen.tags) <= {"td", "pre"} and seen.attributes <= {"class", "style"}
    verdict = results.verdict("supervisor-sock@paas-1")
    assert MARKUP in Tags(details.row_cells(verdict, "en")[1]).text
    assert all("\n" not in cell for cell in details.row_cells(verdict, "en")[:4])
    before = Tags("".join(details.prefix(results, [f"x@{MARKUP}"])))
    assert set(before.tags) <= {"h2", "ol", "li", "strong", "pre", "p"}
    assert f"x@{MARKUP}" in before.text
    assert len("".join(details.prefix(results))) < 60_000
