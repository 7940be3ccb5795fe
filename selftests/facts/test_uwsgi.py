"""Services: the bind and the environment of a uwsgi ini, or of gunicorn under supervisor."""

import pytest
from recorded import HOME, LOGIN_INI, english, entry

from bkpaas.facts.secrets import Secrets
from bkpaas.facts.supervisor import supervisors
from bkpaas.facts.uwsgi import bind, read_ini, services


def login(text):
    files = {"uwsgi-ini": [entry(f"{HOME}/etc/uwsgi-open_paas-login.ini", text)]}
    return services(files, None, Secrets()).by_name["login"]


def test_the_shipped_template():
    service = login(LOGIN_INI)
    assert (service.bind_address, service.bind_port) == ("10.0.1.3", 8003)
    assert service.bk_env == "production"
    assert service.chdir == f"{HOME}/open_paas/login"
    assert service.logto == f"{HOME}/logs/open_paas/login_uwsgi.log"
    assert service.problems == ()
    assert service.ini.path == f"{HOME}/etc/uwsgi-open_paas-login.ini"


def test_all_values_of_a_repeated_key():
    options, problem = read_ini(LOGIN_INI)
    assert problem is None
    assert options["env"] == [
        "BK_ENV=development",
        f"PAAS_LOGGING_DIR={HOME}/logs/open_paas",
        "BK_ENV=production",
    ]
    assert options["master"] == [""] and options["http-var"] == ["SERVER_PROTOCOL=HTTP/1.1"]


@pytest.mark.parametrize(
    ("value", "address", "port"),
    [
        (":8003", "0.0.0.0", 8003),
        ("*:8003", "0.0.0.0", 8003),
        ("0.0.0.0:8003", "0.0.0.0", 8003),
        ("127.0.0.1:8003", "127.0.0.1", 8003),
        ("[::]:8003", "::", 8003),
        ("paas.bk.com:8003", "paas.bk.com", 8003),
        ("/run/login.sock", None, None),
        ("8003", None, None),
        ("10.0.1.3:http", None, None),
    ],
)
def test_binds(value, address, port):
    assert bind(value) == (address, port)


@pytest.mark.parametrize("key", ["http", "http-socket", "socket", "uwsgi-socket"])
def test_options_that_bind(key):
    assert login(f"[uwsgi]\n{key}=10.0.1.3:8003\n").bind_port == 8003


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[uwsgi]\nmaster\n", "no http"),
        ("[uwsgi]\nhttp = /run/x.sock\n", "not an address and port"),
        ("[uwsgi]\nhttp = __LAN_IP__:8003\n", "__LAN_IP__"),
        ("[uwsgi]\nhttp = :8003\nhttp = :8004\n", "more than one"),
        ("[other]\nhttp = :8003\n", "no [uwsgi] section"),
        ("http = :8003\n", "MissingSectionHeaderError"),
        ("", "no [uwsgi] section"),
    ],
)
def test_problems(text, word):
    assert any(word in english(problem) for problem in login(text).problems)


def test_without_an_environment_bk_env_is_unknown():
    assert login("[uwsgi]\nhttp=:8003\n").bk_env is None


def test_windows_line_ends_and_a_byte_order_mark():
    assert login("\ufeff" + LOGIN_INI.replace("\n", "\r\n")).bk_env == "production"


def test_gunicorn_under_supervisor():
    conf = entry(
        f"{HOME}/etc/supervisor-open_paas.conf",
        "[program:esb]\ncommand=/x/gunicorn wsgi --bind 0.0.0.0:8002 -w 4\nenvironment=BK_ENV=production\n"
        "[program:login]\ncommand=/x/gunicorn wsgi\n"
        "[program:other]\ncommand=/x/other\n",
    )
    files = {"supervisor-conf": [conf]}
    found = services(files, supervisors(files, None, None, Secrets()), Secrets()).by_name
    assert set(found) == {"esb", "login"}
    assert (found["esb"].bind_address, found["esb"].bind_port, found["esb"].bk_env) == (
        "0.0.0.0",
        8002,
        "production",
    )
    assert (found["login"].bind_address, found["login"].bind_port) == ("127.0.0.1", 8000)


@pytest.mark.parametrize(
    ("lines", "address", "port", "logto"),
    [
        (
            "ip = 10.0.0.1\nhttp = %(ip):8003\nhome = /data\nlogto2 = %(home)/a.log",
            "10.0.0.1",
            8003,
            "/data/a.log",
        ),
        ("http = $(LAN_IP):8003\nlogto = $(LOGS)/a.log", None, 8003, None),
        ("http = :8003\ndaemonize = %d%n.log", "0.0.0.0", 8003, f"{HOME}/etc/uwsgi-open_paas-login.log"),
    ],
)
def test_variables_of_uwsgi_are_read_or_unknown(lines, address, port, logto):
    service = login(f"[uwsgi]\n{lines}\n")
    assert (service.bind_address, service.bind_port, service.logto) == (address, port, logto)


def test_proxies_that_the_file_sets():
    text = "[uwsgi]\nhttp = 10.0.0.1:8003\nenv = http_proxy=http://u:secret-1@10.0.0.9:3128\nenv = BK_ENV=production\n"
    entry = {"path": "/e/uwsgi-open_paas-login.ini", "type": "file", "mode": 0o644, "text": text}
    login = services({"uwsgi-ini": [entry]}, None, Secrets()).by_name["login"]
    assert "10.0.0.9:3128" in login.proxies["http_proxy"] and "secret-1" not in login.proxies["http_proxy"]
