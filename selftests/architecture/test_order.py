"""The order of packages, each importing only from the left, and no cycles."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .imports import ROOT, Graph, cycles, graph, imports

ORDER = (
    ("language", "text", "former_names"),
    ("messages", "streams"),
    ("errors", "interruption"),
    ("files", "python_cache"),
    ("record",),
    ("inventory",),
    ("facts",),
    ("libraries",),
    ("collect",),
    ("catalogue",),
    ("checks",),
    ("plugin",),
)
"""Modules and packages of bkpaas. Those of one group import each other only without a cycle."""
RANK = {name: rank for rank, group in enumerate(ORDER) for name in group}
LEAVES = {
    "report": ("language", "text", "messages", "streams", "errors", "files", "python_cache", "record"),
    "runs": ("language", "text", "messages", "streams", "errors", "files", "record", "facts"),
}
"""Packages that only the plugin imports, with what they may import."""
FORMER = {"suite"}
"""The former name of checks and plugin."""
LAB_MAY_IMPORT = {"language", "messages", "errors"}
LINES, FUNCTION_LINES = 400, 60
WHOLE = "bkpaas/collect/collector.py"
"""One file, so that an operator can read all that runs on a host."""
PUBLIC = "bkpaas/checks/__init__.py"
"""Only the names of the public API, which are as many as checks need."""
LONG: dict[str, int] = {}
"""Modules and functions that are longer today, with their lines: they may become shorter, not longer."""


@pytest.fixture(scope="module")
def imported() -> Graph:
    return graph(("bkpaas", "lab"))


def part(module: str) -> str:
    """Return the module or package directly below bkpaas, "" for bkpaas itself and its version."""
    return module.split(".")[1] if "." in module else ""


def violations(imported: Graph) -> Iterator[str]:
    """Yield each import against the order."""
    for module, targets in imported.items():
        for target, one in targets.items():
            where = f"{module}:{one.line} imports {target}"
            if (
                module.startswith("lab")
                and target.startswith("bkpaas")
                and part(target) not in LAB_MAY_IMPORT
            ):
                yield where
            if not module.startswith("bkpaas") or not part(target) or part(target) == part(module):
                continue
            if target.startswith("lab") or not _allowed(part(module), part(target)):
                yield where


def _allowed(package: str, target: str) -> bool:
    if package in FORMER:
        return target in ("checks", "plugin", "former_names")
    if package in LEAVES:
        return target in LEAVES[package]
    if target in LEAVES:
        return package == "plugin"
    return target in RANK and RANK[target] <= RANK.get(package, -1)


def test_packages_import_from_the_left_only(imported: Graph) -> None:
    assert list(violations(imported)) == []


def test_every_part_of_the_project_has_its_place(imported: Graph) -> None:
    parts = {part(module) for module in imported if module.startswith("bkpaas")} - {""}
    assert parts - FORMER == {*RANK, *LEAVES}


def test_no_module_imports_itself_through_others(imported: Graph) -> None:
    """Imports for the type checker are left out: facts and the queries of the next round name each other's types."""
    runtime = {
        module: {target for target, one in targets.items() if not one.types_only}
        for module, targets in imported.items()
    }
    assert cycles(runtime) == []


def test_no_package_imports_itself_through_others(imported: Graph) -> None:
    edges: dict[str, set[str]] = {}
    for module, targets in imported.items():
        if module.startswith("bkpaas"):
            edges.setdefault(part(module), set()).update(part(target) for target in targets)
    edges.pop("", None)
    assert cycles({package: targets - {package, ""} for package, targets in edges.items()}) == []


def test_a_cycle_and_a_violation_are_found() -> None:
    source = "from typing import TYPE_CHECKING\nimport a.b\nif TYPE_CHECKING:\n    from . import c\n"
    assert [(one.line, one.name, one.types_only) for one in imports(source, "p.m", False)] == [
        (1, "typing.TYPE_CHECKING", False),
        (2, "a.b", False),
        (4, "p.c", True),
    ]
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert cycles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert not _allowed("facts", "collect") and not _allowed("report", "checks")
    assert not _allowed("collect", "report") and _allowed("plugin", "report") and _allowed("facts", "errors")


def product_files() -> list[Path]:
    folders = ("bkpaas", "lab", "tests_paas", "tests_appengine", "tests_logging")
    return [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]


def long_parts() -> dict[str, int]:
    """Return the lines of each module and function that exceeds its limit."""
    found: dict[str, int] = {}
    for file in product_files():
        name, source = str(file.relative_to(ROOT)), file.read_text("utf-8")
        if name in (WHOLE, PUBLIC):
            continue
        if len(source.splitlines()) > LINES:
            found[name] = len(source.splitlines())
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    found[f"{name} {node.name}"] = lines
    return found


def test_modules_and_functions_are_short() -> None:
    found = long_parts()
    assert {name: lines for name, lines in found.items() if lines > LONG.get(name, 0)} == {}
    assert [name for name in LONG if name not in found] == [], "short now: remove them from LONG"
