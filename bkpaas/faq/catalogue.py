"""The whole catalogue, looked up by id, and what a site adds to it. What stands here is checked by selftests/faq."""

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
from bkpaas.faq.model import Condition, Symptom, Text

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


ADDED: dict[str, Condition] = {}
"""The conditions of a site's own tests, by id; filled when these are imported."""
OF_SITE = "site-"
"""Their ids begin so: none can ever be taken for one of the catalogue, in no version of it."""


def site() -> Symptom:
    """The section that a site's own conditions are reported under."""
    return Symptom(
        key="site",
        title=Text(en="This site's own checks", zh="本站点自己的检查"),
        introduction=Text(en="What tests_site/ adds.", zh="tests_site/ 中添加的检查。"),
        conditions=tuple(ADDED),
    )


def sections() -> tuple[Symptom, ...]:
    """Every section that has something to be judged in this run."""
    return (*SYMPTOMS, site()) if ADDED else SYMPTOMS


def find(condition: str) -> Condition | None:
    return CONDITIONS.get(condition) or ADDED.get(condition)


def known(condition: str) -> Condition:
    """A condition of the catalogue or of the site. KeyError: it is neither's."""
    return CONDITIONS[condition] if condition in CONDITIONS else ADDED[condition]


def home(condition: str) -> Symptom:
    """The FAQ section that a condition is reported under: the first that lists it."""
    return next(symptom for symptom in sections() if condition in symptom.conditions)


@cache
def with_causes(condition: str) -> frozenset[str]:
    """A condition and all that can cause it, directly or through others; host-reachable can cause anything."""
    found: set[str] = {"host-reachable", *(cause.condition for cause in CONDITIONS["host-reachable"].causes)}
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
    return next((str(symptom.title) for symptom in (*SYMPTOMS, site()) if symptom.key == key), key)
