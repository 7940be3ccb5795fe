"""Cases that no fault of the lab shows: other editions, errors of access, files with an older date."""

from collections.abc import Callable
from typing import Any

import pytest

from selftests.judges import masking
from selftests.judges.test_entrance_judges import behind_https

Edit = Callable[[dict[str, Any]], None]

DAY_SECONDS = 86_400.0
SEARCH = "10.66.0.53:10004"
DOMAIN_HEALTHZ = ("controller", "paas-1", "paas-2")


def out_of_reach(kind: str) -> Edit:
    """appo-1 was not collected, for a reason of this kind."""

    def change(snapshot: dict[str, Any]) -> None:
        facts = snapshot["hosts"]["appo-1"]
        facts.update({noun: {"fact": "Missing", "reason": "not collected"} for noun in masking.NOUNS})
        facts.update(collected=False, error_kind=kind, error="the reason", seconds=1.0)

    return change


@pytest.mark.parametrize(
    ("kind", "word", "case"),
    [
        ("closed", "fail", "closed"),
        ("output_lost", "no_data", "not-collected"),
        ("no_snapshot", "no_data", "not-merged"),
        ("old_snapshot", "no_data", "not-merged"),
        ("out_of_time", "no_data", "out-of-time"),
    ],
)
def test_a_host_that_was_not_collected(judge: Any, kind: str, word: str, case: str) -> None:
    verdict = judge("host-reachable", out_of_reach(kind))["appo-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, case)


def with_console(**answer: Any) -> Edit:
    """Console is installed on paas-1 and gives every host and the controller this answer."""

    def change(snapshot: dict[str, Any]) -> None:
        services = snapshot["hosts"]["paas-1"]["services"]["by_name"]
        services["console"] = services["login"] | {"name": "console"}
        for place in (*snapshot["hosts"].values(), snapshot["controller"]):
            answers = place.get("answers", {}).get("by_name", {})
            if "healthz-paas" in answers:
                url = answers["healthz-paas"]["url"].replace("/healthz/", "/console/healthz/")
                answers["healthz-console"] = {"url": url, "status": None, "seconds": 1.0} | answer

    return change


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        ("refused", "refused"),
        ("timeout", "silent"),
        ("resolve", "unresolved"),
        ("empty", "cut-off"),
        ("silent", "dependency-hangs"),
    ],
)
def test_the_desktop_without_an_answer(judge: Any, kind: str, case: str) -> None:
    verdicts = judge("healthz-console", with_console(error_kind=kind, error_text=kind))
    assert (verdicts["paas-1"]["verdict"], verdicts["paas-1"]["case"]) == ("fail", case)


def dated_back(file: dict[str, Any], load: float) -> None:
    """Another file with an older date took the name an hour after the load, and was not read since."""
    file.update(mtime=load - DAY_SECONDS, atime=load - 2 * DAY_SECONDS, links=1)
    file.update(ctime=load + 3600, folder_mtime=load + 3600)


def replaced(host: str, *path: Any) -> Edit:
    def change(snapshot: dict[str, Any]) -> None:
        facts = snapshot["hosts"][host]
        found = facts
        for step in path:
            found = found[step]
        dated_back(found, facts["system"]["time"])
        facts["startup"]["compiled"] = []
        snapshot["started"] += DAY_SECONDS
        for one in snapshot["hosts"].values():
            one["system"]["time"] += DAY_SECONDS

    return change


@pytest.mark.parametrize(
    ("condition", "word", "host", "path"),
    [
        ("agents-loaded", "warn", "appo-1", ("agent", "config", "files", 0)),
        ("services-loaded", "fail", "paas-1", ("settings", "by_project", "login", "files", 0)),
    ],
)
def test_a_file_with_an_older_date_took_the_name(
    judge: Any, condition: str, word: str, host: str, path: tuple[Any, ...]
) -> None:
    verdict = judge(condition, replaced(host, *path))[host]
    assert (verdict["verdict"], verdict["case"]) == (word, "replaced")


def certificate(**values: Any) -> Edit:
    def change(snapshot: dict[str, Any]) -> None:
        behind_https(snapshot)
        snapshot["controller"]["certificates"]["items"][0].update(values)

    return change


@pytest.mark.parametrize(
    ("condition", "word"), [("domain-certificate", "fail"), ("domain-certificate-expiry", "warn")]
)
def test_no_tls_on_the_port_of_the_domain(judge: Any, condition: str, word: str) -> None:
    change = certificate(
        error_kind="tls", error_text="wrong version number", names=[], begins=None, ends=None
    )
    verdict = judge(condition, change)["controller"]
    assert (verdict["verdict"], verdict["case"]) == (word, "tls")


def test_a_certificate_that_begins_later(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        certificate(begins=snapshot["started"] + DAY_SECONDS)(snapshot)

    verdict = judge("domain-certificate", change)["controller"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "not-yet-valid")


def searched(part: str, **values: Any) -> Edit:
    def change(snapshot: dict[str, Any]) -> None:
        for host in ("paas-1", "paas-2"):
            snapshot["hosts"][host]["searches"]["by_place"][SEARCH][part].update(values)

    return change


def configured(value: Any) -> Edit:
    def change(snapshot: dict[str, Any]) -> None:
        for host in ("paas-1", "paas-2"):
            row = snapshot["hosts"][host]["settings"]["by_project"]["paas"]["values"]["ELASTICSEARCH_URLS"]
            row[3] = value

    return change


def with_a_login(snapshot: dict[str, Any]) -> None:
    place = f"reader:secret:0123456789ab@{SEARCH}"
    configured(place)(snapshot)
    searched("root", status=401, body="{}")(snapshot)


def closed_index(snapshot: dict[str, Any]) -> None:
    for host in ("paas-1", "paas-2"):
        for index in snapshot["hosts"][host]["searches"]["by_place"][SEARCH]["indices"]:
            index["closed"] = True


def another_server(snapshot: dict[str, Any]) -> None:
    searched("root", status=200, body="<html>portal</html>")(snapshot)


@pytest.mark.parametrize(
    ("condition", "change", "case"),
    [
        ("es-health", with_a_login, "login-refused"),
        ("es-writable", closed_index, "closed"),
        ("paas-es-config", configured("http://[::1"), "wrong-value"),
        ("paas-es-config", another_server, "other-server"),
    ],
)
def test_searches_of_paas(judge: Any, condition: str, change: Edit, case: str) -> None:
    verdict = judge(condition, change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", case)


def nothing_runs(snapshot: dict[str, Any]) -> None:
    processes = snapshot["hosts"]["paas-1"]["processes"]
    kept = [
        one for one in processes["items"] if "uwsgi" not in one[5] and "supervisord" not in " ".join(one[6])
    ]
    processes["items"] = kept


def test_nothing_of_open_paas_runs(judge: Any) -> None:
    verdict = judge("supervisor-proc", nothing_runs)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "not-started")


def without_a_password(snapshot: dict[str, Any]) -> None:
    facts = snapshot["hosts"]["appo-1"]
    for target in facts["log_plugins"]["agent"]["targets"]:
        target["password"] = None
    answers = facts["redis"]["by_name"]
    for name in [one for one in answers if " secret:" in one]:
        refused = ["-NOAUTH Authentication required."] * 5
        answers[name.partition(" ")[0]] = answers.pop(name) | {"replies": refused}


def test_redis_wants_a_password_that_is_not_configured(judge: Any) -> None:
    verdict = judge("log-redis-reachable", without_a_password)["appo-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "login-missing")


def test_lines_wait_in_redis(judge: Any) -> None:
    """log_agent has sent a line that is half an hour old, and the list that log_parser reads is not empty."""

    def change(snapshot: dict[str, Any]) -> None:
        for facts in snapshot["hosts"].values():
            for search in facts.get("searches", {}).get("by_place", {}).values():
                search.update(newest=snapshot["started"] - DAY_SECONDS, sources={})
            for log in facts.get("log_plugins", {}).get("logs", ()):
                old = snapshot["started"] - 1800
                log.update(mtime=old, times=[old], ends=[log["size"]])
            for name, answer in facts.get("redis", {}).get("by_name", {}).items():
                if "secret" in name and answer["replies"][-1:] == [":0"]:
                    answer["replies"][-2:] = ["+list", ":12"]

    verdict = judge("log-index-fresh", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("warn", "queued")


@pytest.mark.parametrize(
    ("condition", "host", "port"),
    [("agent-nginx-8010", "appo-1", 8011), ("nginx-conf-port80", "nginx-1", 8088)],
)
def test_the_next_reload_ends_a_port(judge: Any, condition: str, host: str, port: int) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        for server in snapshot["hosts"][host]["nginx"]["servers"]:
            if "cmdb" not in server["file"]:
                server["listens"] = [{"port": port}]

    verdict = judge(condition, change)[host]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "lost-at-reload")
    assert f"listen +((\\[[^]]*\\]|[^ :;]*):)?{port}([ ;])" in verdict["remedy"]


def test_a_directory_that_was_renamed(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        facts = snapshot["hosts"]["paas-1"]
        facts["settings"]["by_project"]["login"]["files"][-1].update(type="missing", mode=None)
        paths = facts["startup"]["paths"]
        place = next(path for path in paths if path.endswith("/open_paas/login"))
        paths[place] = {"path": place, "type": "missing"}

    verdict = judge("settings-valid", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "directory-gone")


def test_a_certificate_that_nginx_would_not_find(judge: Any) -> None:
    place = "/etc/ssl/portal.crt"

    def change(snapshot: dict[str, Any]) -> None:
        facts = snapshot["hosts"]["nginx-1"]
        facts["nginx"] |= {"certificates": [place], "certificate_places": ["/etc/nginx/portal.conf:4"]}
        for path in ("/etc", "/etc/ssl"):
            known = {"path": path, "type": "dir", "mode": 0o755, "uid": 0, "gid": 0}
            facts["startup"]["paths"].setdefault(path, known)
        facts["startup"]["paths"][place] = {"path": place, "type": "missing"}

    verdict = judge("next-start", change)["nginx-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "nginx-file")
    assert "/etc/nginx/portal.conf:4" in verdict["evidence"]


def test_an_application_that_a_signal_has_stopped(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        facts = snapshot["hosts"]["appo-1"]
        master = facts["saas"]["items"][0]["pid"]
        for process in facts["processes"]["items"]:
            if process[1] == master:
                process[4] = "T"
        for name, answer in facts["answers"]["by_name"].items():
            if name.startswith("application-socket"):
                answer.update(status=None, error_kind="silent", error_text="", body="", headers={})

    verdict = judge("saas-run-state", change)["appo-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "frozen")
