"""Settings over projects and hosts, on edited facts."""

from typing import Any

import pytest

COOKIE = "BK_COOKIE_DOMAIN"


def values(snapshot: dict[str, Any], host: str, project: str) -> dict[str, Any]:
    one: dict[str, Any] = snapshot["hosts"][host]["settings"]["by_project"][project]["values"]
    return one


def cookie(text: str, *places: tuple[str, str]) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        for host, project in places:
            values(snapshot, host, project)[COOKIE][3] = text

    return change


PAAS = [(host, "paas") for host in ("paas-1", "paas-2")]
LOGIN = [(host, "login") for host in ("paas-1", "paas-2")]


@pytest.mark.parametrize(
    ("change", "case", "projects"),
    [
        (cookie(".other.test", *PAAS), "deviates", "paas"),
        (cookie(".other.test", *LOGIN), "deviates", "login"),
        (cookie(".test", *PAAS), "apart", "login, paas"),
    ],
)
def test_the_cookie_domain_of_two_projects(record: Any, change: Any, case: str, projects: str) -> None:
    """The value that does not cover the domain of PaaS is wrong, even if more hosts have it."""
    results = record(change, "settings-across-projects")
    verdict = next(one for one in results["verdicts"] if one["subject"] == "paas-1")
    assert (verdict["verdict"], verdict["case"]) == ("fail", case)
    assert projects in results["causes"][0]["headline"]


@pytest.mark.parametrize(
    ("value", "listens", "case"),
    [
        ("http://127.0.0.1:8003", "10.66.0.11", "not-listening"),
        ("http://localhost:8003", "10.66.0.11", "not-listening"),
        ("http://127.0.0.1:8003", "0.0.0.0", None),
        ("http://10.66.0.11:8003", "10.66.0.11", None),
        ("http://10.66.0.12:8003", "10.66.0.11", None),
    ],
)
def test_addresses_on_which_the_service_listens(judge, value, listens, case):
    def change(snapshot):
        facts = snapshot["hosts"]["paas-1"]
        for listener in facts["sockets"]["listeners"]:
            if listener["port"] == 8003:
                listener["address"] = listens
        row = facts["settings"]["by_project"]["paas"]["values"]["LOGIN_HOST"]
        row[3], row[4] = value, ""

    verdict = judge("settings-match-inventory", change)["paas-1"]
    assert verdict["case"] == case, verdict["evidence"]
