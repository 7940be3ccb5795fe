"""The imports between the packages of the project, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


def module_of(file: Path, root: Path) -> str:
    """Return the dotted name of a file: bkpaas.facts.host, bkpaas.facts for its __init__."""
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Import(NamedTuple):
    """One import: the line, the dotted name, and if it is for the type checker only."""

    line: int
    name: str
    types_only: bool


def imports(source: str, module: str, is_package: bool) -> Iterator[Import]:
    """Yield every import, those inside functions included.

    `from a import b` yields a.b: the caller decides if b is a module.
    """
    package = (module if is_package else module.rpartition(".")[0]).split(".")
    tree = ast.parse(source)
    guarded = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{one.name}" for one in node.names]
        yield from (Import(node.lineno, name, id(node) in guarded) for name in names)


Graph = dict[str, dict[str, Import]]
"""{module: {imported module: the first import of it}}, an import at runtime before one for types."""


def graph(packages: tuple[str, ...], root: Path = ROOT) -> Graph:
    """Return the imports among all modules of these packages, names resolved to modules."""
    files = {
        module_of(file, root): file for package in packages for file in sorted((root / package).rglob("*.py"))
    }
    found: Graph = {module: {} for module in files}
    for module, file in files.items():
        for one in imports(file.read_text("utf-8"), module, file.name == "__init__.py"):
            target = one.name if one.name in files else one.name.rpartition(".")[0]
            if target in files and target != module:
                known = found[module].setdefault(target, one)
                if known.types_only and not one.types_only:
                    found[module][target] = one
    return found


def cycles(edges: Mapping[str, Set[str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one node, each sorted."""
    reached = {node: _reach(node, edges) for node in edges}
    components = {
        tuple(sorted(other for other in reached[node] if node in reached.get(other, set()))) for node in edges
    }
    return sorted(list(component) for component in components if len(component) > 1)


def _reach(start: str, edges: Mapping[str, Set[str]]) -> set[str]:
    reached, todo = {start}, [start]
    while todo:
        new = edges.get(todo.pop(), set()) - reached
        reached |= new
        todo += new
    return reached
