"""The port of a service: which of the uwsgi file, nginx and the settings is the odd one out."""

import pytest

ADDRESSES = {"paas-1": "10.66.0.11", "paas-2": "10.66.0.12"}
UPSTREAMS = {"login": "OPEN_PAAS_LOGIN", "esb": "OPEN_PAAS_ESB"}
SETTINGS = {"paas": "LOGIN_HOST", "esb": "HOST_BK_LOGIN"}


def in_file(service, port, *hosts):
    def change(snapshot):
        for host in hosts:
            snapshot["hosts"][host]["services"]["by_name"][service]["bind_port"] = port

    return change


def in_nginx(service, port, *hosts):
    def change(snapshot):
        for upstream in snapshot["hosts"]["nginx-1"]["nginx"]["upstreams"]:
            if upstream["name"] == UPSTREAMS[service]:
                for server in upstream["servers"]:
                    if server["address"] in [ADDRESSES[host] for host in hosts]:
                        server["port"] = port

    return change


def in_settings(port, *hosts):
    def change(snapshot):
        for host in hosts:
            for project, name in SETTINGS.items():
                value = snapshot["hosts"][host]["settings"]["by_project"][project]["values"][name]
                value[3] = f"http://{ADDRESSES[host]}:{port}"

    return change


BOTH = ("paas-1", "paas-2")
NOTHING = {
    "bind-address-consistent": (),
    "nginx-conf-upstreams": (),
    "settings-match-inventory": (),
    "login-settings-equal": (),
}


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ([in_file("login", 8013, "paas-1")], {"bind-address-consistent": ("paas-1",)}),
        ([in_file("login", 8013, *BOTH)], {"bind-address-consistent": BOTH}),
        ([in_file("esb", 8012, "paas-2")], {"bind-address-consistent": ("paas-2",)}),
        ([in_nginx("login", 8013, "paas-1")], {"nginx-conf-upstreams": ("nginx-1",)}),
        ([in_nginx("esb", 8012, *BOTH)], {"nginx-conf-upstreams": ("nginx-1",)}),
        (
            [in_settings(8013, "paas-1")],
            {"settings-match-inventory": ("paas-1",), "login-settings-equal": ("paas-1+paas-2",)},
        ),
        (
            [
                in_file("login", 8013, "paas-2"),
                in_nginx("login", 8013, "paas-2"),
                in_settings(8013, "paas-2"),
            ],
            {},
        ),
        (
            [in_file("login", 8013, *BOTH), in_nginx("login", 8013, *BOTH)],
            {"settings-match-inventory": BOTH},
        ),
        ([in_file("esb", 8012, *BOTH), in_nginx("esb", 8012, *BOTH)], {}),
    ],
)
def test_the_odd_one_is_the_cause(judge, changes, failed):
    def change(snapshot):
        for one in changes:
            one(snapshot)

    for condition, hosts in (NOTHING | failed).items():
        verdicts = judge(condition, change)
        assert sorted(name for name, one in verdicts.items() if one["verdict"] == "fail") == sorted(hosts)


def test_the_port_is_named(judge):
    verdict = judge("bind-address-consistent", in_file("login", 8013, "paas-1"))["paas-1"]
    assert verdict["case"] == "other-port"
    assert "8003" in verdict["evidence"]
    assert r"s#^( *(http|http-socket|socket) *=.*:)8013 *$#\18003#" in verdict["remedy"]


@pytest.mark.parametrize(("host", "noun"), [("nginx-1", "nginx"), ("paas-1", "settings")])
def test_a_port_that_nothing_was_compared_with_is_no_data(judge, host, noun):
    def change(snapshot):
        snapshot["hosts"][host][noun] = {"fact": "Missing", "reason": "not read"}

    assert judge("bind-address-consistent", change)["paas-1"]["verdict"] == "no_data"


def test_a_wrong_address_does_not_hide_a_wrong_port(judge):
    def change(snapshot):
        in_file("login", 8013, "paas-1")(snapshot)
        snapshot["hosts"]["paas-1"]["services"]["by_name"]["login"]["bind_address"] = "10.66.0.99"

    evidence = judge("bind-address-consistent", change)["paas-1"]["evidence"]
    assert "8003" in evidence and "nginx uses 10.66.0.11" in evidence
