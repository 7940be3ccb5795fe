"""An answer is compared with its queries: the round, the names, the declared shape of every section."""

import recorded
from recorded import english, first, got, second

from bkpaas.collect import plan
from bkpaas.facts import HostView, Missing, Secrets, host_facts
from bkpaas.facts.shapes import RoundQueries, read_round, round_queries
from bkpaas.inventory.deployment import Deployment


def facts(one, two, asked_two=None):
    visit = recorded.visit(one, two)
    if asked_two is not None:
        visit.queries[2] = asked_two
    return host_facts(recorded.host(), visit, Secrets())


def test_the_answer_of_another_round_is_refused():
    two = second() | {"visit": 1}
    found = facts(first(), two)
    assert english(found.answers.reason) == "not the answer of collection round 2"
    assert english(found.connections.reason) == "not the answer of collection round 2"
    assert not isinstance(found.processes, Missing)
    assert isinstance(facts(first() | {"visit": True}, None).processes, Missing)


def test_names_that_were_not_asked_are_ignored_and_those_without_answer_have_a_reason():
    two = second()
    two["http"] = {"other": got("http://a/", "1"), "healthz-login": [1]}
    found = facts(first(), two, RoundQueries({"http": frozenset({"healthz-login", "healthz-paas"})}))
    assert found.answers.by_name == {}
    missing = {name: english(reason) for name, reason in found.answers.missing.items()}
    assert missing == {
        "healthz-login": "malformed: http:healthz-login",
        "healthz-paas": "not in the host's answer: http:healthz-paas",
    }


def test_one_bad_section_leaves_the_others():
    one = first()
    one["processes"] = [1, 2]
    one["listeners"] = []
    found = facts(one, second())
    assert english(found.processes.reason) == "malformed: processes: $[0]"
    assert english(found.sockets.reason) == "malformed: listeners"
    assert not isinstance(found.addresses, Missing) and not isinstance(found.supervisors, Missing)


def test_no_part_of_a_value_is_in_a_reason():
    one = first()
    one["files"]["settings-login-1"][0]["type"] = "Pl4nted-value"
    one["processes"][0]["environ"] = {"PASSWORD": ["Pl4nted"]}
    found = read_round(one, 1, recorded.queries_of(first()))
    assert "Pl4nted" not in str(found.errors) and len(found.errors) == 2


def test_an_inode_of_a_network_file_system_is_a_number():
    one = first()
    one["files"]["settings-login-1"][0]["inode"] = 2**63 - 1
    assert (
        HostView(facts(one, second())).settings.by_project["login"].number("BK_TOKEN_OFFSET_ERROR_TIME") == 60
    )


def test_what_a_plan_asks_holds_no_password():
    queries = round_queries(
        {
            "visit": 2,
            "tcp": [{"name": "redis-x", "send": "AUTH Pl4nted"}],
            "disks": ["/", "{home}"],
            "peers": [7],
            "starts": [7],
        }
    )
    assert queries.sections["tcp"] == {"redis-x"} and "Pl4nted" not in str(queries)
    assert (queries.sections["disks"], queries.sections["peers"]) == ({"/"}, {"7"})


def test_each_part_of_a_plan_that_is_answered_is_asked():
    deployment = recorded_deployment()
    queries = round_queries(plan.round_1(deployment.hosts[0], deployment)).sections
    expected = {
        "system",
        "processes",
        "listeners",
        "unix",
        "addresses",
        "disks",
        "time_daemon",
        "nginx",
        "systemd",
    }
    assert set(queries) == expected | {"files", "tails", "supervisor", "resolve"}


def recorded_deployment():

    return Deployment(
        source="x", generation="5.x", hosts=(recorded.host("paas", "nginx"),), domain="paas.bk.com"
    )
