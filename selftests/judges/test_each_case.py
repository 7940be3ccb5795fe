"""Cases that a few edited facts turn red, one line for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from selftests.judges.test_container_cases import in_units

Edit = Callable[[dict[str, Any]], object]
Facts = Callable[[dict[str, Any]], object]

REDIS, SEARCH = "redis-10.66.0.51:6379", "10.66.0.53:10004"
PAAS = ("paas-1", "paas-2")


def on(names: tuple[str, ...], edit: Facts) -> Edit:
    """Edit the facts of hosts."""
    return lambda snapshot: [edit(snapshot["hosts"][name]) for name in names]


def database(part: str | None, **values: Any) -> Edit:
    """Edit what the database answered to both paas hosts, in a part of it."""

    def edit(host: dict[str, Any]) -> None:
        state = host["connections"]["by_name"]["database"]["login"]["database"]
        (state[part] if part else state).update(values)

    return on(PAAS, edit)


def refused_login(code: int) -> Edit:
    login = {"state": "refused", "code": code, "text": "x"}
    return on(PAAS, lambda host: host["connections"]["by_name"]["database"].update(login=login))


def failed_table(**error: Any) -> Edit:
    return database(None, errors={"login_bktoken": error})


def agents(**values: Any) -> Edit:
    """Edit the row of appt-1 in the table of the agents."""

    def edit(host: dict[str, Any]) -> None:
        state = host["connections"]["by_name"]["database"]["login"]["database"]
        state["agents"][1].update(values)

    return on(PAAS, edit)


def not_active(snapshot: dict[str, Any]) -> None:
    def edit(host: dict[str, Any]) -> None:
        rows = host["connections"]["by_name"]["database"]["login"]["database"]["agents"]
        rows[1]["active"] = False
        rows += [rows[1] | {"address": f"10.66.0.{last}", "active": True} for last in (43, 44)]

    on(PAAS, edit)(snapshot)


def no_row(snapshot: dict[str, Any]) -> None:
    def edit(host: dict[str, Any]) -> None:
        host["connections"]["by_name"]["database"]["login"]["database"]["agents"].pop()

    on(PAAS, edit)(snapshot)


def redis(*replies: str, plain: str = "-NOAUTH Authentication required.", **values: Any) -> Edit:
    """Edit the replies of redis to appo-1: without a login, and with it."""

    def edit(host: dict[str, Any]) -> None:
        for name, answer in host["redis"]["by_name"].items():
            answer.update(values)
            answer["replies"] = ([plain] if name == REDIS else list(replies)) if not values else []

    return on(("appo-1",), edit)


def search(part: str, **values: Any) -> Edit:
    """Edit an answer of Elasticsearch to paas-1; an error has neither status nor body."""

    def edit(host: dict[str, Any]) -> None:
        answer = host["searches"]["by_place"][SEARCH][part]
        if "error_kind" in values:
            answer.update(status=None, body="", headers={}, error_text="")
        answer.update(values)

    return on(("paas-1",), edit)


def setting(project: str, name: str, value: Any) -> Edit:
    def edit(host: dict[str, Any]) -> None:
        row = host["settings"]["by_project"][project]["values"][name]
        row[3], row[4] = value, ""

    return on(("paas-1",), edit)


def supervisor(**values: Any) -> Edit:
    return on(("paas-1",), lambda host: host["supervisors"]["by_module"]["open_paas"].update(values))


def name_of_consul(name: str, *addresses: str) -> Facts:
    known = {"name": name, "addresses": list(addresses)}
    return lambda host: host["names"]["by_name"].update({name: known})


def consul(*edits: Facts) -> Edit:
    def change(snapshot: dict[str, Any]) -> None:
        in_units(snapshot)
        for edit in edits:
            edit(snapshot["hosts"]["paas-1"])

    return change


def worker_deaths(host: dict[str, Any]) -> None:
    host["logs"]["worker_deaths"] = [
        ["login", host["system"]["time"] - 60 * number, 9, "/l/login_uwsgi.log"] for number in range(5)
    ]


def job(action: str, schedule: str = "17 4 * * *") -> Edit:
    row = {
        "path": "/etc/cron.d/x",
        "line": 2,
        "schedule": schedule,
        "command": "pkill uwsgi",
        "action": action,
    }
    return on(("paas-1",), lambda host: host["cron"].update(jobs=[row]))


def serious(host: dict[str, Any]) -> None:
    text = "2026/11/29 12:00:00 [alert] 31#31: 1024 worker_connections are not enough"
    line = {"file": host["logs"]["nginx_logs"][0], "time": host["system"]["time"] - 1, "text": text}
    host["logs"]["nginx_errors"] = [line | {"level": "alert"}]


def nginx_lines(level: str, text: str, number: int = 3, ago: float = 1) -> Edit:
    """Add lines to the error log of nginx-1."""

    def edit(host: dict[str, Any]) -> None:
        line = {"file": host["logs"]["nginx_logs"][0], "time": host["system"]["time"] - ago, "text": text}
        host["logs"]["nginx_errors"] = [line | {"level": level}] * number

    return on(("nginx-1",), edit)


NO_PORT = (
    "connect() to 10.66.0.11:8003 failed (99: Cannot assign requested address) while connecting to upstream"
)


def connect_error(reason: str, ago: float = 1, upstream: str = "10.66.0.11:8003") -> Edit:
    """Add a failed connection to an upstream server to the error log of nginx-1."""

    def edit(host: dict[str, Any]) -> None:
        host["logs"].setdefault("nginx_errors", []).append(
            {
                "file": host["logs"]["nginx_logs"][0],
                "time": host["system"]["time"] - ago,
                "text": f"connect() failed ({reason}) while connecting to upstream",
                "upstream": upstream,
                "level": "error",
            }
        )

    return on(("nginx-1",), edit)


def together(*edits: Edit) -> Edit:
    def edit(snapshot: dict[str, Any]) -> None:
        for one in edits:
            one(snapshot)

    return edit


def without_dns(host: dict[str, Any]) -> None:
    for name in host["names"]["by_name"].values():
        name.update(addresses=[], error="Name or service not known")
    host["names"]["sources"] = ["files"]


def slow_resolver(host: dict[str, Any]) -> None:
    for known in host["names"]["by_name"].values():
        known["seconds"] = 5.2


def silent_nameserver(host: dict[str, Any]) -> None:
    slow_resolver(host)
    known = host["names"]["by_name"]["paas.bklab.test"]
    silent = {"name": known["name"], "addresses": [], "error": "no answer"}
    host["names"]["nameservers"] = {"10.66.0.98": silent, "10.66.0.1": known}


INTERNAL = "paas.service.consul"
CASES: tuple[tuple[str, str, str, Edit], ...] = (
    ("database-writable", "read-only", "paas-1", database("variables", read_only="ON")),
    ("database-writable", "not-in-cluster", "paas-1", database("variables", wsrep_on="ON")),
    (
        "database-writable",
        "locked",
        "paas-1",
        database(None, sessions=[{"state": "Waiting for global read lock", "count": 3, "seconds": 90}]),
    ),
    ("database-login", "connections-used-up", "paas-1", refused_login(1040)),
    ("database-login", "connections-used-up", "paas-1", refused_login(1203)),
    ("database-login", "host-blocked", "paas-1", refused_login(1129)),
    ("database-login", "refused", "paas-1", refused_login(1130)),
    (
        "database-writable",
        "table-locked",
        "paas-1",
        database(None, sessions=[{"state": "Waiting for table metadata lock", "count": 5, "seconds": 25}]),
    ),
    (
        "database-writable",
        "no-right",
        "paas-1",
        database(None, grants=[{"schema": "open_paas", "table": "*", "rights": ["SELECT"]}]),
    ),
    ("database-tables", "missing", "paas-1", failed_table(code=1146, text="no such table")),
    ("database-tables", "other-columns", "paas-1", failed_table(code=1054, text="unknown column")),
    ("database-tables", "no-right", "paas-1", failed_table(code=1142, text="SELECT command denied")),
    ("database-tables", "silent", "paas-1", failed_table(kind="silent")),
    ("database-tables", "damaged", "paas-1", failed_table(code=145, text="marked as crashed")),
    ("database-tables", "no-users", "paas-1", database("filled", bkaccount_bkuser=False)),
    ("password-hashes", "administrator", "paas-1", database("unhashed", users=3, administrators=1)),
    ("database-connections", "nearly-used", "paas-1", database("status", threads_connected="150")),
    ("agent-registered", "not-registered", "appt-1", no_row),
    ("agent-registered", "other-address", "appt-1", agents(address="10.66.0.99")),
    ("agent-registered", "other-category", "appt-1", agents(category="app")),
    ("agent-registered", "other-port", "appt-1", agents(port="4246")),
    ("agent-registered", "other-token", "appt-1", agents(token="secret:000000000000")),
    ("agent-registered", "not-active", "appt-1", not_active),
    ("log-redis-reachable", "refused", "appo-1", redis(error_kind="refused")),
    ("log-redis-reachable", "unresolved", "appo-1", redis(error_kind="resolve")),
    ("log-redis-reachable", "cut-off", "appo-1", redis(error_kind="empty")),
    ("log-redis-reachable", "other-server", "appo-1", redis(plain="HTTP/1.1 400 Bad Request")),
    ("log-redis-reachable", "error-reply", "appo-1", redis(plain="-LOADING Redis is loading the dataset")),
    ("es-health", "cut-off", "paas-1", search("root", error_kind="empty")),
    ("es-health", "unresolved", "paas-1", search("root", error_kind="resolve")),
    ("es-health", "5xx", "paas-1", search("root", status=503, body="{}")),
    ("es-health", "wrong-status", "paas-1", search("root", status=404, body="")),
    ("es-health", "other-server", "paas-1", search("root", status=200, body="<html>portal</html>")),
    ("settings-match-inventory", "other-domain", "paas-1", setting("login", "PAAS_DOMAIN", "old.example")),
    (
        "settings-match-inventory",
        "other-host",
        "paas-1",
        setting("paas", "LOGIN_HOST", "http://10.66.0.53:8003"),
    ),
    (
        "settings-match-inventory",
        "other-port",
        "paas-1",
        setting("paas", "LOGIN_HOST", "http://10.66.0.11:8005"),
    ),
    (
        "supervisor-proc",
        "pidfile-gone",
        "paas-1",
        supervisor(pidfile={"path": "/l/s.pid", "type": "missing"}),
    ),
    ("consul-names", "unresolved", "paas-1", consul(name_of_consul(INTERNAL))),
    (
        "consul-names",
        "no-instance",
        "paas-1",
        consul(name_of_consul(INTERNAL, "10.66.0.30"), name_of_consul("mysql.service.consul")),
    ),
    ("consul-names", "wrong-address", "paas-1", consul(name_of_consul(INTERNAL, "10.66.0.51"))),
    ("worker-deaths", "died", "paas-1", on(("paas-1",), worker_deaths)),
    ("cron-jobs", "ends", "paas-1", job("ends")),
    ("cron-jobs", "restarts-often", "paas-1", job("restarts", "*/5 * * * *")),
    ("nginx-error-log", "serious", "nginx-1", on(("nginx-1",), serious)),
    (
        "nginx-limits",
        "connections-used-up",
        "nginx-1",
        nginx_lines("alert", "1024 worker_connections are not enough"),
    ),
    (
        "nginx-limits",
        "files-used-up",
        "nginx-1",
        nginx_lines("crit", "accept4() failed (24: Too many open files)"),
    ),
    ("nginx-limits", "ports-used-up", "nginx-1", nginx_lines("crit", NO_PORT)),
    ("nginx-limits", "connect-denied", "nginx-1", connect_error("13: Permission denied")),
    ("nginx-limits", "connect-denied", "nginx-1", connect_error("113: No route to host")),
    (
        "nginx-upload-size",
        "refused",
        "nginx-1",
        nginx_lines("error", "*1 client intended to send too large body: 3145728 bytes", 1),
    ),
    ("resolver-slow", "slow", "appo-1", on(("appo-1",), slow_resolver)),
    ("resolver-slow", "nameserver", "appo-1", on(("appo-1",), silent_nameserver)),
    ("domain-resolve", "no-dns", "cmdb-1", on(("cmdb-1",), without_dns)),
)


@pytest.mark.parametrize(
    ("condition", "case", "subject", "change"), CASES, ids=[f"{one[0]}-{one[1]}" for one in CASES]
)
def test_the_case_of_a_condition(judge: Any, condition: str, case: str, subject: str, change: Edit) -> None:
    verdict = judge(condition, change)[subject]
    assert verdict["case"] == case, (verdict["verdict"], verdict["evidence"], verdict["reason"])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (job("restarts"), "pass"),
        (job("ends", "@reboot"), "pass"),
        (
            on(("paas-1",), lambda host: host["cron"].update(unread=["/etc/cron.d/x: it was not read"])),
            "no_data",
        ),
        (on(("paas-1",), lambda host: host["system"].update(uid=1000)), "no_data"),
    ],
)
def test_jobs_of_cron_that_are_no_failure(judge: Any, change: Edit, word: str) -> None:
    assert judge("cron-jobs", change)["paas-1"]["verdict"] == word


@pytest.mark.parametrize(
    ("condition", "change"),
    [
        ("nginx-limits", nginx_lines("crit", NO_PORT, 2)),  # a short peak
        ("nginx-limits", nginx_lines("crit", NO_PORT, 9, 700)),
        ("nginx-limits", connect_error("111: Connection refused")),
        ("nginx-limits", connect_error("113: No route to host", ago=200)),
        ("nginx-limits", connect_error("13: Permission denied", upstream="unix:/run/a.sock")),
        ("nginx-limits", together(nginx_lines("crit", NO_PORT, 9, 100), connect_error("110: timed out"))),
        (
            "nginx-upload-size",
            nginx_lines("error", "*1 client intended to send too large body: 700000000 bytes"),
        ),
        ("nginx-error-log", nginx_lines("error", "*1 client intended to send too large body: 3145728 bytes")),
    ],
)
def test_lines_of_nginx_that_are_no_failure(judge: Any, condition: str, change: Edit) -> None:
    assert judge(condition, change)["nginx-1"]["verdict"] == "pass"


def test_lines_before_a_reload_are_about_the_files_of_before(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        nginx_lines("error", "*1 client intended to send too large body: 3145728 bytes", 1, 300)(snapshot)
        host = snapshot["hosts"]["nginx-1"]
        for process in host["processes"]["items"]:
            if process[5] == "nginx":
                process[3] = host["system"]["time"] - 60

    assert judge("nginx-upload-size", change)["nginx-1"]["verdict"] == "pass"


def test_used_up_ports_explain_what_nginx_cannot_reach(record: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        nginx_lines("crit", NO_PORT, 9)(snapshot)
        for name, answer in snapshot["hosts"]["nginx-1"]["answers"]["by_name"].items():
            if "8003" in name:
                answer.update(status=None, body="", headers={}, error_kind="other", error_text="[Errno 99]")

    results = record(change)
    verdicts = {one["id"]: one for one in results["verdicts"]}
    assert results["root_causes"] == ["nginx-limits@nginx-1"]
    failed = [one for one in verdicts.values() if one["verdict"] == "fail"]
    assert any(one["condition"] == "upstream-answers" for one in failed)
