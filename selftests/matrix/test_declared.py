"""Trials of the matrix: each fault, pair and symptom names a condition, a section and faults that exist."""

from __future__ import annotations

import pytest

from bkpaas.catalogue.registry import CONDITIONS, SECTIONS
from bkpaas.record import Results, Run, Verdict, count
from lab import layouts
from lab.faults import FAULTS
from selftests.matrix.declared import PAIRS, SYMPTOM_FAULTS
from selftests.recordings.comparing import CAUSE_NOT_FIRST, NEVER
from selftests.recordings.matrix import judgement, unmet_expectation

KEYS = {section.key for section in SECTIONS}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_names_a_condition_a_section_and_a_layout(name: str) -> None:
    fault = FAULTS[name]
    assert fault.condition in CONDITIONS
    assert fault.faq in KEYS
    assert fault.layout in layouts.available()


def test_pairs_and_symptoms_name_faults() -> None:
    assert {name for pair in PAIRS for name in pair} <= FAULTS.keys()
    assert SYMPTOM_FAULTS.keys() == KEYS
    assert set(SYMPTOM_FAULTS.values()) <= FAULTS.keys()


def run_with(*causes: str) -> Results:
    """Return the record of a run whose only bad verdicts are these root causes."""
    verdicts = [
        Verdict(
            id=f"{cause}@paas-1", condition=cause, subject="paas-1", hosts=["paas-1"], faq="", severity="fail",
            verdict="fail", title="", reason=None, evidence=None, remedy=None, explained_by=[],
        )
        for cause in causes
    ]  # fmt: skip
    run = Run(id="r", started="", seconds=1.0, inventory="i", suite="1", collector_sha256="", exit=1)
    causes_of_run = [verdict.id for verdict in verdicts]
    return Results(run=run, hosts=[], verdicts=verdicts, root_causes=causes_of_run, counts=count(verdicts))


@pytest.mark.parametrize(
    "name, causes, met",
    [
        ("esb-settings-broken", ["settings-valid"], True),
        ("esb-settings-broken", ["supervisor-status"], False),
        ("esb-settings-broken", ["supervisor-status", "settings-valid"], False),
        ("disk-full+http-proxy", ["disk-space"], False),
        ("healthy-1", ["disk-space"], True),
    ],
)
def test_a_replayed_run_that_does_not_name_the_declared_cause_fails(
    name: str, causes: list[str], met: bool
) -> None:
    differences = list(unmet_expectation(name, judgement(name, run_with(*causes), "")))
    assert [one.kind for one in differences] == ([] if met else [CAUSE_NOT_FIRST])
    assert CAUSE_NOT_FIRST in NEVER
