"""The directories in which nginx keeps bodies, as its files name them or as its package is built."""

from __future__ import annotations

from bkpaas.facts.nginx_syntax import parsed
from bkpaas.facts.nginx_temporary import Directories, configured_directories, temporary_directories


def test_configured_directories() -> None:
    statements, _ = parsed(
        "http { client_body_temp_path /a 1 2; server { location / { proxy_temp_path b; client_body_temp_path /c; } } }"
    )
    assert configured_directories(statements) == {"client_body_temp_path": "/a", "proxy_temp_path": "b"}


def test_directories_of_packages() -> None:
    debian, _epel, _official = temporary_directories({}, "/usr/sbin/nginx")
    assert debian == Directories("/var/lib/nginx/body", "/var/lib/nginx/proxy", "/var/lib/nginx/uwsgi")
    (own,) = temporary_directories({}, "/usr/local/openresty/nginx/sbin/nginx")
    assert own.body == "/usr/local/openresty/nginx/client_body_temp"
    assert temporary_directories({"client_body_temp_path": "/a/"}, None)[0].body == "/a"
    assert temporary_directories({"proxy_temp_path": "b"}, "/opt/nginx/sbin/nginx")[0].proxy == "/opt/nginx/b"
    assert temporary_directories({"proxy_temp_path": "b"}, "/usr/sbin/nginx")[0].proxy == ""
