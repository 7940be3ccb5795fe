"""Cases of generations 6.x that need no unit or container: answers, settings, projects per host, lines of nginx."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from selftests.judges.test_container_cases import in_containers
from selftests.judges.test_rare_cases import GONE, error_line, of_6

Change = Callable[[dict[str, Any]], None]
SLOW = "name=login_host, host=http://10.66.0.11:8003,  error=HTTPConnectionPool(): Read timed out. (read timeout=10)"
USERMGR = "System BK_LOGIN interface access abnormal: third-party system [USERMANAGE] interface [x] error: y"

ESB_REDIS = "Exceptions occurred in Redis connection ([redis.test:6379] [use_sentinel=False]): WRONGPASS x."
PAAS_REDIS = "redis: 1301004 Redis连接存在问题: WRONGPASS x; 将导致监控告警不可用"


def both(*changes: Change) -> Change:
    def change(snapshot: dict[str, Any]) -> None:
        for one in changes:
            one(snapshot)

    return change


def says(service: str, message: str) -> Change:
    def change(snapshot: dict[str, Any]) -> None:
        answer = snapshot["hosts"]["paas-1"]["answers"]["by_name"][f"healthz-{service}"]
        answer["body"] = json.dumps({"ok": False, "message": message})

    return change


def waits(service: str, seconds: float) -> Change:
    def change(snapshot: dict[str, Any]) -> None:
        answer = snapshot["hosts"]["paas-1"]["answers"]["by_name"][f"healthz-{service}"]
        answer["seconds"] = seconds

    return change


def started(seconds: float) -> Change:
    """Let the masters of esb have been started that long ago, on both hosts."""

    def change(snapshot: dict[str, Any]) -> None:
        for name in ("paas-1", "paas-2"):
            host = snapshot["hosts"][name]
            for one in host["processes"]["items"]:
                if "uwsgi" in " ".join(one[6]):
                    one[3] = host["system"]["time"] - seconds

    return change


@pytest.mark.parametrize(
    ("condition", "change", "verdict", "case"),
    [
        ("healthz-esb", says("esb", USERMGR), "fail", "usermgr"),
        ("healthz-esb", both(says("esb", USERMGR), waits("esb", 11.0)), "fail", "usermgr-hangs"),
        ("healthz-esb", says("esb", "x"), "fail", "unhealthy"),
        ("healthz-esb", says("esb", ESB_REDIS), "fail", "redis"),
        ("healthz-paas", says("paas", PAAS_REDIS), "fail", "redis"),
        ("healthz-paas", says("paas", f"1301001 database; {PAAS_REDIS}"), "fail", "unhealthy"),
        ("healthz-paas", both(of_6, started(9000), says("paas", SLOW)), "fail", "login-page-slow"),
        ("healthz-paas", both(of_6, started(20), says("paas", SLOW)), "no_data", None),
        ("healthz-paas", both(of_6, started(20), says("paas", "x")), "fail", "unhealthy"),
        ("healthz-paas", both(started(20), says("paas", SLOW)), "fail", "unhealthy"),
    ],
)
def test_healthz(judge: Any, condition: str, change: Change, verdict: str, case: str | None) -> None:
    actual = judge(condition, change)["paas-1"]
    assert (actual["verdict"], actual["case"]) == (verdict, case)


def event(seconds: int, file: str) -> Change:
    def change(snapshot: dict[str, Any]) -> None:
        of_6(snapshot)
        for name in ("paas-1", "paas-2"):
            values = snapshot["hosts"][name]["settings"]["by_project"]["paas"]["values"]
            value = values["EVENT_STATE_EXPIRE_SECONDS"]
            value[1], value[3] = f"/data/bkce/open_paas/paas/conf/{file}", seconds

    return change


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (event(360, "default.py"), "pass"),
        (event(720, "default.py"), "warn"),
        (event(720, "settings_production.py"), "pass"),
    ],
)
def test_edits_that_an_upgrade_loses(judge: Any, change: Change, verdict: str) -> None:
    actual = judge("settings-lost-at-upgrade", change)["paas-1"]
    assert (actual["verdict"], actual["case"]) == (verdict, "in-default" if verdict == "warn" else None)


def split(snapshot: dict[str, Any]) -> None:
    """Give login to paas-1 and the rest to paas-2, as paas(login) in install.config does; nothing answers elsewhere."""
    in_containers(snapshot)
    projects = {"paas-1": ["login"], "paas-2": ["paas", "esb", "appengine"]}
    for entry in snapshot["deployment"]["hosts"]:
        entry["projects"] = projects.get(entry["name"], [])
    nginx = snapshot["hosts"]["nginx-1"]
    for name in [one for one in nginx["answers"]["by_name"] if "@paas-" in one]:
        service, _, host = name.partition("@")
        if host in projects and service not in projects[host]:
            nginx["answers"]["by_name"][name] |= {"error_kind": "refused", "status": None}
    own = {"OPEN_PAAS_LOGIN": "10.66.0.11"}
    for upstream in nginx["nginx"]["upstreams"]:
        kept = own.get(upstream["name"], "10.66.0.12")
        upstream["servers"] = [one for one in upstream["servers"] if one["address"] == kept] or upstream[
            "servers"
        ]


@pytest.mark.parametrize(
    ("condition", "subject"),
    [
        ("paas-ports-from-nginx", "nginx-1+paas-1"),
        ("paas-ports-from-nginx", "nginx-1+paas-2"),
        ("nginx-upstreams-complete", "nginx-1"),
    ],
)
def test_a_host_is_judged_for_its_projects(judge: Any, condition: str, subject: str) -> None:
    assert judge(condition, split)[subject]["verdict"] == "pass"

    def whole(snapshot: dict[str, Any]) -> None:
        split(snapshot)
        for entry in snapshot["deployment"]["hosts"]:
            entry["projects"] = []

    assert judge(condition, whole)[subject]["verdict"] in ("fail", "warn")


@pytest.mark.parametrize(("condition", "applies"), [("healthz-esb", "paas-2"), ("healthz-login", "paas-1")])
def test_healthz_of_a_project_elsewhere_does_not_apply(judge: Any, condition: str, applies: str) -> None:
    verdicts = judge(condition, split)
    assert verdicts[applies]["verdict"] == "pass"
    assert {verdicts[name]["verdict"] for name in ("paas-1", "paas-2") if name != applies} == {
        "not_applicable"
    }


def test_a_line_of_the_moment_of_the_reload_is_about_the_old_files(judge: Any) -> None:
    """consul-template reloads when an instance is down; what was asked just before is not an old upstream."""

    def reloaded(snapshot: dict[str, Any]) -> None:
        of_6(snapshot)
        host = snapshot["hosts"]["nginx-1"]
        for one in host["processes"]["items"]:
            if "nginx" in " ".join(one[6]):
                one[3] = host["system"]["time"] - 2
        error_line(GONE)(snapshot)

    assert judge("nginx-old-upstream", reloaded)["nginx-1"]["verdict"] == "pass"
    long_ago = both(of_6, error_line(GONE))
    assert judge("nginx-old-upstream", long_ago)["nginx-1"]["verdict"] == "warn"


def test_the_internal_server_of_6_is_missing(judge: Any) -> None:
    """The recorded files are of 5.x and have no such server; the domain's server stays."""
    verdict = judge("nginx-conf-port80", of_6)["nginx-1"]
    assert (verdict["verdict"], verdict["case"]) == ("fail", "no-internal-server")
