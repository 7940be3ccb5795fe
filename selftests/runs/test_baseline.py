"""Verdicts compared with a baseline: what was not checked is not a change."""

from __future__ import annotations

import msgspec
import pytest
from snapshots import snapshot
from test_history import record

from bkpaas.runs.baseline import compared, comparison
from selftests.judges.test_container_cases import in_containers, in_units

PLAIN = snapshot()


def without(snapshot, *names):
    """As --limit leaves hosts out: known, not judged."""
    hosts = tuple(
        msgspec.structs.replace(host, selected=host.name not in names) for host in snapshot.deployment.hosts
    )
    return msgspec.structs.replace(
        snapshot, deployment=msgspec.structs.replace(snapshot.deployment, hosts=hosts)
    )


def on(words):
    results = record(1, words)
    for verdict in results.verdicts:
        verdict.hosts = [name for name in verdict.subject.split("+") if name != "controller"]
    return results


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        ({"a@paas-1": "pass"}, {"a@paas-1": "fail"}, [("a@paas-1", "pass", "fail")]),
        ({"a@paas-1": "fail"}, {"a@paas-1": "fail"}, []),
        ({"a@gone": "pass"}, {}, [("a@gone", "pass", None)]),
        ({}, {"a@fresh": "pass"}, [("a@fresh", None, "pass")]),
    ],
)
def test_what_changed(old, new, seen):
    found = compared(on(old), PLAIN, on(new), PLAIN, new.keys())
    assert [(change.id, change.before, change.after) for change in found] == seen


def test_what_limit_left_out_is_no_change():
    narrow = without(PLAIN, "paas-1")
    both = on({"a@paas-1+paas-2": "pass", "a@paas-2": "pass"})
    assert compared(both, PLAIN, on({"a@paas-2": "pass"}), narrow, {"a@paas-2"}) == []
    assert compared(on({"a@paas-2": "pass"}), narrow, both, PLAIN, {"a@paas-1+paas-2", "a@paas-2"}) == []


def test_a_lost_test_is_no_change():
    after = on({"a@paas-1": "fail", "b@paas-1": "no_data"})
    found = compared(on({"a@paas-1": "pass", "b@paas-1": "pass"}), PLAIN, after, PLAIN, {"a@paas-1"})
    assert [change.id for change in found] == ["a@paas-1"]


@pytest.mark.parametrize(
    ("change", "now"), [(in_units, "6.0/6.1 (systemd)"), (in_containers, "6.2+ (docker)")]
)
def test_what_an_upgrade_does_not_let_compare_is_not_a_change(change, now):
    """Of an upgraded host it is said; a failure there, and the host that was not upgraded, are compared."""

    def upgraded(plain):
        change(plain, "paas-1")
        plain["deployment"]["generation"] = "5.x"

    before = {"supervisor-sock@paas-1": "pass", "unit-state@paas-1": "not_applicable"}
    after = {"supervisor-sock@paas-1": "not_applicable", "unit-state@paas-1": "pass"}
    before |= {"disk-space@paas-1": "pass", "supervisor-sock@paas-2": "pass"}
    after |= {"disk-space@paas-1": "fail", "supervisor-sock@paas-2": "fail"}
    after["unit-definition@paas-1"] = "pass"  # the host has the role since the upgrade
    result = comparison(on(before), PLAIN, on(after), snapshot(upgraded), after.keys())
    assert [one.id for one in result.verdicts] == ["disk-space@paas-1", "supervisor-sock@paas-2"]
    assert [(one.host, one.before, one.after) for one in result.not_compared] == [
        ("paas-1", "5.x (supervisord)", now)
    ]
    assert result.not_compared[0].conditions == ["supervisor-sock", "unit-state", "unit-definition"]
    assert not [fact for fact in result.facts if (fact.host, fact.kind) == ("paas-1", "process")]
    assert not [fact for fact in result.facts if fact.host == "paas-1" and "supervisor" in fact.name]
