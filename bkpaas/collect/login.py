"""Try the full login, opt-in: get the form, send the password, verify the token.

It writes what every login writes: a session, a token, a line of history. Password and token are not stored.
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

from bkpaas.collect.certificate import verify_option
from bkpaas.collect.probes import domain_address, error_kind, read_body, session_at
from bkpaas.facts.access import PROBE
from bkpaas.facts.host import HostFacts
from bkpaas.facts.login import LoginFailure, LoginTrial
from bkpaas.facts.query import REDIRECTS
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.uwsgi import service_endpoint
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import Message, msg, redacted

MAX_LOGINS = 8
TRIAL_SECONDS = 60.0
"""No login starts after this time."""
TOKEN = "bk_token"
ANSWER_PARTS = 3
"""Phases of a request that each may take limits.request_seconds: connect, first byte, rest of the answer."""
MESSAGE_LENGTH = 200


class _Reply(Struct):
    """Hold the used parts of an HTTP response."""

    status_code: int
    headers: Mapping[str, str]
    cookies: RequestsCookieJar
    text: str
    """The body, up to limits.body_bytes."""


class Credentials(Struct, frozen=True):
    """Hold the account of the login trial."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.user!r})"


def try_login(
    deployment: Deployment, credentials: Credentials, hosts: Mapping[str, HostFacts], secrets: Secrets
) -> LoginTrial:
    """Log in at each paas host and as often through the domain; a refused password ends it.

    nginx chooses the host of a login through the domain, so that several of them may meet the same host.
    """
    trial = _Trial(deployment, credentials, hosts, secrets)
    deadline = time.monotonic() + TRIAL_SECONDS
    direct = list(trial.endpoints)[: MAX_LOGINS // 2]
    targets: list[str | None] = [*direct, *[None] * max(1, len(direct))]
    for target in targets:
        token = trial.log_in(target)
        if trial.refused is not None or time.monotonic() > deadline:
            break
        if token is not None:
            trial.verify(token)
        elif target is None:
            break
    return trial.result()


class _Trial:
    """Run the logins of a trial and record their failures."""

    def __init__(
        self,
        deployment: Deployment,
        credentials: Credentials,
        hosts: Mapping[str, HostFacts],
        secrets: Secrets,
    ) -> None:
        self.deployment, self.credentials, self.secrets = deployment, credentials, secrets
        self.address = domain_address(deployment)
        self.seconds = deployment.limits.request_seconds
        self.logins = 0
        self.refused: Message | str | None = None
        self.failures: list[LoginFailure] = []
        self.unreached: set[str] = set()
        self.endpoints = {
            paas.name: service_endpoint("login", paas, deployment, hosts.get(paas.name))
            for paas in deployment.hosts_with("paas")
        }

    def log_in(self, host: str | None) -> str | None:
        """Log in once, at the port of a paas host or through the domain; return the token.

        None with the failure recorded, or with the host among the unreached.
        """
        url, own = self.deployment.url(f"/login/?c_url={platform.PLATFORM_PATH}"), dict[str, str]()
        if host is not None:
            address, port = self.endpoints[host]
            own = {"Host": self.deployment.domain}
            url = f"http://{address}:{port}/login/?c_url={platform.PLATFORM_PATH}"
        try:
            page = self._request("GET", url, headers=own)
        except requests.ConnectionError as error:
            if host is not None:
                self.unreached.add(
                    host
                )  # it may be unreachable from the controller; other conditions report it
                return None
            self._record_failure("form", url, error_kind(error))
            return None
        except requests.RequestException as error:
            self._record_failure("form", url, error_kind(error))
            return None
        fields = _find_login_form(page.text)
        if page.status_code != 200 or fields is None:
            self._record_failure("form", url, msg("HTTP {status}, no login form", status=page.status_code))
            return None
        form = fields | {"username": self.credentials.user, "password": self.credentials.password}
        cookies = "; ".join(
            f"{cookie.name}={cookie.value}" for cookie in page.cookies if cookie.name != TOKEN
        )
        reply = self._try_request(
            "password", "POST", url, data=form, headers={**own, "Cookie": cookies, "Referer": url}
        )
        if reply is None:
            return None
        if reply.status_code == 200 and _find_login_form(reply.text) is not None:
            self.refused = msg("the form came back")
            return None
        token = reply.cookies.get(TOKEN)
        if reply.status_code not in REDIRECTS or not token:
            cookie_sent = TOKEN in reply.headers.get("Set-Cookie", "")
            if cookie_sent:
                cause = msg("HTTP {status}, its cookie is not for this domain", status=reply.status_code)
            else:
                cause = msg("HTTP {status}, no cookie with a token", status=reply.status_code)
            self._record_failure("password", url, cause)
            return None
        self.logins += 1
        return str(token)

    def verify(self, token: str) -> None:
        """Verify a new token without delay, since a refusal may be temporary: at each paas host, then at the domain."""
        for name, (address, port) in self.endpoints.items():
            self._check_token(f"http://{address}:{port}/accounts/is_login/", token, name)
        for _ in range(2 * max(1, len(self.endpoints))):
            self._check_token(self.deployment.url(platform.IS_LOGIN_PATH), token, None)
            url = self.deployment.url(platform.PLATFORM_PATH)
            reply = self._try_request("platform", "GET", url, headers={"Cookie": f"{TOKEN}={token}"})
            if reply is not None and (reply.status_code != 200 or _find_login_form(reply.text) is not None):
                location = reply.headers.get("Location", "").partition("?")[0]
                self._record_failure("platform", url, f"HTTP {reply.status_code} {location}".strip())

    def _check_token(self, url: str, token: str, host: str | None) -> None:
        try:
            reply = self._request("GET", url, params={TOKEN: token})
        except requests.ConnectionError:
            if host is not None:
                self.unreached.add(
                    host
                )  # it may be unreachable from the controller; other conditions report it
                return
            reply = None
        except requests.RequestException:
            reply = None
        if reply is None:
            self._record_failure("token", url, msg("no answer"))
            return
        try:
            answer_body = json.loads(reply.text)
        except (ValueError, RecursionError):
            answer_body = {}
        if not isinstance(answer_body, dict) or answer_body.get("result") is not True:
            message = answer_body.get("message") if isinstance(answer_body, dict) else None
            self._record_failure("token", url, f"HTTP {reply.status_code} {message or ''}".strip(), token)

    def _try_request(self, step: str, method: str, url: str, **options: Any) -> _Reply | None:
        try:
            return self._request(method, url, **options)
        except requests.RequestException as error:
            self._record_failure(step, url, error_kind(error))  # its text may contain the token
            return None

    def _request(self, method: str, url: str, **options: Any) -> _Reply:
        """Send a request in a thread, since requests limits the time between two bytes, not the total.

        Raises requests.RequestException.
        """
        replies: list[_Reply | requests.RequestException] = []

        def send() -> None:
            try:
                replies.append(self._send(method, url, **options))
            except requests.RequestException as error:
                replies.append(error)
            except Exception as error:  # its text may contain the token
                replies.append(requests.RequestException(type(error).__name__))

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        thread.join(ANSWER_PARTS * self.seconds)
        if not replies:
            raise requests.ReadTimeout
        if isinstance(replies[0], requests.RequestException):
            raise replies[0]
        return replies[0]

    def _send(self, method: str, url: str, **options: Any) -> _Reply:
        # The connection uses an address, so the Host header has to carry the name.
        headers = {"User-Agent": PROBE + "login", "Host": urlsplit(url).netloc, "Accept-Encoding": "identity"}
        with (
            session_at(self.address, self.deployment.domain) as session,
            session.request(
                method,
                url,
                headers={**headers, **options.pop("headers", {})},
                timeout=self.seconds,
                allow_redirects=False,
                stream=True,
                verify=verify_option(self.deployment.ca_file),
                **options,
            ) as response,
        ):
            body, _ = read_body(response, time.monotonic() + self.seconds, self.deployment.limits.body_bytes)
            return _Reply(
                response.status_code, response.headers, response.cookies, body.decode("utf-8", "replace")
            )

    def _record_failure(self, step: str, url: str, message: Message | str, token: str = "") -> None:
        def redact(text: str) -> str:
            for secret in filter(None, (token, self.credentials.password)):
                text = text.replace(secret, "***")
            return self.secrets.truncate(text, MESSAGE_LENGTH)

        failure = LoginFailure(step, url.partition("?")[0], redacted(message, redact))
        if failure not in self.failures:
            self.failures.append(failure)

    def result(self) -> LoginTrial:
        return LoginTrial(
            user=self.credentials.user,
            logins=self.logins,
            refused=self.refused,
            failures=tuple(self.failures),
            verified_on=tuple(name for name in self.endpoints if name not in self.unreached and self.logins),
            unreached=tuple(sorted(self.unreached)),
        )


class _FormParser(HTMLParser):
    """Parse the fields of each form with their values."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and self.forms and (name := values.get("name")):
            self.forms[-1][name] = values.get("value") or ""


def _find_login_form(page: str) -> dict[str, str] | None:
    """Return the fields of the form with a user name and a password, or None."""
    parser = _FormParser()
    parser.feed(page)
    return next((form for form in parser.forms if {"username", "password"} <= set(form)), None)
