"""Every kind of difference between two judgements of a run is found, and shown in few lines."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from selftests.recordings.comparing import (
    MOST_SHOWN,
    OTHER,
    Difference,
    compare,
    compare_catalogue,
    difference_class,
    report,
    totals,
)

CLOCK, ZONE = "clock-all@paas-1", "timezone-all@paas-1"


def output() -> dict[str, Any]:
    verdict = {
        "word": "pass",
        "severity": "fail",
        "title": {"en": "same clock", "zh": "时钟一致"},
        "reason": None,
        "evidence": {"en": "+0.1 s\nlimit 3 s", "zh": "+0.1 秒\n上限 3 秒"},
        "remedy": None,
        "services": ["login"],
        "missed": [],
        "needs": [],
        "explained_by": [],
    }
    return {
        "exit": 1,
        "plans": {"paas-1": {"1": {"files": ["a", "b"], "seconds": 5}, "2": {"http": ["x"]}}},
        "order": [CLOCK, ZONE],
        "verdicts": {CLOCK: verdict, ZONE: copy.deepcopy(verdict)},
        "root_causes": [CLOCK, ZONE],
        "causes": [
            {"ids": [one], "case": "wrong", "explains": [], "headline": {"en": one, "zh": one}}
            for one in (CLOCK, ZONE)
        ],
        "markers": {"login_502": [CLOCK]},
        "suite_failed": [],
    }


def change_text(output: dict[str, Any]) -> None:
    output["verdicts"][ZONE]["evidence"]["zh"] = "+0.1 秒\n上限 4 秒"


def lose_verdict(output: dict[str, Any]) -> None:
    del output["verdicts"][ZONE]
    output["order"].remove(ZONE)


def gain_verdict(output: dict[str, Any]) -> None:
    output["verdicts"]["new@paas-1"] = output["verdicts"][ZONE] | {"word": "fail"}
    output["order"].append("new@paas-1")


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "exit code": (lambda one: one.update(exit=0), "- 1\n+ 0"),
    "evidence of timezone-all, zh": (change_text, "- 上限 3 秒\n+ 上限 4 秒"),
    "no verdict any more: timezone-all": (lose_verdict, f"- {ZONE}"),
    "new verdict: new": (gain_verdict, "+ new@paas-1"),
    "order of the verdicts": (lambda one: one["order"].reverse(), f"+ {ZONE}\n- {ZONE}"),
    "word of clock-all": (
        lambda one: one["verdicts"][CLOCK].update(word="fail"), f"{CLOCK}\n- pass\n+ fail"
    ),
    "severity of clock-all": (
        lambda one: one["verdicts"][CLOCK].update(severity="warn"), f"{CLOCK}\n- fail\n+ warn"
    ),
    "services of clock-all": (
        lambda one: one["verdicts"][CLOCK].update(services=[]), f'{CLOCK}\n- ["login"]\n+ []'
    ),
    "explained_by of clock-all": (
        lambda one: one["verdicts"][CLOCK].update(explained_by=[ZONE]), f'{CLOCK}\n- []\n+ ["{ZONE}"]'
    ),
    "remedy of clock-all, en": (
        lambda one: one["verdicts"][CLOCK].update(remedy={"en": "$ date", "zh": ""}), "+ $ date"
    ),
    "root causes, order only": (
        lambda one: one["root_causes"].reverse(), f"- {CLOCK} {ZONE}\n+ {ZONE} {CLOCK}"
    ),
    "root causes": (lambda one: one["root_causes"].pop(), f"- {CLOCK} {ZONE}\n+ {CLOCK}"),
    "groups of root causes": (lambda one: one["causes"].pop(), f"- {CLOCK} {ZONE}\n+ {CLOCK}"),
    "explains of the cause clock-all": (
        lambda one: one["causes"][0].update(explains=[ZONE]), f'- []\n+ ["{ZONE}"]'
    ),
    "headline of the cause timezone-all, zh": (
        lambda one: one["causes"][1]["headline"].update(zh="时区不同"), f"- {ZONE}\n+ 时区不同"
    ),
    "ids that -m login_502 selects": (
        lambda one: one["markers"].update(login_502=[ZONE]), f"- {CLOCK}\n+ {ZONE}"
    ),
    "plan of round 1: files": (
        lambda one: one["plans"]["paas-1"]["1"].update(files=["b"]), "- a"
    ),
    "plan of round 1: seconds": (
        lambda one: one["plans"]["paas-1"]["1"].pop("seconds"), "- 5\n+ null"
    ),
    "plan of round 2: http": (
        lambda one: one["plans"]["paas-1"].update({"2": {"http": ["y"]}}), "- x"
    ),
    "the suite itself failed": (lambda one: one["suite_failed"].append(ZONE), f"+ {ZONE}"),
    "a command of a remedy has a variable without a value": (
        lambda one: one.update(unfilled=["x@a: SERVICE"]), "+ x@a: SERVICE"
    ),
    "the run could not be judged": (lambda one: one.update(error="a\nKeyError"), "a\nKeyError"),
}  # fmt: skip


def test_no_difference_between_equals() -> None:
    assert list(compare("run", output(), output())) == []


@pytest.mark.parametrize("kind", CHANGES)
def test_each_change_is_one_difference(kind: str) -> None:
    change, text = CHANGES[kind]
    actual = output()
    change(actual)
    assert list(compare("run", output(), actual)) == [Difference(kind, text, "run")]


def test_same_items_in_another_order_are_a_difference() -> None:
    actual = output()
    actual["plans"]["paas-1"]["1"]["files"].reverse()
    (difference,) = compare("run", output(), actual)
    assert "another order" in difference.change


def test_a_run_without_expectation_is_a_difference() -> None:
    (difference,) = compare("run", None, output())
    assert difference.kind == "nothing is expected of this run"


def test_edges_and_plan_texts_are_compared() -> None:
    old = {"edges": [["a", "b", "same-host"]], "plan": {"a": {"en": "read x", "zh": "读取 x"}}}
    new = {"edges": [("a", "b", "source")], "plan": {"a": {"en": "read x", "zh": "读取 y"}}}
    assert list(compare_catalogue(old, old)) == []
    assert [(one.kind, one.change) for one in compare_catalogue(old, new)] == [
        ("edges (condition, cause, relation)", "- a b same-host"),
        ("edges (condition, cause, relation)", "+ a b source"),
        ("text of --plan, zh", "- 读取 x\n+ 读取 y"),
    ]


def test_report_groups_equal_changes_of_many_runs() -> None:
    text = "\n".join(report(Difference("word of x", "- pass\n+ fail", f"run-{n}") for n in range(12)))
    assert "word of x: 12 x in 12 runs" in text and text.count("+ fail") == 1
    assert "run-0" in text and "(+6)" in text


def test_report_counts_what_it_leaves_out() -> None:
    text = "\n".join(report(Difference("word of x", f"+ {n}", "run") for n in range(MOST_SHOWN + 3)))
    assert "(+3 other changes of this kind)" in text


@pytest.mark.parametrize("kind", CHANGES)
def test_every_kind_has_a_class(kind: str) -> None:
    assert difference_class(kind) != OTHER


def test_totals_begin_with_the_most_serious_class() -> None:
    differences = [
        Difference("remedy of clock-all, en", "+ x", "healthy-1"),
        Difference("remedy of clock-all, zh", "+ x", "healthy-1"),
        Difference("word of clock-all", "- pass\n+ fail", "disk-full"),
    ]
    assert totals(differences) == [
        "differences by class:",
        "       1 verdicts (1 kinds, 1 runs)",
        "       2 texts (2 kinds, 1 runs)",
    ]
    assert totals([]) == []
