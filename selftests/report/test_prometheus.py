"""Metrics: a contract of names and labels, without text from hosts."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bkpaas.record import WORDS, Results
from bkpaas.report import prometheus

from .hostile import hostile
from .sample import SCENARIOS, three_faults

CONTRACT = {
    "bkpaas_verdict": {"condition", "subject", "severity", "verdict"},
    "bkpaas_root_cause": {"condition", "subject", "severity"},
    "bkpaas_verdicts": {"verdict"},
    "bkpaas_host_collected": {"host"},
    "bkpaas_waivers": {"state"},
    "bkpaas_run_start_timestamp_seconds": set(),
    "bkpaas_run_duration_seconds": set(),
    "bkpaas_run_exit_code": set(),
    "bkpaas_run_info": {"suite", "collector_sha256"},
}


def samples(results: Results, path: Path) -> dict[str, list]:
    prometheus.write(results, path)
    found: dict[str, list] = {}
    for family in text_string_to_metric_families(path.read_text("utf-8")):
        found[family.name] = family.samples
        assert family.type == "gauge" and family.documentation
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_names_and_labels(scenario: str, tmp_path: Path) -> None:
    results = SCENARIOS[scenario]()
    found = samples(results, tmp_path / "x.prom")
    assert found.keys() == CONTRACT.keys()
    for name, labels in CONTRACT.items():
        for sample in found[name]:
            assert sample.labels.keys() == labels | {"inventory"}
    verdicts = {
        (s.labels["condition"], s.labels["subject"]): s.labels["verdict"] for s in found["bkpaas_verdict"]
    }
    assert verdicts == {(v.condition, v.subject): v.verdict for v in results.verdicts}
    assert {s.labels["verdict"]: s.value for s in found["bkpaas_verdicts"]} == {
        word: results.counts[word] for word in WORDS
    }
    causes = sorted(found["bkpaas_root_cause"], key=lambda s: s.value)
    assert [f"{s.labels['condition']}@{s.labels['subject']}" for s in causes] == results.root_causes
    assert found["bkpaas_run_exit_code"][0].value == results.run.exit


def test_no_text_of_hosts(tmp_path: Path) -> None:
    path = tmp_path / "x.prom"
    found = samples(hostile(), path)
    assert len(found["bkpaas_verdict"]) == len(hostile().verdicts), "hostile names are escaped"
    text = path.read_text("utf-8")
    assert "AAAA" not in text and "onerror=alert(1)" in text, "the inventory's name is a label"
    prometheus.write(three_faults(), path)
    assert "does not exist" not in path.read_text("utf-8")


def test_node_exporter_may_read_it_and_never_half_of_it(tmp_path: Path) -> None:
    path = tmp_path / "x.prom"
    path.write_text("old\n")
    path.chmod(0o600)
    prometheus.write(three_faults(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]
