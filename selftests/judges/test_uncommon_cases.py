"""Cases that no fault of the lab shows, on edited facts."""

from __future__ import annotations

import copy
from typing import Any

import pytest

Snapshot = dict[str, Any]


def host_of(snapshot: Snapshot, name: str = "paas-1") -> Any:
    return snapshot["hosts"][name]


# --- the socket of supervisord


def supervisor_socket(snapshot: Snapshot) -> Any:
    return host_of(snapshot)["supervisors"]["by_module"]["open_paas"]["socket"]


def socket_is_a_file(snapshot: Snapshot) -> None:
    supervisor_socket(snapshot)["type"] = "file"


def socket_of_another_process(snapshot: Snapshot) -> None:
    path = supervisor_socket(snapshot)["path"]
    for one in host_of(snapshot)["sockets"]["unix"]:
        if one["path"].startswith(path):
            one["pids"] = [1]


@pytest.mark.parametrize(
    ("change", "case"),
    [(socket_is_a_file, "not-a-socket"), (socket_of_another_process, "other-listener")],
)
def test_supervisor_socket(judge: Any, change: Any, case: str) -> None:
    verdict = judge("supervisor-sock", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", case)


# --- the logs of login


def log_folder_is_a_file(snapshot: Snapshot) -> None:
    host_of(snapshot)["places"]["by_name"]["login-log-folder"][0]["type"] = "file"


def log_of_root(mode: int) -> Any:
    """login runs as uid 1000, its log belongs to root and has this mode; all may write to the directory."""

    def change(snapshot: Snapshot) -> None:
        host = host_of(snapshot)
        for process in host["processes"]["items"]:
            if "uwsgi" in " ".join(process[6]):
                process[2] = 1000
        for file in (*host["places"]["by_name"]["login-logs"], *host["login_access"]["files"]):
            file.update(uid=0, mode=mode)
        host["places"]["by_name"]["login-log-folder"][0]["mode"] = 0o777

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (log_folder_is_a_file, "no-directory"),
        (log_of_root(0o644), "wrong-owner"),
        (log_of_root(0o666), None),
    ],
)
def test_login_writes_its_logs(judge: Any, change: Any, case: str | None) -> None:
    verdict = judge("login-log-dir", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


def test_request_in_two_logs(judge: Any) -> None:
    def change(snapshot: Snapshot) -> None:
        for name in ("paas-1", "paas-2"):
            host_of(snapshot, name)["login_access"]["probes"] = [snapshot["controller"]["agent"]]

    verdicts = judge("login-request-arrives", change)
    assert {(one["verdict"], one["case"]) for one in verdicts.values()} == {("fail", "several-logs")}


# --- nginx and RabbitMQ


def nginx_listens_nowhere(snapshot: Snapshot) -> None:
    sockets = host_of(snapshot, "nginx-1")["sockets"]
    sockets["listeners"] = [one for one in sockets["listeners"] if one["port"] != 80]


def test_nginx_that_listens_nowhere(judge: Any) -> None:
    verdict = judge("nginx-conf-port80", nginx_listens_nowhere)["nginx-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "not-listening")


def second_broker(snapshot: Snapshot) -> None:
    host = host_of(snapshot, "data-1")
    broker = next(one for one in host["processes"]["items"] if one[5].startswith("beam"))
    host["processes"]["items"].append([broker[0] + 10_000, 1, *copy.deepcopy(broker[2:])])


def test_broker_that_was_left_over(judge: Any) -> None:
    verdict = judge("rabbit-orphan", second_broker)["data-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "left-over")


def searches(snapshot: Snapshot) -> Any:
    """Return what each paas host saw of Elasticsearch."""
    for name in ("paas-1", "paas-2"):
        yield from host_of(snapshot, name)["searches"]["by_place"].values()


def search_health(**values: Any) -> Any:
    """Change the answer to the question for the health of Elasticsearch."""

    def change(snapshot: Snapshot) -> None:
        for search in searches(snapshot):
            search["health"].update(values)

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (search_health(body='{"status":"red","number_of_nodes":3,"unassigned_shards":7}'), "unassigned"),
        (search_health(body='{"status":"yellow","number_of_nodes":1,"unassigned_shards":7}'), None),
    ],
)
def test_health_of_elasticsearch(judge: Any, change: Any, case: str | None) -> None:
    verdict = judge("es-health", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


# --- the clocks and the account of the database


def zones(*seconds: int) -> Any:
    """Give the hosts these offsets from UTC in turn."""

    def change(snapshot: Snapshot) -> None:
        for number, host in enumerate(snapshot["hosts"].values()):
            host["system"]["utc_offset_seconds"] = seconds[number % len(seconds)]

    return change


def test_time_zones_without_a_majority(judge: Any) -> None:
    verdicts = judge("timezone-all", zones(0, 28800, 3600, 7200, 10800, 14400, 18000, 21600, 25200, 32400))
    assert {one["case"] for one in verdicts.values()} == {"no-majority"}


def account_limit(connections: str) -> Any:
    def change(snapshot: Snapshot) -> None:
        for name in ("paas-1", "paas-2"):
            for connection in host_of(snapshot, name)["connections"]["by_name"].values():
                if database := (connection.get("login") or {}).get("database"):
                    database["variables"]["max_user_connections"] = connections
                    database["sessions"] = [{"state": "", "count": 9, "seconds": 1}]

    return change


@pytest.mark.parametrize(("most", "case"), [("9", "account-nearly-used"), ("100", None), ("0", None)])
def test_connections_of_the_account(judge: Any, most: str, case: str | None) -> None:
    verdict = judge("database-connections", account_limit(most))["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("warn", case) if case else ("pass", None))


# --- the address of Elasticsearch in the settings of paas


def search_address(value: str, **names: list[str]) -> Any:
    """Set the address of Elasticsearch in the settings of paas, and what names resolve to."""

    def change(snapshot: Snapshot) -> None:
        for name in ("paas-1", "paas-2"):
            host = host_of(snapshot, name)
            for key, setting in host["settings"]["by_project"]["paas"]["values"].items():
                if key == "ELASTICSEARCH_URLS":
                    setting[3] = f"{value}:10004"
                elif key == "ELASTICSEARCH_HOSTS":
                    setting[3] = [f"{value}:10004"]
            for known, addresses in names.items():
                text = known.replace("_", ".")
                host["names"]["by_name"][text] = {"name": text, "addresses": addresses, "seconds": 0.0}

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (search_address("es.example", es_example=[]), "unresolved"),
        (search_address("es.example", es_example=["192.0.2.9"]), "other-host"),
        (search_address("192.0.2.9"), "other-host"),
        (search_address("es.example", es_example=["10.66.0.53"]), None),
    ],
)
def test_address_of_elasticsearch(judge: Any, change: Any, case: str | None) -> None:
    verdict = judge("paas-es-config", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


# --- the time zone of a process


def with_zone(value: str) -> Any:
    """Start login of paas-1 with this TZ, on a host whose zone is 8 hours east of UTC."""

    def change(snapshot: Snapshot) -> None:
        for host in snapshot["hosts"].values():
            host["system"]["utc_offset_seconds"] = 28800
        for process in host_of(snapshot)["processes"]["items"]:
            if "uwsgi-open_paas-login.ini" in " ".join(process[6]):
                process[8] = {"TZ": value}

    return change


@pytest.mark.parametrize(
    ("value", "case"),
    [
        ("UTC", "process-differs"),
        ("", "process-differs"),
        ("JST-9", "process-differs"),
        (":/usr/share/zoneinfo/Asia/Tokyo", "process-differs"),
        ("Asia/Shanghai", None),
        ("CST-8", None),
        ("<+08>-8:00", None),
        (":/etc/localtime", None),
    ],
)
def test_time_zone_of_a_process(judge: Any, value: str, case: str | None) -> None:
    verdict = judge("timezone-all", with_zone(value))["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


def without_environment(snapshot: Snapshot) -> None:
    with_zone("CST-8")(snapshot)
    for process in host_of(snapshot)["processes"]["items"]:
        if "uwsgi-open_paas-login.ini" in " ".join(process[6]):
            process[8] = None


def without_processes(snapshot: Snapshot) -> None:
    with_zone("CST-8")(snapshot)
    host_of(snapshot)["processes"] = {"fact": "Missing", "reason": "Permission denied"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (with_zone("Nowhere/At all"), "Nowhere/At all"),
        (without_environment, "environ"),
        (without_processes, "Permission denied"),
    ],
)
def test_time_zone_of_a_process_that_is_not_known(judge: Any, change: Any, reason: str) -> None:
    verdicts = judge("timezone-all", change)
    assert verdicts["paas-1"]["verdict"] == "no_data"
    assert reason in verdicts["paas-1"]["reason"]
    assert verdicts["data-1"]["verdict"] == "pass"
