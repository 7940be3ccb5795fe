"""Parse healthz and is_login answers: the body decides, not the status alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bkpaas.facts.answers import Answer
from bkpaas.facts.missing import Record
from bkpaas.messages import Message, msg


class Health(Record, frozen=True):
    healthy: bool
    message: Message | str
    """What the service says, or what came instead; empty when healthy."""
    code: str | int | None = None


_HTML = re.compile(r"\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)
_TITLE_FORMS = tuple(
    re.compile(rf"<{tag}[^>]*>([^<]{{1,200}})<", re.IGNORECASE) for tag in ("title", "h1", "body")
)


def body_text(answer: Answer, limit: int) -> Message | str:
    """Return the body of an answer in one line; of an HTML page its title only."""
    body = " ".join(answer.body.split())
    if not body:
        return msg("an empty body")
    if not _HTML.match(body):
        return body[:limit].rstrip()
    title = next((match[1].strip() for form in _TITLE_FORMS if (match := form.search(body))), "")
    return msg("a page {title!r}", title=title[:100]) if title else msg("an HTML page")


def health(service: str, answer: Answer) -> Health:
    """Judge an answer: healthy is status 200, a JSON object whose ok or result is True, and no warning in data.

    All else is not, with the service's own words where it has some; status and code alone say nothing.
    """
    if not answer.ok:
        return Health(healthy=False, message=answer.error_text or answer.error_kind or "")
    body = answer.json()
    if body is None:
        shown = body_text(answer, 300)
        text = msg(
            "{service}: HTTP {status}, not a JSON object: {body}",
            service=service,
            status=answer.status,
            body=shown,
        )
        return Health(healthy=False, message=text)
    flags = [body[key] for key in ("ok", "result") if key in body]
    code = next((body[key] for key in ("code", "code:", "bk_error_code") if _is_code(body.get(key))), None)
    warnings = list(_warnings(body.get("data")))
    healthy = answer.status == 200 and bool(flags) and all(flag is True for flag in flags) and not warnings
    return Health(healthy=healthy, message="" if healthy else _message(answer, body, warnings), code=code)


def _message(answer: Answer, body: dict[str, Any], warnings: list[str]) -> str:
    texts = (body.get("message"), body.get("bk_error_msg"), *warnings)
    joined_texts = "; ".join(word for word in texts if isinstance(word, str) and word not in ("", "OK"))
    shown = joined_texts or " ".join(answer.body.split())
    return (shown if answer.status == 200 else f"HTTP {answer.status}: {shown}")[:300].rstrip()


def _warnings(data: Any) -> Iterator[str]:
    """Yield the failed weak dependencies, which are in data only: `WARNING: 1301005 ...`."""
    for name, value in data.items() if isinstance(data, dict) else ():
        if isinstance(value, str) and re.match(r"WARNING|13\d{5}\b", value):
            yield f"{name}: {value}"


def _is_code(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


_NO_TOKEN = ("缺少参数bk_token", "Missing parameters bk_token")


def is_login_refusal(answer: Answer) -> bool:
    """Return whether login refuses a request without a token, in any version and language."""
    body = answer.json()
    if answer.status != 200 or body is None or body.get("result") is not False:
        return False
    return any(body.get(key) in _NO_TOKEN for key in ("message", "bk_error_msg"))
