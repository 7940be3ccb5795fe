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


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("http://10.66.0.12:8003", "warn"),
        ("http://10.66.0.11:8003", "pass"),
        ("http://127.0.0.1:8003", "pass"),
        ("http://paas.bklab.test/login", "pass"),
    ],
)
def test_a_service_that_depends_on_the_other_paas_host(judge: Any, value: str, word: str) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        row = values(snapshot, "paas-1", "paas")["LOGIN_HOST"]
        row[3], row[4] = value, ""

    assert judge("settings-own-host", change)["paas-1"]["verdict"] == word


@pytest.mark.parametrize(
    ("host", "address", "failing"),
    [
        ("cmdb-1", "10.66.0.12", ["paas-2"]),
        ("cmdb-1", "10.66.0.80", []),
    ],
)
def test_an_address_on_two_hosts(judge: Any, host: str, address: str, failing: list[str]) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        snapshot["hosts"][host]["addresses"]["items"].append(address)

    verdicts = judge("address-unique", change)
    assert [name for name, one in verdicts.items() if one["verdict"] != "pass"] == failing


def test_one_machine_under_two_names(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        hosts = snapshot["hosts"]
        hosts["cmdb-1"]["addresses"]["items"].append("10.66.0.62")
        hosts["job-1"]["addresses"] = hosts["cmdb-1"]["addresses"]

    assert {one["verdict"] for one in judge("address-unique", change).values()} == {"pass"}


@pytest.mark.parametrize(("value", "word"), [("paas.bklab.test", "pass"), ("paas.other.test", "fail")])
def test_an_expression_is_judged_by_its_result(judge: Any, value: str, word: str) -> None:
    """The text of the source is for display only."""

    def change(snapshot: dict[str, Any]) -> None:
        row = values(snapshot, "paas-1", "login")["PAAS_DOMAIN"]
        row[3], row[4] = value, '"paas.%s" % _DOMAIN'

    assert judge("settings-match-inventory", change)["paas-1"]["verdict"] == word


def test_a_name_of_the_file_itself_is_not_a_setting(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        own = values(snapshot, "paas-1", "login")
        own["_DOMAIN"] = list(own["PAAS_DOMAIN"])

    assert judge("login-settings-equal", change)["paas-1+paas-2"]["verdict"] == "pass"


def set_on_both(project: str, name: str, kind: str, value: Any) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        for host in ("paas-1", "paas-2"):
            own = values(snapshot, host, project)
            own[name] = [kind, next(iter(own.values()))[1], 90, value, ""]

    return change


@pytest.mark.parametrize(
    ("project", "value", "case"),
    [
        ("paas", ["10.66.0.11", "10.66.0.12"], "name-refused"),
        ("paas", [], "name-refused"),
        ("paas", ["*"], None),
        ("paas", ["PAAS.bklab.test"], None),
        ("esb", [".bklab.test"], None),
        ("esb", [".lab.test"], "name-refused"),
        ("login", [".bklab.test"], "name-refused"),
        ("login", [".bklab.test", "10.66.0.11", "10.66.0.12"], None),
        ("appengine", ["paas.bklab.test", "10.66.0.12"], "name-refused"),
    ],
)
def test_names_under_which_a_project_answers(judge: Any, project: str, value: Any, case: str | None) -> None:
    """Besides the domain, login and appengine are requested under the address in the settings of paas and esb."""
    verdict = judge("settings-match-inventory", set_on_both(project, "ALLOWED_HOSTS", "list", value))[
        "paas-1"
    ]
    assert verdict["case"] == case, verdict["evidence"]


def test_with_debug_every_name_is_accepted(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        set_on_both("paas", "ALLOWED_HOSTS", "list", [])(snapshot)
        set_on_both("paas", "DEBUG", "bool", True)(snapshot)

    assert judge("settings-match-inventory", change)["paas-1"]["verdict"] == "pass"


@pytest.mark.parametrize(
    ("project", "name", "value", "case"),
    [
        ("login", "CSRF_COOKIE_SECURE", True, "cookie-dropped"),
        ("paas", "SESSION_COOKIE_SECURE", True, "cookie-dropped"),
        ("paas", "SESSION_COOKIE_SECURE", False, None),
        ("esb", "SESSION_COOKIE_SECURE", True, None),
    ],
)
def test_cookies_for_https_only(judge: Any, project: str, name: str, value: bool, case: str | None) -> None:
    assert judge("scheme-matches", set_on_both(project, name, "bool", value))["paas-1"]["case"] == case
