"""The virtual address and the certificate in front of login, healthy and faulty."""

import pytest

VIRTUAL = "10.66.0.80"
DAY = 86400


def behind_https(snapshot, days=100, problem=None, names=("*.bklab.test",)):
    """nginx-2 next to nginx-1, a virtual address that nginx-1 holds, and a certificate that ends in so many days."""
    deployment, started = snapshot["deployment"], snapshot["started"]
    deployment |= {"scheme": "https", "port": 443, "virtual_addresses": [VIRTUAL]}
    twin = next(host for host in deployment["hosts"] if host["name"] == "nginx-1")
    deployment["hosts"].append(twin | {"name": "nginx-2", "address": "10.66.0.31"})
    facts = snapshot["hosts"]["nginx-1"]
    snapshot["hosts"]["nginx-2"] = facts | {"host": "nginx-2", "addresses": own("10.66.0.31")}
    facts["addresses"] = own("10.66.0.30", VIRTUAL)
    master = next(one for one in facts["sockets"]["listeners"] if one["port"] == 80)
    facts["sockets"]["listeners"].append(master | {"port": 443})
    shown = {"names": list(names), "issuer": "CN=us", "begins": started - DAY, "ends": started + days * DAY}
    shown |= {"problem": problem, "address": f"{VIRTUAL}:443"}
    snapshot["controller"]["certificates"] = {"fact": "Certificates", "items": [shown]}
    reached = {"error_kind": None}
    connections = {"fact": "Connections", "by_name": {f"virtual-{VIRTUAL}": reached}}
    snapshot["controller"]["connections"] = connections
    return reached, shown


def own(*items, loopback=()):
    return {"fact": "Addresses", "items": ["127.0.0.1", *items], "loopback": ["127.0.0.1", *loopback]}


def held_twice(snapshot):
    behind_https(snapshot)
    snapshot["hosts"]["nginx-2"]["addresses"] = own("10.66.0.31", VIRTUAL)


def held_by_no_host(snapshot):
    reached, _ = behind_https(snapshot)
    snapshot["hosts"]["nginx-1"]["addresses"] = own("10.66.0.30")
    reached["error_kind"] = "unreachable"


def load_balancer(snapshot):
    behind_https(snapshot)
    snapshot["hosts"]["nginx-1"]["addresses"] = own("10.66.0.30")


def load_balancer_in_the_kernel(snapshot):
    behind_https(snapshot)
    for name in ("nginx-1", "nginx-2"):
        snapshot["hosts"][name]["addresses"] = own("10.66.0.30", VIRTUAL, loopback=[VIRTUAL])


def not_listened_on(snapshot):
    behind_https(snapshot)
    for one in snapshot["hosts"]["nginx-1"]["sockets"]["listeners"]:
        one["address"] = "10.66.0.30"


def one_not_seen(snapshot):
    behind_https(snapshot)
    snapshot["hosts"]["nginx-2"]["addresses"] = {"fact": "Missing", "reason": "unreachable"}


def one_left_out(snapshot):
    behind_https(snapshot)
    snapshot["deployment"]["hosts"][-1]["judged"] = False
    del snapshot["hosts"]["nginx-2"]


@pytest.mark.parametrize(
    ("change", "word", "says"),
    [
        (behind_https, "pass", ""),
        (held_twice, "fail", "split brain: nginx-1, nginx-2"),
        (held_by_no_host, "fail", "no host holds"),
        (load_balancer, "pass", "another device is in front of nginx"),
        (load_balancer_in_the_kernel, "pass", "another device is in front of nginx"),
        (not_listened_on, "fail", "nothing listens"),
        (one_not_seen, "no_data", ""),
    ],
)
def test_virtual_address(judge, change, word, says):
    found = judge("virtual-address-held", change)[VIRTUAL]
    assert found["verdict"] == word and says in (found["evidence"] or "")


@pytest.mark.parametrize("change", [one_left_out, lambda _: None])
def test_virtual_address_that_cannot_be_judged(judge, change):
    found = judge("virtual-address-held", change)
    assert [found[subject]["verdict"] for subject in found] == ["not_applicable"]


@pytest.mark.parametrize(
    ("condition", "word", "says", "words"),
    [
        ("domain-certificate", "pass", "", {}),
        ("domain-certificate", "fail", "it ended on", {"days": -2, "problem": "certificate has expired"}),
        ("domain-certificate", "fail", "not for paas.bklab.test", {"names": ["x.y"], "problem": "mismatch"}),
        ("domain-certificate", "fail", "issued by CN=us", {"problem": "unable to get local issuer"}),
        ("domain-certificate-expiry", "pass", "", {}),
        ("domain-certificate-expiry", "warn", "5 days left", {"days": 5}),
        ("domain-certificate-expiry", "warn", "-2 days left", {"days": -2}),
    ],
)
def test_certificate(judge, condition, word, says, words):
    found = judge(condition, lambda snapshot: behind_https(snapshot, **words))["controller"]
    assert found["verdict"] == word and says in (found["evidence"] or "")


@pytest.mark.parametrize(("kind", "word"), [("refused", "no_data"), ("tls", "fail")])
def test_no_certificate(judge, kind, word):
    def change(snapshot):
        _, shown = behind_https(snapshot)
        shown["error_kind"] = kind

    assert judge("domain-certificate", change)["controller"]["verdict"] == word


def test_of_a_second_nginx_only_what_it_shows_is_judged(judge):
    def change(snapshot, **words):
        _, shown = behind_https(snapshot)
        snapshot["controller"]["certificates"]["items"].append(shown | {"address": "10.66.0.31:443"} | words)

    found = judge("domain-certificate", lambda s: change(s, problem="expired", ends=s["started"] - DAY))
    assert found["controller"]["verdict"] == "fail" and "10.66.0.31" in found["controller"]["evidence"]
    found = judge("domain-certificate", lambda s: change(s, error_kind="refused"))
    assert found["controller"]["verdict"] == "pass"


def test_http_has_no_certificate(judge):
    assert judge("domain-certificate", lambda _: None)["deployment"]["verdict"] == "not_applicable"
    assert judge("domain-certificate-trusted", lambda _: None)["deployment"]["verdict"] == "not_applicable"
