"""Hosts that cannot be looked at, all of them or some; and the host that a request of the controller went to."""

import pytest

from bkpaas.catalogue.explain import explain
from bkpaas.record import Verdict


def out_of_reach(*kinds):
    """The hosts fail for these reasons in turn; None: the host was looked at."""

    def change(snapshot):
        for number, facts in enumerate(snapshot["hosts"].values()):
            kind = kinds[number % len(kinds)]
            if kind:
                facts |= {"collected": False, "error_kind": kind, "error": f"{facts['host']} says {kind}"}

    return change


@pytest.mark.parametrize(
    ("kinds", "word"),
    [
        (["login_refused"], "fail"),
        (["unreachable"], "fail"),
        (["host_key_unknown", "unreachable"], "pass"),
        (["login_refused", None], "pass"),
        (["interrupted"], "pass"),
        ([None], "pass"),
    ],
)
def test_all_hosts_for_one_reason(judge, kinds, word):
    found = judge("controller-connectivity", out_of_reach(*kinds))["controller"]
    assert found["verdict"] == word
    if word == "fail":
        assert kinds[0] in found["evidence"] and "$ ssh -v" in found["remedy"]


def test_one_host_alone_is_told_by_host_reachable(judge):
    def change(snapshot):
        out_of_reach("login_refused")(snapshot)
        for host in snapshot["deployment"]["hosts"][1:]:
            host["judged"] = False
            del snapshot["hosts"][host["name"]]

    assert judge("controller-connectivity", change)["controller"]["verdict"] == "not_applicable"


def test_one_reason_is_one_cause():
    def failed(id_, word, hosts=()):
        name, _, subject = id_.partition("@")
        return Verdict(id_, name, subject, list(hosts), "faq", "fail", word, "", None, None, None, [])

    verdicts = [failed("controller-connectivity@controller", "fail")]
    verdicts += [failed(f"host-reachable@{name}", "no_data", [name]) for name in ("a", "b")]
    verdicts += [failed(f"disk-space@{name}", "no_data", [name]) for name in ("a", "b")]
    assert explain(verdicts) == ["controller-connectivity@controller"]


@pytest.mark.parametrize(("other_judged", "word"), [(True, "fail"), (False, "not_applicable")])
def test_a_request_may_have_gone_to_a_host_that_is_left_out(judge, other_judged, word):
    def change(snapshot):
        for name in ("paas-1", "paas-2"):
            snapshot["hosts"][name]["login_access"]["probes"] = ["bkpaas-acceptance/of-another-run"]
        if not other_judged:
            next(one for one in snapshot["deployment"]["hosts"] if one["name"] == "paas-2")["judged"] = False
            del snapshot["hosts"]["paas-2"]

    assert judge("login-request-arrives", change)["controller"]["verdict"] == word
