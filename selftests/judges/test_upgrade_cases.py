"""The version of BlueKing on the hosts of a role, on edited facts."""

from typing import Any

import pytest

PAAS = ("paas-1", "paas-2")
APPS = ("appo-1", "appt-1")
OLD, NEW = "3.1.0", "3.2.5"


def versions(**by_host: dict[str, str]) -> Any:
    """Give hosts these versions by module; _ in a name of a host is a hyphen."""

    def change(snapshot: dict[str, Any]) -> None:
        for host, found in by_host.items():
            facts = snapshot["hosts"][host.replace("_", "-")]
            facts["versions"] = {"fact": "Versions", "by_name": found}

    return change


def both(one: dict[str, str], other: dict[str, str], hosts: tuple[str, str] = PAAS) -> Any:
    return versions(**{hosts[0].replace("-", "_"): one, hosts[1].replace("-", "_"): other})


@pytest.mark.parametrize(
    ("change", "case", "texts"),
    [
        (
            both({"open_paas": NEW, "paas": NEW}, {"open_paas": OLD, "paas": OLD}),
            "paas",
            ("3.1.0 on paas-2",),
        ),
        (both({"login": NEW, "esb": NEW}, {"login": NEW, "esb": OLD}), "paas", ("esb: 3.2.5 on paas-1",)),
        (both({"paas_plugins": "1"}, {"paas_plugins": "2"}), "paas", ("paas_plugins: 1 on paas-1",)),
        (
            both({"paas_agent": NEW}, {"paas_agent": OLD}, APPS),
            "agents",
            ("3.2.5 on appo-1", "3.1.0 on appt-1"),
        ),
    ],
)
def test_an_upgrade_that_did_not_reach_a_host(judge: Any, change: Any, case: str, texts: Any) -> None:
    verdict = judge("versions-equal", change)["controller"]
    assert (verdict["verdict"], verdict["case"]) == ("warn", case)
    assert all(text in verdict["evidence"] for text in texts), verdict["evidence"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (both({"open_paas": NEW}, {"open_paas": NEW}), "pass"),
        (both({"open_paas": f"V{NEW}"}, {"open_paas": f'"{NEW}"'}), "pass"),
        (both({"open_paas": NEW}, {}), "not_applicable"),
        (both({"open_paas": NEW}, {"cmdb": OLD}), "not_applicable"),
        (both({"open_paas": NEW, "apigw": NEW}, {"open_paas": NEW}), "pass"),
        (
            versions(paas_1={"kernel": "5.10", "login: Django": "1.8.11"}, paas_2={"kernel": "3.10"}),
            "not_applicable",
        ),
        (versions(paas_1={"paas_plugins": OLD}, appo_1={"paas_plugins": NEW}), "not_applicable"),
        (versions(appo_1={"open_paas": OLD}, appt_1={"open_paas": NEW}), "not_applicable"),
        (versions(), "not_applicable"),
    ],
)
def test_hosts_that_cannot_differ(judge: Any, change: Any, word: str) -> None:
    assert judge("versions-equal", change)["controller"]["verdict"] == word


def test_a_host_whose_versions_were_not_read(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        both({"open_paas": NEW}, {})(snapshot)
        snapshot["hosts"]["paas-2"]["versions"] = {"fact": "Missing", "reason": "not collected"}

    assert judge("versions-equal", change)["controller"]["verdict"] == "no_data"
