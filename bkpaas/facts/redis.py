"""What a redis replied to the few commands that are sent to it, all of which only read."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.answers import error_of
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.secrets import Secrets
from bkpaas.lang import say

PREFIX = "redis-"
"""How the names of these conversations begin."""


class RedisTalk(Record, frozen=True):
    error_kind: str | None = None
    """See Answer; what was replied before it is kept."""
    error_text: str | None = None
    seconds: float | None = None
    replies: tuple[str, ...] = ()
    """One line each, as redis writes it: +PONG, :5, -NOAUTH ..."""

    @property
    def ok(self) -> bool:
        return self.error_kind is None


class RedisTalks(Fact, frozen=True):
    by_name: dict[str, RedisTalk]

    def get(self, name: str) -> RedisTalk:
        """NoData when it was not tried."""
        if name not in self.by_name:
            raise NoData(say(en=f"not asked: {name}", zh=f"未询问：{name}"))
        return self.by_name[name]


def redis_talks(section: Any, secrets: Secrets) -> RedisTalks:
    """From the raw TCP connections by name; those to others are left alone."""
    found = {name: raw.record(item) for name, item in raw.record(section).items() if name.startswith(PREFIX)}
    return RedisTalks(by_name={name: _talk(item, secrets) for name, item in found.items()})


def _talk(item: dict[str, Any], secrets: Secrets) -> RedisTalk:
    kind, text = error_of(item, secrets)
    try:
        data = base64.b64decode(raw.text(item.get("data"), 100_000) or "")
    except (binascii.Error, ValueError):
        data = b""
    lines = data.decode("utf-8", "replace").split("\r\n")[:-1]
    return RedisTalk(
        error_kind=kind,
        error_text=text,
        seconds=raw.number(item.get("seconds")),
        replies=tuple(secrets.cut(line, 200) for line in lines[:100]),
    )
