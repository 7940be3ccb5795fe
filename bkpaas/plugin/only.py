"""--only with an id that nothing has: said before any host is visited."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import pytest

from bkpaas.catalogue.registry import CONDITIONS, CUSTOM_PREFIX
from bkpaas.catalogue.scope import DEPLOYMENT as WHOLE
from bkpaas.inventory.deployment import Deployment
from bkpaas.lang import say

SHOWN = 8
"""Subjects that are named."""


def refuse_unknown(asked: Iterable[str], deployment: Deployment) -> None:
    """UsageError for the first id that no condition of the catalogue has here; a site's own are known later."""
    for id_ in asked:
        name, at, subject = id_.partition("@")
        if name.startswith(CUSTOM_PREFIX):
            continue
        if name not in CONDITIONS:
            words = say(
                en=f"--only {id_}: there is no condition {name}", zh=f"--only {id_}：没有检查项 {name}"
            )
            raise pytest.UsageError(words + _nearest(name, CONDITIONS) + "\n" + _where())
        known = [case.id for case in CONDITIONS[name].subjects(deployment) or [WHOLE]]
        if at and subject not in known:
            shown = ", ".join(known[:SHOWN]) + (f" (+{len(known) - SHOWN})" if len(known) > SHOWN else "")
            raise pytest.UsageError(
                say(
                    en=f"--only {id_}: {name} is not judged on {subject or 'nothing'}; here it is on {shown}",
                    zh=f"--only {id_}：{name} 不在 {subject or '空'} 上检查；此处检查的对象是 {shown}",
                )
                + _nearest(subject, known)
            )


def _nearest(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), 1)
    return say(en=f"; did you mean {close[0]}?", zh=f"；是否想写 {close[0]}？") if close else ""


def _where() -> str:
    return say(en="all conditions: docs/faq.md", zh="全部检查项：docs/faq.zh-CN.md")
