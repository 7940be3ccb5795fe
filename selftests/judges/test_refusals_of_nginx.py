"""What nginx refuses by itself on the paths that users need, and app hosts whose roles are exchanged in the inventory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Snapshot = dict[str, Any]
Change = Callable[[Snapshot], object]

ZONE = {"zone": "one", "key": "$binary_remote_addr"}
LINE = '2026/01/01 00:00:00 [error] 7#7: *9 limiting requests, excess: 5.1 by zone "one", client: {client}, server: paas.bklab.test, request: "GET / HTTP/1.1"'


def site(snapshot: Snapshot) -> dict[str, Any]:
    servers = snapshot["hosts"]["nginx-1"]["nginx"]["servers"]
    return next(one for one in servers if "paas.bklab.test" in one["names"])


def at(pattern: str, **refusal: Any) -> Change:
    """Edit what the location with a pattern refuses."""

    def change(snapshot: Snapshot) -> None:
        location = next(one for one in site(snapshot)["locations"] if one["pattern"] == pattern)
        location.setdefault("refusal", {}).update(refusal)

    return change


def rules(*access: tuple[str, str]) -> Change:
    """Edit allow and deny of the location of the production applications."""

    def change(snapshot: Snapshot) -> None:
        location = next(one for one in site(snapshot)["locations"] if one["pattern"] == "^/o/")
        location["passing"]["access"] = list(access)

    return change


def closed(pattern: str) -> Change:
    """Add a location that comes before the others and answers 403."""

    def change(snapshot: Snapshot) -> None:
        first = site(snapshot)["locations"][0]
        refusal = {"answer": "return 403"}
        site(snapshot)["locations"].insert(
            0, first | {"modifier": "^~", "pattern": pattern, "proxy_pass": None, "refusal": refusal}
        )

    return change


def limited(*clients: str) -> Change:
    """Add lines of the error log about a limit of the location of paas, of these clients."""

    def change(snapshot: Snapshot) -> None:
        at("/", limits=[ZONE | {"directive": "limit_req", "per_second": 50.0, "number": 100}])(snapshot)
        host = snapshot["hosts"]["nginx-1"]
        file = "/data/bkce/logs/nginx/paas_web_error.log"
        time = snapshot["started"] + 1.0
        host["logs"]["nginx_errors"] = [
            {"file": file, "text": LINE.format(client=client), "time": time, "server": "paas.bklab.test"}
            for client in clients
        ]

    return change


REQUESTS = {"directive": "limit_req", "per_second": 1.0, "number": 5}
CONNECTIONS = {"directive": "limit_conn", "number": 2}


@pytest.mark.parametrize(
    ("change", "case"),
    [
        (at("^/o/", answer="return 503"), "users-refused"),
        (at("/", answer="internal"), "users-refused"),
        (at("^/login/(.*)", password=True), "users-refused"),
        (rules(("allow", "10.66.0.41"), ("deny", "all")), "users-refused"),
        (rules(("deny", "all")), "users-refused"),
        (rules(("allow", "10.66.0.0/16"), ("deny", "all")), None),
        (rules(("allow", "10.66.0.200"), ("deny", "all")), None),
        (rules(("deny", "10.1.2.3"), ("allow", "all")), None),
        (closed("/static/"), "users-refused"),
        (closed("/app/"), "users-refused"),
        (closed("/server-status"), None),
        (at("/", limits=[ZONE | REQUESTS]), "users-refused"),
        (at("/", limits=[ZONE | REQUESTS | {"number": 40}]), None),
        (at("/", limits=[ZONE | REQUESTS | {"key": "$robots"}]), None),
        (at("/", limits=[ZONE | CONNECTIONS]), "users-refused"),
        (at("/", limits=[ZONE | CONNECTIONS | {"number": 50}]), None),
        (limited("10.1.2.3", "10.1.2.4"), "users-limited"),
        (limited("10.66.0.41"), "users-limited"),
        (limited("10.1.2.3", "10.1.2.3"), None),
    ],
)
def test_what_nginx_refuses_to_users(judge: Any, change: Change, case: str | None) -> None:
    verdict = judge("nginx-passes-requests", change)["nginx-1"]
    assert (verdict["verdict"], verdict["case"]) == (("fail", case) if case else ("pass", None))


def by_address(operator: str, operand: str) -> Change:
    return at("^/login/(.*)", clients=[(operator, operand)])


@pytest.mark.parametrize(
    ("operator", "operand", "hosts"),
    [
        ("=", "10.66.0.41", "appo-1"),
        ("~", r"^10\.66\.0\.4", "appo-1, appt-1"),
        ("!~", r"^10\.66\.", None),
        ("~", "(a+)+", None),
        ("~", "(", None),
    ],
)
def test_hosts_that_an_if_refuses(judge: Any, operator: str, operand: str, hosts: str | None) -> None:
    verdict = judge("nginx-listen-vs-domain", by_address(operator, operand))["nginx-1"]
    assert verdict["case"] == ("refuses-hosts" if hosts else None)
    assert not hosts or hosts in verdict["evidence"]


def test_browsers_that_an_if_refuses(judge: Any) -> None:
    def change(snapshot: Snapshot) -> None:
        for location in site(snapshot)["locations"]:
            location["passing"]["refused_programs"] = ["Mozilla/5.0 (X11) Firefox/121.0"]

    verdict = judge("nginx-passes-requests", change)["nginx-1"]
    assert verdict["case"] == "users-refused"
    assert "Firefox" in verdict["evidence"]


def exchanged(in_nginx: bool, in_table: bool) -> Change:
    """Exchange the two app hosts where nginx, or appengine, has them."""

    def change(snapshot: Snapshot) -> None:
        if in_nginx:
            upstreams = snapshot["hosts"]["nginx-1"]["nginx"]["upstreams"]
            apps = [one for one in upstreams if one["name"].startswith("PAAS_AGENT")]
            apps[0]["servers"], apps[1]["servers"] = apps[1]["servers"], apps[0]["servers"]
        for name in ("paas-1", "paas-2") if in_table else ():
            state = snapshot["hosts"][name]["connections"]["by_name"]["database"]["login"]["database"]
            for row in state["agents"]:
                row["category"] = {"app": "tapp", "tapp": "app"}[row["category"]]

    return change


@pytest.mark.parametrize(("in_nginx", "in_table"), [(True, True), (True, False), (False, True)])
def test_roles_of_the_app_hosts_exchanged(record: Any, in_nginx: bool, in_table: bool) -> None:
    results = record(exchanged(in_nginx, in_table))
    first = results["causes"][0]
    swapped = in_nginx and in_table
    assert (first["case"] == "other-app-role") is swapped
    if swapped:
        assert first["hosts"] == ["appo-1", "appt-1"]
        assert len(results["causes"]) == 1
