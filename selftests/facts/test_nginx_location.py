"""Which location of nginx serves a path, and where it leads."""

from __future__ import annotations

from typing import Any

import pytest

from bkpaas.facts.nginx_location import NginxLocation, locations, matched, replaced, route, serving_location
from bkpaas.facts.nginx_passing import Passing, inherited, refuses_post
from bkpaas.facts.nginx_refusals import Limit, Refusal
from bkpaas.facts.nginx_syntax import parsed

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


BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0",
)


def passing_of(**changes: Any) -> Passing:
    """Return the passing of a location with these changes to nginx's own defaults."""
    return Passing(
        **{"host": "", "read_seconds": 60.0, "header_bytes": 8192, "body_bytes": 1024**2} | changes
    )


def changed_by(text: str) -> Passing:
    return location_of(text).passing


def location_of(text: str) -> NginxLocation:
    statements, _ = parsed(f"http {{ {text} }}")
    http = statements[0]["block"]
    server = next(one["block"] for one in http if one["directive"] == "server")
    (location,) = locations(server, set(), inherited(http, {}), refuses_post(server))
    return location


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server { location / { proxy_pass http://x; } }", passing_of(host="")),
        (
            "proxy_set_header Host $host; server { location / { proxy_pass http://x; } }",
            passing_of(host="$host"),
        ),
        (
            "proxy_set_header Host $host; server { location / { proxy_set_header A b; proxy_pass http://x; } }",
            passing_of(host=""),
        ),
        (
            "proxy_set_header Host $host; server { proxy_hide_header set-cookie; location / { proxy_pass http://x; } }",
            passing_of(host="$host", hides_cookies=True),
        ),
        ("server { location / { limit_except GET { deny all; } } }", passing_of(host="", refuses_post=True)),
        ("server { location / { limit_except GET POST { deny all; } } }", passing_of(host="")),
        ("server { location / { limit_except GET { allow 10.0.0.0/8; deny all; } } }", passing_of(host="")),
        (
            "server { if ($request_method !~ ^(GET|HEAD)$) { return 405; } location / { proxy_pass http://x; } }",
            passing_of(host="", refuses_post=True),
        ),
        (
            "server { large_client_header_buffers 4 1k; location / { proxy_buffer_size 2k; } }",
            passing_of(header_bytes=1024, answer_header_bytes=2048),
        ),
        (
            'server { if ($http_user_agent ~* "sqlmap|nikto") { return 403; } location / { proxy_pass http://x; } }',
            passing_of(),
        ),
        (
            'server { if ($http_user_agent ~* "go-http|curl") { return 403; } location / { proxy_pass http://x; } }',
            passing_of(refused_programs=("Go-http-client/1.1",)),
        ),
        (
            "map $http_user_agent $robot { default 0; ~*python 1; ~Mozilla 1; } "
            "server { if ($robot) { return 444; } location / { proxy_pass http://x; } }",
            passing_of(refused_programs=("python-requests/2.18.4", *BROWSERS)),
        ),
        (
            "map $http_user_agent $robot { default 0; ~*python 1; } "
            "server { if ($robot) { set $limit 1; } location / { proxy_pass http://x; } }",
            passing_of(),
        ),
        (
            "server { if ($http_user_agent !~ Mozilla) { return 403; } location / { proxy_pass http://x; } }",
            passing_of(
                refused_programs=(
                    "python-requests/2.18.4",
                    "Go-http-client/1.1",
                    "Java/1.8.0_131",
                    "Apache-HttpClient/4.5.3 (Java/1.8.0_131)",
                )
            ),
        ),
        (
            'server { if ($http_user_agent ~ "(a+)+python") { return 403; } location / { proxy_pass http://x; } }',
            passing_of(),
        ),
        ("server { location / { if ($request_method = OPTIONS) { return 204; } } }", passing_of(host="")),
        (
            "server { location / { proxy_method GET; proxy_pass_request_body off; proxy_cookie_path / /a/; } }",
            passing_of(host="", method="GET", passes_body=False, cookie_paths=(("/", "/a/"),)),
        ),
        (
            "client_max_body_size 512m; server { proxy_read_timeout 1m30s; location / { proxy_pass http://x; } }",
            passing_of(body_bytes=512 * 1024**2, read_seconds=90.0),
        ),
        (
            "client_max_body_size 0; server { proxy_read_timeout 500ms; location / { proxy_pass http://x; } }",
            passing_of(body_bytes=0, read_seconds=0.5),
        ),
        (
            "server { allow 10.0.0.0/8; deny all; location / { proxy_pass http://x; } }",
            passing_of(access=(("allow", "10.0.0.0/8"), ("deny", "all"))),
        ),
        (
            "server { allow 10.0.0.0/8; deny all; location / { allow all; proxy_pass http://x; } }",
            passing_of(access=(("allow", "all"),)),
        ),
        ("server { satisfy any; deny all; location / { proxy_pass http://x; } }", passing_of()),
        (
            "server { proxy_cache a; proxy_cache_valid 200 1m; location / { proxy_pass http://x; } }",
            passing_of(cache="a"),
        ),
        ("server { proxy_cache a; location / { proxy_pass http://x; } }", passing_of()),
        (
            "server { proxy_cache a; proxy_cache_valid 1m; location / { proxy_cache off; proxy_pass http://x; } }",
            passing_of(),
        ),
        (
            "server { proxy_cache a; proxy_cache_valid 1m; proxy_no_cache $cookie_a; location / { proxy_pass http://x; } }",
            passing_of(),
        ),
    ],
)
def test_what_a_location_changes(text: str, expected: Passing) -> None:
    """A level that sets one header inherits none."""
    assert changed_by(text) == expected


ZONES = "limit_req_zone $binary_remote_addr zone=one:1m rate=30r/m; limit_conn_zone $server_name zone=two:1m;"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("server { location / { proxy_pass http://x; } }", Refusal()),
        ("server { location / { return 503; } }", Refusal(answer="return 503")),
        ("server { location / { return 302 https://x; } }", Refusal()),
        ("server { location / { if ($arg_a) { return 403; } } }", Refusal()),
        ("server { location / { internal; } }", Refusal(answer="internal")),
        ("server { auth_basic closed; location / { proxy_pass http://x; } }", Refusal(password=True)),
        ("server { auth_basic closed; location / { auth_basic off; } }", Refusal()),
        ("server { auth_basic closed; satisfy any; allow 10.0.0.0/8; deny all; location / { } }", Refusal()),
        (
            f"{ZONES} server {{ limit_req zone=one burst=5 nodelay; location / {{ limit_conn two 3; }} }}",
            Refusal(
                limits=(
                    Limit("limit_req", "one", "$binary_remote_addr", 0.5, 5),
                    Limit("limit_conn", "two", "$server_name", 0.0, 3),
                )
            ),
        ),
        (f"{ZONES} server {{ limit_req_dry_run on; location / {{ limit_req zone=one; }} }}", Refusal()),
        ("server { location / { limit_req zone=lost; } }", Refusal(limits=(Limit("limit_req", "lost"),))),
        (
            "server { if ($remote_addr = 10.0.0.1) { return 403; } location / { if ($remote_addr ~ ^10) { return 404; } } }",
            Refusal(clients=(("=", "10.0.0.1"), ("~", "^10"))),
        ),
        ("server { if ($remote_addr = 10.0.0.1) { set $a 1; } location / { } }", Refusal()),
    ],
)
def test_what_a_location_refuses(text: str, expected: Refusal) -> None:
    assert location_of(text).refusal == expected
