"""Commands that take back what nginx refuses or changes, carried out on a copy of its file."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from bkpaas.checks.nginx_refusals import misled
from bkpaas.checks.nginx_repairs import nginx_edit_of, repairs, set_in_effect
from bkpaas.facts import Missing, NginxLocation, NginxServer
from bkpaas.facts.nginx_location import locations
from bkpaas.facts.nginx_passing import inherited, refuses_post
from bkpaas.facts.nginx_rewrites import rewrites
from bkpaas.facts.nginx_syntax import parsed

SITE = r"""{zone}
server {{
    {server}
    proxy_set_header X-Real-IP $remote_addr;
    location ~ ^/login/(.*) {{
        {location} proxy_pass http://LOGIN/$1{query};
    }}
    {other}
}}
"""
AGENTS = 'if ($http_user_agent ~* "python|curl|go-http|java") { return 403; }'


def nginx_host(*includes: str) -> Any:
    """Return a host whose nginx includes these patterns, and that has no systemd."""
    facts = SimpleNamespace(units=Missing("no systemd"))
    return SimpleNamespace(name="nginx-1", nginx=SimpleNamespace(includes=includes), facts=facts)


def site(**parts: str) -> str:
    defaults = {"zone": "", "server": "proxy_set_header Host $http_host;", "location": "", "other": ""}
    return SITE.format(**{"query": "$is_args$args", **defaults, **parts})


def read(file: Path) -> tuple[list[NginxLocation], NginxServer]:
    """Return the locations and the server block of a file."""

    def named(block: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one | {"file": str(file), "block": named(one.get("block", []))} for one in block]

    statements, errors = parsed(file.read_text())
    assert not errors
    http = named(statements)
    server = next(one for one in http if one["directive"] == "server")
    found = list(locations(server["block"], set(), inherited(http, {}), refuses_post(server["block"])))
    block = NginxServer((), (), tuple(found), None, None, None, str(file), server["line"])
    return found, structs.replace(block, rewrites=rewrites(server["block"]))


def carried_out(file: Path, case: str, number: int = 0, text: str = "") -> NginxLocation:
    """Return a location after the commands for a case."""
    found, server = read(file)
    host = nginx_host(f"{file.parent}/*")
    command = str(nginx_edit_of(repairs(case, found[number], server, text), host))
    before = file.read_text()
    subprocess.run(["sh", "-c", command], check=True)
    assert (file.parent / ".site.conf.bak").read_text() == before, "a copy that `include *` does not read"
    after, _ = read(file)
    return (
        after[number]
        if number < len(after)
        else NginxLocation("", "", file=",".join(one.pattern for one in after))
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "site.conf"


@pytest.mark.parametrize(
    ("parts", "case", "text", "field", "right"),
    [
        ({"location": "proxy_hide_header Set-Cookie;"}, "cookie-lost", "proxy_hide_header Set-Cookie", "hides_cookies", False),
        ({"server": 'proxy_set_header Host $host; proxy_set_header Cookie "";'}, "cookie-lost", 'proxy_set_header Cookie ""', "cookie", "$http_cookie"),
        ({"location": "proxy_cookie_domain ~.* old.example;"}, "cookie-lost", "proxy_cookie_domain ~.* old.example", "cookie_domains", ()),
        ({"server": "proxy_set_header Host old.example;"}, "host-replaced", "", "host", "$http_host"),
        ({"server": ""}, "host-replaced", "", "host", "$http_host"),
        ({"location": "proxy_set_header A b;"}, "host-replaced", "", "host", "$http_host"),
        ({"location": "limit_except GET { deny all; }"}, "post-refused", "", "refuses_post", False),
        ({"server": "if ($request_method = POST) { return 405; }"}, "post-refused", "", "refuses_post", False),
        ({"server": "proxy_method GET;"}, "post-refused", "", "method", ""),
        ({"server": AGENTS}, "program-refused", "", "refused_programs", ()),
        ({"server": AGENTS.replace("|curl", "")}, "program-refused", "", "refused_programs", ()),
        ({"location": "proxy_cache a; proxy_cache_valid 1m;"}, "answer-stored", "", "cache", ""),
        ({"server": "proxy_read_timeout 3;"}, "answer-cut", "", "read_seconds", 600.0),
        ({"server": "large_client_header_buffers 4 1k;"}, "headers-refused", "", "header_bytes", 8192),
        ({"server": "proxy_buffer_size 1k;"}, "headers-refused", "", "answer_header_bytes", 0),
        ({"server": "proxy_pass_request_body off;"}, "body-lost", "", "passes_body", True),
        ({"location": "allow 10.0.0.1; deny all;"}, "users-refused", "", "access", (("allow", "10.0.0.1"),)),
    ],
)  # fmt: skip
def test_the_location_passes_requests_on(
    file: Path, parts: dict[str, str], case: str, text: str, field: str, right: object
) -> None:
    file.write_text(site(**parts))
    found, _ = read(file)
    assert getattr(found[0].passing, field) != right
    location = carried_out(file, case, text=text)
    assert getattr(location.passing, field) == right
    assert location.proxy_pass == "http://LOGIN/$1$is_args$args", "nothing else is changed"


def test_the_query_is_passed_on(file: Path) -> None:
    file.write_text(site(query=""))
    assert carried_out(file, "query-lost").proxy_pass == "http://LOGIN/$1$is_args$args"


@pytest.mark.parametrize(
    "parts",
    [
        {"location": "return 403;"},
        {"server": 'auth_basic "closed";'},
        {
            "zone": "limit_req_zone $server_name zone=small:1m rate=1r/m;",
            "location": "limit_req zone=small;",
        },
        {"zone": "limit_conn_zone $binary_remote_addr zone=few:1m;", "server": "limit_conn few 1;"},
    ],
)
def test_users_are_let_in(file: Path, parts: dict[str, str]) -> None:
    file.write_text(site(**parts))
    refusal = carried_out(file, "users-refused").refusal
    assert not refusal.answer and not refusal.password and not refusal.limits


REWRITE = "rewrite ^/login/accounts/(.*) /o/accounts/$1;"


def test_a_rewrite_is_taken_out(file: Path) -> None:
    file.write_text(site(server=REWRITE, other="location ^~ /o/ { proxy_pass http://AGENT; }"))
    assert misled(read(file)[1], "/login/accounts/is_login/")
    carried_out(file, "path-rewritten")
    assert read(file)[1].rewrites == ()


@pytest.mark.parametrize(
    ("rewrite", "path", "new"),
    [
        ("rewrite ^/login/accounts/(.*) /o/accounts/$1;", "/login/accounts/a/", "/o/accounts/a/"),
        ("rewrite ^/login/accounts/(.*) /o/$1?next=$uri last;", "/login/accounts/a/", None),
        ("rewrite ^/login/(.*) /login/v2/$1;", "/login/a/", None),
        ("rewrite ^/login/(.*) https://other.example/$1;", "/login/a/", None),
        ("rewrite ^/login/(.*) /o/$1 permanent;", "/login/a/", None),
        ("rewrite ^/login/(.*) /o/$1 break; rewrite ^/o/(.*) /login/$1;", "/login/a/", "/o/a/"),
        ("rewrite ^/login/(.*) /o/$1; rewrite ^/o/(.*) /login/$1;", "/login/a/", None),
        ("rewrite ^/other/(.*) /o/$1;", "/login/a/", None),
    ],
)
def test_a_path_that_another_target_gets(file: Path, rewrite: str, path: str, new: str | None) -> None:
    file.write_text(site(server=rewrite, other="location ^~ /o/ { proxy_pass http://AGENT; }"))
    found = misled(read(file)[1], path)
    assert (found[0] if found else None) == new


@pytest.mark.parametrize(
    "text", ["location ^~ /app/ { return 503; }", "location ^~ /app/ {\n        return 503;\n    }"]
)
def test_a_location_that_only_refuses_is_taken_out(file: Path, text: str) -> None:
    file.write_text(site(other=text))
    assert carried_out(file, "users-refused", 1).file == r"^/login/(.*)", "only the other one is left"


@pytest.mark.parametrize(
    "parts",
    [
        {"server": 'if ($http_user_agent ~* "(python)+") { return 403; }'},
        {"location": 'proxy_set_header Cookie "a;b";'},
    ],
)
def test_what_a_command_could_break_is_edited_by_hand(file: Path, parts: dict[str, str]) -> None:
    file.write_text(site(**parts))
    found, server = read(file)
    case = "program-refused" if "server" in parts else "cookie-lost"
    assert repairs(case, found[0], server, "proxy_set_header Cookie") == [None]


def test_a_copy_stays_next_to_its_file_where_no_include_reads_it(file: Path) -> None:
    file.write_text(site())
    found, server = read(file)
    host = nginx_host(f"{file.parent}/*.conf")
    subprocess.run(
        [
            "sh",
            "-c",
            str(nginx_edit_of(set_in_effect(found[0], server, "client_max_body_size", "512m"), host)),
        ],
        check=True,
    )
    assert (file.parent / "site.conf.bak").exists()
    assert read(file)[0][0].passing.body_bytes == 512 * 1024**2
