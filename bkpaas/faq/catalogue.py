"""The whole catalogue, looked up by id. What stands here is checked by selftests/faq."""

from __future__ import annotations

from functools import cache

from bkpaas.faq import (
    appt_502,
    entrance,
    fatal,
    foundations,
    healthy,
    log_search,
    login_502,
    login_silent,
    password,
    redirect_loop,
    timeouts,
    tokens,
)
from bkpaas.faq.model import Condition, Symptom

SYMPTOMS: tuple[Symptom, ...] = (
    foundations.SYMPTOM,
    login_silent.SYMPTOM,
    tokens.SYMPTOM,
    fatal.SYMPTOM,
    password.SYMPTOM,
    login_502.SYMPTOM,
    appt_502.SYMPTOM,
    timeouts.SYMPTOM,
    healthy.SYMPTOM,
    log_search.SYMPTOM,
    redirect_loop.SYMPTOM,
)

CONDITIONS: dict[str, Condition] = {
    condition.id: condition
    for room in (
        foundations,
        login_silent,
        tokens,
        fatal,
        password,
        entrance,
        login_502,
        appt_502,
        timeouts,
        healthy,
        log_search,
        redirect_loop,
    )
    for condition in room.CONDITIONS
}


def home(condition: str) -> Symptom:
    """The FAQ section that a condition is reported under: the first that lists it."""
    return next(symptom for symptom in SYMPTOMS if condition in symptom.conditions)


@cache
def with_causes(condition: str) -> frozenset[str]:
    """A condition and all that can cause it, directly or through others; host-reachable can cause anything."""
    found: set[str] = {"host-reachable"}
    waiting = [condition]
    while waiting:
        current = waiting.pop()
        if current not in found or current == condition:
            found.add(current)
            waiting += [
                cause.condition for cause in CONDITIONS[current].causes if cause.condition not in found
            ]
    return frozenset(found)


@cache
def markers(condition: str) -> tuple[str, ...]:
    """The markers of every symptom whose conditions this one belongs to or can cause."""
    return tuple(
        symptom.marker
        for symptom in SYMPTOMS
        if any(condition in with_causes(listed) for listed in symptom.conditions)
    )


def symptom_title(key: str) -> str:
    """What a person calls a section of the FAQ; a key that is not in the catalogue stands for itself."""
    return next((str(symptom.title) for symptom in SYMPTOMS if symptom.key == key), key)
