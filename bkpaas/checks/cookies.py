"""Find the settings with which a browser drops the cookies of a session, or the session ends at the next request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bkpaas.checks.case import CaseMessage, case
from bkpaas.checks.login import setting
from bkpaas.facts import HostView, Value
from bkpaas.inventory.deployment import Deployment

WITH_BROWSERS = {"login": "/login/", "paas": "/", "console": "/console/"}
"""Projects that answer to browsers, and where."""
DOMAINS = ("SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_DOMAIN")
PATHS = ("SESSION_COOKIE_PATH", "CSRF_COOKIE_PATH")
AGES = ("BK_COOKIE_AGE", "BK_INACTIVE_COOKIE_AGE", "SESSION_COOKIE_AGE")
"""Seconds after which a login, an idle login or a session ends."""
LEAST_SECONDS = 120
"""A shorter session ends while a user reads a page or fills in a form."""
INACTIVE, INTERVAL = "BK_INACTIVE_COOKIE_AGE", "BK_INACTIVE_UPDATE_INTERVEL"
"""login writes the time of the last use at most once in the interval, with its spelling."""


class CookieProblem(NamedTuple):
    """Represent a setting of a project that ends sessions."""

    project: str
    name: str
    case: CaseMessage
    where: str


def cookie_problems(host: HostView, deployment: Deployment) -> Iterator[CookieProblem]:
    """Yield the settings of a host that end sessions. Raises NoData if a value cannot be known."""
    for project, path in WITH_BROWSERS.items():
        for name in DOMAINS:
            value, where = setting(host, project, name)
            if _text(value) and not _covers(_text(value), deployment.domain):
                yield CookieProblem(
                    project, name, _problem("other-domain", project, name, value, where), where
                )
        for name in PATHS:
            value, where = setting(host, project, name)
            if _text(value) and not _leads_to(_text(value), path):
                yield CookieProblem(project, name, _problem("other-path", project, name, value, where), where)
        interval, _ = setting(host, project, INTERVAL)
        for name in AGES:
            value, where = setting(host, project, name)
            age = _seconds(value)
            if age is None:
                continue
            longer = age > (_seconds(interval) or 0) if name == INACTIVE and project == "login" else True
            if age < LEAST_SECONDS or not longer:
                yield CookieProblem(project, name, _problem("too-short", project, name, value, where), where)


def _problem(kind: str, project: str, name: str, value: Value | None, where: str) -> CaseMessage:
    text = value.text if value is not None else ""
    if kind == "other-domain":
        return case(
            "other-domain",
            "{where}: {name} = {text}: a browser drops the cookie of {projects}, and no session lasts",
            where=where,
            name=name,
            text=text,
            projects=project,
        )
    if kind == "other-path":
        return case(
            "other-path",
            "{where}: {name} = {text}: a browser does not send the cookie to the pages of {projects}",
            where=where,
            name=name,
            text=text,
            projects=project,
        )
    return case(
        "too-short",
        "{where}: {name} of {projects} = {text} (limit {limit} s; for an idle login more than {interval} as well)",
        where=where,
        name=name,
        text=text,
        projects=project,
        limit=LEAST_SECONDS,
        interval=INTERVAL,
    )


def _text(value: Value | None) -> str:
    return value.value if value is not None and isinstance(value.value, str) else ""


def _seconds(value: Value | None) -> int | None:
    number = value.value if value is not None else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _covers(written: str, domain: str) -> bool:
    covered = written.lstrip(".").lower()
    return f".{domain.lower()}".endswith(f".{covered}")


def _leads_to(written: str, path: str) -> bool:
    """Return whether a cookie with this path is sent to the pages of a project. Source: RFC 6265, 5.1.4."""
    return path == written or path.startswith(written if written.endswith("/") else f"{written}/")
