"""A recording that was made before a query or a condition existed stays usable."""

from __future__ import annotations

import copy
from typing import Any

from bkpaas.facts import shapes
from bkpaas.facts.shapes import RoundQueries
from bkpaas.messages import msg
from bkpaas.plugin.outcome import Outcome
from selftests.recordings.comparing import Difference, compare, compare_catalogue
from selftests.recordings.test_comparing import CLOCK, ZONE, output
from selftests.recordings.unrecorded import (
    NOT_RECORDED,
    changed_words,
    complete,
    complete_statements,
    left_out,
    new_queries,
)

FILE = {
    "path": "/etc/x", "type": "file", "mode": 420, "uid": 0, "gid": 0, "size": 1, "mtime": 1.0, "inode": 1,
}  # fmt: skip
ANSWER = {
    "visit": 1,
    "uid": 0,
    "python": "3",
    "home": None,
    "errors": {"files:broken": "permission denied"},
    "files": {"there": [FILE | {"text": "x"}], "stat": [FILE], "broken": []},
}
NAMES = ("there", "stat", "broken", "new")


def queries(*whole: str) -> RoundQueries:
    return RoundQueries({"files": frozenset(NAMES), "peers": frozenset()}, frozenset(whole))


def test_queries_without_answer_get_a_reason_and_others_stay() -> None:
    found = complete(copy.deepcopy(ANSWER), 1, queries("files:there", "files:stat"), None)
    assert found is not None
    assert found["errors"] == {
        "files:broken": "permission denied",
        "files:new": f"{NOT_RECORDED}files:new",
        "files:stat": f"{NOT_RECORDED}files:stat",  # its content is read today
        "peers": f"{NOT_RECORDED}peers",
    }
    read = shapes.read_round(found, 1, queries("files:there", "files:stat"))
    assert read.errors["files:new"] == f"{NOT_RECORDED}files:new"
    assert read.values["files"].keys() == {"there"}


def test_a_round_that_was_not_needed_gets_the_reason_for_all_of_it() -> None:
    found = complete(None, 2, queries(), ANSWER)
    assert found is not None and found["visit"] == 2
    read = shapes.read_round(found, 2, queries())
    assert {read.errors[f"files:{name}"] for name in NAMES} == {
        f"{NOT_RECORDED}files:{name}" for name in NAMES
    }
    assert complete(None, 2, RoundQueries(), ANSWER) is None
    assert complete(None, 1, queries(), None) is None, "a host that was not collected"


def test_a_statement_that_was_not_sent_has_the_reason() -> None:
    plan = {"tcp": [{"name": "database", "statements": ["status", "new"]}, {"name": "redis"}]}

    def completed(results: Any) -> Any:
        login = {"state": "accepted"} | ({"results": results} if results else {})
        answer = complete_statements({"tcp": {"database": {"login": login}, "redis": {}}}, plan)
        return answer and answer["tcp"]["database"]["login"].get("results")

    rows: dict[str, Any] = {"rows": []}
    assert completed({"status": rows})["new"]["text"] == f"{NOT_RECORDED}new"
    cut = {"status": {"kind": "silent", "text": "x"}}
    assert completed(cut) == cut, "nothing is sent after a statement without an answer"
    assert completed(None) is None and complete_statements(None, plan) is None


def test_only_what_is_not_recorded_is_left_out() -> None:
    reason = msg("{what} is not known", what=f"{NOT_RECORDED}files:new")
    outcomes = {
        "old@a": Outcome("old@a", "no_data", reason=reason),
        "old@b": Outcome("old@b", "no_data", reason="timeout"),
        "new@a": Outcome("new@a", "no_data", reason="timeout"),
        "new@b": Outcome("new@b", "fail", evidence="x"),
    }
    assert left_out(outcomes, ["old"]) == ["old@a", "new@a"]
    assert left_out(outcomes, None) == ["old@a"]
    assert left_out(outcomes, ["old", "new"], ["old@b", "new@b"]) == ["old@a", "old@b"], "left out before"


def newer() -> dict[str, Any]:
    """Return a run of newer code: CLOCK is not recorded, a new condition passes, and a query is new."""
    actual = output()
    del actual["verdicts"][CLOCK]
    actual["order"] = [ZONE, "new@paas-1"]
    actual["verdicts"]["new@paas-1"] = copy.deepcopy(actual["verdicts"][ZONE])
    actual |= {"not_recorded": [CLOCK], "root_causes": [ZONE], "causes": actual["causes"][1:]}
    actual["plans"]["paas-1"]["1"]["files"].append("c")
    actual["plans"]["paas-1"]["2"] = {"http": ["x", {"name": "y", "url": "/"}]}
    actual["markers"]["login_502"].append("new@paas-1")
    return actual


def test_what_only_a_later_recording_can_have_is_no_difference() -> None:
    assert list(compare("run", output(), newer())) == []
    assert list(changed_words(output(), newer())) == ["clock-all: pass"]
    plans = output()["plans"], newer()["plans"]
    assert list(new_queries(*plans)) == ["round 1: files: c", "round 2: http: y"]


def test_other_changes_of_the_same_run_are_differences() -> None:
    actual = newer()
    actual["verdicts"][ZONE]["word"] = "fail"
    actual["verdicts"]["new@paas-1"]["word"] = "fail"
    actual["plans"]["paas-1"]["1"]["files"].remove("a")
    kinds = {one.kind for one in compare("run", output(), actual)}
    assert kinds == {"word of timezone-all", "new verdict: new", "plan of round 1: files"}


def test_new_edges_and_added_lines_of_the_plan_are_no_difference() -> None:
    old = {"edges": [["a", "b", "same-host"]], "plan": {"a": {"en": "read x"}}}
    new = {"edges": [("a", "b", "same-host"), ("c", "b", "source")], "plan": {"a": {"en": "read x\nread y"}}}
    assert list(compare_catalogue(old, new)) == []
    new["edges"].append(("b", "a", "source"))
    assert list(compare_catalogue(old, new)) == [
        Difference("edges (condition, cause, relation)", "+ b a source")
    ]
