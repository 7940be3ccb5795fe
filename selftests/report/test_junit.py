"""junit.xml as a CI server reads it."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bkpaas.record import WORDS, Results
from bkpaas.report import junit

from .hostile import hostile
from .sample import SCENARIOS, three_faults


def read(results: Results, path: Path) -> ET.Element:
    junit.write(results, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return ET.parse(path).getroot()


ATTRIBUTES = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set()),
    "testsuite": ({"name", "tests", "failures", "errors", "time", "skipped", "timestamp"}, {"name", "tests"}),
    "testcase": ({"name", "time", "classname"}, {"name"}),
    "property": ({"name", "value"}, {"name", "value"}),
    "properties": (set(), set()),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}
"""Attributes that the schema of Jenkins's xUnit plugin (junit-10.xsd) allows, and those that it needs."""
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    # properties of a case are not in that schema; pytest, JUnit 5 and Jenkins's own junit step know them
    "testcase": {"properties", "failure", "error", "skipped", "system-out"},
    "properties": {"property"},
}


@pytest.mark.parametrize("record", [*SCENARIOS.values(), hostile])
def test_it_has_the_shape_that_jenkins_publishes(record: Callable[[], Results], tmp_path: Path) -> None:
    root = read(record(), tmp_path / "junit.xml")
    assert root.tag == "testsuites"
    for element in root.iter():
        allowed, needed = ATTRIBUTES[element.tag]
        assert needed <= set(element.keys()) <= allowed, element.tag
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        if time := element.get("time"):
            assert re.fullmatch(r"\d+(\.\d+)?", time)
    names = [case.get("name") for case in root.iter("testcase")]
    assert len(names) == len(set(names)), "GitLab and GitHub take two cases of one name for one"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_counts_are_those_of_the_record(scenario: str, tmp_path: Path) -> None:
    results = SCENARIOS[scenario]()
    root = read(results, tmp_path / "junit.xml")
    verdicts = [element.get("value") for element in root.iterfind(".//property[@name='verdict']")]
    assert {word: verdicts.count(word) for word in WORDS} == results.counts
    suites = root.findall("testsuite")
    for name, words in {
        "tests": WORDS,
        "failures": ["fail"],
        "errors": ["no_data"],
        "skipped": ["not_applicable", "waived"],
    }.items():
        wanted = sum(results.counts[word] for word in words)
        assert wanted == sum(int(suite.attrib[name]) for suite in suites)
        assert name == "skipped" or int(root.attrib[name]) == wanted
    for tag, name in {"failure": "failures", "error": "errors", "skipped": "skipped"}.items():
        wanted = sum(int(suite.attrib[name]) for suite in suites)
        assert len(root.findall(f".//testcase/{tag}")) == wanted


def test_a_case_has_what_an_operator_needs(tmp_path: Path) -> None:
    root = read(three_faults(), tmp_path / "junit.xml")
    case = root.find(".//testcase[@name='supervisor-sock@paas-1']")
    assert case is not None
    assert case.get("classname") == "fatal-exited-too-quickly"
    properties = {
        element.get("name"): element.get("value") for element in case.iterfind("properties/property")
    }
    assert (
        properties["host"] == "paas-1"
        and properties["severity"] == "fail"
        and "$ kill 26444" in (properties["remedy"] or "")
    )
    failure = case.find("failure")
    assert failure is not None and "supervisor.sock of paas-1 is gone" in (failure.get("message") or "")


def test_a_warning_passes_and_is_listed(tmp_path: Path) -> None:
    root = read(three_faults(), tmp_path / "junit.xml")
    case = root.find(".//testcase[@name='time-daemon@job-1']")
    assert case is not None
    assert [child.tag for child in case] == ["properties", "system-out"]
    assert "chronyd runs but has no source" in (case.findtext("system-out") or "")


def test_a_waiver_is_skipped_with_its_reason(tmp_path: Path) -> None:
    root = read(three_faults(), tmp_path / "junit.xml")
    skipped = root.find(".//testcase[@name='http-proxy-env@cmdb-1']/skipped")
    assert skipped is not None and "2026-06-30" in (skipped.get("message") or "")
