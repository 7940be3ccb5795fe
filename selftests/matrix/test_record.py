"""The matrix file: what stays, what is replaced, when all is as it should be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bkpaas.catalogue.registry import CONDITIONS, SECTIONS
from lab.faults import FAULTS
from lab.lookalikes import LOOKALIKES
from selftests.matrix.__main__ import parser, plan
from selftests.matrix.declared import PAIRS, SYMPTOM_FAULTS
from selftests.matrix.record import Lookalike, Marked, Matrix, Pair, Row
from selftests.matrix.trial import Alike, Broken, Healthy, Narrowed


def row(name: str, **changes: object) -> Row:
    fields = {
        "name": name, "condition": "c", "detected": True, "cause_first": True, "cause_rank": 1,
        "unexplained": [], "unrelated": [], "healed": True, "seconds": 1.5, "same_from_snapshot": True,
    }  # fmt: skip
    return Row(**(fields | changes))  # type: ignore[arg-type]


def test_a_snapshot_that_is_judged_otherwise_is_a_flaw() -> None:
    assert row("a").perfect and not row("a", same_from_snapshot=False).perfect


def pair(*names: str, **changes: object) -> Pair:
    fields = {"conditions": ["c", "d"], "both_named": True, "strangers": [], "healed": True}
    return Pair(list(names), **(fields | changes))  # type: ignore[arg-type]


def test_file_has_the_published_shape(tmp_path: Path) -> None:
    file = tmp_path / "report" / "matrix.json"
    matrix = Matrix(healthy_runs=2)
    matrix.put(row("port-taken"))
    matrix.put(pair("a", "b"))
    matrix.put(Lookalike("epmd-alone", []))
    matrix.put(Marked("appt-502", "saas-dead", "saas-run-state", {"en": True, "zh": True}))
    matrix.write(file)
    assert json.loads(file.read_text()) == {
        "faults": [
            {
                "name": "port-taken",
                "condition": "c",
                "detected": True,
                "cause_first": True,
                "cause_rank": 1,
                "unexplained": [],
                "unrelated": [],
                "healed": True,
                "seconds": 1.5,
                "same_from_snapshot": True,
                "remedied": None,
            }
        ],
        "pairs": [
            {
                "names": ["a", "b"],
                "conditions": ["c", "d"],
                "both_named": True,
                "strangers": [],
                "healed": True,
            }
        ],
        "lookalikes": [{"name": "epmd-alone", "red": []}],
        "symptoms": [
            {
                "symptom": "appt-502",
                "fault": "saas-dead",
                "condition": "saas-run-state",
                "first": {"en": True, "zh": True},
            }
        ],
        "healthy_runs": 2,
        "false_alarms": 0,
    }
    assert Matrix.read(file) == matrix


@pytest.mark.parametrize(
    "content", [None, "", '{"faults": [{"name": "cut off"', '{"faults": [{"name": "half"}]}']
)
def test_unreadable_file_is_an_empty_matrix(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "matrix.json"
    if content is not None:
        file.write_text(content)
    assert Matrix.read(file) == Matrix()


def test_new_result_replaces_the_old_one_and_order_is_the_catalogues() -> None:
    matrix = Matrix()
    for found in (
        row("b"),
        row("a"),
        row("b", healed=False),
        pair("a", "b"),
        pair("a", "b", both_named=False),
        Lookalike("l", ["x@y"]),
        Lookalike("l", []),
        Marked("s", "a", "c", {"en": False}),
        Marked("s", "a", "c", {"en": True}),
    ):
        matrix.put(found)
    matrix.sort(["a", "b"])
    assert [found.name for found in matrix.faults] == ["a", "b"]
    assert not matrix.faults[1].healed
    assert [found.both_named for found in matrix.pairs] == [False]
    assert [found.red for found in matrix.lookalikes] == [[]]
    assert [found.first for found in matrix.symptoms] == [{"en": True}]


@pytest.mark.parametrize(
    "change",
    [
        {"detected": False},
        {"cause_first": False},
        {"unexplained": ["x@y"]},
        {"unrelated": ["x@y"]},
        {"healed": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_one_flaw_is_enough(change: dict[str, object]) -> None:
    matrix = Matrix(faults=[row("a")])
    assert matrix.perfect
    matrix.put(row("b", **change))
    assert not matrix.perfect


@pytest.mark.parametrize(
    "matrix",
    [
        Matrix(false_alarms=1),
        Matrix(pairs=[pair("a", "b", both_named=False)]),
        Matrix(pairs=[pair("a", "b", strangers=["x@y"])]),
        Matrix(pairs=[pair("a", "b", healed=False)]),
        Matrix(lookalikes=[Lookalike("firewall-permits", ["x@y"])]),
        Matrix(symptoms=[Marked("s", "a", "c", {"en": True, "zh": False})]),
        Matrix(symptoms=[Marked("s", "a", "c", {})]),
    ],
    ids=["false-alarm", "unnamed", "stranger", "unhealed", "lookalike", "one-language", "no-language"],
)
def test_flaws_in_addition_to_the_faults_count_too(matrix: Matrix) -> None:
    assert not matrix.perfect


def test_resuming_leaves_out_what_is_there() -> None:
    done, other = list(FAULTS)[:2]
    alike, another = list(LOOKALIKES)[:2]
    marked = [Marked(symptom, fault, "c", {}) for symptom, fault in SYMPTOM_FAULTS.items()]
    matrix = Matrix([row(done)], [pair(done, other)], [Lookalike(alike, [])], marked[:-1], healthy_runs=2)
    words = ["--only", done, "--only", other, "--only", alike, "--only", another, "--pair", f"{done}+{other}"]
    options = parser().parse_args([*words, "--symptoms", "--resume", "--healthy", "3"])
    left = Narrowed(marked[-1].symptom, marked[-1].fault)
    assert plan(matrix, options) == [Healthy(3), Broken((other,)), Alike(another), left]


def test_healthy_runs_are_counted_anew() -> None:
    matrix, name = Matrix(healthy_runs=20, false_alarms=1), next(iter(FAULTS))
    trials = plan(matrix, parser().parse_args(["--healthy", "2", "--only", name]))
    assert trials == [Healthy(1), Healthy(2), Broken((name,))]
    assert (matrix.healthy_runs, matrix.false_alarms) == (0, 0)


def test_without_names_each_fault_is_planned() -> None:
    trials = plan(Matrix(), parser().parse_args([]))
    faults = [(name,) for name in FAULTS]
    symptoms = [Narrowed(*shown) for shown in SYMPTOM_FAULTS.items()]
    expected = [Healthy(1), *map(Broken, [*faults, *PAIRS]), *map(Alike, LOOKALIKES), *symptoms]
    assert trials == sorted(expected, key=lambda one: one.layout)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a fault that is tried in layout c, the first of all."""
    name = next(iter(FAULTS))
    monkeypatch.setitem(FAULTS, name, replace(FAULTS[name], layout="c"))
    return name


def test_trials_of_one_layout_follow_each_other(elsewhere: str) -> None:
    trials = plan(Matrix(), parser().parse_args([]))
    layouts = [trial.layout for trial in trials]
    assert trials[0] == Healthy(1) and layouts == sorted(layouts)
    assert Broken((elsewhere,)) in trials and Broken((elsewhere,)).layout == "c"
    assert len(trials) == 1 + len(FAULTS) + len(PAIRS) + len(LOOKALIKES) + len(SYMPTOM_FAULTS)


def test_one_layout_alone(elsewhere: str) -> None:
    trials = plan(Matrix(), parser().parse_args(["--layout", "c", "--healthy", "2"]))
    assert trials[:2] == [Healthy(1, "c"), Healthy(2, "c")]
    assert Broken((elsewhere,)) in trials and {trial.layout for trial in trials} == {"c"}


def test_pair_is_tried_where_both_can_be(elsewhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    anywhere, in_b = list(FAULTS)[1:3]
    monkeypatch.setitem(FAULTS, in_b, replace(FAULTS[in_b], layout="b"))
    assert Broken((anywhere, elsewhere)).layout == "c"
    with pytest.raises(SystemExit):
        parser().parse_args(["--pair", f"{in_b}+{elsewhere}"])


def test_only_a_pair_leaves_the_healthy_runs_alone() -> None:
    first, second = list(FAULTS)[:2]
    matrix = Matrix(healthy_runs=20)
    assert plan(matrix, parser().parse_args(["--pair", f"{first}+{second}"])) == [Broken((first, second))]
    assert matrix.healthy_runs == 20


@pytest.mark.parametrize(
    "words",
    [
        ["--only", "no-such"],
        ["--only", "clock-ahead+no-such"],
        ["--pair", "clock-ahead"],
        ["--pair", "clock-ahead+clock-ahead"],
    ],
)
def test_unknown_names_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert words[0] in capsys.readouterr().err


def test_declared_pairs_are_of_different_faults_that_can_be_named_together() -> None:
    assert len(set(PAIRS)) == len(PAIRS) >= 10
    for names in PAIRS:
        assert set(names) <= set(FAULTS) and parser().parse_args(["--only", "+".join(names)])


def test_look_alikes_are_named_otherwise_than_faults_in_both_languages() -> None:
    assert len(LOOKALIKES) >= 10 and not set(LOOKALIKES) & set(FAULTS)
    assert all(one.title_en.isascii() and not one.title_zh.isascii() for one in LOOKALIKES.values())


def test_every_symptom_is_tried_on_a_fault_of_its_own() -> None:
    assert list(SYMPTOM_FAULTS) == [symptom.key for symptom in SECTIONS]
    for one in SECTIONS:
        fault = FAULTS[SYMPTOM_FAULTS[one.key]]
        assert fault.faq == one.key or fault.condition in one.conditions, one.key


UNBROKEN: tuple[str, ...] = ("process-manager", "login-works")
"""Conditions that are the declared cause of no fault: edited facts turn the first red, faults with a deeper cause the other."""


def test_every_condition_has_a_fault() -> None:
    assert (
        tuple(id_ for id_ in CONDITIONS if id_ not in {fault.condition for fault in FAULTS.values()})
        == UNBROKEN
    )


def test_every_section_of_the_faq_has_a_fault() -> None:
    named = {fault.condition for fault in FAULTS.values()}
    assert not [symptom.key for symptom in SECTIONS if not named & set(symptom.conditions)]
