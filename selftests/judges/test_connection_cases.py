"""Every answer and connection of every host fails in the same way: each such case is red and the suite does not break."""

import json

import pytest

KINDS = (
    "refused",
    "timeout",
    "silent",
    "unreachable",
    "reset",
    "resolve",
    "tls",
    "protocol",
    "empty",
    "other",
)
BODIES = {500: "error", 502: "", 200: "hello", 401: "{}"}
SUITE_BROKE = "the suite itself failed"


def of(snapshot, noun):
    """Yield the answers or connections of all hosts and the controller."""
    for host in (*snapshot["hosts"].values(), snapshot["controller"]):
        yield from host.get(noun, {}).get("by_name", {}).values()


def broken(results):
    return [one["id"] for one in results["verdicts"] if SUITE_BROKE in str(one["reason"])]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_answers(record, kind):
    def change(snapshot):
        for answer in of(snapshot, "answers"):
            answer.update(status=None, error_kind=kind, error_text=f"{kind} here", body="", headers={})
        for connection in of(snapshot, "connections"):
            connection.update(error_kind=kind, error_text=f"{kind} here", text="", greeting="none")

    results = record(change)
    assert not broken(results) and results["counts"]["fail"] > 30


@pytest.mark.parametrize("status", BODIES)
def test_everything_answers_something_else(record, status):
    def change(snapshot):
        for answer in of(snapshot, "answers"):
            answer.update(status=status, body=BODIES[status])
        for connection in of(snapshot, "connections"):
            connection.update(greeting="ssh", text="SSH-2.0-OpenSSH")

    results = record(change)
    assert not broken(results) and results["counts"]["fail"] > 20


def test_every_answer_reports_an_error(record):
    body = json.dumps({"result": False, "message": "no", "data": {}})

    def change(snapshot):
        for answer in of(snapshot, "answers"):
            answer.update(status=200, body=body)

    assert not broken(record(change))
