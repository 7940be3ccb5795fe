"""Hold the result of the login trial."""

from __future__ import annotations

from bkpaas.facts.missing import Record
from bkpaas.messages import Message


class LoginTrouble(Record, frozen=True):
    """Represent a failed step of a login."""

    step: str
    """form password token platform."""
    where: str
    """The URL without its query."""
    said: Message | str
    """Without secrets, cut."""


class LoginTrial(Record, frozen=True):
    """Represent the logins of one user, repeated so that each upstream is used."""

    user: str
    logins: int = 0
    """How many the password was accepted for."""
    refused: Message | str | None = None
    """Why the password was not accepted; it is not tried again."""
    troubles: tuple[LoginTrouble, ...] = ()
    asked: tuple[str, ...] = ()
    """The paas hosts that judged the tokens themselves."""
    unasked: tuple[str, ...] = ()
    """Those that the controller cannot reach but through the domain."""
