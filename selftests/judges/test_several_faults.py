"""Two faults together: each is named, and neither hides the other."""

import json

import pytest


def out_of_reach(snapshot, host):
    facts = snapshot["hosts"][host]
    for noun, fact in facts.items():
        if isinstance(fact, dict) and "fact" in fact:
            facts[noun] = {"fact": "Missing", "reason": "no route to host"}
    facts.update(collected=False, error_kind="unreachable", error="no route to host")


def full_disk(snapshot, host):
    for disk in snapshot["hosts"][host]["disks"]["items"]:
        disk["bytes_available"] = 0


def answers(snapshot, viewer):
    facts = snapshot["controller"] if viewer == "controller" else snapshot["hosts"][viewer]
    return facts["answers"]["by_name"]


def says(snapshot, viewer, name, status, body):
    answers(snapshot, viewer)[name].update(status=status, body=body)


def refused(snapshot, viewer, name):
    url = answers(snapshot, viewer)[name]["url"]
    answers(snapshot, viewer)[name] = {"url": url, "error_kind": "refused", "error_text": "refused"}


def healthz_says(service, **body):
    def change(snapshot):
        for viewer in ("paas-1", "paas-2", "controller"):
            says(snapshot, viewer, f"healthz-{service}", 200, json.dumps(body))

    return change


def no_database(snapshot):
    for host in ("paas-1", "paas-2"):
        gone = {"error_kind": "refused", "error_text": "Connection refused", "seconds": 0.001}
        snapshot["hosts"][host]["connections"]["by_name"]["database"] = gone


def upstream_fails(snapshot):
    says(snapshot, "nginx-1", "upstream-10.66.0.42:8010", 500, "error")


def portal(snapshot):
    says(snapshot, "controller", "is_login-domain", 200, "<h1>portal</h1>")


def bad_gateway(path):
    return lambda snapshot: says(snapshot, "controller", f"domain-{path}", 502, "")


NO_TABLE = healthz_says("appengine", result=False, message="database health check failed! (1146, '')")
NO_AGENT = healthz_says("appengine", result=False, message="paasagent health check failed, error: x")
NO_FTA = healthz_says("esb", ok=False, code="1306000", message="FTA")
"""Answers of the services."""


@pytest.mark.parametrize(
    ("host", "fault", "root"),
    [
        ("job-1", upstream_fails, "upstream-answers@nginx-1"),
        ("es-1", portal, "login-is-login-domain@controller"),
        ("paas-2", portal, "login-is-login-domain@controller"),
        ("es-1", bad_gateway("/o/"), "domain-502@controller"),
        ("appo-1", bad_gateway("/t/"), "domain-502@controller"),
        ("es-1", NO_TABLE, "healthz-appengine@paas-1"),
        ("es-1", NO_AGENT, "healthz-appengine@paas-1"),
        ("es-1", NO_FTA, "healthz-esb@paas-1"),
    ],
)
def test_a_host_out_of_reach_accounts_only_for_what_needs_it(record, host, fault, root):
    def change(snapshot):
        out_of_reach(snapshot, host)
        fault(snapshot)

    assert {f"host-reachable@{host}", root} <= set(record(change)["root_causes"])


@pytest.mark.parametrize(
    ("host", "fault", "effect"),
    [
        ("appt-1", upstream_fails, "upstream-answers@nginx-1"),
        ("appt-1", bad_gateway("/t/"), "domain-502@controller"),
        ("appt-1", NO_AGENT, "healthz-appengine@paas-1"),
        ("cmdb-1", NO_FTA, "healthz-esb@paas-1"),
        ("data-1", no_database, "database-reachable@paas-1"),
    ],
)
def test_what_needs_the_host_out_of_reach_is_folded_under_it(record, host, fault, effect):
    def change(snapshot):
        out_of_reach(snapshot, host)
        fault(snapshot)

    roots = record(change)["root_causes"]
    assert roots[0] == f"host-reachable@{host}" and effect not in roots


@pytest.mark.parametrize(("host", "possible"), [("data-1", True), ("appt-1", False)])
def test_a_full_disk_may_be_behind_the_database_only_where_that_lives(record, host, possible):
    """A refused connection does not show a full disk: the database keeps its own line."""

    def change(snapshot):
        full_disk(snapshot, host)
        no_database(snapshot)

    results = record(change)
    database = next(one for one in results["verdicts"] if one["id"] == "database-reachable@paas-1")
    assert {f"disk-space@{host}", "database-reachable@paas-1"} <= set(results["root_causes"])
    assert (f"disk-space@{host}" in database["may_be_explained_by"]) is possible
    assert not database["explained_by"]


@pytest.mark.parametrize(("path", "folded"), [("/t/", True), ("/login/", False)])
def test_an_app_host_accounts_for_the_paths_of_applications_only(record, path, folded):
    def change(snapshot):
        refused(snapshot, "nginx-1", "agent-nginx@appt-1")
        bad_gateway(path)(snapshot)

    roots = record(change)["root_causes"]
    assert "agent-8010-from-nginx@nginx-1+appt-1" in roots
    assert ("domain-502@controller" not in roots) is folded


def test_a_dead_agent_does_not_account_for_what_appengine_asks_before_it(record):
    def change(snapshot):
        refused(snapshot, "appt-1", "agent-healthz")
        NO_TABLE(snapshot)

    assert {"agent-process@appt-1", "healthz-appengine@paas-1"} <= set(record(change)["root_causes"])
