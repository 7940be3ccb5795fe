"""One thing that is wrong is one cause, however many conditions and hosts show it."""

from __future__ import annotations

from typing import Any

import pytest

DOMAIN, SECONDS = "BK_COOKIE_DOMAIN", "EVENT_STATE_EXPIRE_SECONDS"


def value(project: str, name: str, text: Any, *hosts: str) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        for host in hosts:
            row = snapshot["hosts"][host]["settings"]["by_project"][project]["values"][name]
            row[0], row[3], row[4] = ("int" if isinstance(text, int) else "str"), text, ""

    return change


def full_redis(snapshot: dict[str, Any]) -> None:
    """Each host reads the memory in use at another moment."""
    for number, host in enumerate(("appo-1", "appt-1", "paas-1", "paas-2")):
        for state in snapshot["hosts"][host]["redis_states"]["by_name"].values():
            state["fields"].update(used_memory=str(700_000 + number), maxmemory="600000")


def not_followed(project: str, *hosts: str) -> Any:
    """Put exec() at the end of the last settings file."""

    def change(snapshot: dict[str, Any]) -> None:
        for host in hosts:
            settings = snapshot["hosts"][host]["settings"]["by_project"][project]
            file = settings["files"][-1]["path"]
            settings["unfollowed"] = f"{file}:90"
            for name in settings["values"]:
                settings["values"][name] = ["unknown", file, 90, None, "", None, None]

    return change


def followed_by_all(snapshot: dict[str, Any]) -> None:
    """Put exec() first: all values are set after it."""
    settings = snapshot["hosts"]["paas-1"]["settings"]["by_project"]["login"]
    settings["unfollowed"] = f"{settings['files'][0]['path']}:1"
    for name in ("ESB_TOKEN",):
        settings["values"].setdefault(name, ["secret", "", 1, None, "", "secret:bf21fbf88556", None])


@pytest.mark.parametrize(
    ("change", "condition", "hosts"),
    [
        (full_redis, "log-redis-writable", {"appo-1", "appt-1", "paas-1", "paas-2"}),
        (value("paas", SECONDS, 100, "paas-1"), "deploy-timeout-order", {"paas-1", "appo-1", "appt-1"}),
        (
            value("paas", SECONDS, 100, "paas-1", "paas-2"),
            "deploy-timeout-order",
            {"paas-1", "paas-2", "appo-1", "appt-1"},
        ),
        (value("paas", SECONDS, 400, "paas-1"), "deploy-timeout-consistent", {"paas-1", "paas-2"}),
        (value("paas", SECONDS, 9000, "paas-2"), "deploy-timeout-consistent", {"paas-1", "paas-2"}),
        (value("login", DOMAIN, ".other.example", "paas-1"), "cookie-domain", {"paas-1"}),
        (value("login", DOMAIN, ".test", "paas-2"), "cookie-domain", {"paas-2"}),
        (value("login", DOMAIN, ".x.example", "paas-1", "paas-2"), "cookie-domain", {"paas-1", "paas-2"}),
        (value("paas", DOMAIN, ".other.example", "paas-2"), "settings-across-projects", {"paas-2"}),
        (not_followed("login", "paas-1"), "settings-valid", {"paas-1"}),
        (not_followed("paas", "paas-2"), "settings-valid", {"paas-2"}),
        (not_followed("esb", "paas-1"), "settings-valid", {"paas-1"}),
        (not_followed("appengine", "paas-1"), "settings-valid", {"paas-1"}),
    ],
)
def test_one_value_is_one_cause(record: Any, change: Any, condition: str, hosts: set[str]) -> None:
    results = record(change)
    assert [one["ids"][0].partition("@")[0] for one in results["causes"]] == [condition]
    assert set(results["causes"][0]["hosts"]) == hosts


def test_two_full_servers_are_two_causes(record: Any) -> None:
    """The same case at another endpoint is another origin."""

    def change(snapshot: dict[str, Any]) -> None:
        full_redis(snapshot)
        plugins = snapshot["hosts"]["appo-1"]["log_plugins"]
        states = snapshot["hosts"]["appo-1"]["redis_states"]["by_name"]
        for target in plugins["agent"]["targets"]:
            target["port"] = 6380
        for name in list(states):
            states[name.replace(":6379", ":6380")] = states.pop(name)

    causes = [one for one in record(change)["causes"] if one["case"] == "full"]
    assert sorted(len(one["hosts"]) for one in causes) == [1, 3]


def test_a_change_of_another_setting_is_named_as_well(record: Any) -> None:
    """A time-out that differs does not account for another key that differs on the same pair."""

    def change(snapshot: dict[str, Any]) -> None:
        value("paas", SECONDS, 400, "paas-1")(snapshot)
        value("login", "LANGUAGE_CODE", "en", "paas-1")(snapshot)

    roots = {id_.partition("@")[0] for id_ in record(change)["root_causes"]}
    assert {"deploy-timeout-consistent", "login-settings-equal"} <= roots


def test_a_statement_before_all_assignments_leaves_nothing_in_doubt(judge: Any) -> None:
    assert judge("settings-valid", followed_by_all)["paas-1"]["verdict"] == "pass"


@pytest.mark.parametrize("known", [(), ("10.66.0.51",)])
def test_a_name_that_one_host_cannot_resolve_is_the_same_name(judge: Any, known: tuple[str, ...]) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        for host, addresses in (("paas-1", ["10.66.0.51"]), ("paas-2", list(known))):
            facts = snapshot["hosts"][host]
            name = {"name": "mysql.service.consul", "addresses": addresses}
            facts["names"]["by_name"]["mysql.service.consul"] = name
            for settings in facts["settings"]["by_project"].values():
                if "DATABASES" in settings["values"]:
                    settings["values"]["DATABASES"][3]["default"]["HOST"] = "mysql.service.consul"

    verdict = judge("login-settings-equal", change)["paas-1+paas-2"]
    assert verdict["verdict"] == "pass", verdict["evidence"]


@pytest.mark.parametrize(("other", "number"), [("http://10.66.0.99:3128", 1), ("http://10.66.0.98:3128", 2)])
def test_one_proxy_in_the_same_file_of_two_hosts(record: Any, other: str, number: int) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        for host, proxy in (("paas-1", "http://10.66.0.99:3128"), ("paas-2", other)):
            esb = snapshot["hosts"][host]["services"]["by_name"]["esb"]
            esb["proxies"] = {"http_proxy": proxy}

    results = record(change)
    causes = [one for one in results["causes"] if one["ids"][0].startswith("http-proxy-env@")]
    assert len(causes) == number
    verdict = next(one for one in results["verdicts"] if one["id"] == "http-proxy-env@paas-1")
    assert "/data/bkce/etc/uwsgi-open_paas-esb.ini" in verdict["remedy"]


@pytest.mark.parametrize(("case", "explained"), [("category", False), ("token", True)])
def test_a_wrong_category_does_not_reach_healthz_of_appengine(
    record: Any, case: str, explained: bool
) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        for host in ("paas-1", "paas-2"):
            facts = snapshot["hosts"][host]
            row = facts["connections"]["by_name"]["database"]["login"]["database"]["agents"][1]
            row.update({"category": "app"} if case == "category" else {"token": "secret:000000000000"})
            body = '{"message": "paasagent health check failed, error: x", "data": {}, "result": false}'
            for name, answer in facts["answers"]["by_name"].items():
                if name == "healthz-appengine":
                    answer.update(status=200, body=body)

    verdicts = {one["id"]: one for one in record(change)["verdicts"]}
    found = verdicts["healthz-appengine@paas-1"]
    assert found["verdict"] == "fail"
    assert ("agent-registered@appt-1" in found["explained_by"]) == explained


def locked_users(state: str) -> Any:
    """The table of the users does not answer, and connections wait."""

    def change(snapshot: dict[str, Any]) -> None:
        for host in ("paas-1", "paas-2"):
            read = snapshot["hosts"][host]["connections"]["by_name"]["database"]["login"]["database"]
            read.update(errors={"bkaccount_bkuser": {"kind": "silent"}})
            read.update(sessions=[{"state": state, "count": 5, "seconds": 25}])

    return change


@pytest.mark.parametrize(
    ("state", "conditions"),
    [
        ("Waiting for table metadata lock", {"database-tables"}),
        ("Waiting for global read lock", {"database-tables", "database-writable"}),
    ],
)
def test_a_locked_table_is_one_cause(record: Any, state: str, conditions: set[str]) -> None:
    roots = {id_.partition("@")[0] for id_ in record(locked_users(state))["root_causes"]}
    assert roots == conditions


@pytest.mark.parametrize("of_agent", [True, False])
def test_a_proxy_of_the_agent_is_the_cause_that_it_does_not_answer(record: Any, of_agent: bool) -> None:
    """A proxy that only another process of the host has does not stop paas_agent."""

    def change(snapshot: dict[str, Any]) -> None:
        facts = snapshot["hosts"]["appo-1"]
        names = ("paas_agent",) if of_agent else ("uwsgi", "nginx", "python3")
        process = next(
            one
            for one in facts["processes"]["items"]
            if one[5] in names and len(one) > 8 and one[8] is not None
        )
        process[8] = {"http_proxy": "http://10.66.0.200:3128"}
        answer = facts["answers"]["by_name"]["agent-healthz"]
        answer.update(status=None, body="", headers={}, error_kind="refused", error_text="")

    results = record(change)
    roots = {id_ for id_ in results["root_causes"] if id_.endswith("@appo-1")}
    verdict = next(one for one in results["verdicts"] if one["id"] == "agent-process@appo-1")
    assert verdict["case"] == "refused"
    assert ("http-proxy-env@appo-1" in verdict["explained_by"]) == of_agent, roots
