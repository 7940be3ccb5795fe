"""Remove or negate each assertion of a check in turn, and list the changes that no snapshot of a corpus shows.

    BKPAAS_CORPUS=DIR pytest -c selftests/pytest.ini selftests/judges    # stores each edited snapshot in DIR
    python -m selftests.recordings.snapshots DIR/recorded                # and one of each recorded fault
    python -m selftests.judges.mutation DIR [MODULE ...]                 # all modules of tests_* by default

A survivor is an assertion that could be deleted or turned round unnoticed: write a test with edited facts for it.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from bkpaas.facts import Snapshot
from selftests.snapshots.edited import ALL
from selftests.suite import in_process
from selftests.suite.judges import ROOT

Check = Callable[..., None]
Words = dict[str, tuple[str, str]]
"""Word and text by number of the snapshot and id."""
HOW = ("removed", "negated")


def main(words: list[str] | None = None) -> int:
    options = parser().parse_args(words)
    snapshots = [Snapshot.load(path) for path in (*ALL, *sorted(options.corpus.rglob("*.json")))]
    modules = options.modules or sorted(ROOT.glob("tests_*/test_*.py"))
    print(f"{len(snapshots)} snapshots, {len(modules)} modules")
    survivors = total = 0
    for module in modules:
        for line, how, alive in mutated(module.resolve(), snapshots):
            total += 1
            survivors += alive
            if alive:
                print(f"survives: {module.resolve().relative_to(ROOT)}:{line} {how}", flush=True)
    print(f"{survivors} of {total} changes survive")
    return 1 if survivors else 0


def mutated(path: Path, snapshots: list[Snapshot]) -> Iterator[tuple[int, str, bool]]:
    """Yield line, kind of change and whether it survives, for each assertion of a module."""
    source = path.read_text("utf-8")
    lines = [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]
    before = results_of(loaded(path, ast.parse(source)), snapshots)
    for line in sorted(lines):
        for how in HOW:
            tree = ast.fix_missing_locations(Mutation(line, how).visit(ast.parse(source)))
            yield line, how, results_of(loaded(path, tree), snapshots) == before


class Mutation(ast.NodeTransformer):
    """Change the assertion of one line."""

    def __init__(self, line: int, how: str) -> None:
        self._line, self._how = line, how

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        """Return the changed statement."""
        if node.lineno != self._line:
            return node
        if self._how == "removed":
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assert(ast.UnaryOp(ast.Not(), node.test), node.msg), node)


def loaded(path: Path, tree: ast.Module) -> ModuleType:
    """Return a module of tests made of a tree."""
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    exec(compile(tree, str(path), "exec"), vars(module))
    return module


def results_of(module: ModuleType, snapshots: list[Snapshot]) -> Words:
    """Return the verdicts of the conditions of a module on all snapshots."""
    found: Words = {}
    for number, snapshot in enumerate(snapshots):
        for condition, test in in_process.checks_of(vars(module)):
            if snapshot.deployment.generation not in condition.generations:
                continue
            for subject in condition.subjects(snapshot.deployment):
                verdict = in_process.judge_one(snapshot, condition, test, subject)
                found[f"{number} {condition.id}@{subject.id}"] = (verdict.word, verdict.text)
    return found


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m selftests.judges.mutation", description=__doc__)
    top.add_argument("corpus", type=Path, metavar="DIR", help="of edited snapshots")
    top.add_argument("modules", type=Path, nargs="*", metavar="MODULE", help="of tests_*; default: all")
    return top


if __name__ == "__main__":
    sys.exit(main())
