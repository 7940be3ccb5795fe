"""The opt-in full login: the form, the password once, and whether what it gives is worth anything.

It writes what every login writes: a session, a token, a line of history. Nothing that it was given or got is kept.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import requests
from msgspec import Struct
from requests.cookies import RequestsCookieJar

from bkpaas.collect.certificate import trusted
from bkpaas.collect.probes import REDIRECTS, entrance, kind_of, read_body, session_at
from bkpaas.facts.access import PROBE
from bkpaas.facts.host import HostFacts
from bkpaas.facts.login import LoginTrial, LoginTrouble
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.uwsgi import service_endpoint
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment
from bkpaas.lang import say

MOST_LOGINS = 8
TRIAL_SECONDS = 60.0
"""No further login is begun after that."""
TOKEN = "bk_token"
ANSWER_PARTS = 3
"""An answer may take so many times limits.request_seconds: to connect, until it begins, and until it ends."""
_SAID_LENGTH = 200


class _Reply(Struct):
    """What is kept of an HTTP response."""

    status_code: int
    headers: Mapping[str, str]
    cookies: RequestsCookieJar
    text: str
    """At most limits.body_bytes of the body."""


class Credentials(Struct, frozen=True):
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.user!r})"


def try_login(
    deployment: Deployment, credentials: Credentials, hosts: Mapping[str, HostFacts], secrets: Secrets
) -> LoginTrial:
    """Log in twice as often as there are paas hosts; a refused password or a failed login ends it."""
    trial = _Trial(deployment, credentials, hosts, secrets)
    ends = time.monotonic() + TRIAL_SECONDS
    for _ in range(min(MOST_LOGINS, 2 * max(1, len(deployment.having("paas"))))):
        token = trial.log_in()
        if token is None:
            break
        trial.verify(token)
        if time.monotonic() > ends:
            break
    return trial.result()


class _Trial:
    def __init__(
        self,
        deployment: Deployment,
        credentials: Credentials,
        hosts: Mapping[str, HostFacts],
        secrets: Secrets,
    ) -> None:
        self.deployment, self.credentials, self.secrets = deployment, credentials, secrets
        self.address = entrance(deployment)
        self.seconds = deployment.limits.request_seconds
        self.logins = 0
        self.refused: str | None = None
        self.troubles: list[LoginTrouble] = []
        self.unasked: set[str] = set()
        self.places = {
            paas.name: service_endpoint("login", paas, deployment, hosts.get(paas.name))
            for paas in deployment.having("paas")
        }

    def log_in(self) -> str | None:
        """A new token; None when there is none, with the reason noted."""
        url = self.deployment.url(f"/login/?c_url={platform.PLATFORM_PATH}")
        page = self._ask("form", "GET", url)
        if page is None:
            return None
        fields = _form(page.text)
        if page.status_code != 200 or fields is None:
            self._note("form", url, f"HTTP {page.status_code}, " + say(en="no login form", zh="没有登录表单"))
            return None
        given = fields | {"username": self.credentials.user, "password": self.credentials.password}
        cookies = "; ".join(
            f"{cookie.name}={cookie.value}" for cookie in page.cookies if cookie.name != TOKEN
        )
        answer = self._ask("password", "POST", url, data=given, headers={"Cookie": cookies, "Referer": url})
        if answer is None:
            return None
        if answer.status_code == 200 and _form(answer.text) is not None:
            self.refused = say(en="the form came back", zh="返回登录表单")
            return None
        token = answer.cookies.get(TOKEN)
        if answer.status_code not in REDIRECTS or not token:
            given_cookie = TOKEN in answer.headers.get("Set-Cookie", "")
            why = say(
                en="its cookie is not for this domain" if given_cookie else "no cookie with a token",
                zh="cookie 的域不是当前域名" if given_cookie else "没有返回登录态 cookie",
            )
            self._note("password", url, f"HTTP {answer.status_code}, {why}")
            return None
        self.logins += 1
        return str(token)

    def verify(self, token: str) -> None:
        """At once, since a refused token heals: by every paas host itself, then as an application would see it."""
        for name, (address, port) in self.places.items():
            self._is_good(f"http://{address}:{port}/accounts/is_login/", token, name)
        for _ in range(2 * max(1, len(self.places))):
            self._is_good(self.deployment.url(platform.IS_LOGIN_PATH), token, None)
            url = self.deployment.url(platform.PLATFORM_PATH)
            answer = self._ask("platform", "GET", url, headers={"Cookie": f"{TOKEN}={token}"})
            if answer is not None and (answer.status_code != 200 or _form(answer.text) is not None):
                where = answer.headers.get("Location", "").partition("?")[0]
                self._note("platform", url, f"HTTP {answer.status_code} {where}".strip())

    def _is_good(self, url: str, token: str, host: str | None) -> None:
        try:
            answer = self._request("GET", url, params={TOKEN: token})
        except requests.ConnectionError:
            if host is not None:
                self.unasked.add(host)  # the controller may not reach it; what ails it others tell
                return
            answer = None
        except requests.RequestException:
            answer = None
        if answer is None:
            self._note("token", url, say(en="no answer", zh="无应答"))
            return
        try:
            said = json.loads(answer.text)
        except (ValueError, RecursionError):
            said = {}
        if not isinstance(said, dict) or said.get("result") is not True:
            message = said.get("message") if isinstance(said, dict) else None
            self._note("token", url, f"HTTP {answer.status_code} {message or ''}".strip(), token)

    def _ask(self, step: str, method: str, url: str, **options: Any) -> _Reply | None:
        try:
            return self._request(method, url, **options)
        except requests.RequestException as error:
            self._note(step, url, kind_of(error))  # its text may hold the token
            return None

    def _request(self, method: str, url: str, **options: Any) -> _Reply:
        """Send a request in a thread of its own: requests limits the time between two bytes, not that of an answer.

        Raises requests.RequestException.
        """
        replies: list[_Reply | requests.RequestException] = []

        def send() -> None:
            try:
                replies.append(self._sent(method, url, **options))
            except requests.RequestException as error:
                replies.append(error)
            except Exception as error:  # its text may hold the token
                replies.append(requests.RequestException(type(error).__name__))

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        thread.join(ANSWER_PARTS * self.seconds)
        if not replies:
            raise requests.ReadTimeout
        if isinstance(replies[0], requests.RequestException):
            raise replies[0]
        return replies[0]

    def _sent(self, method: str, url: str, **options: Any) -> _Reply:
        # The connection goes to an address, so that the name must be given.
        named = {"User-Agent": PROBE + "login", "Host": urlsplit(url).netloc, "Accept-Encoding": "identity"}
        with (
            session_at(self.address, self.deployment.domain) as session,
            session.request(
                method,
                url,
                headers={**named, **options.pop("headers", {})},
                timeout=self.seconds,
                allow_redirects=False,
                stream=True,
                verify=trusted(self.deployment.ca_file),
                **options,
            ) as answer,
        ):
            body, _ = read_body(answer, time.monotonic() + self.seconds, self.deployment.limits.body_bytes)
            return _Reply(answer.status_code, answer.headers, answer.cookies, body.decode("utf-8", "replace"))

    def _note(self, step: str, url: str, said: str, token: str = "") -> None:
        for secret in filter(None, (token, self.credentials.password)):
            said = said.replace(secret, "***")
        trouble = LoginTrouble(step, url.partition("?")[0], self.secrets.cut(said, _SAID_LENGTH))
        if trouble not in self.troubles:
            self.troubles.append(trouble)

    def result(self) -> LoginTrial:
        return LoginTrial(
            user=self.credentials.user,
            logins=self.logins,
            refused=self.refused,
            troubles=tuple(self.troubles),
            asked=tuple(name for name in self.places if name not in self.unasked and self.logins),
            unasked=tuple(sorted(self.unasked)),
        )


class _Forms(HTMLParser):
    """The fields of each form with their values."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and self.forms and (name := given.get("name")):
            self.forms[-1][name] = given.get("value") or ""


def _form(page: str) -> dict[str, str] | None:
    """The fields of the form that asks for a user name and a password."""
    parser = _Forms()
    parser.feed(page)
    return next((form for form in parser.forms if {"username", "password"} <= set(form)), None)
