"""Exceptions in the log of a service, and the requests that end in them."""

from __future__ import annotations

import pytest
import recorded

from bkpaas.facts import Secrets
from bkpaas.facts.access import LoginAccess, login_access
from bkpaas.facts.exceptions import exception_subject, is_about_server, last_exceptions
from bkpaas.facts.logs import logs

LOG = f"{recorded.HOME}/logs/open_paas/login_uwsgi.log"
LOADED = "WSGI app 0 (mountpoint='') ready in 3 seconds on interpreter 0x55d pid: 7 (default app)\n"
TRACE = """\
Traceback (most recent call last):
  File "/data/bkce/.envs/login/lib/python2.7/site-packages/MySQLdb/connections.py", line 42, in defaulterrorhandler
    raise errorvalue
{}
"""
READ_ONLY = (
    "InternalError: (1290, 'The MariaDB server is running with the --read-only option so it cannot execute')"
)
TYPE = "TypeError: Object type <type 'unicode'> cannot be passed to C code"


def request(uri: str, status: int, method: str = "POST", second: int = 28, agent: str = "curl/7") -> str:
    return f"[10.0.1.1] [Mon Jul 30 09:47:{second:02} 2018] [{method}] [{uri}] [HTTP/1.0] [{status}] [12] [-] [{agent}]\n"


def plain(uri: str, status: int) -> str:
    return (
        "{address space usage: 1 bytes/0MB} {rss usage: 2 bytes/0MB} [pid: 9|app: 0|req: 3/7] 127.0.0.1 () {36 vars in "
        f"449 bytes}} [Mon Jul 30 09:47:28 2018] POST {uri} => generated 84 bytes in 5 msecs (HTTP/1.0 {status}) 3 headers\n"
    )


def access(text: str) -> LoginAccess:
    return login_access({"uwsgi-log-login": [recorded.entry(LOG, text)]}, True, Secrets())


@pytest.mark.parametrize("line", [request("/login/?c_url=/", 500), plain("/", 500)])
@pytest.mark.parametrize("exception", [READ_ONLY, TYPE])
def test_a_failed_login_has_the_exception_before_it(line: str, exception: str) -> None:
    (failed,) = access(LOADED + TRACE.format(exception) + line).failed
    assert (failed.route, failed.status, failed.calls, len(failed.times)) == ("POST /", 500, 1, 1)
    assert failed.exception == exception


def test_logdate_and_another_worker_in_between() -> None:
    dated = "".join(f"Mon Jul 30 09:47:28 2018 - {line}\n" for line in TRACE.format(READ_ONLY).splitlines())
    (failed,) = access(dated + request("/healthz/", 200, "GET") + request("/", 500)).failed
    assert failed.exception == READ_ONLY


def test_a_success_since_ends_it() -> None:
    assert access(request("/", 500) + request("/", 302)).failed == ()
    assert access(request("/", 500) + request("/accounts/is_login/", 200, "GET")).failed != ()


def test_a_failure_now_and_then_is_not_ended_by_the_next_success() -> None:
    mixed = (request("/", 500) + request("/", 302)) * 4
    (failed,) = access(mixed).failed
    assert (len(failed.times), failed.calls) == (4, 8)
    assert access(mixed + request("/", 302) * 2).failed == ()


def test_a_start_since_ends_it() -> None:
    assert access(request("/", 500) + LOADED + request("/healthz/", 200, "GET")).failed == ()


def test_requests_of_the_suite_do_not_fail_but_end_failures() -> None:
    own = "bkpaas-acceptance/0123456789ab"
    assert access(request("/login/", 500, "GET", agent=own)).failed == ()
    assert access(request("/login/", 500, "GET") + request("/login/", 200, "GET", agent=own)).failed == ()


def test_refusals_are_not_server_errors() -> None:
    assert access(request("/", 403) * 50 + request("/x", 404, "GET") * 50).failed == ()


def test_post_is_first() -> None:
    failed = access(request("/a", 500, "GET") * 3 + request("/", 500)).failed
    assert [route.route for route in failed] == ["POST /", "GET /a"]


def test_secrets_in_an_exception_are_not_kept() -> None:
    text = "OperationalError: (1045, 'x') mysql://op:Pl4nted-s3cret@10.0.1.5/open_paas"
    (failed,) = access(TRACE.format(text) + request("/", 500)).failed
    assert "Pl4nted" not in failed.exception and "1045" in failed.exception


def test_exceptions_before_a_start_are_history() -> None:
    assert last_exceptions(TRACE.format(TYPE) + LOADED) == []
    assert [text for _, text in last_exceptions(LOADED + TRACE.format(TYPE))] == [TYPE]


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (READ_ONLY, "database"),
        ("OperationalError: (1040, 'Too many connections')", "database"),
        ("ProgrammingError: (1146, \"Table 'open_paas.login_bktoken' doesn't exist\")", "database"),
        ("django.db.utils.OperationalError: (2006, 'MySQL server has gone away')", "database"),
        ("pymysql.err.InternalError: (1054, \"Unknown column 'x' in 'field list'\")", "database"),
        ("pymysql.err.DataError: (1406, \"Data too long for column 'token' at row 1\")", "database"),
        (TYPE, "code"),
        ("ImportError: No module named Crypto", "code"),
        ("IOError: [Errno 28] No space left on device: '/data/bkce/logs/open_paas/login.log'", "disk"),
        ("ConnectionError: Error 111 connecting to 10.0.1.5:6379. Connection refused.", "other"),
        ("DisallowedHost: Invalid HTTP_HOST header: 'x'", "other"),
    ],
)
def test_what_an_exception_names(text: str, subject: str) -> None:
    assert exception_subject(text) == subject


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("django.db.utils.DataError: (1406, \"Data too long for column 'token' at row 1\")", False),
        ("IntegrityError: (1062, \"Duplicate entry '2147483647' for key 'PRIMARY'\")", False),
        ("pymysql.err.OperationalError: (1054, \"Unknown column 'x' in 'field list'\")", False),
        ("ProgrammingError: (1146, \"Table 'open_paas.django_admin_log' doesn't exist\")", False),
        ("ProgrammingError: (1146, \"Table 'open_paas.login_bktoken' doesn't exist\")", True),
        (READ_ONLY, True),
        ("OperationalError: (1040, 'Too many connections')", True),
        ("InterfaceError: (0, '')", True),
        (TYPE, False),
        ("pymysql.err.InternalError: (167, \"Out of range value for column 'id' at row 1\")", False),
        ("OperationalError: (1205, 'Lock wait timeout exceeded')", True),
        ("pymysql.err.OperationalError: (111, 'Connection refused')", True),
        ("django.db.utils.DatabaseError: no such thing", False),
    ],
)
def test_only_states_of_the_server_can_be_over(text: str, about: bool) -> None:
    assert is_about_server(text, ("login_bktoken",)) is about


LOGGED = """\
ERROR [2018-07-30 09:47:28] /data/bkce/open_paas/login/base.py 120 handle 9 1400 \n \t Internal Server Error: /
Traceback (most recent call last):
  File "/data/bkce/open_paas/login/views.py", line 42, in post
    role = data["bk_role"]
KeyError: 'bk_role'
INFO [2018-07-30 09:47:29] /data/bkce/open_paas/login/base.py 120 handle 9 1400 \n \t done
"""


@pytest.mark.parametrize(
    ("log", "service"), [("login-log", "login"), ("paas-log", "paas"), ("esb-log", "esb")]
)
def test_the_exceptions_of_an_application_s_own_log(log: str, service: str) -> None:
    own = logs({log: [recorded.entry(f"{recorded.HOME}/logs/open_paas/{service}.log", LOGGED)]}, 0, Secrets())
    (hit,) = own.application_exceptions[service]
    assert (hit.text, hit.time) == ("KeyError: 'bk_role'", 1532915248.0)
    assert own.exceptions[service] == hit


def test_the_log_of_uwsgi_comes_before_the_application_s_own() -> None:
    tails = {
        "uwsgi-log-login": [recorded.entry(LOG, LOADED + TRACE.format(TYPE) + request("/", 500))],
        "login-log": [recorded.entry(f"{recorded.HOME}/logs/open_paas/login.log", LOGGED)],
    }
    assert logs(tails, 0, Secrets()).exceptions["login"].text == TYPE


def test_the_suite_s_own_login_counts_and_its_other_requests_do_not() -> None:
    agent = "bkpaas-acceptance/0123456789ab"
    assert access(request("/", 500, "GET", agent=agent)).failed == ()
    assert [one.route for one in access(request("/", 500, agent=agent)).failed] == ["POST /"]
