"""Report the root causes as custom events to BlueKing Monitor, over its HTTP interface. Off unless asked for.

Source: the page of BlueKing Monitor that describes custom events (data_id, access_token, data: event_name, event,
target, dimension, timestamp).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bkpaas.errors import SuiteError
from bkpaas.messages import msg
from bkpaas.record import Results
from bkpaas.report import posting
from bkpaas.report.findings import Cause, causes
from bkpaas.report.posting import Json
from bkpaas.report.text import cut, visible

EVENT = "bkpaas_root_cause"
"""Name of every event: one strategy of the monitor covers them, and tells them apart by their dimensions."""
EVENTS = 200
"""In one run; the order is that of the report, the most explanatory first."""
CONTENT_LIMIT, DIMENSION_LIMIT = 1_000, 120
"""Characters of the content of an event, and of one dimension."""


class Channel(Struct, frozen=True, forbid_unknown_fields=True):
    """Hold where to report to: the content of --bkmonitor-file."""

    url: str
    """http://HOST:10205/v2/push/ of the monitor's data proxy."""
    data_id: int
    access_token: str

    def __repr__(self) -> str:
        return f"Channel({self.data_id})"


def channel(content: bytes) -> Channel:
    """Return the channel of a file. Raises SuiteError, without what the file holds."""
    try:
        found = msgspec.json.decode(content, type=Channel)
    except (msgspec.DecodeError, RecursionError):
        raise SuiteError(
            msg(
                "is not of this form: {form}",
                form='{"url": "http://HOST:10205/v2/push/", "data_id": 1, "access_token": "..."}',
            )
        ) from None
    try:
        sound = found.url.startswith(("http://", "https://")) and bool(urlsplit(found.url).hostname)
    except ValueError:
        sound = False
    if not sound or not found.url.isprintable() or not found.access_token:
        raise SuiteError(msg("has no url that begins with http:// or https://, or no access_token"))
    return found


def body(results: Results, to: Channel) -> Json:
    """Return what is sent: one event for each root cause."""
    return {"data_id": to.data_id, "access_token": to.access_token, "data": list(_events(results))}


def _events(results: Results) -> Iterator[Json]:
    addresses = {host.name: host.address for host in results.hosts}
    started = int(datetime.fromisoformat(results.run.started).timestamp() * 1000)
    for cause in causes(results)[:EVENTS]:
        verdict = cause.verdict
        yield {
            "event_name": EVENT,
            "event": {"content": _content(cause, results)},
            "target": next((addresses[host] for host in cause.hosts if host in addresses), verdict.subject),
            "dimension": {
                name: " ".join(visible(value).split())[:DIMENSION_LIMIT]
                for name, value in (
                    ("condition", verdict.condition),
                    ("subject", verdict.subject),
                    ("verdict", verdict.verdict),
                    ("symptom", verdict.faq),
                    ("inventory", results.run.inventory),
                    ("event_type", "abnormal"),
                )
            },
            "timestamp": started,
        }


def _content(cause: Cause, results: Results) -> str:
    """Return headline, hosts and evidence, in the language of the run."""
    language, verdict = results.run.language, cause.verdict
    headline = cause.headline if isinstance(cause.headline, str) else cause.headline.render(language)
    parts = [headline, ", ".join(cause.hosts), verdict.evidence or verdict.reason or ""]
    if cause.folded:
        parts.append(msg("explains {folded}", folded=cause.folded).render(language))
    text = " | ".join(" ".join(visible(part).split()) for part in parts if part)
    return cut(text, CONTENT_LIMIT, language)


def send(results: Results, to: Channel, pause: Callable[[float], None] = time.sleep) -> None:
    """Report the root causes; without one nothing is sent. Raises posting.NotSent."""
    message = body(results, to)
    if message["data"]:
        posting.send(to.url, message, _accepted, pause)


def _accepted(status: int, answer: bytes) -> posting.Failure | None:
    """Judge an answer: the monitor says in the body of a 200 whether it took the events."""
    if not 200 <= status < 300:
        return f"HTTP {status}", status == 429 or status >= 500
    try:
        found = json.loads(answer)
        result, code = found["result"], found.get("code")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return msg("the answer is not that of BlueKing Monitor"), False
    return None if result in (True, "true") else (f"code {str(code)[:20]}", False)
