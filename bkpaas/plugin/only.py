"""--only with an id that nothing has: said before any host is visited."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import pytest

from bkpaas.catalogue.registry import CONDITIONS, CUSTOM_PREFIX, current_id
from bkpaas.catalogue.scope import DEPLOYMENT as WHOLE
from bkpaas.inventory.deployment import Deployment
from bkpaas.messages import msg, to_text

SHOWN = 8
"""Subjects that are named."""


def exists(id_: str, deployment: Deployment) -> bool:
    """Return whether an id of an earlier run is checked here; a site's own are known later."""
    name, _, subject = current_id(id_).partition("@")
    if name.startswith(CUSTOM_PREFIX):
        return True
    return name in CONDITIONS and subject in {
        case.id for case in CONDITIONS[name].subjects(deployment) or [WHOLE]
    }


def refuse_unknown(ids: Iterable[str], deployment: Deployment) -> None:
    """Raise UsageError for the first id that no condition of the catalogue has; a site's own are known later."""
    for id_ in ids:
        name, at, subject = current_id(id_).partition("@")
        if name.startswith(CUSTOM_PREFIX):
            continue
        if name not in CONDITIONS:
            text = to_text(msg("--only {id_}: there is no condition {name}", id_=id_, name=name))
            raise pytest.UsageError(text + _nearest(name, CONDITIONS) + "\n" + _where())
        candidates = [case.id for case in CONDITIONS[name].subjects(deployment) or [WHOLE]]
        if at and subject not in candidates:
            shown = ", ".join(candidates[:SHOWN]) + (
                f" (+{len(candidates) - SHOWN})" if len(candidates) > SHOWN else ""
            )
            raise pytest.UsageError(
                to_text(
                    msg(
                        "--only {id}: {name} is not checked on {subject}; its subjects here: {shown}",
                        id=id_,
                        name=name,
                        subject=subject or msg("nothing", context="subject"),
                        shown=shown,
                    )
                )
                + _nearest(subject, candidates)
            )


def _nearest(word: str, candidates: Iterable[str]) -> str:
    close = get_close_matches(word, list(candidates), 1)
    return to_text(msg("; did you mean {close}?", close=close[0])) if close else ""


def _where() -> str:
    return to_text(msg("all conditions: docs/faq.md"))
