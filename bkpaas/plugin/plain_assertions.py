"""Load the tests of the suite without pytest's assertion rewriting, also with --assert=rewrite or another pytest.ini.

A rewritten assertion turns its message into a string: a Message or a case would arrive as its repr. It would also
print the facts that it compares.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import pytest

FOLDERS = "tests_"
"""Begins the names of the directories that contain the tests of the suite and of a site."""


class PlainFinder(MetaPathFinder):
    """Find the modules below the directories of tests before pytest's own finder does."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module of tests, or None for any other module."""
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or not self._is_test(Path(spec.origin)):
            return None
        return spec

    def _is_test(self, file: Path) -> bool:
        try:
            return file.relative_to(self._root).parts[0].startswith(FOLDERS)
        except (ValueError, IndexError):
            return False


def pytest_configure(config: pytest.Config) -> None:
    finder = PlainFinder(config.rootpath)
    sys.meta_path.insert(0, finder)
    config.add_cleanup(lambda: sys.meta_path.remove(finder))
