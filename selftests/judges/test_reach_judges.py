"""All or some hosts are not collected; and the host that a request of the controller went to."""

import pytest

from bkpaas.catalogue.explain import explain
from bkpaas.record import Verdict


def out_of_reach(*kinds):
    """The hosts fail for these reasons in turn; None: the host is collected."""

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


ACCESS = {
    "host_key_unknown": ("host-key-unknown", "ssh-keyscan"),
    "host_key_changed": ("host-key-changed", "ssh-keygen -R"),
    "login_refused": ("login-refused", "ssh-copy-id"),
    "sudo_denied": ("sudo-denied", "python -m bkpaas.collect.sudoers"),
    "no_python": ("no-python", "install -y python3"),
    "config": ("not-set-up", "$ ssh -v"),
}


@pytest.mark.parametrize("kind", ACCESS)
def test_each_reason_has_a_case_and_a_remedy_of_its_own(judge, kind):
    case, command = ACCESS[kind]
    everywhere = judge("controller-connectivity", out_of_reach(kind))["controller"]
    once = judge("host-reachable", out_of_reach(kind, None))
    alone = next(one for one in once.values() if one["verdict"] == "no_data")
    for one in (everywhere, alone):
        assert one["case"] == case and command in one["remedy"], one


def as_plain_user(snapshot):
    """All hosts are read by an account that cannot read everything."""
    for entry in snapshot["deployment"]["hosts"]:
        entry["connection"]["spec"] = entry["connection"]["spec"].replace("root@", "ops@")
    for facts in snapshot["hosts"].values():
        facts["system"]["uid"] = 1000
        for socket in facts["sockets"]["listeners"]:
            socket["pids"] = None


def test_insufficient_rights_are_one_cause(record):
    results = record(as_plain_user)
    owners = [one for one in results["verdicts"] if one["condition"] == "port-owner"]
    assert owners and all(one["verdict"] == "no_data" for one in owners)
    assert all(one["explained_by"][0].startswith("host-reachable@") for one in owners)
    cause = results["causes"][0]
    assert cause["case"] == "insufficient-rights" and len(cause["hosts"]) == len(results["hosts"])
    remedy = next(one["remedy"] for one in results["verdicts"] if one["id"] == cause["ids"][0])
    assert "as ops, not as root" in cause["headline"] and "bkpaas.collect.sudoers" in remedy


def test_owners_of_sockets_and_a_log_are_part_of_that_cause(record):
    """Facts of a normal account in the lab: no owners, no peers, no login log."""

    def change(snapshot):
        as_plain_user(snapshot)
        for facts in snapshot["hosts"].values():
            facts["sockets"]["owners_known"] = False
        for name in ("paas-1", "paas-2"):
            reason = "/data/bkce/logs/open_paas/login_uwsgi.log: Permission denied"
            snapshot["hosts"][name]["login_access"] = {"fact": "Missing", "reason": reason}

    results = record(change)
    arrives = next(one for one in results["verdicts"] if one["condition"] == "login-request-arrives")
    assert arrives["verdict"] == "no_data" and arrives["explained_by"]
    assert [cause["case"] for cause in results["causes"]] == ["insufficient-rights"]


def test_what_is_unreadable_for_another_reason_is_not_explained_by_rights(record):
    def change(snapshot):
        as_plain_user(snapshot)
        snapshot["hosts"]["paas-1"]["disks"] = {"fact": "Missing", "reason": "no answer in 10 s"}

    disk = next(one for one in record(change)["verdicts"] if one["id"] == "disk-space@paas-1")
    assert disk["verdict"] == "no_data" and disk["explained_by"] == []


def test_one_host_alone_is_reported_by_host_reachable(judge):
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


def test_nginx_of_an_app_host_on_loopback_is_one_cause(record):
    def change(snapshot):
        host = snapshot["hosts"]["appt-1"]
        listener = next(one for one in host["sockets"]["listeners"] if one["port"] == 8010)
        listener["address"] = "127.0.0.1"
        answers = [host["answers"]["by_name"]["agent-nginx"]]
        nginx = snapshot["hosts"]["nginx-1"]
        answers.append(nginx["answers"]["by_name"]["upstream-10.66.0.42:8010"])
        for one in answers:
            one.update(status=None, body="", headers={}, error_kind="refused", error_text="")

    results = record(change)
    verdict = next(one for one in results["verdicts"] if one["id"] == "agent-nginx-8010@appt-1")
    assert verdict["case"] == "other-address"
    assert "paasagent.conf:" in verdict["evidence"]
    assert results["root_causes"] == ["agent-nginx-8010@appt-1"]
