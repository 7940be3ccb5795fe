"""Output of the matrix."""

from __future__ import annotations

from selftests.matrix import table
from selftests.matrix.record import Lookalike, Marked, Matrix, Pair, Row


def row(name: str, rank: int, **changes: bool) -> Row:
    fields = {"detected": True, "healed": True} | changes
    return Row(name, "c", fields["detected"], rank == 1, rank, [], [], fields["healed"], 1.0)


def test_closing_line_counts_everything() -> None:
    faults = [row("a", 1), row("b", 1), row("c", 2), row("d", 0, detected=False, healed=False)]
    pairs = [Pair(["a", "b"], [], True, [], True), Pair(["a", "c"], [], False, [], True)]
    marked = [Marked("appt-502", "a", "c", {"en": True, "zh": True})]
    matrix = Matrix(faults, pairs, [Lookalike("l", ["x@y"])], marked, healthy_runs=50, false_alarms=3)
    assert table.closing(matrix) == (
        "4 faults: 3 detected, 3 healed, cause first 50 %, among the first two 75 %, 2 without a flaw; "
        "pairs 1/2, look-alikes 0/1, symptoms 1/1; 50 healthy runs, 3 false alarms"
    )


def test_nothing_was_tried() -> None:
    assert "cause first -" in table.closing(Matrix())


def test_every_result_has_its_line_with_what_is_wrong() -> None:
    pair = Pair(["a", "b"], [], True, ["x@y"], False)
    marked = Marked("appt-502", "saas-dead", "saas-run-state", {"en": True, "zh": False})
    text = table.whole(Matrix([row("a", 1)], [pair], [Lookalike("epmd-alone", ["p@q"])], [marked]))
    for expected in (
        "a + b: both named: yes, not healed\n    others: x@y\n",
        "epmd-alone: stays green: NO p@q\n",
        "-m appt_502: saas-dead -> saas-run-state: en yes zh NO\n",
    ):
        assert expected in text
