"""nginx: what its configuration says, includes followed, comments not."""

import pytest
from recorded import english, entry, missing

from bkpaas.facts.nginx import NginxListen, NginxUpstreamServer, nginx
from bkpaas.facts.process import Process, Processes

MAIN = "/etc/nginx/nginx.conf"
NGINX_CONF = """\
user root;
worker_processes 4;
error_log /data/bkce/logs/nginx/error.log;
events { worker_connections 1024; }
http {
    include mime.types;
    log_format main '$remote_addr - "$request" {$status};';  # { not a block
    access_log /data/bkce/logs/nginx/access.log main;
    include /data/bkce/etc/nginx/*.conf;
}
"""
PAAS_CONF = """\
# vim:ft=sh
# upstream PAAS_AGENT_TEST {
#     server 10.9.9.9:8010;
# }
upstream OPEN_PAAS {
    server 10.0.1.3:8001 max_fails=1  fail_timeout=30s;
    server   10.0.1.4:8001   max_fails=1 fail_timeout=30s backup; # server 10.9.9.9:1;
}
upstream OPEN_PAAS_LOGIN {
    ip_hash;
    server login-1.bk.com:8003 weight=5 down;
    server unix:/run/login.sock;
    server [fd00::1]:8003;
    server 10.0.1.9;
}
upstream PAAS_AGENT_PROD { server 10.0.1.41:8010; }
server {
    listen 80;
    listen       [::]:80   ipv6only=on;
    server_name  paas.bk.com   10.0.1.1;
    error_log /data/bkce/logs/nginx/paas_web_error.log;
    proxy_next_upstream http_502 http_504 error timeout invalid_header;
    location / { proxy_pass http://OPEN_PAAS; }
    location ~ ^/login/(.*) {
        proxy_set_header Host $http_host;
        proxy_pass http://OPEN_PAAS_LOGIN/$1$is_args$args;
    }
    location ~ ^/o/ {
        if ($request_method = POST) { proxy_pass http://PAAS_AGENT_PROD; }
    }
    location ^~ /direct { proxy_pass http://10.0.1.7:9000; }
    location = /x { return 204; }
}
"""
CMDB_CONF = """\
server {
    listen 10.0.1.1:8080 default_server ssl;
    server_name cmdb.bk.com;
    return 301 https://$server_name$request_uri;
}
server { server_name nothing.bk.com; }
"""


def english_problems(found):
    return [english(problem) for problem in found.problems]


def parsed(files=None, **more):
    given = {
        MAIN: NGINX_CONF,
        "/data/bkce/etc/nginx/paas.conf": PAAS_CONF,
        "/data/bkce/etc/nginx/cmdb.conf": CMDB_CONF,
    }
    given = given if files is None else files
    entries = [entry(path, text) for path, text in given.items()]
    return nginx({"main": [MAIN], "files": entries, "error": None} | more)


def test_upstreams():
    found = {upstream.name: upstream for upstream in parsed().upstreams}
    assert set(found) == {"OPEN_PAAS", "OPEN_PAAS_LOGIN", "PAAS_AGENT_PROD"}
    assert found["OPEN_PAAS"].servers == (
        NginxUpstreamServer("10.0.1.3", 8001, ("max_fails=1", "fail_timeout=30s")),
        NginxUpstreamServer("10.0.1.4", 8001, ("max_fails=1", "fail_timeout=30s", "backup")),
    )
    assert found["OPEN_PAAS_LOGIN"].servers == (
        NginxUpstreamServer("login-1.bk.com", 8003, ("weight=5", "down")),
        NginxUpstreamServer("unix:/run/login.sock", None, ()),
        NginxUpstreamServer("fd00::1", 8003, ()),
        NginxUpstreamServer("10.0.1.9", 80, ()),
    )
    assert (found["OPEN_PAAS"].file, found["OPEN_PAAS"].line) == ("/data/bkce/etc/nginx/paas.conf", 5)


def test_servers_in_the_order_of_their_files():
    cmdb, nothing, paas = parsed().servers
    assert paas.names == ("paas.bk.com", "10.0.1.1")
    assert paas.listens == (NginxListen("*", 80), NginxListen("::", 80, ipv6only=True))
    assert (paas.error_log, paas.access_log) == (
        "/data/bkce/logs/nginx/paas_web_error.log",
        "/data/bkce/logs/nginx/access.log",
    )
    assert cmdb.listens == (NginxListen("10.0.1.1", 8080, default=True, ssl=True),)
    assert cmdb.returns == "301 https://$server_name$request_uri" and paas.returns is None
    assert cmdb.error_log == "/data/bkce/logs/nginx/error.log"
    assert nothing.listens == (NginxListen("*", 80),)
    assert (paas.file, paas.line) == ("/data/bkce/etc/nginx/paas.conf", 17)


def test_locations():
    locations = {location.pattern: location for location in parsed().servers[2].locations}
    assert (locations["/"].modifier, locations["/"].upstream) == ("", "OPEN_PAAS")
    login = locations["^/login/(.*)"]
    assert (login.modifier, login.proxy_pass) == ("~", "http://OPEN_PAAS_LOGIN/$1$is_args$args")
    assert login.upstream == "OPEN_PAAS_LOGIN"
    assert locations["^/o/"].upstream == "PAAS_AGENT_PROD"
    assert (locations["/direct"].proxy_pass, locations["/direct"].upstream) == ("http://10.0.1.7:9000", None)
    assert locations["/x"].proxy_pass is None


def test_error_logs_and_files():
    found = parsed()
    assert found.error_logs == ("/data/bkce/logs/nginx/error.log", "/data/bkce/logs/nginx/paas_web_error.log")
    assert found.main == MAIN and len(found.files) == 3
    assert english_problems(found) == ["/etc/nginx/nginx.conf:6: cannot read /etc/nginx/mime.types"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("80", NginxListen("*", 80)),
        ("8010 default", NginxListen("*", 8010, default=True)),
        ("*:80", NginxListen("*", 80)),
        ("10.0.1.1", NginxListen("10.0.1.1", 80)),
        ("10.0.1.1:8080", NginxListen("10.0.1.1", 8080)),
        ("localhost:8000", NginxListen("localhost", 8000)),
        ("[::]", NginxListen("::", 80)),
        ("[::1]:81 ipv6only=off", NginxListen("::1", 81, ipv6only=False)),
        ("443 ssl http2", NginxListen("*", 443, ssl=True)),
        ("unix:/run/nginx.sock", NginxListen("*", 80, unix="/run/nginx.sock")),
        ('"80"', NginxListen("*", 80)),
    ],
)
def test_listen(written, expected):
    (server,) = parsed({MAIN: f"http {{ server {{ listen {written}; }} }}"}).servers
    assert server.listens == (expected,)


def test_ssl_on_of_old_configurations():
    (server,) = parsed({MAIN: "http { server { listen 443; ssl on; } }"}).servers
    assert server.listens[0].ssl


def test_relative_includes_start_at_the_main_file_and_stars_stop_at_slashes():
    found = parsed(
        {
            MAIN: "http { include sites/*; include sites/deep/one.conf; }",
            "/etc/nginx/sites/a.conf": "include snippets/x.conf;",
            "/etc/nginx/snippets/x.conf": "server { listen 81; }",
            "/etc/nginx/sites/deep/one.conf": "server { listen 82; }",
            "/etc/nginx/sites/deep/two.conf": "server { listen 83; }",
        }
    )
    assert [server.listens[0].port for server in found.servers] == [81, 82]
    assert found.problems == ()


def test_a_pattern_without_files_is_no_problem_and_a_circle_is_one():
    files = {MAIN: "include conf.d/*.conf; include nginx.conf;"}
    assert english_problems(parsed(files)) == ["/etc/nginx/nginx.conf:1: includes itself"]


def test_a_flood_of_includes_ends():
    names = [f"/etc/nginx/{n}.conf" for n in range(9)]
    files = {path: f"include {n + 1}.conf; " * 9 for n, path in enumerate(names)}
    found = parsed({MAIN: "include 0.conf;"} | files)
    assert any("includes itself" in problem for problem in english_problems(found))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("http {\n  server {\n    listen 80\n", "unexpected end of file"),
        ("http {\n  server { listen 80; } }\n}\n", 'unexpected "}"'),
    ],
)
def test_what_nginx_would_refuse(text, problem):
    found = parsed({MAIN: text})
    assert len(found.problems) >= 1 and problem in english(found.problems[0])
    assert english(found.problems[0]).startswith(f"{MAIN}:") and "/proc/" not in english(found.problems[0])


def test_unreadable_and_missing_files():
    files = [entry(MAIN, "include a.conf; include b.conf;"), missing("/etc/nginx/a.conf")]
    files.append(entry("/etc/nginx/b.conf", error="Permission denied"))
    found = nginx({"main": [MAIN], "files": files, "error": "more than 2 files"})
    assert english_problems(found) == [
        "more than 2 files",
        "/etc/nginx/nginx.conf:1: cannot read /etc/nginx/a.conf",
        "/etc/nginx/b.conf: Permission denied",
    ]


def test_no_nginx_at_all():
    found = nginx({"main": [], "files": [], "error": None})
    assert found.main is None and found.servers == ()


def test_upstreams_of_other_protocols_are_reported():
    text = """
    http {
        upstream A { server 10.0.1.1:80; }
        upstream B { server 10.0.1.2:9000; }
        upstream C { server 10.0.1.3:443; }
        upstream D { server 10.0.1.4:80; }
        server {
            location /a { proxy_pass http://A/x; }
            location /b { uwsgi_pass B; }
            location /c { if ($x) { proxy_pass https://C; } }
        }
    }
    stream {
        upstream E { server 10.0.1.5:3306; }
        server { listen 3306; proxy_pass E; }
    }
    """
    section = {"main": ["/n"], "files": [{"path": "/n", "type": "file", "mode": 33188, "text": text}]}
    found = nginx(section)
    assert {one.name: one.http for one in found.upstreams} == {
        "A": True,
        "B": False,
        "C": False,
        "D": False,  # nothing leads there
        "E": False,
    }
    assert [one.name for one in found.upstreams if not one.used] == ["D"]
    assert [listen.port for server in found.servers for listen in server.listens] == [80]


def test_a_variable_may_lead_to_any_upstream():
    text = """
    http {
        map $http_x $where { default B; }
        upstream A { server 10.0.1.1:80; }
        upstream B { server 10.0.1.2:80; }
        server {
            location /a { uwsgi_pass A; }
            location /b { proxy_pass http://$where; }
        }
    }
    """
    found = parsed({MAIN: text})
    assert {one.name: one.http for one in found.upstreams} == {"A": False, "B": True}
    assert all(one.used for one in found.upstreams)


OTHER = "/etc/other.conf"
OPENRESTY = "/usr/local/openresty/nginx/conf/nginx.conf"


@pytest.mark.parametrize(
    ("program", "running", "read"),
    [
        ("/usr/sbin/nginx", [OTHER], [MAIN, OTHER]),
        ("/usr/sbin/nginx", [], [MAIN]),
        ("/usr/local/openresty/nginx/sbin/nginx", [OPENRESTY, OTHER], [OPENRESTY, OTHER]),
        (f"/usr/sbin/nginx -c {OTHER}", [OTHER], [OTHER]),
    ],
    ids=["another nginx beside it", "no other one", "by its prefix", "none without -c"],
)
def test_the_usual_file_counts_where_an_nginx_runs_without_an_option(program, running, read):
    paths = [*running, MAIN]  # as the collector says it: what runs comes first
    files = [{"path": path, "type": "file", "mode": 33188, "text": f"# {path}"} for path in paths]
    title = (f"nginx: master process {program}",)
    processes = Processes(items=(Process(1, 0, argv=title, exe=program.split()[0], name="nginx"),))
    found = nginx({"main": paths, "running": running, "files": files}, processes)
    assert [*found.mains] == (read if len(read) > 1 else [])
    assert found.main == read[0]
