"""Login's access log: calls, how they came, and our own request among them."""

import recorded

from bkpaas.facts import HostView, Secrets, host_facts
from bkpaas.facts.access import login_access
from bkpaas.messages import to_text

LINES = """\
*** Operational MODE: preforking ***
[10.0.1.1] [Mon Jul 30 09:47:28 2018] [GET] [/accounts/is_login/?bk_token=Pl4nted-token] [HTTP/1.0] [200] [12] [-] [python-requests/2.18.4]
[10.0.1.3] [Mon Jul 30 09:47:29 2018] [GET] [/login/api/v2/is_login/?bk_token=x] [HTTP/1.1] [500] [3100] [-] [-]
[10.0.1.3] [Mon Jul 30 09:47:30 2018] [GET] [/accounts/get_user/] [HTTP/1.1] [200] [5] [http://a/] [x] y] [z]
[10.0.1.1] [Mon Jul 30 09:47:31 2018] [GET] [/accounts/is_login/] [HTTP/1.0] [200] [2] [-] [bkpaas-acceptance/0123456789ab]
[10.0.1.1] [Mon Jul 30 09:47:31 2018] [GET] [/healthz/] [HTTP/1.0] [200] [2] [-] [bkpaas-acceptance/ba9876543210]
[10.0.1.1] [Mon Jul 30 09:47:31 2018] [GET] [/?next=/is_login/] [HTTP/1.0] [200] [2] [-] [-]
{address space usage: 1 bytes/0MB} [pid: 1|app: 0|req: 1/1] 10.0.1.1 () {32 vars} GET /accounts/is_login/
"""
PLAIN = """\
[uWSGI] getting INI configuration from /data/bkce/etc/uwsgi-open_paas-login.ini
[pid: 15|app: 0|req: 3/7] 127.0.0.1 () {36 vars in 449 bytes} [Mon Jul 30 09:47:28 2018] GET /accounts/is_login/?bk_token=Pl4nted-token => generated 84 bytes in 5 msecs (HTTP/1.0 200) 3 headers in 110 bytes (1 switches on core 0)
{address space usage: 301 bytes/287MB} {rss usage: 50 bytes/48MB} [pid: 15|app: 0|req: 4/8] 10.0.1.3 () {34 vars in 420 bytes} [Mon Jul 30 09:47:29 2018] GET /login/accounts/get_user/?bk_token=x => generated 0 bytes in 3100 msecs (HTTP/1.1 500) 2 headers in 88 bytes (1 switches on core 0)
[pid: 16|app: 0|req: 5/9] 127.0.0.1 () {36 vars in 449 bytes} [Mon Jul 30 09:47:31 2018] GET /accounts/is_login/?bkpaas-acceptance=0123456789ab => generated 84 bytes in 2 msecs (HTTP/1.0 200) 3 headers in 110 bytes (1 switches on core 0)
"""
LOG = f"{recorded.HOME}/logs/open_paas/login_uwsgi.log"


def test_calls_and_how_they_came():
    access = login_access({"uwsgi-log-login": [recorded.entry(LOG, LINES)]}, later=True, secrets=Secrets())
    assert [(call.peer, call.route, call.status, call.milliseconds) for call in access.calls] == [
        ("10.0.1.1", "nginx", 200, 12),
        ("10.0.1.3", "ESB", 500, 3100),
        ("10.0.1.3", "direct", 200, 5),
        ("10.0.1.1", "nginx", 200, 2),
    ]
    assert access.calls[0].time == recorded.NOW
    assert access.probes == ("bkpaas-acceptance/0123456789ab",), "only a request for is_login shows the path"
    assert "Pl4nted" not in repr(access)


def test_uwsgi_without_a_log_format():
    access = login_access({"uwsgi-log-login": [recorded.entry(LOG, PLAIN)]}, later=True, secrets=Secrets())
    assert [(call.peer, call.route, call.status, call.milliseconds) for call in access.calls] == [
        ("127.0.0.1", "nginx", 200, 5),
        ("10.0.1.3", "ESB", 500, 3100),
        ("127.0.0.1", "nginx", 200, 2),
    ]
    assert access.calls[0].time == recorded.NOW
    assert access.probes == ("bkpaas-acceptance/0123456789ab",)
    assert (access.requests, access.unparsed) == (3, 0)
    assert "Pl4nted" not in repr(access)


def test_our_request_is_found_in_any_format():
    line = "2018-07-30T09:47:31 127.0.0.1 /accounts/is_login/?bkpaas-acceptance=0123456789ab 200"
    access = login_access({"uwsgi-log-login": [recorded.entry(LOG, line)]}, later=True, secrets=Secrets())
    assert access.probes == ("bkpaas-acceptance/0123456789ab",)
    assert (access.calls, access.requests, access.unparsed) == ((), 0, 1)


def test_since_when_a_long_log_was_read():
    assert (
        login_access({"uwsgi-log-login": [recorded.entry(LOG, LINES)]}, later=True, secrets=Secrets()).since
        is None
    )
    cut = recorded.entry(LOG, LINES.partition("MODE")[2], offset=4711)
    assert login_access({"uwsgi-log-login": [cut]}, later=True, secrets=Secrets()).since == recorded.NOW


def test_only_the_second_visit_can_show_the_request():
    def probes(one, two):
        return HostView(host_facts(recorded.host(), recorded.visit(one, two), Secrets(b"k"))).login_access

    one, two = recorded.first(), recorded.second()
    one["tails"]["uwsgi-log-login"] = [recorded.entry(LOG, "")]
    assert (probes(one, two).probes, probes(one, two).later) == ((), False)
    two["tails"] = {"uwsgi-log-login": [recorded.entry(LOG, LINES)]}
    assert (len(probes(one, two).probes), probes(one, two).later) == (1, True)
    two["tails"] = {"uwsgi-log-login": [recorded.entry(LOG, error="Permission denied")]}
    assert [*map(to_text, probes(one, two).problems)] == [f"{LOG}: Permission denied"]


def test_hostile_lines_cost_little():
    lines = [
        "[" * 5000,
        "[a] [Mon Jul 30 09:47:28 2018] [GET] [" + "] [" * 5000,
        "[a] [M" + " " * 30 + "] [GET]",
    ]
    assert (
        login_access(
            {"uwsgi-log-login": [recorded.entry(LOG, "\n".join(lines))]}, later=True, secrets=Secrets()
        ).calls
        == ()
    )
