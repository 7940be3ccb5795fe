"""Texts that several checks share."""

from __future__ import annotations

from collections.abc import Iterable

from bkpaas.facts import Answer
from bkpaas.messages import Message, joined, msg


def seconds(value: float) -> str:
    """Return a number of seconds for a text."""
    return f"{value:.1f} s"


def offset(value: float) -> str:
    """Return a signed number of seconds; below 10 s with milliseconds."""
    return f"{value:+.3f} s" if abs(value) < 10 else f"{value:+.1f} s"


def sorted_uids(uids: Iterable[int | None]) -> list[int | None]:
    """Return user ids in order, an unknown one first."""
    return sorted(uids, key=lambda uid: -1 if uid is None else uid)


def labelled(label: str, text: Message | str) -> Message:
    """Return a text with the name of what it is about in front: `label: text`."""
    return joined(": ", [label, text], context="as in English")


def clauses(texts: Iterable[Message | str]) -> Message:
    """Return several texts in one line, separated by semicolons; equal ones once."""
    return joined("; ", dict.fromkeys(texts), context="as in English")


def mentions(text: Message | str, word: str) -> bool:
    """Return whether a text contains a word that is the same in both languages, of a path or of a host's answer."""
    return word in (text.render("en") if isinstance(text, Message) else text)


def request_failure(answer: Answer) -> Message:
    """Return why a request has no answer: its error kind, and the error's text if there is one."""
    if answer.error_text:
        return msg("{reason} ({text})", reason=no_answer(answer.error_kind), text=answer.error_text)
    return no_answer(answer.error_kind)


def no_answer(kind: str | None) -> Message:
    """Return the text for an error kind of a request."""
    messages = {
        "refused": msg("connection refused: nothing listens there, or a firewall rejects it"),
        "timeout": msg("no connection in time, a firewall drops it or the host is down"),
        "silent": msg("connected, but no answer in time"),
        "unreachable": msg("no route to it, or a firewall rejects it"),
        "reset": msg("the connection was reset"),
        "resolve": msg("the name does not resolve"),
        "resolver": msg("the resolver did not answer in time"),
        "tls": msg("no TLS connection"),
        "protocol": msg("the answer is not HTTP"),
        "withheld": msg(
            "not queried: the plan is visible to others, so it has no password, and the host has it in no file as it is, or the file has changed since round 1; use ssh:// without --transport openssh"
        ),
        "empty": msg("closed without an answer"),
        "gone": msg("there is no such socket"),
        "denied": msg("this account may not connect to it"),
    }
    return messages.get(kind or "", msg("no answer"))
