"""Rounds that are an hour apart, as they may be through an engine: each answer is compared with the time of its round."""

from __future__ import annotations

from typing import Any

import pytest

HOUR = 3600.0


def move_round_2(snapshot: dict[str, Any], seconds: float = HOUR) -> None:
    """Let round 2 of all hosts be so much later."""
    for host in snapshot["hosts"].values():
        now = host["system"]["time"]
        first, later = ({"time": now + gap, "sent": now + gap, "received": now + gap} for gap in (0, seconds))
        host["moments"] = {"fact": "Moments", "first": first, "later": later}


def newest(age_in_round_2: float, seconds: float = HOUR) -> Any:
    """Let the newest document be so old in round 2, and the newest line of each log young in round 1."""

    def change(snapshot: dict[str, Any]) -> None:
        move_round_2(snapshot, seconds)
        for name in ("paas-1", "paas-2"):
            now = snapshot["hosts"][name]["system"]["time"] + seconds
            for search in snapshot["hosts"][name]["searches"]["by_place"].values():
                search.update(newest=now - age_in_round_2, sources={})
        for name in ("appo-1", "appt-1"):
            now = snapshot["hosts"][name]["system"]["time"]
            snapshot["hosts"][name]["log_plugins"]["logs"][0].update(
                times=[now - 10], ends=[900], mtime=now - 10
            )

    return change


@pytest.mark.parametrize(
    ("age", "word", "case"),
    [(20, "pass", None), (-600, "warn", "future"), (HOUR + 60, "not_applicable", None)],
    ids=["written-since", "future", "none-since"],
)
def test_documents_of_round_2_have_its_time(judge: Any, age: float, word: str, case: str | None) -> None:
    verdict = judge("log-index-fresh", newest(age))["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, case), verdict["evidence"] or verdict["reason"]


def test_a_line_is_missed_by_its_own_round(judge: Any) -> None:
    """Due in round 1 and not there an hour later; its age is that of round 2, as the document's."""

    def change(snapshot: dict[str, Any]) -> None:
        newest(2 * HOUR)(snapshot)
        for name in ("appo-1", "appt-1"):
            now = snapshot["hosts"][name]["system"]["time"]
            snapshot["hosts"][name]["log_plugins"]["logs"][0].update(
                times=[now - 600], mtime=now - 600, offset=None
            )

    verdict = judge("log-index-fresh", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("warn", "stale")
    assert "70 min old" in verdict["evidence"]


def login_lines(age_in_round_2: float, later: bool) -> Any:
    """Let login's log have a failed call of that age, and be read in round 2 or in round 1 only."""

    def change(snapshot: dict[str, Any]) -> None:
        move_round_2(snapshot)
        host = snapshot["hosts"]["paas-1"]
        time = host["system"]["time"] + HOUR - age_in_round_2
        failed = {"route": "POST /accounts/", "status": 500, "times": [time], "calls": 1, "exception": ""}
        host["login_access"] |= {"later": later, "failed": [failed]}
        host["logs"]["application_exceptions"] = {}

    return change


@pytest.mark.parametrize(
    ("age", "later", "word"),
    [(60, True, "fail"), (HOUR + 60, True, "pass"), (HOUR + 60, False, "fail")],
)
def test_failed_requests_are_as_old_as_their_log(judge: Any, age: float, later: bool, word: str) -> None:
    verdict = judge("login-errors", login_lines(age, later))["paas-1"]
    assert verdict["verdict"] == word, verdict
    if word == "fail":
        assert "60 s ago" in verdict["evidence"]
        assert ("login.log was read before that" in verdict["evidence"]) is later


def deaths(spread: float) -> Any:
    """Let workers have died every so many seconds until round 2, in a log that round 2 read."""

    def change(snapshot: dict[str, Any]) -> None:
        move_round_2(snapshot)
        host = snapshot["hosts"]["paas-1"]
        file, now = "/logs/login_uwsgi.log", host["system"]["time"] + HOUR
        host["logs"]["worker_deaths"] = [["login", now - spread * number, 11, file] for number in range(1, 9)]
        host["logs"]["later"] = [file]

    return change


@pytest.mark.parametrize(("spread", "word"), [(30, "warn"), (550, "pass")])
def test_only_what_is_recent_in_its_round_is_counted(judge: Any, spread: float, word: str) -> None:
    """Eight deaths within 73 minutes are not eight within ten."""
    verdict = judge("worker-deaths", deaths(spread))["paas-1"]
    assert verdict["verdict"] == word, verdict


def restarted(seconds: float) -> Any:
    """Let login have another pid in round 2."""

    def change(snapshot: dict[str, Any]) -> None:
        move_round_2(snapshot, seconds)
        supervisor = snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["open_paas"]
        for program in supervisor["later"]:
            if program["name"] == "login":
                program |= {"pid": 99_999, "uptime_seconds": 40}

    return change


@pytest.mark.parametrize(("seconds", "word"), [(60, "fail"), (HOUR, "pass")])
def test_one_restart_in_an_hour_is_no_loop(judge: Any, seconds: float, word: str) -> None:
    verdict = judge("supervisor-status", restarted(seconds))["paas-1"]
    assert verdict["verdict"] == word, verdict


def new_pid_file(ended: bool) -> Any:
    """Let nginx' pid file, which round 2 reads, have another pid than the master of round 1."""

    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["nginx-1"]
        pids, starts = host["startup"]["pids"], host["later"]["starts"]
        path = next(path for path in pids if "nginx" in path)
        if ended:
            starts[str(pids[path])] = None
        pids[path] = 99_999

    return change


@pytest.mark.parametrize(("ended", "word"), [(True, "no_data"), (False, "warn")])
def test_a_pid_file_is_compared_with_masters_that_still_run(judge: Any, ended: bool, word: str) -> None:
    verdict = judge("pid-files", new_pid_file(ended))["nginx-1"]
    assert verdict["verdict"] == word, verdict


def unanswered_request(since: float) -> Any:
    """Let a request of an hour before the run not have arrived, in a log that begins so much after the request."""

    def change(snapshot: dict[str, Any]) -> None:
        snapshot["controller"]["sent"] = snapshot["started"] - HOUR
        for name in ("paas-1", "paas-2"):
            host = snapshot["hosts"][name]
            request = snapshot["started"] - HOUR + host["clock"]["offset_seconds"]
            host["login_access"] |= {"probes": [], "since": request + since, "later": True}

    return change


@pytest.mark.parametrize(("since", "word"), [(600, "no_data"), (-600, "fail")])
def test_a_request_is_looked_for_where_it_was_sent(judge: Any, since: float, word: str) -> None:
    (verdict,) = judge("login-request-arrives", unanswered_request(since)).values()
    assert verdict["verdict"] == word, verdict
