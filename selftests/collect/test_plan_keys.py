"""The collector reads only such keys of a plan as the controller writes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "bkpaas"
COLLECTOR = PACKAGE / "collect" / "collector.py"
READ = re.compile(r"""\bplan(?:\.get\(|\[)"(\w+)"|"(\w+)" in (?:self\.)?plan\b""")
SECTION = re.compile(r"""\bSection\(\s*"(\w+)\"""")


def constants(file: Path) -> set[str]:
    """Return the string constants of a module."""
    nodes = ast.walk(ast.parse(file.read_text("utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_the_controller_writes_each_key_that_the_collector_reads() -> None:
    read = {"".join(key) for key in READ.findall(COLLECTOR.read_text("utf-8"))}
    assert {"http", "processes", "wait"} <= read
    written = set().union(*(constants(one) for one in (PACKAGE / "collect").glob("*.py") if one != COLLECTOR))
    for module in (PACKAGE / "facts").glob("*.py"):
        written |= set(SECTION.findall(module.read_text("utf-8")))
    assert read - written == set()
