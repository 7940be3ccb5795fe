"""Causes come before consequences, and independent failures stay independent."""

import msgspec

from bkpaas.catalogue.explain import explain
from bkpaas.catalogue.model import SERVICES
from bkpaas.catalogue.registry import CONDITIONS
from bkpaas.record import Part, Verdict


def failed(id_, word="fail", hosts=None):
    name, _, subject = id_.partition("@")
    if hosts is None:
        hosts = [] if subject in ("controller", "deployment") else subject.split("+")
    return Verdict(id_, name, subject, hosts, "faq", "fail", word, "", None, None, None, [])


def explained(*ids, about=None, **words):
    verdicts = [failed(id_, words.get(id_.partition("@")[0].replace("-", "_"), "fail")) for id_ in ids]
    roots = explain(verdicts, about)
    return roots, {verdict.id: verdict.explained_by for verdict in verdicts}


def test_a_consequence_on_the_same_host_is_explained():
    roots, why = explained("supervisor-status@paas-1", "supervisor-sock@paas-1")
    assert roots == ["supervisor-sock@paas-1"]
    assert why["supervisor-status@paas-1"] == ["supervisor-sock@paas-1"]


def test_the_same_failure_on_another_host_is_no_cause():
    roots, _ = explained("supervisor-status@paas-1", "supervisor-sock@paas-2")
    assert set(roots) == {"supervisor-status@paas-1", "supervisor-sock@paas-2"}


def test_a_connection_is_explained_by_its_target_and_not_by_its_source():
    roots, why = explained("paas-ports-from-nginx@nginx-1+paas-1", "paas-ports-local@paas-1")
    assert roots == ["paas-ports-local@paas-1"]
    assert why["paas-ports-from-nginx@nginx-1+paas-1"] == ["paas-ports-local@paas-1"]
    roots, _ = explained("agent-8010-from-nginx@paas-1+appo-1", "paas-ports-local@paas-1")
    assert len(roots) == 2


def test_what_the_controller_sees_is_explained_by_a_host():
    roots, _ = explained("healthz-login@controller", "healthz-login@paas-2")
    assert roots == ["healthz-login@paas-2"]


def test_a_host_that_is_needed_is_named_by_the_test_itself():
    ids = "es-health@paas-1", "host-reachable@es-1", "host-reachable@appt-1"
    verdicts = [failed(id_) for id_ in ids]
    roots = explain(verdicts, needs={"es-health@paas-1": frozenset({"es-1"})})
    assert set(roots) == {"host-reachable@es-1", "host-reachable@appt-1"}
    assert verdicts[0].explained_by == ["host-reachable@es-1"]
    assert set(explain(verdicts)) == set(ids)


def test_what_everybody_meets_in_front_is_named_where_the_controller_sees_it():
    roots, why = explained(
        "login-is-login-domain@nginx-1", "domain-from-agents@appo-1", "login-is-login-domain@controller"
    )
    assert roots == ["login-is-login-domain@controller"] and all(
        why[id_] == roots for id_ in why if id_ not in roots
    )
    roots, _ = explained("login-is-login-domain@nginx-1", "domain-from-agents@appo-1")
    assert len(roots) == 2


def test_both_seen_from_the_controller_are_together():
    roots, _ = explained("healthz-appengine@controller", "domain-502@controller")
    assert roots == ["domain-502@controller"]
    roots, _ = explained("healthz-appengine@paas-1", "domain-502@controller")
    assert len(roots) == 2


def test_a_cause_about_another_service_explains_nothing():
    about = {"supervisor-status@paas-1": frozenset({"esb"}), "healthz-login@paas-1": frozenset({"login"})}
    roots, _ = explained("supervisor-status@paas-1", "healthz-login@paas-1", about=about)
    assert set(roots) == set(about)


def test_an_unreachable_host_explains_everything_that_is_not_known_of_it():
    roots, why = explained(
        "host-reachable@appt-1",
        "agent-nginx-8010@appt-1",
        "disk-space@appt-1",
        agent_nginx_8010="no_data",
        disk_space="no_data",
    )
    assert roots == ["host-reachable@appt-1"]
    assert all(why[id_] for id_ in why if not id_.startswith("host-reachable"))


def test_evidence_from_a_host_is_not_explained_by_missing_data_of_it():
    """Round 2 failed: verdicts from round 1 keep their own evidence; for other hosts this one is unreachable."""
    ids = "host-reachable@a", "disk-space@a", "agent-8010-from-nginx@n+a", "clock-all@a"
    roots, why = explained(*ids, clock_all="no_data")
    assert set(roots) == {"host-reachable@a", "disk-space@a"}
    assert why["agent-8010-from-nginx@n+a"] == why["clock-all@a"] == ["host-reachable@a"]


def test_a_warning_does_not_bring_anything_down():
    roots, _ = explained("nginx-upstreams-complete@nginx-1", "paas-clock-drift@paas-1+paas-2", "time-daemon@paas-1",
                         nginx_upstreams_complete="warn", paas_clock_drift="fail", time_daemon="warn")  # fmt: skip
    assert "paas-clock-drift@paas-1+paas-2" in roots


def test_missing_data_does_not_cause_evidence():
    roots, _ = explained("supervisor-sock@paas-1", "supervisor-status@paas-1", supervisor_sock="no_data")
    assert "supervisor-status@paas-1" in roots


def test_failures_come_before_gaps_and_warnings_and_the_most_explanatory_first():
    roots, _ = explained(
        "time-daemon@paas-1",
        "rabbit-orphan@data-1",
        "supervisor-proc@paas-1",
        "supervisor-sock@paas-1",
        "supervisor-status@paas-1",
        "token-offset-config@paas-2",
        time_daemon="warn",
        token_offset_config="no_data",
    )
    assert roots == [
        "supervisor-proc@paas-1",
        "rabbit-orphan@data-1",
        "token-offset-config@paas-2",
        "time-daemon@paas-1",
    ]


def test_what_a_host_out_of_reach_leaves_without_comparison_is_explained_by_it():
    verdicts = [
        failed("host-reachable@b"),
        failed("clock-all@a", "no_data"),
        failed("timezone-all@a"),
        failed("log-redis-equal@a", "no_data"),
    ]
    missed = {"clock-all@a": ["b"], "timezone-all@a": ["b"], "log-redis-equal@a": ["c"]}
    roots = explain(verdicts, missed=missed)
    assert verdicts[1].explained_by == ["host-reachable@b"]
    assert set(roots) == {"host-reachable@b", "timezone-all@a", "log-redis-equal@a"}, "only what was missed"


def test_no_route_to_nginx_is_not_explained_by_faults_behind_nginx():
    ids = (
        "domain-from-cmdb-job@job-1",
        "supervisor-proc@paas-1",
        "host-reachable@es-1",
        "upstream-answers@nginx-1",
    )
    verdicts = [failed(id_) for id_ in ids]
    about = {
        ids[0]: frozenset({"nginx"}),
        ids[1]: frozenset(SERVICES),
        ids[3]: frozenset({*SERVICES, "agent"}),
    }
    assert ids[0] in explain(verdicts, about, needs={ids[0]: frozenset({"nginx-1"})})


def test_a_host_that_is_down_explains_only_what_needs_it():
    verdicts = [
        failed("domain-502@controller"),
        failed("host-reachable@es-1"),
        failed("host-reachable@nginx-1"),
    ]
    needs = {"domain-502@controller": frozenset({"nginx-1", "paas-1"})}
    roots = explain(verdicts, needs=needs)
    assert verdicts[0].explained_by == ["host-reachable@nginx-1"]
    assert set(roots) == {"host-reachable@es-1", "host-reachable@nginx-1"}


def test_a_login_page_that_waits_for_usermgr_is_explained_by_it():
    esb = msgspec.structs.replace(
        failed("healthz-esb@paas-1"), case="usermgr", parts=[Part("", ("silent", "5xx", "wrong-body"))]
    )
    page = msgspec.structs.replace(
        failed("domain-502@controller"), case="silent", parts=[Part("service:login", ("silent",))]
    )
    about = {esb.id: frozenset({"esb", "login"}), page.id: frozenset({"login"})}
    assert explain([page, esb], about, generations={"paas-1": "6.x"}) == [esb.id]


def test_an_edge_of_one_generation_counts_on_its_hosts_only():
    """On 6.x login asks usermgr through ESB; on 5.x it checks the password itself."""
    esb = msgspec.structs.replace(failed("healthz-esb@paas-1"), case="dependency-hangs")
    login = failed("login-works@controller")
    edges = [cause for cause in CONDITIONS["login-works"].causes if cause.condition == "healthz-esb"]
    assert [edge.generations for edge in edges] == [("6.x",)]
    for generation, roots in (("6.x", [esb.id]), ("5.x", [esb.id, login.id])):
        assert sorted(explain([esb, login], generations={"paas-1": generation})) == sorted(roots)
    assert explain([esb, login]) == [esb.id], "of an unknown generation every edge counts"
