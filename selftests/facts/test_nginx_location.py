"""Which location of nginx serves a path, and where it leads."""

from __future__ import annotations

import pytest

from bkpaas.facts.nginx_location import NginxLocation, matched, replaced, route, serving_location

AGENT = NginxLocation(
    "~",
    r"^/(?<env>t|o)/(?<app>[\w-]+)",
    uwsgi_pass="unix:/apps/$app/run/uwsgi.sock",
    uwsgi_modifier=30,
    script_name="/$env/$app",
)
STATIC = NginxLocation("~", r"^/(t|o)/([^/]+)/static/(.*)$")
ROOT = NginxLocation("", "/", proxy_pass="http://OPEN_PAAS")
TEST = NginxLocation("~", "^/t/", proxy_pass="http://PAAS_AGENT_TEST")
EXACT = NginxLocation("=", "/t/a/", proxy_pass="http://exact")
FIRM = NginxLocation("^~", "/t/", proxy_pass="http://firm")
PREFIX = NginxLocation("", "/t/a", proxy_pass="http://prefix")


@pytest.mark.parametrize(
    ("locations", "target"),
    [
        ([ROOT, TEST], "http://PAAS_AGENT_TEST"),
        ([ROOT], "http://OPEN_PAAS"),
        ([PREFIX, ROOT, TEST], "http://PAAS_AGENT_TEST"),
        ([PREFIX, ROOT], "http://prefix"),
        ([TEST, FIRM], "http://firm"),
        ([TEST, FIRM, PREFIX], "http://PAAS_AGENT_TEST"),
        ([TEST, FIRM, EXACT], "http://exact"),
        ([STATIC, AGENT], "unix:/apps/a/run/uwsgi.sock"),
        ([NginxLocation("~*", "^/T/", proxy_pass="http://any-case")], "http://any-case"),
        ([NginxLocation("~", "^/T/", proxy_pass="http://x"), ROOT], "http://OPEN_PAAS"),
        ([NginxLocation("~", r"^/t/(.*)/$", proxy_pass="http://t.${1}")], "http://t.a"),
    ],
)
def test_route(locations: list[NginxLocation], target: str) -> None:
    found = route(locations, "/t/a/")
    assert found is not None and found.target == target


def test_unknown_values() -> None:
    slow = NginxLocation("~", r"^/(a+)+$", proxy_pass="http://slow")
    assert matched(slow, "/a") is None and route([slow, ROOT], "/t/a/") is None
    broken = NginxLocation("~", "^/(t", proxy_pass="http://broken")
    assert route([broken], "/t/a/") is None
    assert route([], "/t/a/") is None
    assert serving_location([STATIC], "/t/a/static/x.css") == STATIC
    assert route([STATIC], "/t/a/static/x.css") is None
    assert replaced(AGENT, "$env-$app-$unknown", "/o/b/") == "o-b-$unknown"
