"""For pipelines: root causes alone in JUnit, the schema of the record, annotations, rules and dashboard of Prometheus."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from ruamel.yaml import YAML

from bkpaas.record import Results
from bkpaas.report import code_quality, junit, schema

from .sample import SCENARIOS, three_faults
from .test_prometheus import CONTRACT

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples"


def cases(results: Results, path: Path, *, causes_only: bool) -> dict[str, ET.Element]:
    junit.write(results, path, causes_only=causes_only)
    return {str(one.get("name")): one for one in ET.parse(path).iter("testcase")}


def test_each_root_cause_is_one_failure(tmp_path: Path) -> None:
    results = three_faults()
    every = cases(results, tmp_path / "all.xml", causes_only=False)
    alone = cases(results, tmp_path / "causes.xml", causes_only=True)
    assert every.keys() == alone.keys()
    failed = {
        name
        for name, one in alone.items()
        if one.find("failure") is not None or one.find("error") is not None
    }
    bad = {one.id for one in results.verdicts if one.verdict in ("fail", "no_data")}
    consequences = {id_ for id_ in bad if results.verdict(id_).explained_by}
    equal = {id_ for cause in results.causes for id_ in cause.ids[1:]}
    assert consequences and failed == bad - consequences - equal
    name = min(consequences)
    skipped = alone[name].find("skipped")
    cause = ", ".join(results.verdict(name).explained_by)
    assert skipped is not None and f"explained by {cause}" in str(skipped.get("message"))
    properties = {one.get("name"): one.get("value") for one in every[name].iter("property")}
    assert properties["explained_by"] == cause
    total = ET.parse(tmp_path / "causes.xml").getroot()
    assert int(total.get("failures", "")) + int(total.get("errors", "")) == len(failed)


def test_times_are_those_of_the_checks(tmp_path: Path) -> None:
    results = three_faults()
    results.durations = {one.id: 0.25 for one in results.verdicts}
    found = cases(results, tmp_path / "junit.xml", causes_only=False)
    assert {one.get("time") for one in found.values()} == {"0.250000"}
    suite = next(ET.parse(tmp_path / "junit.xml").iter("testsuite"))
    assert float(suite.get("time", "")) == 0.25 * len(list(suite.iter("testcase")))


def test_the_schema_is_that_of_the_record() -> None:
    file = ROOT / "docs/results.schema.json"
    assert file.read_text("utf-8") == schema.text(), (
        "python -m bkpaas.report.schema > docs/results.schema.json"
    )


@pytest.mark.parametrize("name", SCENARIOS)
def test_records_conform_to_the_schema(name: str) -> None:
    document = json.loads((ROOT / "docs/results.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(document)
    validator.check_schema(document)
    record = json.loads(msgspec.json.encode(SCENARIOS[name]()))
    assert list(validator.iter_errors(record)) == []
    record["verdicts"] = [{"verdict": "wrong"}]
    assert not validator.is_valid(record)


def test_code_quality_is_what_gitlab_reads(tmp_path: Path) -> None:
    results = three_faults()
    code_quality.write(results, tmp_path / "quality.json")
    findings = json.loads((tmp_path / "quality.json").read_text("utf-8"))
    assert len(findings) == len(results.causes) == len({one["fingerprint"] for one in findings})
    for one, cause in zip(findings, results.causes, strict=True):
        assert one["description"].startswith(cause.headline[:80])
        assert one["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert one["location"]["path"] and one["location"]["lines"]["begin"] == 1


def test_annotations_of_github_are_one_line_each() -> None:
    results = three_faults()
    results.causes[0].headline = "50% of a, b: gone\nreally"
    lines = code_quality.github(results)
    assert len(lines) == len(results.causes)
    assert lines[0].startswith("::error title=50%25 of a%2C b%3A gone%0Areally::")
    assert all(re.fullmatch(r"::(error|warning) title=[^:\n]+::[^\n]+", line) for line in lines)


def expressions() -> dict[str, str]:
    """The expressions of the alert rules and of the dashboard, by name."""
    rules = YAML(typ="safe").load((EXAMPLES / "bkpaas-alerts.yml").read_text("utf-8"))
    dashboard = json.loads((EXAMPLES / "bkpaas-dashboard.json").read_text("utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    for rule in alerts:
        assert (
            rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
            and rule["annotations"]["summary"]
        )
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 6
    named = {rule["alert"]: rule["expr"] for rule in alerts}
    return named | {panel["title"]: target["expr"] for panel in panels for target in panel["targets"]}


@pytest.mark.parametrize(("name", "expression"), expressions().items())
def test_rules_and_panels_use_what_is_exported(name: str, expression: str) -> None:
    metrics = re.findall(r"\bbkpaas_\w+", expression)
    assert metrics and set(metrics) <= CONTRACT.keys(), name
    assert expression.count("(") == expression.count(")") and expression.count("{") == expression.count("}")
    for metric, selector in re.findall(r"(bkpaas_\w+)\{([^}]*)\}", expression):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
        assert labels <= CONTRACT[metric] | {"inventory"}, name
