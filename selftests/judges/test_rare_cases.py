"""Cases that few faults show, on edited facts."""

import json
from typing import Any

import pytest

from selftests.judges.test_container_cases import in_units

GONE = "10.66.0.99:8003"


def error_line(upstream: str, **values: Any) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["nginx-1"]
        text = f'connect() failed while connecting to upstream, upstream: "http://{upstream}/login/"'
        line = {"file": host["logs"]["nginx_logs"][0], "time": host["system"]["time"] - 1, "text": text}
        line |= {"upstream": upstream, "level": "error", "server": "paas.bklab.test"}
        host["logs"]["nginx_errors"] = [line | values]

    return change


def behind_a_name(snapshot: dict[str, Any]) -> None:
    host = snapshot["hosts"]["nginx-1"]
    for upstream in host["nginx"]["upstreams"]:
        if upstream["name"] == "OPEN_PAAS_LOGIN":
            upstream["servers"][0]["address"] = "login.bklab.test"
    known = {"name": "login.bklab.test", "addresses": ["10.66.0.11"]}
    host["names"]["by_name"]["login.bklab.test"] = known
    error_line(GONE)(snapshot)


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (error_line(GONE), "not-in-files"),
        (behind_a_name, "resolved-before"),
        (error_line("10.66.0.11:8003"), None),
        (error_line(GONE, time=0.0), None),
        (error_line(GONE, server="other.example"), None),
        (error_line("unix:/run/other.sock"), None),
    ],
)
def test_upstreams_that_nginx_still_uses(judge: Any, change: Any, case: str | None) -> None:
    verdict = judge("nginx-old-upstream", change)["nginx-1"]
    assert (verdict["verdict"], verdict["case"]) == (("warn", case) if case else ("pass", None))


def of_6(snapshot: dict[str, Any]) -> None:
    in_units(snapshot)


def without_services(snapshot: dict[str, Any]) -> None:
    of_6(snapshot)
    host = snapshot["hosts"]["paas-1"]
    host["processes"]["items"] = [
        one for one in host["processes"]["items"] if "uwsgi" not in " ".join(one[6])
    ]
    host["units"] = {"fact": "Units", "by_name": {}, "booted": True, "later": {}}


@pytest.mark.parametrize(("change", "case"), [(of_6, "supervisord"), (without_services, "nothing")])
def test_the_process_manager_of_6(judge: Any, change: Any, case: str) -> None:
    verdict = judge("process-manager", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", case)


def edit_search(part: str | None, **values: Any) -> Any:
    """Edit the answers of Elasticsearch to both paas hosts, in a part of them."""

    def change(snapshot: dict[str, Any]) -> None:
        for host in ("paas-1", "paas-2"):
            for search in snapshot["hosts"][host]["searches"]["by_place"].values():
                (search[part] if part else search).update(values)

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (edit_search("settings", auto_create="false"), "auto-create"),
        (edit_search("settings", auto_create="-paas_app_log-*,+*"), "auto-create"),
        (edit_search("settings", auto_create="+other*"), "auto-create"),
        (edit_search("settings", auto_create="+paas_app_log-*,-*"), None),
        (edit_search("settings", auto_create="-other*,*"), None),
        (edit_search("settings", allocation="none"), "allocation"),
        (edit_search("settings", allocation="primaries"), None),
        (edit_search("settings", shards_per_node=2), "shards"),
        (edit_search(None, nodes=[{"name": "es-1", "used_percent": 91.0}]), "disk"),
        (
            edit_search(
                None, nodes=[{"name": "a", "used_percent": 91.0}, {"name": "b", "used_percent": 5.0}]
            ),
            None,
        ),
    ],
)
def test_the_next_index(judge: Any, change: Any, case: str | None) -> None:
    verdict = judge("es-new-index", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


@pytest.mark.parametrize(
    ("watermark", "used", "free", "word"),
    [
        ("0.9", 91.0, None, "fail"),
        ("0.9", 89.0, None, "pass"),
        ("10gb", 91.0, None, "no_data"),
        ("10gb", 91.0, 11 << 30, "pass"),
        ("10gb", 5.0, 9 << 30, "fail"),
        ("10240MB", 5.0, 9 << 30, "fail"),
        ("ten", 5.0, 9 << 30, "no_data"),
    ],
)
def test_forms_of_the_watermark(judge: Any, watermark: str, used: float, free: int | None, word: str) -> None:
    """A ratio is a share of the disk; without the free bytes a number of bytes is never a pass."""

    def change(snapshot: dict[str, Any]) -> None:
        edit_search("settings", high_watermark=watermark)(snapshot)
        edit_search(None, nodes=[{"name": "es-1", "used_percent": used, "free_bytes": free}])(snapshot)

    assert judge("es-new-index", change)["paas-1"]["verdict"] == word


@pytest.mark.parametrize(
    ("headroom", "used", "free", "word"),
    [
        ("150gb", 91.0, 200 << 30, "pass"),
        ("150GB", 91.0, 149 << 30, "fail"),
        ("150gb", 89.0, 149 << 30, "pass"),
        ("-1", 91.0, 200 << 30, "fail"),
        ("", 91.0, 200 << 30, "fail"),
        ("150gb", 91.0, None, "no_data"),
        ("much", 91.0, 200 << 30, "no_data"),
    ],
)
def test_headroom_of_the_watermark(
    judge: Any, headroom: str, used: float, free: int | None, word: str
) -> None:
    """A large disk may be above the share: so many free bytes are enough, since Elasticsearch 8.5."""

    def change(snapshot: dict[str, Any]) -> None:
        edit_search("settings", high_watermark="90%", high_headroom=headroom)(snapshot)
        edit_search(None, nodes=[{"name": "es-1", "used_percent": used, "free_bytes": free}])(snapshot)

    assert judge("es-new-index", change)["paas-1"]["verdict"] == word


@pytest.mark.parametrize(
    ("kind", "case"), [("", "not-mapped"), ("text", "not-a-date"), ("date", None), ("date_nanos", None)]
)
def test_the_time_field(judge: Any, kind: str, case: str | None) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        for search in snapshot["hosts"]["paas-1"]["searches"]["by_place"].values():
            search["time_types"] = dict.fromkeys(search["time_types"], kind)

    verdict = judge("es-time-field", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


def entry(snapshot: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in snapshot["deployment"]["hosts"] if one["name"] == name)
    return found


def addresses_of_another(snapshot: dict[str, Any]) -> None:
    for one, other in (("paas-1", "paas-2"), ("paas-2", "paas-1")):
        snapshot["hosts"][one]["system"]["hostname"] = other


def one_host_twice(snapshot: dict[str, Any]) -> None:
    both = ["127.0.0.1", "10.66.0.11", "10.66.0.12"]
    for name in ("paas-1", "paas-2"):
        snapshot["hosts"][name]["addresses"]["items"] = both
        snapshot["hosts"][name]["system"]["hostname"] = "paas"


def role_left_out(snapshot: dict[str, Any]) -> None:
    entry(snapshot, "paas-2")["roles"] = ["job"]


def host_left_out(snapshot: dict[str, Any]) -> None:
    hosts = snapshot["deployment"]["hosts"]
    snapshot["deployment"]["hosts"] = [one for one in hosts if one["name"] != "paas-2"]
    del snapshot["hosts"]["paas-2"]


@pytest.mark.parametrize(
    ("change", "host", "case"),
    [
        (addresses_of_another, "paas-1", "other-host"),
        (one_host_twice, "paas-1", "twice"),
        (role_left_out, "paas-2", "role-missing"),
        (host_left_out, "nginx-1", "host-missing"),
    ],
)
def test_mistakes_in_the_inventory(judge: Any, change: Any, host: str, case: str) -> None:
    verdict = judge("inventory-roles", change)[host]
    assert (verdict["verdict"], verdict["case"]) == ("fail", case)


def test_a_role_at_another_host(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        entry(snapshot, "appt-1")["roles"], entry(snapshot, "job-1")["roles"] = ["job"], ["appt"]
        healthy = snapshot["hosts"]["job-1"]
        healthy["agent"] = {"fact": "Agent", "config": None}

    verdict = judge("inventory-roles", change)["job-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "role-elsewhere")


def test_another_domain_in_the_inventory(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        snapshot["deployment"]["domain"] = "bk.other.test"

    verdict = next(iter(judge("inventory-domain", change).values()))
    assert (verdict["verdict"], verdict["case"]) == ("fail", "differs")


def plugins_of(hosts: tuple[str, ...], name: str, **values: Any) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        for host in hosts:
            snapshot["hosts"][host]["log_plugins"][name].update(values)

    return change


@pytest.mark.parametrize(("hosts", "name"), [(("appo-1",), "agent"), (("paas-1", "paas-2"), "parser")])
@pytest.mark.parametrize(
    ("values", "case"),
    [
        ({"pids": []}, "not-running"),
        ({"stopped": [86]}, "stopped"),
        ({"pids": [], "filled": False}, "empty"),
        ({"pids": [], "filled": False, "folder": {"path": "/data/bkce/gone", "type": "missing"}}, "missing"),
    ],
)
def test_log_programs(
    judge: Any, hosts: tuple[str, ...], name: str, values: dict[str, Any], case: str
) -> None:
    verdict = judge(f"log-{name}-deployed", plugins_of(hosts, name, **values))[hosts[0]]
    assert (verdict["verdict"], verdict["case"]) == ("fail", case)


@pytest.mark.parametrize(("offset", "case"), [(500, "not-shipped"), (900, "not-indexed"), (None, "stale")])
def test_the_stage_at_which_a_line_stops(judge: Any, offset: int | None, case: str) -> None:
    """The newest document is an hour old, and a line of ten minutes ago is not found."""

    def change(snapshot: dict[str, Any]) -> None:
        now = snapshot["hosts"]["appo-1"]["system"]["time"]
        edit_search(None, newest=now - 3600, sources={})(snapshot)
        for host in ("appo-1", "appt-1"):
            values = {"times": [now - 600], "ends": [900], "size": 900, "mtime": now - 600, "offset": offset}
            snapshot["hosts"][host]["log_plugins"]["logs"][0].update(values)

    verdict = judge("log-index-fresh", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("warn", case)


def full_queue(age: float, service: str = "esb") -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["paas-1"]
        row = [service, host["system"]["time"] - age, ":8002", 101, 100, f"/l/{service}_uwsgi.log"]
        host["logs"]["full_queues"] = [row]

    return change


@pytest.mark.parametrize(("age", "case"), [(60, "was-full"), (1200, None)])
def test_a_listen_queue_that_was_full(judge: Any, age: float, case: str | None) -> None:
    """An old line is of no interest."""
    verdict = judge("listen-queue", full_queue(age))["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (("warn", case) if case else ("pass", None))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("DataError: (1406, \"Data too long for column 'token' at row 1\")", "fail"),
        ("OperationalError: (1040, 'Too many connections')", "pass"),
        ("IndexError: list index out of range", "fail"),
    ],
)
def test_an_error_of_the_statement_is_not_over_when_the_database_works(
    judge: Any, text: str, verdict: str
) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["paas-1"]
        failure = host["system"]["time"] - 100
        host["login_access"]["failed"] = [
            {"route": "POST /", "status": 500, "times": [failure], "calls": 3, "exception": text}
        ]
        for file in snapshot["hosts"]["nginx-1"]["nginx"]["files"]:
            file["ctime"] = failure - 900

    assert judge("login-errors", change)["paas-1"]["verdict"] == verdict


@pytest.mark.parametrize(
    ("reloaded", "edited", "host_header", "verdict"),
    [
        (60, 70, "$host", "pass"),
        (200, 210, "$host", "fail"),
        (60, 900, "$host", "fail"),  # reloaded for another reason
        (60, 70, "", "fail"),
        (60, 70, "OPEN_PAAS_LOGIN", "fail"),
    ],
)
def test_a_wrong_host_is_over_when_nginx_was_reloaded_since_and_passes_the_right_one(
    judge: Any, reloaded: float, edited: float, host_header: str, verdict: str
) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        host, gate = snapshot["hosts"]["paas-1"], snapshot["hosts"]["nginx-1"]
        host["login_access"]["failed"] = [
            {
                "route": "POST /",
                "status": 500,
                "times": [host["system"]["time"] - 100],
                "calls": 3,
                "exception": "IndexError: list index out of range",
            }
        ]
        for one in gate["processes"]["items"]:
            one[3] = gate["system"]["time"] - reloaded
        for server in gate["nginx"]["servers"]:
            for location in server["locations"]:
                location.setdefault("passing", {})["host"] = host_header
        for file in gate["nginx"]["files"]:
            file["ctime"] = gate["system"]["time"] - edited

    assert judge("login-errors", change)["paas-1"]["verdict"] == verdict


@pytest.mark.parametrize(("seconds", "case"), [(1, "exception"), (60, "5xx")])
def test_the_exception_in_login_log_is_of_the_same_time(judge: Any, seconds: float, case: str) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["paas-1"]
        failure = host["system"]["time"] - 100
        host["login_access"]["failed"] = [
            {"route": "POST /", "status": 500, "times": [failure], "calls": 3, "exception": ""}
        ]
        hit = {"file": "/l/login.log", "time": failure - seconds, "text": "KeyError: 'bk_role'"}
        host["logs"]["application_exceptions"] = {"login": [hit]}

    verdict = judge("login-errors", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", case)


@pytest.mark.parametrize(("seconds", "verdict"), [(60, "fail"), (7200, "pass")])
def test_esb_refuses_the_calls_of_login(judge: Any, seconds: float, verdict: str) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        host = snapshot["hosts"]["paas-1"]
        for one in host["processes"]["items"]:
            one[3] = 0.0  # login was started long before
        text = "Invalid APP Code [bk_app_code=bk_paas], please confirm if the APP Code has been registered"
        hit = {"file": "/l/login.log", "time": host["system"]["time"] - seconds, "text": text}
        host["logs"]["esb_refusals"] = [hit]

    assert judge("login-errors", change)["paas-1"]["verdict"] == verdict


@pytest.mark.parametrize(
    ("later", "address", "case"),
    [(3600, "10.66.0.42", "not-loaded"), (0, "10.66.0.42", None), (3600, "10.66.0.4", None)],
)
def test_a_token_that_the_running_agent_does_not_have(
    judge: Any, later: float, address: str, case: str | None
) -> None:
    """appengine names the agent, and the agent's file is newer than its process."""

    def change(snapshot: dict[str, Any]) -> None:
        message = f"paasagent health check failed, error: {address} agent return not zero"
        answer = snapshot["hosts"]["paas-1"]["answers"]["by_name"]["healthz-appengine"]
        answer["body"] = json.dumps({"message": message, "data": {}, "result": False})
        for file in snapshot["hosts"]["appt-1"]["agent"]["config"]["files"]:
            for name in ("mtime", "ctime", "folder_mtime"):
                file[name] += later

    verdict = judge("agent-registered", change)["appt-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


@pytest.mark.parametrize(("names", "case"), [(["token"], "malformed-token"), ([], None)])
def test_a_token_with_a_blank(judge: Any, names: list[str], case: str | None) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        snapshot["hosts"]["appt-1"]["agent"]["config"]["malformed"] = names

    verdict = judge("agent-registered", change)["appt-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


@pytest.mark.parametrize(("code", "word"), [(1226, "no_data"), (145, "fail")])
def test_a_limit_of_the_account_is_not_a_damaged_table(judge: Any, code: int, word: str) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        state = snapshot["hosts"]["paas-1"]["connections"]["by_name"]["database"]["login"]["database"]
        state["errors"] = {"login_bktoken": {"code": code, "text": "refused"}}
        state["filled"] = {}

    assert judge("database-tables", change)["paas-1"]["verdict"] == word
