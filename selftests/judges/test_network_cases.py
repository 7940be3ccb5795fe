"""Descriptors, routes and nameservers, on edited facts."""

from typing import Any

import pytest

PID, ARGV, USED, LIMIT = 0, 6, 10, 11
RIGHT, STALE = "10.66.0.30", "10.66.0.99"


def paas(snapshot: dict[str, Any]) -> dict[str, Any]:
    host: dict[str, Any] = snapshot["hosts"]["paas-1"]
    return host


def descriptors(words: str, used: int | None, limit: int | None) -> Any:
    """Let the processes of which the command line has these words use so many descriptors."""

    def change(snapshot: dict[str, Any]) -> None:
        for one in paas(snapshot)["processes"]["items"]:
            if words in " ".join(one[ARGV]):
                one[USED], one[LIMIT] = used, limit

    return change


@pytest.mark.parametrize(
    ("change", "word", "case"),
    [
        (descriptors("open_paas-login.ini", 1024, 1024), "fail", "used-up"),
        (descriptors("open_paas-esb.ini", 40, 40), "fail", "used-up"),
        (descriptors("open_paas-esb.ini", 50, 40), "fail", "used-up"),
        (descriptors("open_paas-login.ini", 1000, 1024), "pass", None),
        (descriptors("open_paas-login.ini", 5000, None), "pass", None),
        (descriptors("rsyslogd", 1024, 1024), "pass", None),
        (descriptors("open_paas-login.ini", None, None), "no_data", None),
    ],
)
def test_descriptors_of_a_service(judge: Any, change: Any, word: str, case: str | None) -> None:
    verdict = judge("open-files", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, case), verdict["evidence"]


@pytest.mark.parametrize(("after", "word"), [(5, "fail"), (-5, "pass"), (None, "pass")])
def test_a_service_that_has_logged_too_many_files(judge: Any, after: float | None, word: str) -> None:
    """Only a line since the start of the service and within the window counts."""

    def change(snapshot: dict[str, Any]) -> None:
        now = paas(snapshot)["system"]["time"]
        for one in paas(snapshot)["processes"]["items"]:
            if "open_paas-esb.ini" in " ".join(one[ARGV]):
                one[3] = now - 60
        text = "OSError: [Errno 24] Too many open files: '/dev/urandom'"
        hit = {"file": "esb.log", "time": None if after is None else now - 60 + after, "text": text}
        paas(snapshot)["logs"].setdefault("exceptions", {})["esb"] = hit

    assert judge("open-files", change)["paas-1"]["verdict"] == word


@pytest.mark.parametrize(
    ("errno", "word"),
    [("EINVAL", "fail"), ("EACCES", "fail"), ("EHOSTUNREACH", "fail"), ("ENETUNREACH", "pass"), ("", "pass")],
)
def test_a_route_that_rejects_what_is_for_the_database(record: Any, errno: str, word: str) -> None:
    """With one cause for all connections to the host."""

    def change(snapshot: dict[str, Any]) -> None:
        paas(snapshot)["names"]["routes"] = {"10.66.0.51": errno, "10.66.0.30": ""}
        gone = {"error_kind": "other", "error_text": "Invalid argument", "seconds": 0.001}
        if word == "fail":
            paas(snapshot)["connections"]["by_name"]["database"] = gone

    results = record(change)
    verdict = next(one for one in results["verdicts"] if one["id"] == "host-routes@paas-1")
    assert verdict["verdict"] == word
    assert results["root_causes"] == (["host-routes@paas-1"] if word == "fail" else [])


def nameservers(*answers: tuple[str, list[str], str | None], hosts: tuple[str, ...] = ()) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        names = paas(snapshot)["names"]
        names["listed_nameservers"] = [server for server, _, _ in answers]
        names["in_hosts"] = list(hosts)
        names["nameservers"] = {
            server: {"name": server, "addresses": addresses, "error": error}
            for server, addresses, error in answers
            if not hosts
        }

    return change


SILENT = "no complete answer in time"


@pytest.mark.parametrize(
    ("change", "word", "case"),
    [
        (nameservers(("10.0.0.1", [RIGHT], None), ("10.0.0.2", [STALE], None)), "warn", "stale"),
        (nameservers(("10.0.0.1", [STALE], None), ("10.0.0.2", [RIGHT], None)), "warn", "stale"),
        (nameservers(("10.0.0.1", [RIGHT], None), ("10.0.0.2", [RIGHT, STALE], None)), "warn", "stale"),
        (nameservers(("10.0.0.1", [RIGHT], None), ("114.114.114.114", [], "rcode 3")), "warn", "without"),
        (nameservers(("10.0.0.1", [RIGHT], None), ("10.0.0.2", [RIGHT], None)), "pass", None),
        (nameservers(("10.0.0.1", [STALE], None), ("10.0.0.2", [STALE], None)), "pass", None),
        (nameservers(("10.0.0.1", [RIGHT], None), ("10.0.0.2", [], SILENT)), "pass", None),
        (nameservers(("10.0.0.1", [RIGHT], None), ("10.0.0.2", [], "rcode 2")), "pass", None),
        (nameservers(("10.0.0.1", [RIGHT], None)), "not_applicable", None),
        (
            nameservers(("10.0.0.1", [RIGHT], None), ("10.0.0.2", [STALE], None), hosts=("paas.bklab.test",)),
            "not_applicable",
            None,
        ),
    ],
)
def test_two_nameservers(judge: Any, change: Any, word: str, case: str | None) -> None:
    verdict = judge("nameservers-agree", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, case), verdict["evidence"]
