"""Ask bkiam whether it works, and find the pages of the developer center that failed because of it."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from bkpaas.facts import raw
from bkpaas.facts.access import request_line
from bkpaas.facts.exceptions import FailedRoute, RequestLine, failed_routes
from bkpaas.facts.file import Files, content, file_fact
from bkpaas.facts.missing import Fact, Missing
from bkpaas.facts.names import unresolved
from bkpaas.facts.query import Earlier, HttpName, Query, TailName, http_get
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.settings import SettingsByProject, location_host
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

IAM_SETTING = "HOST_IAM_NEW"
"""The setting of paas with the address of bkiam, without a scheme. Source: legacy-bk-paas, bkauth/constants.py."""
_HEALTHZ = "/healthz"
"""It tries the databases and redis: ok, or HTTP 500 with the reason. Source: bk-iam, api/basic/handler/healthz.go."""
_EXCEPTION = "iam.exceptions."
"""Start of the exceptions of bkiam's client library."""
_ROUTE_LENGTH = 120
_EXCEPTION_LENGTH = 250


class IamFailures(Fact, frozen=True):
    """Hold the requests of paas that end in an exception of bkiam's client library, since paas was loaded."""

    failed: tuple[FailedRoute, ...]
    files: tuple[str, ...] = ()
    """The logs that were read."""
    problems: tuple[Message | str, ...] = ()
    """Logs that could not be read."""


def iam_failures(tails: Files, secrets: Secrets) -> IamFailures:
    """Parse the ends of paas's log of requests."""
    entries = tails.get(TailName.UWSGI_LOG.of("paas"), [])
    texts = [content(entry) or "" for entry in reversed(entries)]
    errors = ((file_fact(entry).path, raw.reason(entry.get("error"))) for entry in entries)
    return IamFailures(
        failed=tuple(
            FailedRoute(
                route=secrets.truncate(route.route, _ROUTE_LENGTH),
                status=route.status,
                times=route.times,
                calls=route.calls,
                exception=_exception(route.exception, secrets),
            )
            for route in failed_routes(texts, _page)
            if route.exception.startswith(_EXCEPTION)
        ),
        files=tuple(file_fact(entry).path for entry in entries if content(entry) is not None),
        problems=tuple(msg("{path}: {reason}", path=path, reason=error) for path, error in errors if error),
    )


def _page(line: str) -> RequestLine | None:
    """Return a request that was answered with a page or an error: a redirect to the login form asks bkiam nothing."""
    request = request_line(line)
    return request if request and (request.status == HTTPStatus.OK or request.status >= 500) else None


def _exception(text: str, secrets: Secrets) -> str:
    """Return `NAME (MESSAGE)`: in `AuthAPIError: WORD` the word would be taken for a secret."""
    name, _, message = text.partition(": ")
    return f"{name} ({secrets.truncate(message, _EXCEPTION_LENGTH)})"


def iam_address(settings: SettingsByProject | Missing) -> str:
    """Return the address of bkiam in the settings of paas, as `host:port`; empty without one."""
    project = None if isinstance(settings, Missing) else settings.by_project.get("paas")
    value = project.values.get(IAM_SETTING) if project else None
    address = value.value if value else None
    if not isinstance(address, str) or not location_host(address) or "/" in address or "@" in address:
        return ""
    return address.strip()


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Request bkiam's healthz once from each 6.x paas host that has the developer center."""
    if earlier is None or deployment.generation == "5.x" or not entry.has_role("paas"):
        return
    if not platform.has_project(entry, "paas"):
        return
    if address := iam_address(earlier.hosts[entry.name].settings):
        yield http_get(
            deployment,
            HttpName.IAM.value,
            f"http://{address}{_HEALTHZ}",
            seconds=deployment.limits.healthz_seconds,
        )
        yield from unresolved([location_host(address)], deployment)
