"""What HTTP requests and TCP connections were answered with."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from bkpaas.facts.missing import Fact, Record

Greeting = Literal["mysql", "mysql-error", "amqp", "ssh", "none", "other"]


class Answer(Record, frozen=True):
    """One HTTP answer, redirects not followed."""

    url: str
    status: int | None = None
    """None: there was no answer, see error_kind."""
    headers: dict[str, str] = field(default_factory=dict)
    """Names in lower case; repeated ones joined by a line end."""
    body: str = ""
    """Without secrets, cut."""
    seconds: float | None = None
    peer: str | None = None
    """address:port."""
    error_kind: str | None = None
    """refused timeout silent unreachable reset resolve tls protocol empty other."""
    error_text: str | None = None
    truncated: bool = False

    @property
    def ok(self) -> bool:
        """Whether there was an answer at all."""
        return self.error_kind is None

    def json(self) -> dict[str, Any] | None:
        """The body when it is a JSON object."""
        raise NotImplementedError


class Answers(Fact, frozen=True):
    """By the name under which they were asked."""

    by_name: dict[str, Answer]

    def get(self, name: str) -> Answer:
        """NoData when it was not asked."""
        raise NotImplementedError


class Connection(Record, frozen=True):
    """One TCP connection and what the peer said first."""

    error_kind: str | None = None
    error_text: str | None = None
    seconds: float | None = None
    greeting: Greeting = "none"
    text: str = ""

    @property
    def ok(self) -> bool:
        return self.error_kind is None


class Connections(Fact, frozen=True):
    by_name: dict[str, Connection]

    def get(self, name: str) -> Connection:
        """NoData when it was not tried."""
        raise NotImplementedError
