"""What came of logging in for real."""

from __future__ import annotations

from bkpaas.facts.missing import Record


class LoginTrouble(Record, frozen=True):
    """One step of a login that went wrong."""

    step: str
    """form password token platform."""
    where: str
    """The URL without its query."""
    said: str
    """Without secrets, cut."""


class LoginTrial(Record, frozen=True):
    """One user, logged in several times so that every upstream is met."""

    user: str
    logins: int = 0
    """How many the password was accepted for."""
    refused: str | None = None
    """Why the password was not accepted; it is not tried again."""
    troubles: tuple[LoginTrouble, ...] = ()
    asked: tuple[str, ...] = ()
    """The paas hosts that judged the tokens themselves."""
    unasked: tuple[str, ...] = ()
    """Those that the controller cannot reach but through the domain."""
