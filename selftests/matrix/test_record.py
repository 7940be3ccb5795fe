"""The matrix file: what stays, what is replaced, when all is as it should be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bkpaas.faq.catalogue import SYMPTOMS
from lab.faults import FAULTS
from selftests.matrix.__main__ import JUDGED, parser, plan
from selftests.matrix.record import Lookalike, Matrix, Pair, Row
from selftests.matrix.trial import Broken, Healthy


def row(name: str, **changes: object) -> Row:
    fields = {
        "name": name, "condition": "c", "detected": True, "cause_first": True, "cause_rank": 1,
        "unexplained": [], "unrelated": [], "healed": True, "seconds": 1.5,
    }  # fmt: skip
    return Row(**(fields | changes))  # type: ignore[arg-type]


def test_file_has_the_published_shape(tmp_path: Path) -> None:
    file = tmp_path / "report" / "matrix.json"
    matrix = Matrix(healthy_runs=2)
    matrix.put(row("port-taken"))
    matrix.put(Pair(["a", "b"], ["c", "d"], True))
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
            }
        ],
        "pairs": [{"names": ["a", "b"], "conditions": ["c", "d"], "both_named": True}],
        "lookalikes": [],
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
        Pair(["a", "b"], [], True),
        Pair(["a", "b"], [], False),
    ):
        matrix.put(found)
    matrix.sort(["a", "b"])
    assert [found.name for found in matrix.faults] == ["a", "b"]
    assert not matrix.faults[1].healed
    assert [pair.both_named for pair in matrix.pairs] == [False]


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
        Matrix(pairs=[Pair(["a", "b"], ["c", "d"], False)]),
        Matrix(lookalikes=[Lookalike("firewall-active", ["x@y"])]),
    ],
    ids=["false-alarm", "pair", "lookalike"],
)
def test_flaws_beside_the_faults_count_too(matrix: Matrix) -> None:
    assert not matrix.perfect


def test_resuming_leaves_out_what_is_there() -> None:
    done, other = list(FAULTS)[:2]
    matrix = Matrix(faults=[row(done)], pairs=[Pair([done, other], [], True)], healthy_runs=2)
    options = parser().parse_args(
        ["--resume", "--only", done, "--only", other, "--pair", f"{done}+{other}", "--healthy", "3"]
    )
    assert plan(matrix, options) == [Healthy(3), Broken((other,))]


def test_healthy_runs_are_counted_anew() -> None:
    matrix, name = Matrix(healthy_runs=20, false_alarms=1), next(iter(FAULTS))
    trials = plan(matrix, parser().parse_args(["--healthy", "2", "--only", name]))
    assert trials == [Healthy(1), Healthy(2), Broken((name,))]
    assert (matrix.healthy_runs, matrix.false_alarms) == (0, 0)


def test_without_names_every_fault_that_can_be_named_is_planned() -> None:
    trials = plan(Matrix(), parser().parse_args([]))
    assert trials == [Healthy(1), *(Broken((name,)) for name in JUDGED)]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a fault that is tried in layout c, the first of all."""
    name = JUDGED[0]
    monkeypatch.setitem(FAULTS, name, replace(FAULTS[name], layout="c"))
    return name


def test_trials_of_one_layout_follow_each_other(elsewhere: str) -> None:
    trials = plan(Matrix(), parser().parse_args([]))
    layouts = [trial.layout for trial in trials]
    assert trials[0] == Healthy(1) and layouts == sorted(layouts)
    assert Broken((elsewhere,)) in trials and Broken((elsewhere,)).layout == "c"
    assert len(trials) == len(JUDGED) + 1


def test_one_layout_alone(elsewhere: str) -> None:
    trials = plan(Matrix(), parser().parse_args(["--layout", "c", "--healthy", "2"]))
    assert trials[:2] == [Healthy(1, "c"), Healthy(2, "c")]
    assert Broken((elsewhere,)) in trials and {trial.layout for trial in trials} == {"c"}


def test_pair_is_tried_where_both_can_be(elsewhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    anywhere, in_b = JUDGED[1:3]
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
    "words", [["--only", "no-such"], ["--pair", "clock-ahead"], ["--pair", "clock-ahead+clock-ahead"]]
)
def test_unknown_names_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(words)
    assert words[0] in capsys.readouterr().err


def test_every_section_of_the_faq_has_a_fault_that_can_be_named() -> None:
    named = {FAULTS[name].condition for name in JUDGED}
    assert not [symptom.key for symptom in SYMPTOMS if not named & set(symptom.conditions)]
