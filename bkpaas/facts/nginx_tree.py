"""The files of nginx as one sequence of statements: includes followed from a main file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from os.path import dirname, join, normpath
from typing import Any

from bkpaas.facts.file import content, unreadable
from bkpaas.facts.nginx_location import Statement
from bkpaas.facts.nginx_syntax import parsed
from bkpaas.messages import Message, msg

_MOST_INCLUDES = 2000
"""Files read in place of includes, each as often as it is included."""


class Tree:
    """Yield the statements of a file, with those of included files in place."""

    def __init__(self, entries: dict[str, dict[str, Any]]) -> None:
        self.entries = entries
        self.parsed: dict[str, list[Statement]] = {}
        self.problems: list[Message | str] = []
        self.includes, self.patterns = 0, dict[str, None]()
        self.reached: dict[str, dict[str, None]] = {}

    def read(self, path: str, within: tuple[str, ...]) -> list[Statement]:
        """Return the statements of a file; within: the files that include it, the main file first."""
        self.reached.setdefault((*within, path)[0], {})[path] = None
        if path not in self.parsed:
            entry = self.entries[path]
            if reason := unreadable(entry):
                self.problems.append(msg("{path}: {reason}", path=path, reason=reason))
            self.parsed[path], errors = parsed(content(entry) or "")
            self.problems += [f"{path}:{line}: {error}" for line, error in errors]
        return list(self._expanded(self.parsed[path], (*within, path)))

    def _expanded(self, block: list[Statement], within: tuple[str, ...]) -> Iterator[Statement]:
        for statement in block:
            if statement["directive"] == "include" and statement["args"]:
                yield from self._included(statement, within)
            elif "block" in statement:
                inner = list(self._expanded(statement["block"], within))
                yield statement | {"file": within[-1], "block": inner}
            else:
                yield statement | {"file": within[-1]}

    def _included(self, statement: Statement, within: tuple[str, ...]) -> Iterator[Statement]:
        """Yield the statements of the included files, relative to the main file's directory, sorted."""
        pattern = normpath(join(dirname(within[0]), statement["args"][0]))
        matching = sorted(name for name in self.entries if _matches(normpath(name), pattern))
        is_group = re.search(r"[*?\[]", pattern) is not None
        self.patterns |= {pattern[:300]: None} if is_group else {}
        there = [path for path in matching if self.entries[path].get("type") != "missing"]
        if not there and not is_group:
            self._problem(within[-1], statement, msg("cannot read {pattern}", pattern=pattern))
        for path in there:
            self.includes += 1
            if path in within or self.includes > _MOST_INCLUDES:
                self._problem(within[-1], statement, msg("includes itself"))
            else:
                yield from self.read(path, within)

    def _problem(self, path: str, statement: Statement, reason: Message) -> None:
        problem = msg("{path}: {reason}", path=f"{path}:{statement['line']}", reason=reason)
        if problem not in self.problems:
            self.problems.append(problem)


def _matches(path: str, pattern: str) -> bool:
    """Match a pattern like a shell: a star does not match a slash."""
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)
