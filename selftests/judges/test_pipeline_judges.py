"""The stages of a log line, and the answers of applications, on edited facts."""

from typing import Any

import pytest

APP = "bk_framework"
LOG = f"/data/bkce/paas_agent/apps/logs/{APP}/{APP}.log"


def plugins(snapshot: dict[str, Any], host: str = "appo-1") -> dict[str, Any]:
    found: dict[str, Any] = snapshot["hosts"][host]["log_plugins"]
    return found


def edit_log(snapshot: dict[str, Any], **values: Any) -> None:
    now = snapshot["hosts"]["appo-1"]["system"]["time"]
    old = {"times": [now - 900, now - 600], "ends": [900, 1200], "size": 1200, "mtime": now - 600}
    plugins(snapshot)["logs"][0].update(old | values)


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (lambda s: edit_log(s, offset=900), "behind"),
        (lambda s: edit_log(s, offset=1200), None),
        (lambda s: edit_log(s, offset=None), "behind"),
        (lambda s: edit_log(s, size=0, offset=None), None),
        (
            lambda s: (edit_log(s, offset=900, mode=0o600, uid=1000), plugins(s)["agent"].update(uids=[500])),
            "unreadable",
        ),
        (lambda s: plugins(s)["agent"].update(paths=["/data/other/*.log"]), "not-covered"),
        (
            lambda s: plugins(s)["agent"].update(paths=[], disabled=[["/etc/filebeat.yml:7", LOG]]),
            "disabled",
        ),
        (
            lambda s: plugins(s)["agent"].update(
                paths=[], disabled=[["/etc/filebeat.yml:7", "/data/other/*"]]
            ),
            "not-covered",
        ),
        (lambda s: plugins(s)["agent"].update(paths=["/data/**/*.log"]), None),
        (lambda s: plugins(s)["agent"].update(left_out=[r"\.log$"]), "excluded"),
        (lambda s: plugins(s)["agent"].update(left_out=[r"(a|b)+\.log$"]), None),
        (lambda s: plugins(s).update(registry=None), None),
    ],
)
def test_log_agent_reads(judge: Any, change: Any, case: str | None) -> None:
    found = judge("log-agent-reads", change)["appo-1"]
    assert (found["verdict"], found["case"]) == (("fail", case) if case else ("pass", None))


START = 1000.0
LOST = {"covered": True, "lost": True}


def writes(path: str = LOG, size: int = 900, age: float = 900, **values: Any) -> Any:
    """Let the application have another log open, which it wrote to that many seconds ago."""

    def change(snapshot: dict[str, Any]) -> None:
        mtime = snapshot["hosts"]["appo-1"]["system"]["time"] - age
        entry = {"app": APP, "path": path, "mtime": mtime, "size": size, "inode": 77, "pids": [900]}
        plugins(snapshot)["written"] = [{**entry, "since": mtime - START, "covered": False, **values}]

    return change


def renamed(offset: int | None, **values: Any) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        edit_log(snapshot)
        log = dict(plugins(snapshot)["logs"][0], path=f"{LOG}-20261128", offset=offset)
        edit_log(snapshot, size=0, offset=None)
        plugins(snapshot)["renamed"] = [log]
        writes(f"{LOG}-20261128", size=1200, age=600, **values)(snapshot)

    return change


def alone(change: Any) -> Any:
    """Let the log that log_agent covers be older than the start of the application."""

    def both(snapshot: dict[str, Any]) -> None:
        change(snapshot)
        edit_log(snapshot, offset=1200, mtime=snapshot["hosts"]["appo-1"]["system"]["time"] - 2 * START)

    return both


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (renamed(900), "renamed"),
        (renamed(None), "renamed"),
        (renamed(1200), None),
        (renamed(900, written_since=False), None),
        (writes(covered=True, hidden=True), "hidden"),
        (writes(covered=True, hidden=True, size=0), None),
        (renamed(1200, covered=True, hidden=True), "hidden"),
        (writes(**LOST), "removed"),
        (writes(**LOST, written_since=False), None),
        (writes(**LOST, size=0), None),
        (writes("/var/log/own.log", lost=True), None),
        (alone(writes("/data/logs/own.log")), "elsewhere"),
        (alone(writes(f"/data/bkce/paas_agent/apps/logs/{APP}/prod/{APP}.log", pids=[])), "elsewhere"),
        (writes("/data/logs/own.log"), None),  # the usual log is written as well
        (alone(writes("/data/logs/own.log", since=None)), None),
        (alone(writes("/data/logs/own.log", age=2 * START, since=9e9)), None),
        (alone(writes("/data2/logs/own.log", covered=True)), None),
        (alone(writes("/data2/logs/own.log", covered=None)), None),
        (lambda s: plugins(s).update(written=[]), None),
        (lambda s: plugins(s).update(written=None), None),  # an answer of an earlier collector
    ],
)
def test_log_agent_reads_what_the_application_writes(judge: Any, change: Any, case: str | None) -> None:
    found = judge("log-agent-reads", change)["appo-1"]
    assert (found["verdict"], found["case"]) == (("fail", case) if case else ("pass", None))


def edit_redis(**values: str) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        for host in ("appo-1", "appt-1", "paas-1", "paas-2"):
            for state in snapshot["hosts"][host]["redis_states"]["by_name"].values():
                for name, value in values.items():
                    part = "settings" if "-" in name.replace("_", "-") and name in SETTINGS else "fields"
                    state[part][name.replace("_", "-") if part == "settings" else name] = value

    return change


SETTINGS = ("save", "stop_writes_on_bgsave_error", "min_replicas_to_write")


@pytest.mark.parametrize(
    ("values", "case"),
    [
        ({"role": "slave", "master_host": "10.0.0.1", "master_port": "6379"}, "replica"),
        ({"maxmemory": "1000", "used_memory": "1000"}, "full"),
        ({"maxmemory": "1000", "used_memory": "1000", "maxmemory_policy": "volatile-ttl"}, "full"),
        ({"maxmemory": "1000", "used_memory": "1000", "maxmemory_policy": "allkeys-lru"}, None),
        ({"maxmemory": "1000", "used_memory": "900"}, None),
        ({"aof_last_write_status": "err"}, "not-saved"),
        ({"min_slaves_good_slaves": "0", "min_replicas_to_write": "1"}, "no-replicas"),
        ({"min_slaves_good_slaves": "1", "min_replicas_to_write": "1"}, None),
    ],
)
def test_redis_accepts_writes(judge: Any, values: dict[str, str], case: str | None) -> None:
    found = judge("log-redis-writable", edit_redis(**values))["appo-1"]
    assert (found["verdict"], found["case"]) == (("fail", case) if case else ("pass", None))


@pytest.mark.parametrize(
    ("save", "stops", "word"), [("3600 1", "yes", "fail"), ("3600 1", "no", "pass"), ("", "yes", "pass")]
)
def test_a_failed_save(judge: Any, save: str, stops: str, word: str) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        for state in snapshot["hosts"]["appo-1"]["redis_states"]["by_name"].values():
            state["fields"]["rdb_last_bgsave_status"] = "err"
            state["settings"].update({"save": save, "stop-writes-on-bgsave-error": stops})

    assert judge("log-redis-writable", change)["appo-1"]["verdict"] == word


def test_a_redis_without_info_is_not_judged(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        for state in snapshot["hosts"]["appo-1"]["redis_states"]["by_name"].values():
            state.update(fields={}, settings={}, refusal="-NOPERM this user has no permissions")

    assert judge("log-redis-writable", change)["appo-1"]["verdict"] == "no_data"


def other_type(snapshot: dict[str, Any]) -> None:
    """The list of the log plugins is a string, as TYPE shows on every host."""
    for host in snapshot["hosts"].values():
        for answer in host["redis"]["by_name"].values() if "by_name" in host["redis"] else ():
            replies = answer["replies"]
            for at in [at for at, reply in enumerate(replies) if reply in ("+list", "+none")]:
                replies[at : at + 2] = [
                    "+string",
                    "-WRONGTYPE Operation against a key holding the wrong kind",
                ]


def test_a_key_of_another_type_refuses_each_line(record: Any) -> None:
    results = record(other_type)
    verdicts = {one["id"]: one for one in results["verdicts"]}
    hosts = ("appo-1", "appt-1", "paas-1", "paas-2")
    found = [verdicts[f"log-redis-writable@{host}"] for host in hosts]
    assert {one["case"] for one in found} == {"wrong-type"} and len(results["causes"]) == 1
    assert "paas_app_log is a string, not a list" in str(found[0]["evidence"])
    depth = verdicts["log-queue-depth@paas-1"]
    assert (depth["verdict"], depth["explained_by"]) == ("no_data", ["log-redis-writable@paas-1"])


def edit_parser(**values: Any) -> Any:
    return lambda snapshot: plugins(snapshot, "paas-1")["parser"].update(values)


@pytest.mark.parametrize(
    ("values", "case"),
    [
        ({"indices": [{"name": "paas_app_log-%{+yyyy.MM.dd}", "file": "/f", "line": 1}]}, None),
        ({"indices": [{"name": "%{type}-%{+yyyy.MM.dd}", "file": "/f", "line": 1}]}, None),
        ({"indices": [{"name": "paas_app_log-%{+YYYY.MM.DD}", "file": "/f", "line": 1}]}, "wrong-name"),
        ({"indices": [{"name": "paas_app_log-%{+YYYY.M.d}", "file": "/f", "line": 1}]}, "wrong-name"),
        ({"indices": [{"name": "paas_app_log-%{+yyyyMMdd}", "file": "/f", "line": 1}]}, "wrong-name"),
        ({"indices": [{"name": "paas_app_log-%{+YYYY.MMMM.dd}", "file": "/f", "line": 1}]}, None),
        ({"indices": [{"name": "paas_app_log-%{+YYYY'.'MM.dd}", "file": "/f", "line": 1}]}, None),
        ({"indices": [{"name": "app-log", "file": "/f", "line": 1}]}, "wrong-name"),
        ({"indices": []}, "no-output"),
        ({"drops": "/f:7"}, "drops-all"),
        ({"outputs": ["10.66.0.62:9200"]}, "other-server"),
        ({"outputs": ["10.66.0.53:9299"]}, "other-server"),
        ({"outputs": ["10.66.0.62:9200", "10.66.0.53:10004"]}, None),
        ({"outputs": ["nowhere.invalid:9200"]}, "unresolved"),
    ],
)
def test_log_parser_delivers(judge: Any, values: dict[str, Any], case: str | None) -> None:
    found = judge("log-parser-delivers", edit_parser(**values))["paas-1"]
    assert (found["verdict"], found["case"]) == (("fail", case) if case else ("pass", None))


def edit_application(part: str, **values: Any) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        answers = snapshot["hosts"]["appo-1"]["answers"]["by_name"]
        answers[f"application-{part}-{APP}"].update(values)
        if "error_kind" in values:
            answers[f"application-{part}-{APP}"]["status"] = None

    return change


def closed_directory(status: int) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        paths = snapshot["hosts"]["appo-1"]["startup"]["paths"]
        paths["/data/bkce"] = {**paths["/data/bkce"], "mode": 0o700, "uid": 0}
        edit_application("nginx", status=status)(snapshot)

    return change


def without_pid_file(status: int) -> Any:
    def change(snapshot: dict[str, Any]) -> None:
        for saas in snapshot["hosts"]["appo-1"]["saas"]["items"]:
            saas["pid_file"] = False
        edit_application("nginx", status=status)(snapshot)

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (without_pid_file(404), "no-pid-file"),
        (without_pid_file(200), None),
        (closed_directory(404), "directory-closed"),
        (closed_directory(502), "directory-closed"),
        (closed_directory(200), None),
        (edit_application("socket", status=302), None),
        (edit_application("socket", status=401), None),
        (edit_application("socket", status=500), "5xx"),
        (edit_application("socket", error_kind="silent"), "silent"),
        (edit_application("socket", error_kind="refused"), "refused"),
        (edit_application("socket", error_kind="empty"), "cut-off"),
        (edit_application("socket", error_kind="gone"), "gone"),
        (edit_application("socket", error_kind="denied"), None),
        (edit_application("nginx", status=502), "nginx-5xx"),
        (edit_application("nginx", status=404), "nginx-404"),
        (edit_application("nginx", status=403), None),
        (edit_application("nginx", error_kind="silent"), "nginx-silent"),
        (edit_application("nginx", error_kind="refused"), "nginx-refused"),
    ],
)
def test_applications(judge: Any, change: Any, case: str | None) -> None:
    found = judge("saas-run-state", change)["appo-1"]
    assert (found["verdict"], found["case"]) == (("fail", case) if case else ("pass", None))


@pytest.mark.parametrize(("app", "shown"), [("bk_framework", True), ("other_app", False)])
def test_the_exception_of_an_application_that_answers_5xx(judge: Any, app: str, shown: bool) -> None:
    text, path = (
        "ImportError: No module named blueapps_missing",
        "/data/bkce/paas_agent/apps/logs/bk_framework/uwsgi.log",
    )

    def change(snapshot: dict[str, Any]) -> None:
        edit_application("socket", status=500)(snapshot)
        snapshot["hosts"]["appo-1"]["logs"]["saas_errors"] = {app: {"file": path, "time": None, "text": text}}

    found = judge("saas-run-state", change)["appo-1"]
    assert found["case"] == "5xx" and (f"{path} is {text}" in found["evidence"]) == shown


def test_a_404_of_the_application_itself_is_an_answer(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        for part in ("socket", "nginx", "domain"):
            edit_application(part, status=404)(snapshot)

    assert judge("saas-run-state", change)["appo-1"]["verdict"] == "pass"
    assert judge("saas-from-domain", change)["appo-1"]["verdict"] == "pass"


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (edit_application("domain", status=502), "5xx"),
        (edit_application("domain", status=404), "not-found"),
        (edit_application("domain", status=302), None),
        (edit_application("domain", error_kind="refused"), "refused"),
        (edit_application("domain", error_kind="silent"), "silent"),
        (edit_application("domain", error_kind="empty"), "cut-off"),
    ],
)
def test_applications_through_the_domain(judge: Any, change: Any, case: str | None) -> None:
    found = judge("saas-from-domain", change)["appo-1"]
    assert (found["verdict"], found["case"]) == (("fail", case) if case else ("pass", None))
