"""Judge runs with a fault, on small records."""

from __future__ import annotations

import pytest

from bkpaas.catalogue.registry import CONDITIONS
from bkpaas.language import Language
from bkpaas.record import Results, Run, Verdict, Word, count
from selftests.matrix.judging import both_named, judge, named_first, red, same, strangers


def verdict(id_: str, word: Word = "fail", explained_by: tuple[str, ...] = ()) -> Verdict:
    condition, _, subject = id_.partition("@")
    return Verdict(
        id=id_,
        condition=condition,
        subject=subject,
        hosts=[subject],
        faq="login-502",
        severity="fail",
        verdict=word,
        title="",
        reason=None,
        evidence=None,
        remedy=None,
        explained_by=list(explained_by),
    )


def results(*verdicts: Verdict, causes: tuple[str, ...] = (), exit_: int = 1) -> Results:
    run = Run(
        id="r", started="", seconds=1.0, inventory="i", suite="1", collector_sha256="", exit=exit_
    )  # fmt: skip
    return Results(
        run=run, hosts=[], verdicts=list(verdicts), root_causes=list(causes), counts=count(list(verdicts))
    )


def test_named_first_with_all_consequences_explained() -> None:
    seen = results(
        verdict("port-owner@paas-1"),
        verdict("supervisor-status@paas-1", explained_by=("port-owner@paas-1",)),
        verdict("domain-502@controller", "warn", explained_by=("supervisor-status@paas-1",)),
        verdict("disk-space@paas-1", "pass"),
        causes=("port-owner@paas-1",),
    )
    assert judge("port-owner", seen) == (True, 1, [], [])


def test_expected_condition_on_several_hosts_is_not_a_surprise() -> None:
    seen = results(
        verdict("time-daemon@a"), verdict("time-daemon@b", "warn"), causes=("time-daemon@a", "time-daemon@b")
    )
    assert judge("time-daemon", seen) == (True, 1, [], [])


def test_no_data_of_the_expected_condition_counts_as_detected() -> None:
    seen = results(verdict("host-reachable@a", "no_data"), causes=("host-reachable@a",))
    assert judge("host-reachable", seen).detected


def test_another_cause_before_it() -> None:
    seen = results(
        verdict("port-owner@paas-1"),
        verdict("disk-space@paas-1"),
        causes=("disk-space@paas-1", "port-owner@paas-1"),
    )
    assert judge("port-owner", seen) == (True, 2, ["disk-space@paas-1"], ["disk-space@paas-1"])


def test_expected_condition_explained_away_has_no_place() -> None:
    seen = results(
        verdict("port-owner@paas-1", explained_by=("disk-space@paas-1",)),
        verdict("disk-space@paas-1"),
        causes=("disk-space@paas-1",),
    )
    assert judge("port-owner", seen) == (True, 0, ["disk-space@paas-1"], ["disk-space@paas-1"])


def test_explained_by_something_else_is_unrelated_but_not_unexplained() -> None:
    seen = results(
        verdict("port-owner@paas-1"),
        verdict("disk-space@data-1"),
        verdict("database-reachable@paas-1", "no_data", explained_by=("disk-space@data-1",)),
        causes=("port-owner@paas-1", "disk-space@data-1"),
    )
    judgement = judge("port-owner", seen)
    assert judgement.unexplained == ["disk-space@data-1"]
    assert judgement.unrelated == ["disk-space@data-1", "database-reachable@paas-1"]


def test_nothing_found() -> None:
    assert judge("port-owner", results(verdict("port-owner@paas-1", "pass"))) == (False, 0, [], [])


def test_failures_that_explain_each_other_do_not_loop() -> None:
    seen = results(
        verdict("a@x", explained_by=("b@x",)),
        verdict("b@x", explained_by=("a@x",)),
        verdict("c@x"),
        causes=("c@x",),
    )
    assert judge("c", seen).unrelated == ["a@x", "b@x"]


def test_pair_needs_both_among_the_root_causes() -> None:
    seen = results(
        verdict("a@x"), verdict("b@x", explained_by=("a@x",)), verdict("c@y"), causes=("a@x", "c@y")
    )
    assert both_named(["a", "c"], seen)
    assert not both_named(["a", "b"], seen)


def test_condition_broken_on_two_hosts_is_named_twice() -> None:
    both = results(verdict("a@x"), verdict("a@y"), causes=("a@x", "a@y"))
    one = results(verdict("a@x"), verdict("a@y", explained_by=("a@x",)), causes=("a@x",))
    assert both_named(["a", "a"], both)
    assert not both_named(["a", "a"], one)


def test_strangers_are_causes_that_were_not_injected() -> None:
    seen = results(verdict("a@x"), verdict("b@x"), verdict("c@y"), causes=("a@x", "c@y", "b@x"))
    assert strangers(["a", "c"], seen) == ["b@x"]


@pytest.mark.parametrize(
    ("language", "title", "output", "expected"),
    [
        ("en", "en", "1 FAIL saas-run-state@appt-1", True),
        ("zh", "zh", "1 失败 saas-run-state@appt-1", True),
        ("zh", "en", "1 FAIL saas-run-state@appt-1", False),
        ("en", "en", "all is well", False),
    ],
)
def test_named_first_in_its_language(language: Language, title: str, output: str, expected: bool) -> None:
    found = verdict("saas-run-state@appt-1", "warn")
    found.title = getattr(CONDITIONS["saas-run-state"].title, title)
    other = verdict("agent-process@appt-1")
    assert named_first("saas-run-state", results(found, causes=(found.id,)), output, language) is expected
    assert not named_first(
        "saas-run-state", results(found, other, causes=(other.id, found.id)), output, language
    )
    assert not named_first("saas-run-state", results(), output, language)


def test_red_is_everything_that_is_not_green() -> None:
    words: tuple[Word, ...] = ("pass", "warn", "fail", "no_data", "not_applicable", "waived")
    seen = results(*(verdict(f"c-{word}@x", word) for word in words))
    assert red(seen) == ["c-warn@x", "c-fail@x", "c-no_data@x"]


def test_exit_code_without_a_reason_is_red() -> None:
    assert red(results(verdict("a@x", "pass"), exit_=1)) == ["exit-1"]
    assert red(results(verdict("a@x", "pass"), exit_=0)) == []


def test_the_same_is_word_for_word() -> None:
    seen = results(verdict("a@b"), causes=("a@b",))
    assert same(seen, results(verdict("a@b"), causes=("a@b",)))
    other = results(verdict("a@b"), causes=("a@b",))
    other.verdicts[0].evidence = "another"
    assert not same(seen, other) and not same(seen, results(verdict("a@b", "warn"), causes=("a@b",)))
    assert not same(seen, results(verdict("a@b")))
