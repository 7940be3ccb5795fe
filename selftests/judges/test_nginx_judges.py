"""nginx configurations that differ from the usual, healthy and faulty."""

import json
from pathlib import Path

import pytest

from bkpaas.collect import plan
from bkpaas.facts import Snapshot
from bkpaas.facts.query import Earlier

HEALTHY = Path(__file__).parents[1] / "snapshots/healthy.json"


def nginx(snapshot):
    return snapshot["hosts"]["nginx-1"]["nginx"]


def upstream(snapshot, name):
    return next(one for one in nginx(snapshot)["upstreams"] if one["name"] == name)


def paas_server(snapshot):
    return next(one for one in nginx(snapshot)["servers"] if "paas.bklab.test" in one["names"])


def marked_down(snapshot):
    upstream(snapshot, "OPEN_PAAS_LOGIN")["servers"][1]["parameters"].append("down")


def marked_backup(snapshot):
    upstream(snapshot, "OPEN_PAAS_LOGIN")["servers"][1]["parameters"].append("backup")


def by_name(snapshot):
    for one in nginx(snapshot)["upstreams"]:
        for server in one["servers"]:
            name = "host-" + server["address"].rpartition(".")[2]
            known = {"name": name, "addresses": [server["address"]]}
            snapshot["hosts"]["nginx-1"]["names"]["by_name"][name] = known
            server["address"] = name


def by_wrong_name(snapshot):
    by_name(snapshot)
    snapshot["hosts"]["nginx-1"]["names"]["by_name"]["host-12"]["addresses"] = ["10.66.0.99"]


def by_lost_name(snapshot):
    by_name(snapshot)
    snapshot["hosts"]["nginx-1"]["names"]["by_name"]["host-12"].update(addresses=[], error="Name not known")
    for name, answer in snapshot["hosts"]["nginx-1"]["answers"]["by_name"].items():
        if name.startswith("upstream-10.66.0.12:"):
            answer.update(status=None, body="", headers={}, error_kind="resolve", error_text="Name not known")


def test_a_name_of_an_upstream_that_no_longer_resolves(judge):
    verdict = judge("nginx-conf-upstreams", by_lost_name)["nginx-1"]
    assert verdict["case"] == "unresolved"
    assert "host-12 does not resolve here" in str(verdict["evidence"])


def without_agents(snapshot):
    nginx(snapshot)["upstreams"] = [one for one in nginx(snapshot)["upstreams"] if "AGENT" not in one["name"]]


def sent_by_unread_name(snapshot):
    """The location of /t/ names a host that no upstream and no resolved name accounts for."""
    without_agents(snapshot)
    for one in paas_server(snapshot)["locations"]:
        if one["upstream"].startswith("PAAS_AGENT"):
            one.update(proxy_pass="http://agents.bklab.test:8010", upstream="agents.bklab.test")


def sent_by_variable(snapshot):
    without_agents(snapshot)
    for one in paas_server(snapshot)["locations"]:
        if one["upstream"].startswith("PAAS_AGENT"):
            one.update(proxy_pass="http://$agents", upstream="$agents")


def sent_to_another_address(snapshot):
    without_agents(snapshot)
    for one in paas_server(snapshot)["locations"]:
        if one["upstream"].startswith("PAAS_AGENT"):
            one.update(proxy_pass="http://10.66.0.11:8010", upstream="10.66.0.11:8010")


def dead_upstream_of_tests(snapshot):
    upstream(snapshot, "PAAS_AGENT_TEST")["servers"][0]["address"] = "10.66.0.99"
    refused = {"name": "upstream-10.66.0.99:8010", "url": "http://10.66.0.99:8010/", "error_kind": "refused"}
    snapshot["hosts"]["nginx-1"]["answers"]["by_name"]["upstream-10.66.0.99:8010"] = refused


def no_host_for_tests(snapshot):
    """The file as shipped has an upstream for tests, but the site has no host for them."""
    dead_upstream_of_tests(snapshot)
    hosts = snapshot["deployment"]["hosts"]
    snapshot["deployment"]["hosts"] = [host for host in hosts if host["name"] != "appt-1"]
    del snapshot["hosts"]["appt-1"]


def app_host_is_nginx_host(snapshot):
    """On one box the upstream of the SaaS is 127.0.0.1."""
    upstream(snapshot, "PAAS_AGENT_PROD")["servers"][0]["address"] = "127.0.0.1"
    next(host for host in snapshot["deployment"]["hosts"] if host["name"] == "nginx-1")["roles"].append(
        "appo"
    )


def app_host_is_another(snapshot):
    upstream(snapshot, "PAAS_AGENT_PROD")["servers"][0]["address"] = "127.0.0.1"


@pytest.mark.parametrize(
    ("condition", "change", "word"),
    [
        ("agent-upstream-map", app_host_is_nginx_host, "pass"),
        ("agent-upstream-map", app_host_is_another, "fail"),
        ("upstream-answers", dead_upstream_of_tests, "fail"),
        ("upstream-answers", no_host_for_tests, "pass"),
        ("nginx-upstreams-complete", marked_down, "warn"),
        ("nginx-upstreams-complete", marked_backup, "pass"),
        ("nginx-upstreams-complete", by_name, "pass"),
        ("nginx-conf-upstreams", by_name, "pass"),
        ("nginx-conf-upstreams", by_wrong_name, "fail"),
        ("agent-upstream-map", by_name, "pass"),
        ("agent-upstream-map", without_agents, "no_data"),
        ("agent-upstream-map", sent_by_unread_name, "no_data"),
        ("agent-upstream-map", sent_by_variable, "no_data"),
        ("agent-upstream-map", sent_to_another_address, "fail"),
    ],
)
def test_upstreams(judge, condition, change, word):
    assert judge(condition, change)["nginx-1"]["verdict"] == word


@pytest.mark.parametrize(
    ("names", "default", "word"),
    [
        (["*.bklab.test"], False, "pass"),
        ([".bklab.test"], False, "pass"),
        (["paas.*"], False, "pass"),
        (["~^(?<app>paas|cmdb)\\.bklab\\.test$"], False, "pass"),
        (["PAAS.BKLAB.TEST"], False, "pass"),
        (["_"], True, "pass"),
        ([], True, "pass"),
        (["paas.other.test"], False, "fail"),
        (["~^paas(\\.bklab"], False, "fail"),
        (["*.other.test"], False, "fail"),
    ],
)
def test_the_server_of_the_domain(judge, names, default, word):
    def change(snapshot):
        server = paas_server(snapshot)
        server["names"] = names
        server["listens"][0]["default"] = default
        if default:
            nginx(snapshot)["servers"] = [server]

    assert judge("nginx-conf-port80", change)["nginx-1"]["verdict"] == word
    assert judge("nginx-listen-vs-domain", change)["nginx-1"]["verdict"] == (
        "pass" if word == "pass" else "not_applicable"
    )


def test_services_bound_by_name(judge):
    def change(snapshot):
        for service in snapshot["hosts"]["paas-1"]["services"]["by_name"].values():
            service["bind_address"] = "paas-1"

    assert judge("bind-address-consistent", change)["paas-1"]["verdict"] == "pass"
    assert judge("paas-ports-local", change)["paas-1"]["verdict"] == "pass"


def test_another_program_on_the_port_of_the_app_hosts_nginx(judge):
    def change(snapshot):
        host = snapshot["hosts"]["appt-1"]
        host["answers"]["by_name"]["agent-nginx"]["headers"]["server"] = "SimpleHTTP/0.6"
        listener = next(one for one in host["sockets"]["listeners"] if one["port"] == 8010)
        foreign = next(one for one in host["processes"]["items"] if one[6] and "sshd" in one[6][0])
        listener["pids"] = [foreign[0]]

    found = judge("agent-nginx-8010", change)
    assert found["appt-1"]["verdict"] == "fail" and "sshd" in found["appt-1"]["evidence"]
    assert found["appo-1"]["verdict"] == "pass"


@pytest.mark.parametrize(
    ("domain", "other", "word"),
    [
        ("*", "10.66.0.30", "fail"),
        ("10.66.0.31", "*", "fail"),
        ("10.66.0.30", "*", "pass"),
        ("*", "*", "pass"),
    ],
)
def test_requests_go_to_the_listen_that_fits_best(judge, domain, other, word):
    def change(snapshot):
        own = paas_server(snapshot)
        own["listens"] = [{"address": domain, "port": 80}]
        stranger = own | {"names": ["portal.test"], "listens": [{"address": other, "port": 80}]}
        nginx(snapshot)["servers"] = [stranger, own]

    assert judge("nginx-listen-vs-domain", change)["nginx-1"]["verdict"] == word


def enterprise(snapshot):
    """The edition with a desktop: console on every paas host, on its shipped port, and in nginx's file."""
    for name in ("paas-1", "paas-2"):
        services = snapshot["hosts"][name]["services"]["by_name"]
        services["console"] = {
            **services["login"],
            "name": "console",
            "bind_address": None,
            "bind_port": None,
        }
    servers = [{"address": f"10.66.0.1{number}", "port": 8004} for number in (1, 2)]
    console = {**upstream(snapshot, "OPEN_PAAS"), "name": "OPEN_PAAS_CONSOLE", "servers": servers}
    nginx(snapshot)["upstreams"].append(console)


def test_console_has_its_place(judge, tmp_path):
    assert judge("nginx-conf-upstreams", enterprise)["nginx-1"]["verdict"] == "pass"


def test_console_is_asked_on_its_shipped_port(tmp_path):
    content = json.loads(HEALTHY.read_text())
    enterprise(content)
    (tmp_path / "changed.json").write_text(json.dumps(content))
    snapshot = Snapshot.load(tmp_path / "changed.json")
    queries = plan.round_2(
        snapshot.deployment.host("paas-1"), snapshot.deployment, Earlier(snapshot.hosts, lambda digest: None)
    )
    assert {"http://10.66.0.11:8004/console/healthz/"} < {one["url"] for one in queries["http"]}


@pytest.mark.parametrize(
    ("host", "condition"), [("nginx-1", "nginx-conf-port80"), ("appt-1", "agent-nginx-8010")]
)
@pytest.mark.parametrize(("state", "case"), [("T", "frozen"), ("t", "frozen"), ("D", None), ("S", None)])
def test_stopped_workers_of_nginx(judge, host, condition, state, case):
    """One that waits for a disk is not stopped."""

    def change(snapshot):
        for process in snapshot["hosts"][host]["processes"]["items"]:
            if process[6][:1] and process[6][0].startswith("nginx: worker"):
                process[4] = state

    verdict = judge(condition, change)[host]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


@pytest.mark.parametrize(
    ("path", "upstream", "case"),
    [
        ("/login/", "OPEN_PAAS", "other-service"),
        ("/api/", "OPEN_PAAS_LOGIN", "other-service"),
        ("/v1/", "OPEN_PAAS_ESB", "other-service"),
        ("/login/", "OUR_LOGIN", None),
    ],
)
def test_paths_that_lead_to_another_service(judge, path, upstream, case):
    """An upstream of another name may lead to the right service."""

    def change(snapshot):
        for server in snapshot["hosts"]["nginx-1"]["nginx"]["servers"]:
            for location in server["locations"]:
                if path.strip("/") in location["pattern"]:
                    location.update(upstream=upstream, proxy_pass=f"http://{upstream}/")

    verdict = judge("nginx-conf-upstreams", change)["nginx-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


def passing(pattern, **changes):
    """Change what the locations with a pattern do to the requests that they pass on."""

    def change(snapshot):
        for location in paas_server(snapshot)["locations"]:
            if pattern in location["pattern"]:
                location["proxy_pass"] = changes.get("proxy_pass", location["proxy_pass"])
                location["passing"] = {key: value for key, value in changes.items() if key != "proxy_pass"}

    return change


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (passing("login", proxy_pass="http://OPEN_PAAS_LOGIN/$1"), "query-lost"),
        (passing("api", proxy_pass="http://OPEN_PAAS_ESB/$1"), "query-lost"),
        (passing("doc", proxy_pass="http://OPEN_PAAS/static/doc/$1"), None),
        (passing("login", proxy_pass="http://OPEN_PAAS_LOGIN/$1?$args"), None),
        (passing("login", proxy_pass="http://OPEN_PAAS_LOGIN/$1$rest"), None),
        (passing("login", hides_cookies=True), "cookie-lost"),
        (passing("api", hides_cookies=True), None),
        (passing("/", passes_headers=False), "cookie-lost"),
        (passing("login", cookie=""), "cookie-lost"),
        (passing("login", cookie="$http_cookie; a=b"), None),
        (passing("login", cookie_domains=[["~.*", "old.example"]]), "cookie-lost"),
        (passing("login", cookie_domains=[[".bklab.test", ".bklab.test"]]), None),
        (passing("login", cookie_domains=[["other.example", "third.example"]]), None),
        (passing("login", cookie_paths=[["/", "/login/"]]), "cookie-lost"),
        (passing("login", cookie_paths=[["/", "/; HttpOnly"]]), None),
        (passing("login", host=""), "host-replaced"),
        (passing("login", host="10.66.0.11"), "host-replaced"),
        (passing("login", host="paas.bklab.test:80"), None),
        (passing("login", host="$site_host"), None),
        (passing("v1", host=""), None),
        (passing("login", refuses_post=True), "post-refused"),
        (passing("login", refused_programs=["Go-http-client/1.1"]), "program-refused"),
        (passing("login", method="GET"), "post-refused"),
        (passing("login", passes_body=False), "body-lost"),
    ],
)
def test_what_nginx_passes_on(judge, change, case):
    verdict = judge("nginx-passes-requests", change)["nginx-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


def test_a_lost_host_is_named_before_a_lost_cookie(judge):
    verdict = judge("nginx-passes-requests", passing("/", cookie="", host=""))["nginx-1"]
    assert verdict["case"] == "host-replaced" and "Cookie" in verdict["evidence"]


def second_block(returns=None, names=("paas.bklab.test",), first=True, address="*"):
    """Add a server block that leads nowhere, before or after the site."""

    def change(snapshot):
        site = paas_server(snapshot)
        site["listens"] = [{"address": "*", "port": 80}]
        other = site | {
            "names": list(names),
            "listens": [{"address": address, "port": 80}],
            "locations": [],
            "returns": returns,
            "file": "/etc/nginx/conf.d/00-maintenance.conf",
        }
        nginx(snapshot)["servers"] = [other, site] if first else [site, other]

    return change


def returning(answer):
    def change(snapshot):
        paas_server(snapshot)["returns"] = answer

    return change


def with_access(*rules, virtual=False):
    def change(snapshot):
        for one in paas_server(snapshot)["locations"]:
            one["passing"] = {"access": [rule.split() for rule in rules]}
        if virtual:
            snapshot["deployment"]["virtual_addresses"] = ["10.66.0.200"]

    return change


@pytest.mark.parametrize(
    ("change", "word", "failed"),
    [
        (second_block(), "fail", "hidden"),
        (second_block("503"), "fail", "hidden"),
        (second_block("503", names=("*.bklab.test",)), "pass", None),
        (second_block("503", names=("_",)), "pass", None),
        (second_block("503", first=False), "pass", None),
        (second_block("503", address="10.66.0.99"), "pass", None),
        (returning("503"), "fail", "answers-itself"),
        (returning("403 closed"), "fail", "answers-itself"),
        (returning("301 https://$host$request_uri"), "pass", None),
        (with_access("allow 10.66.0.0/24", "deny all"), "pass", None),
        (with_access("deny 10.66.0.99", "allow all"), "pass", None),
        (with_access("allow 10.66.0.11", "allow 10.66.0.12", "deny all"), "fail", "refuses-hosts"),
        (with_access("deny 10.66.0.41", "allow all"), "fail", "refuses-hosts"),
        (with_access("allow 10.66.0.11", "deny all", virtual=True), "pass", None),
    ],
)
def test_the_block_that_nginx_selects_leads_the_hosts_to_open_paas(judge, change, word, failed):
    verdict = judge("nginx-listen-vs-domain", change)["nginx-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, failed), verdict


def left_over_block(snapshot):
    """Put the site of an old environment before the site: another upstream that is gone, another Host, small uploads."""
    second_block()(snapshot)
    old, server = nginx(snapshot)["servers"][0], {"address": "10.66.0.13", "port": 8001, "parameters": []}
    upstream = {"name": "OPEN_PAAS_OLD", "servers": [server], "file": old["file"], "line": 1}
    nginx(snapshot)["upstreams"].append(upstream)
    passing = {"host": "$proxy_host", "body_bytes": 1024**2, "header_bytes": 8192}
    location = {
        "modifier": "",
        "pattern": "/",
        "proxy_pass": "http://OPEN_PAAS_OLD",
        "upstream": "OPEN_PAAS_OLD",
    }
    old["locations"] = [location | {"file": old["file"], "line": 4, "passing": passing, "refusal": {}}]
    answers = snapshot["hosts"]["nginx-1"]["answers"]["by_name"]
    logs = snapshot["hosts"]["nginx-1"]["logs"]
    line = {"file": logs["nginx_logs"][0], "time": snapshot["hosts"]["nginx-1"]["system"]["time"] - 1}
    line |= {
        "text": "connect() failed (113: No route to host)",
        "level": "error",
        "upstream": "10.66.0.13:8001",
    }
    logs["nginx_errors"] = [line]
    answers["upstream-10.66.0.13:8001"] = {"url": "http://10.66.0.13:8001/", "error_kind": "unreachable"}


def test_a_left_over_block_is_one_cause(record):
    results = record(left_over_block)
    assert results["root_causes"] == ["nginx-listen-vs-domain@nginx-1"]


def test_a_refusal_of_the_site_is_not_hidden_by_a_left_over_block(record):
    def change(snapshot):
        for one in paas_server(snapshot)["locations"]:
            one["passing"] = one["passing"] | {"host": "$proxy_host"}
        left_over_block(snapshot)

    results = record(change)
    assert set(results["root_causes"]) == {"nginx-listen-vs-domain@nginx-1", "nginx-passes-requests@nginx-1"}


@pytest.mark.parametrize(
    ("megabytes", "limit", "word"), [(0, 50, "pass"), (512, 50, "pass"), (1, 50, "warn"), (20, 10, "pass")]
)
def test_the_limit_of_uploads(judge, megabytes, limit, word):
    def change(snapshot):
        snapshot["deployment"]["thresholds"]["upload_megabytes"] = limit
        for one in paas_server(snapshot)["locations"]:
            one["passing"] = {"body_bytes": megabytes * 1024**2}

    assert judge("nginx-upload-size", change)["nginx-1"]["verdict"] == word


@pytest.mark.parametrize(
    ("passing", "word", "failed"),
    [
        ({"read_seconds": 600.0}, "pass", None),
        ({"read_seconds": 60.0}, "pass", None),
        ({"read_seconds": 3.0}, "fail", "answer-cut"),
        ({"cache": "answers"}, "fail", "answer-stored"),
        ({"header_bytes": 1024}, "fail", "headers-refused"),
        ({"header_bytes": 4096, "answer_header_bytes": 4096}, "pass", None),
        ({"header_bytes": 8192, "answer_header_bytes": 1024}, "fail", "headers-refused"),
    ],
)
def test_nginx_passes_answers_back(judge, passing, word, failed):
    def change(snapshot):
        for one in paas_server(snapshot)["locations"]:
            one["passing"] = passing

    verdict = judge("nginx-passes-requests", change)["nginx-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, failed), verdict


@pytest.mark.parametrize(
    ("limits", "word"), [([["harakiri", 2]], "fail"), ([["harakiri", 0], ["http-timeout", 600]], "pass")]
)
def test_uwsgi_gives_requests_time(judge, limits, word):
    def change(snapshot):
        snapshot["hosts"]["paas-1"]["services"]["by_name"]["esb"]["time_limits"] = limits

    verdict = judge("uwsgi-conf-valid", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, "short-limit" if word == "fail" else None), verdict


@pytest.mark.parametrize(
    ("size", "word"), [(1024, "fail"), (4095, "fail"), (4096, "pass"), (65535, "pass"), (None, "pass")]
)
def test_uwsgi_accepts_the_headers_of_a_browser(judge, size, word):
    def change(snapshot):
        snapshot["hosts"]["paas-1"]["services"]["by_name"]["login"]["header_bytes"] = size

    verdict = judge("uwsgi-conf-valid", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, "small-headers" if word == "fail" else None), (
        verdict
    )


@pytest.mark.parametrize(("kind", "word"), [("empty", "fail"), ("reset", "fail"), ("silent", "pass")])
def test_login_closes_a_large_request(judge, kind, word):
    """The limit may stand on the command line."""

    def change(snapshot):
        answers = snapshot["hosts"]["paas-1"]["answers"]["by_name"]
        answers["large"] = {"url": answers["large"]["url"], "error_kind": kind, "error_text": "closed"}

    verdict = judge("uwsgi-conf-valid", change)["paas-1"]
    assert (verdict["verdict"], verdict["case"]) == (word, "large-refused" if word == "fail" else None)
