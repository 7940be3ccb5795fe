"""The full login: one attempt, tokens checked immediately, no trace of a secret in what is kept."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import msgspec
import pytest

from bkpaas.collect.login import Credentials, try_login
from bkpaas.facts import Secrets
from bkpaas.inventory.deployment import Connection, Deployment, Host, Limits

FORM = (
    "<form id='language'><input name='x'></form><form><input name='csrfmiddlewaretoken' value='c1'>"
    "<input name='username'><input name='password' type='password'><input name='next' value=''></form>"
)
TOKEN = "Pl4nted-t0ken"
PASSWORD = "Pl4nted-pass"


class Login(BaseHTTPRequestHandler):
    """The parts of login and the platform that a login needs; `server.fault` names what is broken."""

    def do_GET(self):
        self.server.seen.append(("GET", self.path.partition("?")[0], self.headers.get("Cookie") or ""))
        if self.server.fault in ("flood", "drip"):
            self.endless(b"x" * 65536 if self.server.fault == "flood" else b"x")
        elif self.path.startswith("/login/?"):
            self.answer(200, FORM, ("Set-Cookie", "bklogin_csrftoken=c1; Path=/"))
        elif "is_login" in self.path:
            good = self.server.fault != "skew" and self.path.endswith(f"bk_token={TOKEN}")
            self.answer(200, f'{{"result": {str(good).lower()}, "message": "said of {TOKEN}"}}')
        elif self.server.fault == "loop":
            self.answer(302, "", ("Location", f"/login/?c_url=/&bk_token={TOKEN}"))
        else:
            self.answer(200, "<h1>platform</h1>")

    def do_POST(self):
        given = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.seen.append(("POST", self.path.partition("?")[0], self.headers.get("Cookie") or ""))
        right = given.get("password") == [PASSWORD] and given.get("csrfmiddlewaretoken") == ["c1"]
        if not right:
            self.answer(200, FORM)
        elif self.server.fault == "error":
            self.answer(500, "Internal Server Error")
        else:
            domain = "; Domain=.bk.com" if self.server.fault == "cookie" else ""
            self.answer(
                302, "", ("Location", "/platform/"), ("Set-Cookie", f"bk_token={TOKEN}; Path=/{domain}")
            )

    def endless(self, piece):
        """Send a gigabyte, or a little of it now and then, until the client has closed the connection."""
        self.send_response(200)
        self.send_header("Content-Length", str(10**9))
        self.end_headers()
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 10**9 and not self.server.over.wait(0 if len(piece) > 1 else 0.02):
                self.wfile.write(piece)
                sent += len(piece)
        self.server.sent = sent
        self.server.ended.set()

    def answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Login) as one:
        one.fault, one.seen, one.sent = None, [], 0
        one.over, one.ended = threading.Event(), threading.Event()
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield one
        one.over.set()
        one.shutdown()
        thread.join()


def tried(server, password=PASSWORD, **limits):
    port = server.server_address[1]
    paas = Host("paas-1", "127.0.0.1", ("paas",), Connection("local://"))
    deployment = Deployment(
        "x", "5.x", (paas,), "127.0.0.1", port=port, ports={"login": port}, limits=Limits(**limits)
    )
    trial = try_login(deployment, Credentials("admin", password), {}, Secrets(b"k"))
    kept = msgspec.json.encode(trial).decode()
    assert TOKEN not in kept and PASSWORD not in kept and PASSWORD not in repr(Credentials("admin", PASSWORD))
    login_pages = [cookie for _, path, cookie in server.seen if path == "/login/"]
    assert not any("bk_token" in cookie for cookie in login_pages), "this would log the user out"
    return trial


def test_a_good_login_is_repeated(server):
    trial = tried(server)
    assert (trial.logins, trial.refused, trial.failures, trial.verified_on) == (2, None, (), ("paas-1",))


def test_a_refused_password_is_not_tried_again(server):
    trial = tried(server, "wrong")
    assert trial.refused and not trial.logins and not trial.verified_on
    assert [method for method, _, _ in server.seen] == ["GET", "POST"]


@pytest.mark.parametrize(
    ("fault", "step", "text"),
    [
        ("error", "password", "HTTP 500"),
        ("cookie", "password", "not for this domain"),
        ("skew", "token", "said of ***"),
        ("loop", "platform", "HTTP 302 /login/"),
    ],
)
def test_a_failure_is_reported(server, fault, step, text):
    server.fault = fault
    failures = tried(server).failures
    assert {failure.step for failure in failures} == {step}
    assert all(text in str(failure.message) for failure in failures)


def test_body_without_end_is_not_read(server):
    server.fault = "flood"
    assert {failure.step for failure in tried(server).failures} == {"form"}
    assert server.ended.wait(240) and server.sent < 10**8


def test_body_that_drips_does_not_hold_up_the_run(server):
    server.fault = "drip"
    assert {failure.step for failure in tried(server, request_seconds=0.3).failures} == {"form"}


def test_each_paas_host_is_logged_in_at_with_the_name_of_the_domain(server):
    tried(server)
    hosts = [path for method, path, _ in server.seen if method == "POST"]
    assert len(hosts) == 2, "once at the host, once through the domain"


def test_a_paas_host_that_the_controller_does_not_reach_is_not_a_failure(server):
    port = server.server_address[1]
    paas = Host("paas-1", "127.0.0.1", ("paas",), Connection("local://"))
    far = Host("paas-2", "127.0.0.2", ("paas",), Connection("local://"))
    deployment = Deployment("x", "5.x", (paas, far), "127.0.0.1", port=port, ports={"login": port})
    trial = try_login(deployment, Credentials("admin", PASSWORD), {}, Secrets(b"k"))
    assert trial.failures == () and trial.unreached == ("paas-2",) and trial.logins == 3
