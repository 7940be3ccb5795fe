"""Helpers of the checks of login: its answer to a request without a token, and its settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from bkpaas.checks.case import CaseMessage, case, connection_case
from bkpaas.checks.finding import Finding
from bkpaas.checks.phrases import labelled, no_answer
from bkpaas.facts import Answer, HostView, Value, is_login_refusal
from bkpaas.facts.healthz import body_text
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import Message, msg

BEHIND_THE_DOMAIN = ("nginx", "paas", "mysql")
"""Roles of the hosts that a request for login passes."""


def check_refusal(
    answer: Answer, finding: Finding, *, through: str | None = None, deployment: Deployment | None = None
) -> None:
    """Assert that login itself answers that the token is missing; the body decides, never the status.

    Args:
        answer: to a request without a token.
        finding: of the check; it gets evidence, remedy values and the hosts that the request passes.
        through: the service in front of login; if it does not answer either, nothing behind it explains that.
        deployment: of the request; None if the request does not leave the host.
    """
    finding.set_remedy_values(url=answer.url, port=urlsplit(answer.url).port or 80)
    finding.add_evidence(f"{answer.url}: {answer.peer or ''} HTTP {answer.status}")
    cut_off = not answer.ok and answer.error_kind != "silent"
    if through and cut_off:
        finding.affects_services([through])
    if deployment is not None:
        roles = ("nginx",) if cut_off else BEHIND_THE_DOMAIN
        finding.depends_on_hosts(host.name for host in deployment.hosts_with(*roles))
    if not answer.ok:
        raise AssertionError(connection_case(answer.error_kind, _no_answer(answer), url=answer.url))
    assert is_login_refusal(answer), _other_answer(answer)


def _no_answer(answer: Answer) -> Message:
    problem = no_answer(answer.error_kind)
    if answer.error_text:
        return msg("{url}: {problem} ({error})", url=answer.url, problem=problem, error=answer.error_text)
    return labelled(answer.url, problem)


def _other_answer(answer: Answer) -> CaseMessage:
    """Return the case of an answer that is not from login."""
    signs = [f"{name}: {answer.headers[name]}" for name in _SIGNS if name in answer.headers]
    text = msg(
        "{url}: the answer is not from login ({sender}): {body}",
        url=answer.url,
        sender=", ".join([f"HTTP {answer.status}", answer.peer or "", *signs]),
        body=body_text(answer, 200),
    )
    if answer.status is not None and answer.status >= 500:
        return case("5xx", text, url=answer.url, status=answer.status)
    return case("wrong-body", text, url=answer.url)


_SIGNS = ("server", "via", "x-cache", "x-squid-error", "proxy-connection", "location")
"""Headers that identify a proxy or another server."""


def setting(host: HostView, project: str, name: str) -> tuple[Value | None, str]:
    """Return (a value of a project's settings, its file:line), or (None, "") if it is not set."""
    settings = host.settings.by_project.get(project)
    value = settings.get(name) if settings else None
    return value, f"{value.file}:{value.line}" if value else ""
