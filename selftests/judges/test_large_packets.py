"""Large packets that are lost between hosts, on edited facts."""

from typing import Any

import pytest

SILENT = {"error_kind": "silent", "error_text": "no complete answer in time", "seconds": 8.0}


def without_answer(*names: tuple[str, str]) -> Any:
    """Let these requests of these hosts have no answer in time."""

    def change(snapshot: dict[str, Any]) -> None:
        for host, name in names:
            answers = snapshot["hosts"][host]["answers"]["by_name"]
            answers[name] = {"url": answers[name]["url"], **SILENT}

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_answer(("nginx-1", "large@paas-1")), {"nginx-1": "fail", "paas-1": "pass"}),
        (without_answer(("appo-1", "large-domain")), {"appo-1": "fail", "nginx-1": "pass"}),
        # login itself is slow, for every host
        (without_answer(("nginx-1", "large@paas-1"), ("paas-1", "large")), {"nginx-1": "pass"}),
        (without_answer(("appo-1", "large-domain"), ("nginx-1", "large-domain")), {"appo-1": "pass"}),
        (
            without_answer(("appo-1", "large-domain"), ("paas-1", "large")),
            {"appo-1": "pass"},
        ),  # login hangs there
        # short answers do not arrive either
        (without_answer(("nginx-1", "large@paas-1"), ("nginx-1", "login@paas-1")), {"nginx-1": "pass"}),
    ],
)
def test_a_link(judge: Any, change: Any, words: dict[str, str]) -> None:
    verdicts = judge("large-packets", change)
    assert {name: verdicts[name]["verdict"] for name in words} == words


def test_not_requested_is_no_data(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        del snapshot["hosts"]["appo-1"]["answers"]["by_name"]["large-domain"]

    assert judge("large-packets", change)["appo-1"]["verdict"] == "no_data"


def test_one_cause_where_nginx_waits_for_large_packets(record: Any) -> None:
    callers = [(name, "large-domain") for name in ("paas-1", "appo-1", "cmdb-1")]
    change = without_answer(("nginx-1", "large@paas-1"), *callers)
    assert record(change)["root_causes"] == ["large-packets@nginx-1"]


def test_lost_packets_at_nginx_explain_it(record: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        without_answer(("cmdb-1", "large-domain"))(snapshot)
        lost = {"connections": 2, "lossy": 2, "repeats": 5, "lossy_repeats": 3, "packets": 9}
        peers = dict.fromkeys(("10.66.0.11:8001", "10.66.0.11:8003"), lost)
        snapshot["hosts"]["nginx-1"]["retransmits"]["by_peer"] = peers

    assert record(change)["root_causes"] == ["packet-loss@nginx-1"]


def unknown(host: str, *names: str) -> Any:
    """Let nginx-1 and appo-1 wait for large packets, and let these requests of a host be unknown."""

    def change(snapshot: dict[str, Any]) -> None:
        without_answer(("nginx-1", "large@paas-1"), ("appo-1", "large-domain"))(snapshot)
        for name in names:
            del snapshot["hosts"][host]["answers"]["by_name"][name]
        if not names:
            snapshot["hosts"][host]["answers"] = {"fact": "Missing", "reason": "Permission denied"}

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (unknown("paas-1"), {"nginx-1": "no_data", "appo-1": "no_data"}),
        (unknown("paas-1", "large"), {"nginx-1": "no_data", "appo-1": "no_data"}),
        (unknown("nginx-1", "large-domain"), {"nginx-1": "fail", "appo-1": "no_data"}),
        (unknown("paas-2", "large"), {"nginx-1": "fail", "appo-1": "no_data"}),
    ],
)
def test_login_that_is_not_known_to_work_is_no_data(judge: Any, change: Any, words: dict[str, str]) -> None:
    verdicts = judge("large-packets", change)
    assert {name: verdicts[name]["verdict"] for name in words} == words
