"""Modules and functions of the product stay small enough to read at a time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PRODUCT = Path(__file__).parents[2] / "bkpaas"
MODULE_LINES = 400
FUNCTION_LINES = 60
ONE_FILE = {"collect/collector.py"}
"""Programs that have to be a single file, since they are sent to hosts."""
REMAINING: set[str] = set()
"""Functions that are still too long; the list may only shrink."""


def find_long(name: str, text: str) -> list[str]:
    """Return the module, and its functions as `module:function`, that exceed the limits."""
    long = [name] if len(text.splitlines()) > MODULE_LINES and name not in ONE_FILE else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            if node.end_lineno - node.lineno + 1 > FUNCTION_LINES:
                long.append(f"{name}:{node.name}")
    return long


def test_no_module_and_no_function_is_too_long() -> None:
    files = sorted(PRODUCT.rglob("*.py"))
    long = {
        name for file in files for name in find_long(str(file.relative_to(PRODUCT)), file.read_text("utf-8"))
    }
    assert len(files) > 100
    assert long == REMAINING, "split what is new here, remove from REMAINING what is gone"


@pytest.mark.parametrize("more", [0, 1])
def test_a_line_more_than_the_limit_is_found(more: int) -> None:
    function = "def f():\n" + "    x = 1\n" * (FUNCTION_LINES - 1 + more)
    assert find_long("a.py", function) == (["a.py:f"] if more else [])
    assert find_long("a.py", "x = 1\n" * (MODULE_LINES + more)) == (["a.py"] if more else [])
