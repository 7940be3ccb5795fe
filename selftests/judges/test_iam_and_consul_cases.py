"""The cases of iam-answers, and names of consul in /etc/hosts."""

from __future__ import annotations

from typing import Any

import pytest

from selftests.judges.test_rare_cases import of_6

URL = "http://bkiam.service.consul:5001/healthz"
SILENT = "iam.exceptions.AuthAPIError (verify from iam server fail)"
REFUSED = "iam.exceptions.AuthAPIError (system error)"
HEALTHY = {"url": URL, "status": 200, "body": "ok"}


def error(kind: str) -> dict[str, Any]:
    return {"url": URL, "error_kind": kind}


@pytest.mark.parametrize(
    ("answer", "exception", "age", "verdict", "case"),
    [
        (HEALTHY, None, 0, "pass", None),
        ({"url": URL, "status": 404}, None, 0, "pass", None),
        ({"url": URL, "status": 500, "body": "db connect fail: x"}, None, 0, "fail", "5xx"),
        (error("refused"), None, 0, "fail", "refused"),
        (error("timeout"), None, 0, "fail", "silent"),
        (error("silent"), None, 0, "fail", "hangs"),
        (error("resolve"), None, 0, "fail", "unresolved"),
        (error("reset"), None, 0, "fail", "cut-off"),
        (HEALTHY, SILENT, 20, "fail", "pages-fail"),
        (HEALTHY, SILENT, 100, "pass", None),
        (HEALTHY, REFUSED, 100, "fail", "refuses"),
        (HEALTHY, REFUSED, 900, "pass", None),
        (None, None, 0, "not_applicable", None),
        (None, SILENT, 100, "fail", "pages-fail"),
    ],
)
def test_bkiam(
    judge: Any,
    answer: dict[str, Any] | None,
    exception: str | None,
    age: float,
    verdict: str,
    case: str | None,
) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        of_6(snapshot)
        for name in ("paas-1", "paas-2"):
            host = snapshot["hosts"][name]
            host["iam_failures"] = {"fact": "IamFailures", "failed": [], "files": ["/x/paas_uwsgi.log"]}
            if answer:
                host["answers"]["by_name"]["iam"] = answer
        host = snapshot["hosts"]["paas-1"]
        if exception:
            times = [host["system"]["time"] - age]
            route = {"route": "GET /platform/", "status": 500, "times": times, "calls": 3}
            host["iam_failures"]["failed"] = [route | {"exception": exception}]

    actual = judge("iam-answers", change)["paas-1"]
    assert (actual["verdict"], actual["case"]) == (verdict, case)


def test_a_log_that_cannot_be_read_is_no_data(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        of_6(snapshot)
        host = snapshot["hosts"]["paas-1"]
        host["iam_failures"] = {"fact": "IamFailures", "failed": [], "problems": ["x: Permission denied"]}
        host["answers"]["by_name"]["iam"] = HEALTHY

    assert judge("iam-answers", change)["paas-1"]["verdict"] == "no_data"


def test_the_platform_fails_after_a_login(judge: Any) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        failure = {"step": "platform", "where": "http://x/platform/", "said": "HTTP 500"}
        snapshot["controller"]["login"] = {"user": "admin", "logins": 1, "troubles": [failure]}

    assert judge("login-works", change)["controller"]["case"] == "platform-fails"


@pytest.mark.parametrize(
    ("own", "known", "verdict", "case"),
    [
        ("10.66.0.62", ["10.66.0.51"], "fail", "pinned"),
        ("10.66.0.51", ["10.66.0.51", "10.66.0.52"], "pass", None),
        ("10.66.0.62", [], "pass", None),
        ("10.66.0.62", ["10.66.0.51", "10.66.0.52", "10.66.0.53"], "pass", None),
    ],
)
def test_a_name_of_consul_in_etc_hosts(
    judge: Any, own: str, known: list[str], verdict: str, case: str | None
) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        of_6(snapshot)
        names = snapshot["hosts"]["paas-1"]["names"]
        name, internal = "mysql-default.service.consul", "paas.service.consul"
        names["by_name"][internal] = {"name": internal, "addresses": ["10.66.0.30"]}
        names["by_name"][name] = {"name": name, "addresses": [own]}
        names["in_consul"] = {name: {"name": name, "addresses": known}}

    actual = judge("consul-names", change)["paas-1"]
    assert (actual["verdict"], actual["case"]) == (verdict, case)


@pytest.mark.parametrize(
    ("services", "case"), [((), None), (("paas",), "other-account"), (("paas", "esb"), None)]
)
def test_a_service_under_another_account(judge: Any, services: tuple[str, ...], case: str | None) -> None:
    def change(snapshot: dict[str, Any]) -> None:
        of_6(snapshot)
        host = snapshot["hosts"]["paas-1"]
        pids = {
            group.rpartition("-")[2].removesuffix(".service"): int(pid)
            for pid, group in host["units"]["groups"].items()
        }
        other = {pids[service] for service in services}
        for process in host["processes"]["items"]:
            if process[0] in pids.values():
                process[2] = 0 if process[0] in other else 10000

    assert judge("unit-processes", change)["paas-1"]["case"] == case


@pytest.mark.parametrize(
    ("server", "components"), [("10.66.0.51:3306", []), ("10.9.9.9:3306", ["unit:bk-iam"])]
)
def test_database_of_the_platform_explains_bkiam(record: Any, server: str, components: list[str]) -> None:
    """bkiam names the database that it cannot reach: only that of the platform is seen by others as well."""

    def change(snapshot: dict[str, Any]) -> None:
        of_6(snapshot)
        host = snapshot["hosts"]["paas-1"]
        host["iam_failures"] = {"fact": "IamFailures", "failed": [], "files": ["/x/paas_uwsgi.log"]}
        body = f"db connect fail: dial tcp {server}: connection refused"
        host["answers"]["by_name"]["iam"] = {"url": URL, "status": 500, "body": body}

    verdicts = {one["id"]: one for one in record(change, "iam-answers")["verdicts"]}
    parts = verdicts["iam-answers@paas-1"]["parts"]
    assert [part["component"] for part in parts if part.get("component")] == components
