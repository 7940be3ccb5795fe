"""Directories of nginx, the access of redis, addresses and cookies in settings, files and numbers of the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Snapshot = dict[str, Any]
Change = Callable[[Snapshot], object]
PAAS = ("paas-1", "paas-2")
BODY = "/var/lib/nginx/body"


def directory(host: str, **stat: Any) -> Change:
    """Edit the stat of the directory for uploads."""
    return lambda snapshot: snapshot["hosts"][host]["startup"]["paths"][BODY].update(stat)


def no_directory(snapshot: Snapshot) -> None:
    """Edit a package of another layout, whose directories are all there."""
    paths = snapshot["hosts"]["nginx-1"]["startup"]["paths"]
    paths[BODY].update(uid=0)
    for name in ("client_body", "proxy", "uwsgi"):
        path = f"/var/lib/nginx/tmp/{name}"
        paths[path] = paths["/var/lib/nginx/proxy"] | {"path": path}
    paths["/var/lib/nginx/tmp"] = paths["/var/lib/nginx"] | {"path": "/var/lib/nginx/tmp"}


@pytest.mark.parametrize(
    ("condition", "host", "change", "red"),
    [
        ("nginx-limits", "nginx-1", directory("nginx-1", uid=0), True),
        ("nginx-limits", "nginx-1", directory("nginx-1", type="missing", mode=None), True),
        ("nginx-limits", "nginx-1", directory("nginx-1", uid=0, mode=0o777), False),
        ("nginx-limits", "nginx-1", no_directory, False),
        ("agent-nginx-8010", "appo-1", directory("appo-1", uid=0), True),
    ],
)
def test_directories_for_uploads(judge: Any, condition: str, host: str, change: Change, red: bool) -> None:
    verdict = judge(condition, change)[host]
    assert verdict["case"] == ("temporary-directory" if red else None)


def test_socket_whose_path_was_edited(record: Any) -> None:
    def change(snapshot: Snapshot) -> None:
        supervisor = snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["open_paas"]
        new = "/data/bkce/logs/open_paas/new.sock"
        supervisor["socket"].update(path=new, type="missing", mode=None)
        supervisor["socket_path"] = new

    results = record(change)
    first = results["causes"][0]
    assert (first["case"], first["ids"]) == ("other-path", ["supervisor-sock@paas-1"])


def test_socket_of_the_plugins_whose_path_was_edited(judge: Any) -> None:
    def change(snapshot: Snapshot) -> None:
        module = snapshot["hosts"]["paas-1"]["supervisors"]["by_module"]["paas_plugins"]
        module["socket_path"] = module["server_url"] = "/data/bkce/logs/paas_plugins/new.sock"

    assert judge("next-start", change)["paas-1"]["case"] in ("control", "missing")


def states(**values: Any) -> Change:
    """Edit the state of redis as all hosts read it."""

    def change(snapshot: Snapshot) -> None:
        for host in snapshot["hosts"].values():
            for state in host.get("redis_states", {}).get("by_name", {}).values():
                state.update(values)

    return change


@pytest.mark.parametrize(
    ("change", "case", "hosts"),
    [
        (states(unknown_commands=["rpush"]), "command-unknown", {"appo-1", "appt-1"}),
        (states(unknown_commands=["blpop"]), "command-unknown", set(PAAS)),
        (states(unknown_commands=["publish", "subscribe"]), None, set()),
        (states(refused_commands={"rpush": "no permissions"}), "command-refused", {"appo-1", "appt-1"}),
        (states(refused_commands={"key": "no key"}), "key-refused", {"appo-1", "appt-1", *PAAS}),
    ],
)
def test_commands_of_the_log_plugins(judge: Any, change: Change, case: str | None, hosts: set[str]) -> None:
    verdicts = judge("log-redis-writable", change)
    assert {name for name, one in verdicts.items() if one["case"]} == hosts
    assert {one["case"] for one in verdicts.values() if one["case"]} == ({case} if case else set())


@pytest.mark.parametrize(("seconds", "case"), [(-60.0, "closed"), (60.0, "not-loaded")])
def test_password_that_the_running_redis_refuses(judge: Any, seconds: float, case: str) -> None:
    def change(snapshot: Snapshot) -> None:
        host = snapshot["hosts"]["data-1"]
        start = next(one[3] for one in host["processes"]["items"] if one[5] == "redis-server")
        file = host["redis_confs"]["files"][0]["file"]
        file.update(mtime=start + seconds, ctime=start + seconds)
        for name in PAAS:
            for key, answer in snapshot["hosts"][name]["redis"]["by_name"].items():
                if "/0 " in key:
                    answer["replies"] = ["-WRONGPASS invalid username-password pair or user is disabled."]

    assert judge("redis-password", change)["data-1"]["case"] == case


def place(kind: str, message: str = "") -> Change:
    """Edit the connection to CMDB, and what the healthz of esb reports."""

    def change(snapshot: Snapshot) -> None:
        for name in PAAS:
            host = snapshot["hosts"][name]
            host["connections"]["by_name"]["setting-10.66.0.61:33031"]["error_kind"] = kind
            if message:
                answer = host["answers"]["by_name"]["healthz-esb"]
                answer["body"] = f'{{"ok": false, "message": "{message}"}}'

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (place("refused"), "refused"),
        (place("timeout"), "silent"),
        (place("refused", "HOST_CC is not reached"), None),
    ],
)
def test_address_that_does_not_accept_connections(judge: Any, change: Change, case: str | None) -> None:
    assert judge("settings-match-inventory", change)["paas-1"]["case"] == case


def outside(name: str, project: str, *hosts: str, error_kind: str = "unreachable") -> Change:
    """A setting with the address of a host that is not in the inventory, where nothing answers."""

    def change(snapshot: Snapshot) -> None:
        for host in hosts:
            facts = snapshot["hosts"][host]
            row = facts["settings"]["by_project"][project]["values"][name]
            row[3], row[4] = "http://10.66.0.99:8003", ""
            facts["connections"]["by_name"]["setting-10.66.0.99:8003"] = {"error_kind": error_kind}
            answer = facts["answers"]["by_name"][f"healthz-{project}"]
            answer["status"] = 500 if project == "paas" else 200
            answer["body"] = (
                "第三方依赖连接超时: name=login_host, host=http://10.66.0.99:8003, error=x"
                if project == "paas"
                else '{"ok": false, "message": "third-party system [CC] is not reached", "data": {}}'
            )

    return change


@pytest.mark.parametrize(
    ("change", "hosts"),
    [
        (outside("LOGIN_HOST", "paas", *PAAS), set(PAAS)),
        (outside("LOGIN_HOST", "paas", "paas-2"), {"paas-2"}),
        (outside("LOGIN_HOST", "paas", "paas-2", error_kind="refused"), {"paas-2"}),
        (outside("HOST_CC", "esb", *PAAS), set(PAAS)),
    ],
)
def test_a_setting_that_leads_nowhere_is_named_with_its_line(
    record: Any, change: Change, hosts: set[str]
) -> None:
    results = record(change)
    assert set(results["root_causes"]) == {f"settings-match-inventory@{host}" for host in hosts}
    assert ".py:" in next(
        one["evidence"] for one in results["verdicts"] if one["id"] in results["root_causes"]
    )


def settings(project: str, **values: Any) -> Change:
    """Add settings of a project on both paas hosts."""

    def change(snapshot: Snapshot) -> None:
        for host in PAAS:
            of = snapshot["hosts"][host]["settings"]["by_project"][project]["values"]
            for name, value in values.items():
                kind = "int" if isinstance(value, int) else "str"
                of[name] = [kind, "/a/default.py", 9, value, repr(value), None, None]

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (settings("paas", SESSION_COOKIE_DOMAIN=".old.example"), "other-domain"),
        (settings("paas", SESSION_COOKIE_DOMAIN=".bklab.test"), None),
        (settings("login", CSRF_COOKIE_DOMAIN="cmdb.bklab.test"), "other-domain"),
        (settings("login", SESSION_COOKIE_PATH="/sso"), "other-path"),
        (settings("login", SESSION_COOKIE_PATH="/login"), None),
        (settings("login", SESSION_COOKIE_PATH="/login/"), None),
        (settings("paas", CSRF_COOKIE_PATH="/login/"), "other-path"),
        (settings("paas", SESSION_COOKIE_AGE=5), "too-short"),
        (settings("login", BK_INACTIVE_COOKIE_AGE=600, BK_INACTIVE_UPDATE_INTERVEL=900), "too-short"),
        (settings("login", BK_INACTIVE_COOKIE_AGE=600, BK_INACTIVE_UPDATE_INTERVEL=60), None),
    ],
)
def test_cookies_that_end_a_session(judge: Any, change: Change, case: str | None) -> None:
    assert judge("cookie-domain", change)["paas-1"]["case"] == case


def database(**values: Any) -> Change:
    def change(snapshot: Snapshot) -> None:
        for name in PAAS:
            host = snapshot["hosts"][name]
            host["connections"]["by_name"]["database"]["login"]["database"].update(values)

    return change


def closed_tmp(snapshot: Snapshot) -> None:
    snapshot["hosts"]["data-1"]["places"]["by_name"]["temporary"][0]["mode"] = 0o755


def counter(number: int, type_: str = "int(11)") -> Change:
    return database(counters=[{"table": "login_bktoken", "type": type_, "next": number}])


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (closed_tmp, "no-temporary-file"),
        (
            database(errors={"sessions": {"code": 1, "text": "Can't create/write to file"}}),
            "no-temporary-file",
        ),
        (counter(2147483647), "numbers-used-up"),
        (counter(2147483647, "int(10) unsigned"), None),
        (counter(127, "tinyint(4)"), "numbers-used-up"),
        (counter(2**40, "bigint(20)"), None),
        (counter(2**40, "decimal(20)"), None),
    ],
)
def test_files_and_numbers_of_the_database(judge: Any, change: Change, case: str | None) -> None:
    assert judge("database-writable", change)["paas-1"]["case"] == case


def test_closed_tmp_explains_the_tables(record: Any) -> None:
    error = {"code": 1, "text": "Can't create/write to file"}
    results = record(database(errors={"sessions": error}))
    assert [cause["case"] for cause in results["causes"]] == ["no-temporary-file"]


def exchanged(one: str, other: str) -> Change:
    """Exchange the roles of two hosts in the inventory."""

    def change(snapshot: Snapshot) -> None:
        hosts = {host["name"]: host for host in snapshot["deployment"]["hosts"]}
        hosts[one]["roles"], hosts[other]["roles"] = hosts[other]["roles"], hosts[one]["roles"]

    return change


@pytest.mark.parametrize(("one", "other"), [("cmdb-1", "job-1"), ("data-1", "es-1"), ("es-1", "job-1")])
def test_hosts_that_are_exchanged_in_the_inventory(record: Any, one: str, other: str) -> None:
    first = record(exchanged(one, other))["causes"][0]
    assert first["case"] == "role-elsewhere"
    assert set(first["hosts"]) == {one, other}


STATIC = "/data/bkce/paas_agent/apps/projects/bk_framework/code/bk_framework/static"


def styles(folder: int, file: int) -> Change:
    """Add the directory of styles of a SaaS with one file, of these modes."""

    def change(snapshot: Snapshot) -> None:
        paths = snapshot["hosts"]["appo-1"]["startup"]["paths"]
        above = paths["/data/bkce"]
        for path in (STATIC.rpartition("/")[0], STATIC):
            paths[path] = above | {"path": path}
        parent = STATIC.rpartition("/")[0].rpartition("/")[0]
        paths[parent] = above | {"path": parent}
        paths[STATIC]["mode"] = folder
        paths[f"{STATIC}/a.css"] = above | {"path": f"{STATIC}/a.css", "type": "file", "mode": file}

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (styles(0o755, 0o644), None),
        (styles(0o700, 0o644), "static-closed"),
        (styles(0o755, 0o600), "static-closed"),
    ],
)
def test_styles_that_nginx_may_not_read(judge: Any, change: Change, case: str | None) -> None:
    assert judge("saas-run-state", change)["appo-1"]["case"] == case
