"""Two recorded faults at the same time are both named."""

from __future__ import annotations

import itertools

import pytest

from lab.faults import FAULTS
from selftests.pairs.campaign import MOST_NOT_NAMED, judge_pairs, recorded, share
from selftests.pairs.merging import Run, independent, judge, merged, pairs

FIXED = (
    ("clock-ahead", "token-offset-differs"),
    ("clock-ahead", "log-redis-frozen"),
    ("clock-behind", "nginx-stopped"),
    ("database-stopped", "login-log-dangling"),
    ("database-stopped", "clock-ahead"),
    ("database-stopped", "sock-mode"),
    ("database-stopped", "saas-dead"),
    ("database-frozen", "upstream-wrong-port"),
    ("database-password-changed", "log-list-differs"),
    ("nginx-stopped", "upstream-wrong-port"),
    ("nginx-stopped", "program-stopped"),
    ("nginx-site-lost", "agent-stopped"),
    ("saas-dead", "agent-stopped"),
    ("saas-socket-missing", "agent-nginx-stopped"),
    ("sock-mode", "program-stopped"),
    ("faq-fatal", "cookie-domain-wrong"),
    ("supervisord-pid-stale", "program-stopped"),
    ("login-secret-differs", "cookie-domain-wrong"),
    ("login-secret-differs", "deploy-limits-reversed"),
    ("host-down", "clock-ahead"),
    ("host-down", "faq-fatal"),
    ("disk-full", "program-stopped-second"),
    ("disk-full", "frozen-login"),
    ("data-disk-full", "rabbit-frozen"),
    ("es-stopped", "log-redis-frozen"),
    ("es-address-wrong", "log-list-differs"),
    ("domain-cut-off-from-job", "timezone-differs"),
    ("firewall-drop", "domain-hosts-override"),
    ("resolver-dead", "time-daemon-stopped"),
    ("manage-missing", "bk-env-missing"),
)
"""Pairs whose two faults are each a root cause."""


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    return {one.fault: one for one in recorded()}


@pytest.mark.parametrize(("one", "other"), FIXED)
def test_both_are_named(runs: dict[str, Run], one: str, other: str) -> None:
    found = judge(runs[one], runs[other])
    assert found.outcomes == ("named", "named"), found.under


def test_every_pair_of_sections_occurs(runs: dict[str, Run]) -> None:
    """Those that have independent faults in one layout."""
    possible = {
        tuple(sorted((FAULTS[one.fault].faq, FAULTS[other.fault].faq)))
        for one, other in itertools.combinations(runs.values(), 2)
        if independent(one, other)
    }
    chosen = pairs(list(runs.values()), 150)
    sections = {tuple(sorted((FAULTS[one.fault].faq, FAULTS[other.fault].faq))) for one, other in chosen}
    assert len(chosen) == 150
    assert sections == possible


def test_generated_pairs_are_named(runs: dict[str, Run]) -> None:
    assert share(judge_pairs(150, list(runs.values()))) <= MOST_NOT_NAMED


def test_a_verdict_that_both_make_fail_has_the_evidence_of_both(runs: dict[str, Run]) -> None:
    one, other = runs["program-stopped"], runs["program-stopped-second"]
    both = merged(one, other)
    assert set(both.bad) == {*one.bad, *other.bad}
    shared = next(id_ for id_ in one.bad if id_ in other.bad)
    assert {*one.bad[shared].parts, *other.bad[shared].parts} == set(both.bad[shared].parts)
