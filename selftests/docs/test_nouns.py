"""docs/faq.md says for each condition what is read on each generation."""

from __future__ import annotations

import pytest

from bkpaas.catalogue.registry import CONDITIONS
from bkpaas.catalogue.sources import NOUNS, SOURCES, nouns, reads
from selftests.docs.nouns import written

DERIVED = [
    id_
    for id_, condition in CONDITIONS.items()
    if not condition.reads and set(nouns().get(id_, ())) & SOURCES.keys()
]


def test_the_nouns_are_those_that_the_checks_read() -> None:
    assert NOUNS.read_text("utf-8") == written(), "script/docs writes them"


@pytest.mark.parametrize("id_", DERIVED)
def test_what_differs_is_said_for_each_generation(id_: str) -> None:
    condition = CONDITIONS[id_]
    wanted = {name for name in ("5.x", "6.0", "6.2") if name[0] in {one[0] for one in condition.generations}}
    assert wanted <= reads(condition).keys()
    assert all(text.en and text.zh for text in reads(condition).values())
