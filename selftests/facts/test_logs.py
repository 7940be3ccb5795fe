"""Logs: the lines that mean something, in both languages, with the time of the zone they were written in."""

from datetime import datetime, timedelta, timezone

import pytest
from recorded import HOME, entry, missing

from bkpaas.facts.logs import logs
from bkpaas.facts.secrets import Secrets
from bkpaas.messages import to_text

DIR = f"{HOME}/logs/open_paas"
SHANGHAI = timezone(timedelta(hours=8))
NGINX_LOG = "/data/bkce/logs/nginx/paas_web_error.log"


def parsed(offset=28800, **tails):
    given = {name.replace("_", "-"): entries for name, entries in tails.items()}
    return logs(given, offset, Secrets())


def at(*when, zone=SHANGHAI):
    return datetime(*when, tzinfo=zone).timestamp()


REFUSED = (
    '2018/07/30 09:47:28 [error] 20935#0: *123 connect() failed (111: Connection refused) while connecting to upstream, '
    'client: 10.0.0.9, server: paas.bk.com, request: "GET /t/bk_framework/?bk_token=Pl4nted HTTP/1.1", '
    'upstream: "http://10.0.1.1:8010/t/bk_framework/", host: "paas.bk.com"\n'
)  # fmt: skip


def test_nginx_errors_are_in_the_zone_of_the_host():
    text = (
        REFUSED
        + '2018/07/30 09:47:29 [error] 20935#0: *124 open() "/usr/share/nginx/html/favicon.ico" failed (2: No such file or directory)\n'
        + "2018/07/30 09:47:29 [notice] 20935#0: signal process started\n"
        + "2018/07/30 09:47:29 [warn] 20935#0: *1 an upstream response is buffered to a temporary file\n"
        + '2018/07/30 09:47:30 [error] 20935#0: *125 no live upstreams while connecting to upstream, upstream: "http://OPEN_PAAS_LOGIN/x"\n'
        + '2018/07/30 09:47:31 [crit] 20935#0: *126 connect() to unix:/run/uwsgi.sock failed while connecting to upstream, upstream: "uwsgi://unix:/run/uwsgi.sock:"\n'
        + "2018/07/30 09:47:32 [error] 20935#0: *127 bk_framework could not be resolved (3: Host not found)\n"
        + "a line of something else about upstream\n"
    )  # fmt: skip
    found = parsed(nginx_error_log=[entry(NGINX_LOG, text)]).nginx_errors
    assert [hit.upstream for hit in found] == [
        "10.0.1.1:8010",
        "OPEN_PAAS_LOGIN",
        "unix:/run/uwsgi.sock",
        None,
    ]
    assert found[0].time == at(2018, 7, 30, 9, 47, 28)
    assert found[0].file == NGINX_LOG and "Connection refused" in found[0].text
    assert "Pl4nted" not in str(found)
    utc = parsed(0, nginx_error_log=[entry(NGINX_LOG, text)]).nginx_errors
    assert utc[0].time - found[0].time == 8 * 3600


def test_without_the_zone_of_the_host_there_is_no_time():
    assert parsed(None, nginx_error_log=[entry(NGINX_LOG, REFUSED)]).nginx_errors[0].time is None


def test_the_newest_of_all_files_from_old_to_new():
    new = "".join(REFUSED.replace("09:47:28", f"09:48:{n:02}") for n in range(30))
    found = parsed(nginx_error_log=[entry(NGINX_LOG, new), entry(NGINX_LOG + ".1", REFUSED)]).nginx_errors
    assert len(found) == 20 and found[-1].time == at(2018, 7, 30, 9, 48, 29)
    assert found[0].time == at(2018, 7, 30, 9, 48, 10)


PAAS_LOG = (
    "ERROR [2018-07-30 09:47:28] /data/bkce/open_paas/paas/components/login.py 33 _call_login_api 9800 140123456789 \n"
    " \t 请求login接口失败: method=http_get, api=is_login, message=登录态有效期不合法 \n\n"
)
ESB_LOG = (
    '{"req_response": "{\\"message\\": \\"\\\\u767b\\\\u5f55\\\\u6001\\\\u6709\\\\u6548\\\\u671f\\\\u4e0d\\\\u5408\\\\u6cd5\\"}",'
    ' "req_params": {"bk_token": "Pl4nted"}, "req_end_time": "2018-07-30 09:47:31", "req_status": 200}\n'
)


@pytest.mark.parametrize(
    ("name", "text", "when"),
    [
        ("paas_log", PAAS_LOG, at(2018, 7, 30, 9, 47, 28)),
        ("paas_log", PAAS_LOG.replace("登录态有效期不合法", "Login validity is illegal"), at(2018, 7, 30, 9, 47, 28)),
        ("esb_log", ESB_LOG, at(2018, 7, 30, 9, 47, 31)),
        ("esb_log", ESB_LOG.replace("2018-07-30 09:47:31", "2018-07-30T09:47:31.123"), at(2018, 7, 30, 9, 47, 31)),
        ("esb_log", '{"a": "Login validity is illegal"}\n', None),
        ("esb_log", '{"a": "Login validity is illegal", cut', None),
        ("saas_log", "Login validity is illegal\n", None),
        ("login_log", "\u767b\u5f55\u6001\u6709\u6548\u671f\u4e0d\u5408\u6cd5".encode("unicode-escape").decode(), None),
        (
            "login_log",
            "[10.0.1.1] [Mon Jul 30 09:47:28 2018] [GET] [/accounts/is_login/?bk_token=Pl4nted] Login validity is illegal",
            at(2018, 7, 30, 9, 47, 28),
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("offset", [0, 28800, None])
def test_refusals(name, text, when, offset):
    """Applications write the time of Shanghai in every time zone of the host."""
    (hit,) = parsed(offset, **{name: [entry(f"{DIR}/x.log", text)]}).refusals
    assert hit.time == when
    assert "Pl4nted" not in hit.text


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("Invalid APP Code [bk_app_code=bk_paas], please confirm if the APP Code has been registered", True),
        ("APP Code or APP Secret is incorrect", True),
        ("System USERMANAGE interface access abnormal", False),
    ],
)
def test_what_esb_says_of_the_calling_application(message: str, found: bool) -> None:
    """A user who types such a message does not make it ESB's."""
    typed = "data: {'username': 'x, message: Invalid APP Code'}"
    line = f"ERROR [2026-11-29 09:47:28] components.esb 60 - call esb api error! http_post http://x/, {typed}, code: 1306"
    (entry_,) = [entry(f"{DIR}/login.log", f"{line}, message: {message}\n")]
    hits = parsed(login_log=[entry_]).esb_refusals
    assert [(hit.text, hit.time) for hit in hits] == (
        [(message, at(2026, 11, 29, 9, 47, 28))] if found else []
    )


def test_expired_tokens_are_no_refused_ones():
    text = PAAS_LOG.replace("登录态有效期不合法", "登录态已过期")
    assert parsed(paas_log=[entry(f"{DIR}/paas.log", text)]).refusals == ()


def start(when="Mon Nov 23 17:27:56 2026"):
    return f"*** Starting uWSGI 2.0.13 (64bit) on [{when}] ***\ncompiled with version: 4.8.5\n"


BOUND = (
    "thunder lock: disabled (you can enable it with --thunder-lock)\n"
    "probably another instance of uWSGI is running on the same address (127.0.0.1:8003).\n"
    "bind(): Address already in use [core/socket.c line 769]\n"
    "VACUUM: pidfile removed.\n"
)
LOADED = "WSGI app 0 (mountpoint='') ready in 3 seconds on interpreter 0x1 pid: 5 (default app)\n"
IMPORT = (
    "Traceback (most recent call last):\n"
    '  File "./wsgi.py", line 7, in <module>\n'
    "    application = get_wsgi_application()\n"
    '  File "/data/bkce/open_paas/login/conf/settings_production.py", line 9\n'
    "    DATABASES = = {\n"
    "                ^\n"
    "SyntaxError: invalid syntax\n"
    "unable to load app 0 (mountpoint='') (callable not found or import error)\n"
    "*** no app loaded. going in full dynamic mode ***\n"
)
REQUEST = "[10.0.1.1] [Mon Nov 23 17:30:00 2026] [GET] [/healthz/] [HTTP/1.1] [200] [12] [-] [-]\n"
RUNTIME = (
    'Traceback (most recent call last):\n  File "x", line 1\nOperationalError: (2003, "Can\'t connect")\n'
)


def start_error(text, offset=28800):
    return parsed(offset, **{"uwsgi-log-login": [entry(f"{DIR}/login_uwsgi.log", text)]}).start_errors.get(
        "login"
    )


def test_a_port_that_is_taken():
    hit = start_error(start() + LOADED + REQUEST + start("Mon Nov 23 17:28:00 2026") + BOUND)
    assert hit.text == (
        "probably another instance of uWSGI is running on the same address (127.0.0.1:8003)."
        " | bind(): Address already in use [core/socket.c line 769]"
    )
    assert hit.time == at(2026, 11, 23, 17, 28) and hit.file == f"{DIR}/login_uwsgi.log"
    assert start_error(start() + BOUND, 0).time == at(2026, 11, 23, 17, 27, 56, zone=timezone.utc)


def test_settings_that_cannot_be_loaded():
    hit = start_error(start() + IMPORT + REQUEST)
    assert hit.text.startswith("SyntaxError: invalid syntax | unable to load app 0")
    assert "no app loaded" in hit.text


def test_lines_with_dates_before_them():
    dated = "".join(f"Mon Nov 23 17:27:57 2026 - {line}\n" for line in (start() + BOUND).splitlines())
    assert start_error(dated).text.endswith("bind(): Address already in use [core/socket.c line 769]")


def test_requests_to_a_service_without_its_application():
    text = "--- no python application found, check your startup logs for errors ---\n" * 50
    assert start_error(text + REQUEST).text.count("no python application found") == 1
    assert start_error(text).time is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        start() + LOADED + RUNTIME,
        start() + BOUND + start() + LOADED,
        RUNTIME + REQUEST,
        start() + "fine\n",
    ],
)
def test_no_start_error(text):
    assert start_error(text) is None


def test_logs_that_could_not_be_read():
    found = parsed(
        login_log=[entry(f"{DIR}/login.log", error="Permission denied")],
        paas_log=[missing(f"{DIR}/paas.log")],
    )
    assert [*map(to_text, found.problems)] == [f"{DIR}/login.log: Permission denied"]


@pytest.mark.parametrize("when", ["2018/99/99 09:47:28", "0000/00/00 00:00:00"])
def test_impossible_times(when):
    (hit,) = parsed(
        nginx_error_log=[entry(NGINX_LOG, REFUSED.replace("2018/07/30 09:47:28", when))]
    ).nginx_errors
    assert hit.time is None


TRACE = (
    "*** Starting uWSGI 2.0.13.1 (64bit) on [Mon Jul 30 09:47:28 2018] ***\n"
    "Traceback (most recent call last):\n"
    '  File "wsgi.py", line 1, in <module>\n'
    "    import blueapps_missing\n"
    "ImportError: No module named blueapps_missing\n"
    "unable to load app 0 (mountpoint='') (callable not found or import error)\n"
    "*** no app loaded. going in full dynamic mode ***\n"
    "--- no python application found, check your startup logs for errors ---\n"
)
LOADED = "WSGI app 0 (mountpoint='') ready in 1 seconds on interpreter 0x1 pid: 7 (default app)\n"


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("uwsgi.log", TRACE, "ImportError: No module named blueapps_missing"),
        ("uwsgi.log", TRACE + LOADED, None),
        ("celery.log", TRACE, None),
    ],
)
def test_the_error_in_the_log_of_an_application(name, text, found):
    path = f"{HOME}/paas_agent/apps/logs/bk_framework/{name}"
    errors = parsed(saas_log=[entry(path, text)]).saas_errors
    assert [hit.text for hit in errors.values()] == ([found] if found else [])
    assert not errors or list(errors) == ["bk_framework"]
