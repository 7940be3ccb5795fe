"""Hold the result of the login trial."""

from __future__ import annotations

from msgspec import field

from bkpaas.facts.missing import Record
from bkpaas.messages import Message


class LoginFailure(Record, frozen=True):
    """Represent a failed step of a login."""

    step: str
    """form password token platform."""
    where: str
    """The URL without its query."""
    message: Message | str = field(name="said")
    """Without secrets, truncated."""


class LoginTrial(Record, frozen=True):
    """Represent the logins of one user, repeated so that each upstream is used."""

    user: str
    logins: int = 0
    """How many the password was accepted for."""
    refused: Message | str | None = None
    """Why the password was not accepted; it is not tried again."""
    failures: tuple[LoginFailure, ...] = field(default=(), name="troubles")
    verified_on: tuple[str, ...] = field(default=(), name="asked")
    """The paas hosts that checked the tokens themselves."""
    unreached: tuple[str, ...] = field(default=(), name="unasked")
    """The paas hosts that the controller reaches through the domain only."""
