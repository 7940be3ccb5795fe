"""Conditions of a site: `@condition("site-...", title=..., remedy=...)` in tests_site/."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from inspect import getdoc
from pathlib import Path

import pytest

from bkpaas.catalogue.model import DEFAULT_CASE, Case, Cause, Condition, RemedyPart, Severity, Text
from bkpaas.catalogue.registry import (
    CONDITIONS,
    CUSTOM_CONDITIONS,
    CUSTOM_PREFIX,
    SECTIONS,
    current_id,
    load_condition,
)
from bkpaas.catalogue.scope import PerHost, Scope, roles_of
from bkpaas.catalogue.variables import render_usual
from bkpaas.errors import CatalogueError
from bkpaas.inventory.deployment import Deployment
from bkpaas.inventory.words import ROLES
from bkpaas.messages import Message, msg, to_text

FOLDER = "tests_site"
_ID = re.compile(CUSTOM_PREFIX + "[a-z0-9]+(-[a-z0-9]+)*")
_NOTHING = Text(en="", zh="")
_locations: dict[str, str] = {}
"""Where each condition of the site is checked, as file:line, by id."""


def require_catalogue_id(id_: str, test: Callable[..., None]) -> None:
    """Raise CollectError if the catalogue lacks the id, or if a site checks a condition of the suite."""
    location = location_of(test)
    if id_ not in CONDITIONS:
        raise refused(
            location,
            msg(
                "there is no condition {id_!r}; a custom condition begins with {custom_prefix!r}",
                id_=id_,
                custom_prefix=CUSTOM_PREFIX,
            ),
        )
    if FOLDER in Path(test.__code__.co_filename).parts:
        raise refused(
            location,
            msg(
                "{id_} is a condition of the suite, which has its own check; name yours {custom_prefix!r}",
                id_=id_,
                custom_prefix=CUSTOM_PREFIX + id_,
            ),
        )


def add(
    id_: str,
    test: Callable[..., None],
    *,
    title: str | Text | None,
    remedy: str | Text | None,
    roles: str | tuple[str, ...],
    scope: Scope | None,
    severity: Severity,
    symptoms: tuple[str, ...],
    causes: tuple[Cause, ...],
) -> tuple[str, ...]:
    """Register a condition of the site and return the markers of its test; raise CollectError if it is wrong."""
    location = location_of(test)
    if _locations.setdefault(id_, location) != location:
        raise refused(
            location, msg("{id_} is already checked at {location}", id_=id_, location=_locations[id_])
        )
    if not _ID.fullmatch(id_):
        raise refused(
            location,
            msg(
                "{id_!r}: an id is {custom_prefix}, then words of a-z and 0-9 with - between",
                id_=id_,
                custom_prefix=CUSTOM_PREFIX,
            ),
        )
    file = Path(test.__code__.co_filename).with_name(f"{id_}.toml")
    if file.exists():
        if title or remedy or roles or scope or causes or severity != "fail":
            raise refused(
                location,
                msg("{name} describes {id_}: only `symptoms` may be given here", name=file.name, id_=id_),
            )
        condition = _from_file(file, location)
    else:
        condition = _from_keywords(
            id_, test, title=title, remedy=remedy, roles=roles, scope=scope, severity=severity, causes=causes
        )
    keys = tuple(name.replace("_", "-") for name in symptoms)
    if unknown := sorted(set(keys) - {symptom.key for symptom in SECTIONS}):
        available = ", ".join(symptom.key for symptom in SECTIONS)
        raise refused(
            location,
            msg(
                "no symptom {unknown}; available: {available}",
                unknown=", ".join(unknown),
                available=available,
            ),
        )
    CUSTOM_CONDITIONS[id_] = condition
    return ("site", *(key.replace("-", "_") for key in keys))


def _from_file(file: Path, location: str) -> Condition:
    """Load the condition that a file in the directory of the test describes."""
    try:
        return load_condition(file)
    except CatalogueError as error:
        raise refused(location, str(error)) from None


def _from_keywords(
    id_: str,
    test: Callable[..., None],
    *,
    title: str | Text | None,
    remedy: str | Text | None,
    roles: str | tuple[str, ...],
    scope: Scope | None,
    severity: Severity,
    causes: tuple[Cause, ...],
) -> Condition:
    """Make a condition of what the decorator says."""
    location = location_of(test)
    sentence = (getdoc(test) or "").split("\n\n")[0].replace("\n", " ").rstrip(".。")
    own_title = _text(title) or _text(sentence)
    repair = _text(remedy)
    if own_title is None or repair is None:
        raise refused(
            location,
            msg(
                "{id_} needs a title (or a docstring, what must be true) and a remedy (how to repair it)",
                id_=id_,
            ),
        )
    _require_variables(repair, location)
    causes = tuple(Cause(current_id(cause.condition), cause.relation) for cause in causes)
    if unknown := [
        c.condition for c in causes if c.condition not in CONDITIONS and not _ID.fullmatch(c.condition)
    ]:
        names = ", ".join(unknown)
        raise refused(location, msg("no condition {names} that could cause it", names=names))
    roles = (roles,) if isinstance(roles, str) else tuple(roles)
    role_names = ", ".join(roles)
    return Condition(
        id=id_,
        scopes=(scope or PerHost(roles),),
        title=own_title,
        inputs=_NOTHING,
        rule=_NOTHING,
        impact=_NOTHING,
        cases=(_case(own_title, repair),),
        severity=severity,
        causes=causes,
        not_applicable_reason=Text(
            en=f"no host of the inventory has the role {role_names}",
            zh=f"清单中没有角色为 {role_names} 的主机",
        )
        if roles and scope is None
        else None,
    )


def require_known_roles(condition: Condition, deployment: Deployment, test: Callable[..., None]) -> None:
    """Raise CollectError if a scope names a role that neither the platform nor a host of the inventory has."""
    known = sorted(ROLES | {role for host in deployment.hosts for role in host.roles})
    for role in (role for scope in condition.scopes for role in roles_of(scope)):
        if role not in known:
            close = get_close_matches(role, known, 1)
            raise refused(
                location_of(test),
                msg(
                    "there is no role {role!r}{hint}; the roles are {known}",
                    role=role,
                    hint=msg(" (did you mean {close}?)", close=close[0]) if close else "",
                    known=", ".join(known),
                ),
            )


def _case(title: Text, remedy: Text) -> Case:
    """Make the case of a condition that has no headline: that its title does not hold."""
    braces = [text.replace("{", "{{").replace("}", "}}") for text in (title.en, title.zh)]
    headline = Text(en=f"Does not hold: {braces[0]}", zh=f"不成立：{braces[1]}")
    return Case(DEFAULT_CASE, headline, (RemedyPart(remedy),))


def _text(text: str | Text | None) -> Text | None:
    """Return the text in both languages; a plain string is used for both."""
    if isinstance(text, str):
        return Text(en=text, zh=text) if text.strip() else None
    return text


def _require_variables(remedy: Text, location: str) -> None:
    """Raise CollectError if a brace of the remedy is not the one of a variable."""
    for text in (remedy.en, remedy.zh):
        try:
            render_usual(text)
        except (ValueError, IndexError, AttributeError, KeyError) as error:
            raise refused(
                location,
                msg(
                    "its remedy has a brace that does not open a variable ({error}); write {{{{ and }}}} for braces",
                    error=error,
                ),
            ) from None


def location_of(test: Callable[..., None]) -> str:
    """Return file:line of a test."""
    return f"{test.__code__.co_filename}:{test.__code__.co_firstlineno}"


def refused(location: str, reason: Message | str) -> pytest.Collector.CollectError:
    """Return the error that stops the collection of a file."""
    return pytest.Collector.CollectError(f"{location}: {to_text(reason)}")
