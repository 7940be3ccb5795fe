"""The modules of tests_*: they import bkpaas.checks alone, and take fixtures from a closed list and define none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bkpaas import checks
from bkpaas.plugin.fixtures import FIXTURES

ROOT = Path(__file__).parents[2]
DIRECTORIES = ("tests_paas", "tests_appengine", "tests_logging")
MODULES = [file for directory in DIRECTORIES for file in sorted((ROOT / directory).glob("*.py"))]
IDS = [f"{file.parent.name}/{file.name}" for file in MODULES]
ALLOWED = "bkpaas.checks"
PROJECT = ("bkpaas", "lab", "selftests", "conftest", *DIRECTORIES)


def violations(source: str) -> Iterator[str]:
    """Yield each import, fixture, parameter and type of a test module that is not allowed, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module != ALLOWED and _of_project(node):
            yield f"{node.lineno}: imports {node.module}"
        if isinstance(node, ast.Import):
            yield from (f"{node.lineno}: imports {one.name}" for one in node.names if _begins(one.name))
        if isinstance(node, ast.FunctionDef):
            yield from _of_function(node)
        if isinstance(node, ast.Name) and node.id in ("Any", "cast"):
            yield f"{node.lineno}: {node.id}"
    for number, line in enumerate(source.splitlines(), 1):
        if "type: ignore" in line or "noqa" in line:
            yield f"{number}: an ignore comment"


def _of_project(node: ast.ImportFrom) -> bool:
    return node.level > 0 or _begins(node.module or "")


def _begins(module: str) -> bool:
    return module.partition(".")[0] in PROJECT


def _of_function(node: ast.FunctionDef) -> Iterator[str]:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    if node.name.startswith("test_"):
        yield from (f"{node.lineno}: no fixture {name}" for name in names if name not in FIXTURES)
        if not any("condition" in ast.unparse(decorator) for decorator in node.decorator_list):
            yield f"{node.lineno}: {node.name} is not the check of a condition"
    if any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list):
        yield f"{node.lineno}: defines the fixture {node.name}"


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_a_test_module_depends_on_the_public_api_alone(module: Path) -> None:
    assert not list(violations(module.read_text("utf-8")))


def test_a_violation_of_each_kind_is_found() -> None:
    source = """
import bkpaas.collect
from bkpaas.facts import Missing
from . import other
from bkpaas.checks import condition
import pytest

@pytest.fixture
def mine(): ...

@condition("x")
def test_x(host, mine: Any): # type: ignore
    ...

def test_y(host): ...
"""
    found = [line.partition(": ")[2] for line in violations(source)]
    assert sorted(found) == sorted(
        [
            "imports bkpaas.collect",
            "imports bkpaas.facts",
            "imports None",
            "defines the fixture mine",
            "no fixture mine",
            "test_y is not the check of a condition",
            "Any",
            "an ignore comment",
        ]
    )


def test_the_public_api_names_what_it_exports_once() -> None:
    assert len(checks.__all__) == len(set(checks.__all__))
    assert [name for name in checks.__all__ if not hasattr(checks, name)] == []
