"""The pages about the generations: they name conditions that exist, the same ones in both languages, and every section."""

from __future__ import annotations

import re
from pathlib import Path

from bkpaas.catalogue.registry import CONDITIONS, SECTIONS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [(DOCS / name).read_text("utf-8") for name in ("generations.md", "generations.zh-CN.md")]


def rows(page: str) -> list[list[str]]:
    """Return the cells of the table of the FAQ."""
    lines = [line for line in page.splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def named(cell: str) -> list[str]:
    return re.findall(r"`([a-z0-9-]+)`", cell)


def test_both_pages_name_the_same_conditions() -> None:
    first, second = ([named(row[1]) for row in rows(page)] for page in PAGES)
    assert first == second and len(first) > 20
    assert {id_ for ids in first for id_ in ids} <= CONDITIONS.keys()


def test_the_first_condition_of_each_row_is_in_a_section_of_the_faq() -> None:
    listed = {id_ for section in SECTIONS for id_ in section.conditions}
    assert {id_ for row in rows(PAGES[0]) for id_ in named(row[1])} <= listed


def test_a_row_without_a_condition_on_a_generation_says_so() -> None:
    for row in rows(PAGES[0]):
        generations = [CONDITIONS[id_].generations for id_ in named(row[1])]
        if all(one == ("5.x",) for one in generations):
            assert row[3].startswith("not applicable") and row[4].startswith("not applicable")
        if all(one == ("6.x",) for one in generations):
            assert row[2].startswith("not applicable")
