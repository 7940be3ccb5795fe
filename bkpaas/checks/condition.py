"""The decorator that makes a test the check of one condition."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from bkpaas.catalogue.model import Cause, Severity, Text
from bkpaas.catalogue.registry import CUSTOM_PREFIX, markers
from bkpaas.catalogue.scope import Scope
from bkpaas.checks import custom

Test = TypeVar("Test", bound=Callable[..., None])


def condition(
    id_: str,
    *,
    title: str | Text | None = None,
    remedy: str | Text | None = None,
    roles: str | tuple[str, ...] = (),
    scope: Scope | None = None,
    severity: Severity = "fail",
    symptoms: tuple[str, ...] = (),
    causes: tuple[Cause, ...] = (),
) -> Callable[[Test], Test]:
    """Mark a test as the check of one condition: of the catalogue, or of a site.

    Only a condition of a site, whose id begins with "site-", takes the keywords.

    Args:
        id_: the id of the condition.
        title: what must be true; without it the first paragraph of the docstring.
        remedy: how to repair it; lines that begin with "$ " are commands.
        roles: checked on each host with any of these roles; without them on every host.
        scope: checked on these subjects instead.
        severity: of a failure.
        symptoms: sections of the FAQ whose -m selects the test too.
        causes: the conditions that explain a failure.

    Raises:
        pytest.Collector.CollectError: the id or a keyword is wrong; the text has file, line and fix.
    """

    def decorate(test: Test) -> Test:
        if id_.startswith(CUSTOM_PREFIX):
            marks = custom.add(
                id_,
                test,
                title=title,
                remedy=remedy,
                roles=roles,
                scope=scope,
                severity=severity,
                symptoms=symptoms,
                causes=causes,
            )
        else:
            custom.require_catalogue_id(id_, test)
            marks = markers(id_)
        for name in marks:
            test = getattr(pytest.mark, name)(test)
        marked: Test = pytest.mark.condition(id_)(test)
        return marked

    return decorate
