"""Passwords in the table of the users that are not hashes, on edited facts."""

from typing import Any

import pytest

PLAIN = "ValueError: not enough values to unpack (expected 4, got 2)"


def facts(snapshot: dict[str, Any], host: str) -> Any:
    return snapshot["hosts"][host]["connections"]["by_name"]["database"]["login"]["database"]


def unhashed(snapshot: dict[str, Any]) -> None:
    for host in ("paas-1", "paas-2"):
        facts(snapshot, host)["unhashed"] = {"users": 1, "administrators": 1}


def failed_login(route: str, exception: str) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        unhashed(snapshot)
        host = snapshot["hosts"]["paas-1"]
        time = host["system"]["time"] - 20
        host["login_access"]["failed"] = [
            {"route": route, "status": 500, "times": [time], "calls": 3, "exception": exception}
        ]

    return change


@pytest.mark.parametrize(
    ("route", "exception", "case", "explained"),
    [
        ("POST /", PLAIN, "password", True),
        ("POST /", "ValueError: need more than 2 values to unpack", "password", True),
        ("GET /", PLAIN, "exception", False),
        ("POST /", "ImportError: No module named bkaccount", "exception", False),
    ],
)
def test_the_error_that_half_a_hash_causes(
    record: Any, route: str, exception: str, case: str, explained: bool
) -> None:
    results = record(failed_login(route, exception))
    verdict = next(one for one in results["verdicts"] if one["id"] == "login-errors@paas-1")
    assert verdict["case"] == case
    assert (verdict["explained_by"] == ["password-hashes@paas-1"]) == explained, verdict["explained_by"]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"unhashed": {"users": 2, "administrators": 0}}, "pass"),
        ({"unhashed": None}, "no_data"),
        ({"unhashed": None, "filled": {"bkaccount_bkuser": False}}, "not_applicable"),
        ({"errors": {"bkaccount_bkuser": {"code": 1146, "text": "no such table"}}}, "no_data"),
        ({"errors": {"login_bklog": {"code": 1146, "text": "no such table"}}}, "pass"),
    ],
)
def test_passwords_of_others_and_those_that_were_not_counted(
    judge: Any, values: dict[str, Any], word: str
) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        facts(snapshot, "paas-1").update(values)

    assert judge("password-hashes", change)["paas-1"]["verdict"] == word


def test_the_login_of_admin_that_is_refused(record: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        unhashed(snapshot)
        snapshot["controller"]["login"] = {
            "user": "admin",
            "logins": 1,
            "verified_on": [],
            "unreached": [],
            "failures": [],
            "refused": "no",
        }

    results = record(change)
    found = next(one for one in results["verdicts"] if one["id"] == "login-works@controller")
    assert (found["verdict"], found["explained_by"][:1]) == ("no_data", ["password-hashes@paas-1"]), found
