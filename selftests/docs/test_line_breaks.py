"""A line break of the source never cuts an identifier, a path or an option in a Chinese text."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.zh-CN.md"),
    *(ROOT / "docs").glob("*.zh-CN.md"),
    *(ROOT / "inventory").glob("*.zh-CN.md"),
]
TABLES = sorted((ROOT / "bkpaas/catalogue").rglob("*.toml"))

CUT = re.compile(r"[A-Za-z0-9][_/.=:-]\n[ ]*[A-Za-z0-9_]|[A-Za-z0-9]\n[ ]*[_./=-][A-Za-z0-9_]")
"""An identifier that ends in a joining character and continues on the next line, or continues with one."""


def prose(text: str) -> str:
    """Return the text of a page without blocks of code and without lists, whose items begin with a dash."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join(line for line in text.split("\n") if not line.startswith("    "))


def chinese(value: object, key: str = "") -> Iterator[str]:
    """Yield the Chinese texts of a TOML document."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from chinese(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from chinese(item, key)
    elif isinstance(value, str) and key == "zh":
        yield value


def test_cut_identifiers_are_found() -> None:
    assert CUT.search("设置 BK_TOKEN_\nOFFSET 的值") and CUT.search("目录 /data\n/bkce")
    assert not CUT.search("设置 A_B\n的值") and not CUT.search("见 a.b：\n下文")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_do_not_cut_identifiers(page: Path) -> None:
    assert CUT.findall(prose(page.read_text("utf-8"))) == []


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.name)
def test_the_catalogue_does_not_cut_identifiers(table: Path) -> None:
    texts = chinese(tomllib.loads(table.read_text("utf-8")))
    assert [found for text in texts for found in CUT.findall(text)] == []
