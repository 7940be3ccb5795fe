"""What several conditions on login share: its answer to a request without a token, and its settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from bkpaas.facts import Answer, HostView, Value, is_login_refusal
from bkpaas.inventory.deployment import Deployment
from bkpaas.lang import say
from bkpaas.suite.cases import Finding
from bkpaas.suite.words import no_answer

BEHIND_THE_DOMAIN = ("nginx", "paas", "mysql")
"""Roles whose hosts a request for login needs."""


def judge_refusal(
    answer: Answer, finding: Finding, *, through: str | None = None, deployment: Deployment | None = None
) -> None:
    """Passes when login itself says that the token is missing: the body tells, never the status.

    through: what stands between, in this deployment; when not even that answers, what is ill behind it cannot
    account for it.
    """
    finding.fill(url=answer.url, port=urlsplit(answer.url).port or 80)
    finding.saw(f"{answer.url}: {answer.peer or ''} HTTP {answer.status}")
    cut_off = not answer.ok and answer.error_kind != "silent"
    if through and cut_off:
        finding.concerns([through])
    if deployment is not None:
        roles = ("nginx",) if cut_off else BEHIND_THE_DOMAIN
        finding.needs(host.name for host in deployment.having(*roles))
    said = f" ({answer.error_text})" if answer.error_text else ""
    assert answer.ok, f"{answer.url}: {no_answer(answer.error_kind)}{said}"
    assert is_login_refusal(answer), _strange(answer)


def _strange(answer: Answer) -> str:
    """Who answered instead, as far as it tells."""
    signs = [f"{name}: {answer.headers[name]}" for name in _SIGNS if name in answer.headers]
    body = " ".join(answer.body.split())[:200]
    who = ", ".join([f"HTTP {answer.status}", answer.peer or "", *signs])
    return say(
        en=f"{answer.url}: it is not login that answers ({who}): {body or 'an empty body'}",
        zh=f"{answer.url}：应答的不是 login（{who}）：{body or '空响应'}",
    )


_SIGNS = ("server", "via", "x-cache", "x-squid-error", "proxy-connection", "location")
"""Headers that tell of a proxy or another server."""


def setting(host: HostView, project: str, name: str) -> tuple[Value | None, str]:
    """A value of a project's settings with its file:line; None when it stands nowhere."""
    settings = host.settings.by_project.get(project)
    value = settings.get(name) if settings else None
    return value, f"{value.file}:{value.line}" if value else ""
