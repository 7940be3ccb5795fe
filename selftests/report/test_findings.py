"""Findings of a run: causes, probable explanations, and when a run is not green."""

from __future__ import annotations

import pytest

from bkpaas.language import Language, set_language
from bkpaas.record import RootCause
from bkpaas.report.findings import (
    causes,
    error_of,
    headline,
    not_collected_hosts,
    overall_verdict,
    unchecked,
    unexplained,
)

from .sample import SCENARIOS, healthy, interrupted, judge, nothing_judged, settle, three_faults, without_data


@pytest.mark.parametrize(
    ("scenario", "language", "wanted"),
    [
        ("healthy", "en", "All is well: 165 conditions hold on 11 hosts."),
        ("healthy", "zh", "一切正常：11 台主机上的 165 项检查全部通过。"),
        (
            "three-faults",
            "en",
            "3 root causes; their consequences: 9 failures and 3 warnings; 1 other warning.",
        ),
        ("three-faults", "zh", "3 个根因，另有 9 项失败和 3 项警告由此引起；另有 1 项警告。"),
        (
            "without-data",
            "en",
            "2 root causes; their consequences: 2 failures and 36 conditions without data.",
        ),
        ("interrupted", "en", "Interrupted: this report is partial. 46 conditions could not be checked."),
        ("nothing-judged", "en", "Nothing was checked: 148 not applicable, 18 waived."),
    ],
)
def test_sentence(scenario: str, language: Language, wanted: str) -> None:
    set_language(language)
    assert headline(SCENARIOS[scenario]()).render(language) == wanted


@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - {"healthy"}))
def test_only_a_green_run_has_a_green_tone(scenario: str) -> None:
    assert overall_verdict(healthy()) == "pass"
    assert overall_verdict(SCENARIOS[scenario]()) != "pass"


def test_a_strict_run_with_warnings_is_not_green() -> None:
    results = healthy()
    judge(results, "time-daemon@job-1", "warn", evidence="not synchronised")
    settle(results, 0)
    assert headline(results).render("en") == "Nothing failed: 165 conditions on 11 hosts, 1 warning."
    settle(results, 1)
    assert "does not pass" in headline(results).render("en")
    assert overall_verdict(results) != "pass"


def test_no_verdict_at_all_is_not_green() -> None:
    results = healthy()
    results.verdicts = []
    assert headline(settle(results, 0)).render("en") == "Nothing was checked."
    assert overall_verdict(results) != "pass"


def test_a_consequence_of_a_consequence_is_folded_under_the_root() -> None:
    first = causes(three_faults())[0]
    assert first.verdict.id == "supervisor-sock@paas-1"
    assert "healthz-login@controller" in [verdict.id for verdict in first.explains]
    assert not first.probably


def test_what_follows_from_something_unseen_is_probable() -> None:
    known, unknown = causes(without_data())
    assert known.explains and not known.probably
    assert not unknown.explains
    assert "database-reachable@paas-1" in [verdict.id for verdict in unknown.probably]


def test_one_link_without_evidence_makes_the_rest_of_the_chain_probable() -> None:
    results = three_faults()
    judge(results, "domain-502@controller", "no_data", reason="timed out")
    first = causes(settle(results, 1))[0]
    assert [verdict.id for verdict in first.probably] == ["healthz-login@controller"]


def test_what_merely_could_not_be_judged_is_no_cause() -> None:
    results = interrupted()
    assert results.root_causes and not causes(results)
    assert len(unexplained(results)) == 46
    assert [(group.word, len(group.ids)) for group in unchecked(results)] == [("no_data", 46)]


def test_reasons_are_listed_when_nothing_failed_and_the_run_is_not_green() -> None:
    assert {group.word for group in unchecked(nothing_judged())} == {"not_applicable", "waived"}
    assert not unchecked(healthy())


def test_failures_are_separate_without_an_explanation() -> None:
    results = three_faults()
    results.root_causes = []
    for verdict in results.verdicts:
        verdict.explained_by = []
    assert headline(results).render("en") == "12 failures without a known cause; 4 warnings."


def test_a_host_that_is_a_root_cause_is_not_listed_again_among_hosts_without_data() -> None:
    results = healthy()
    host = results.hosts[0]
    host.collected, host.error = False, f"{host.name} ({host.address}) does not answer"
    assert [one.name for one in not_collected_hosts(results)] == [host.name]
    assert error_of(host) == "does not answer"
    judge(results, f"host-reachable@{host.name}", "fail", evidence="x")
    results.causes = [RootCause("x", None, [f"host-reachable@{host.name}"], [host.name], [], [])]
    assert not_collected_hosts(results) == []
