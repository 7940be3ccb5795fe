"""A waiver: its ids, its last day, and the message about one that does not hold."""

from __future__ import annotations

from datetime import date

import pytest
from judges import deployment

from bkpaas.inventory.deployment import Waiver
from bkpaas.messages import Message, both
from bkpaas.plugin.outcome import Outcome
from bkpaas.plugin.waivers import uses, waive

TODAY = date(2026, 3, 7)
SITE = {"paas-1": "paas", "paas-2": "paas", "nginx-1": "nginx"}


def site(**words):
    usual = {"condition": "disk-space", "hosts": ("paas-1",), "reason": "known", "owner": "ops"}
    return deployment(SITE, waivers=(Waiver(**{**usual, "expires": "2026-03-07", **words}),))


def outcomes_of(site, **words):
    """Return the outcome of disk-space by host; pass for hosts without a word."""
    outcomes = {}
    for host in SITE:
        word = words.get(host.replace("-", "_"), "pass")
        fields = {"reason": "no root"} if word == "no_data" else {"evidence": "/data: 0 B free"}
        one = waive(Outcome(f"disk-space@{host}", word, **fields), site, TODAY)
        outcomes[one.id] = one
    return outcomes


def in_english(text: Message | str | None) -> str:
    assert text is not None
    return text.render("en") if isinstance(text, Message) else text


def state(site, outcomes):
    return [(use.state, use.verdicts) for use in uses(site, outcomes, TODAY)]


def test_used_on_its_last_day():
    here = site()
    outcomes = outcomes_of(here, paas_1="fail", paas_2="fail")
    assert [one.word for one in outcomes.values()] == ["waived", "fail", "pass"]
    assert state(here, outcomes) == [("used", ["disk-space@paas-1"])]


def test_expired():
    here = site(expires="2026-03-06")
    outcomes = outcomes_of(here, paas_1="warn")
    assert outcomes["disk-space@paas-1"].word == "warn"
    assert "expired on 2026-03-06" in in_english(outcomes["disk-space@paas-1"].evidence)
    assert state(here, outcomes) == [("expired", ["disk-space@paas-1"])]
    assert state(here, outcomes_of(here)) == [("expired", [])], "said as well when nothing fails"


def test_other_evidence_fails_again_and_says_so():
    here = site(evidence="/var")
    outcomes = outcomes_of(here, paas_1="fail")
    assert outcomes["disk-space@paas-1"].word == "fail"
    assert 'evidence that was accepted is "/var"' in in_english(outcomes["disk-space@paas-1"].evidence)
    assert state(here, outcomes) == [("changed", ["disk-space@paas-1"])]


def test_evidence_in_either_language():
    here = site(evidence="剩余")
    outcome = Outcome("disk-space@paas-1", "fail", evidence=both(en="free", zh="剩余 0"))
    waive(outcome, here, TODAY)
    assert outcome.word == "waived" and in_english(outcome.reason).endswith("free")


@pytest.mark.parametrize(("case", "word"), [("read-only", "waived"), ("full", "fail"), (None, "fail")])
def test_evidence_may_name_the_case(case, word):
    here = site(evidence="read-only")
    outcome = Outcome("disk-space@paas-1", "fail", evidence="/data is read-only", case=case)
    assert waive(outcome, here, TODAY).word == word


def test_a_former_id_of_a_condition_is_about_it():
    here = deployment(SITE, waivers=(site(condition="way-to-hosts", hosts=()).waivers[0],))
    outcome = waive(Outcome("controller-connectivity@controller", "fail", evidence="no route"), here, TODAY)
    assert outcome.word == "waived"
    assert state(here, {outcome.id: outcome}) == [("used", ["controller-connectivity@controller"])]
    passed = {outcome.id: Outcome(outcome.id, "pass")}
    assert state(here, passed) == [("unneeded", ["controller-connectivity@controller"])]


def test_no_longer_needed_only_when_all_of_it_holds():
    here = site(hosts=())
    everything = outcomes_of(here)
    assert state(here, everything) == [("unneeded", list(everything))]
    assert state(here, outcomes_of(here, nginx_1="no_data")) == [], "who knows whether it fails there"
    some = {id_: one for id_, one in everything.items() if "nginx" not in id_}
    assert state(here, some) == [], "as with --limit"


def test_no_data_is_never_waived():
    here = site()
    outcomes = outcomes_of(here, paas_1="no_data")
    assert outcomes["disk-space@paas-1"].word == "no_data"
    assert "a waiver accepts a failure, not missing data" in in_english(outcomes["disk-space@paas-1"].reason)


def test_the_second_waiver_holds_when_the_first_is_over():
    first, second = site(expires="2026-03-01").waivers[0], site().waivers[0]
    here = deployment(SITE, waivers=(first, second))
    outcomes = outcomes_of(here, paas_1="fail")
    assert outcomes["disk-space@paas-1"].word == "waived"
    assert [use.state for use in uses(here, outcomes, TODAY)] == ["expired", "used"]


@pytest.mark.parametrize("hosts", [("paas-1",), ("paas-2",), ()])
def test_a_pair_is_about_both_its_hosts(hosts):
    here = site(condition="paas-clock-skew", hosts=hosts)
    one = waive(Outcome("paas-clock-skew@paas-1+paas-2", "fail", evidence="70 s"), here, TODAY)
    assert one.word == "waived"
