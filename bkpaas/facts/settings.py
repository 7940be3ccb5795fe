"""The Django settings of the open_paas projects: what their source says, never executed."""

from __future__ import annotations

from typing import Any, Literal

from bkpaas.facts.file import FileFact
from bkpaas.facts.missing import Fact, Record

Kind = Literal["int", "float", "str", "bool", "none", "list", "dict", "secret", "expression", "broken"]


class Value(Record, frozen=True):
    """The last assignment of a name."""

    kind: Kind
    file: str
    line: int
    value: Any = None
    """JSON; None for a secret, an expression and a broken assignment."""
    text: str = ""
    """The source of the right side, without secrets, cut."""
    digest: str | None = None
    """Of a secret."""


class Settings(Record, frozen=True):
    """One project's settings, its files read one after the other."""

    project: str
    files: tuple[FileFact, ...]
    values: dict[str, Value]
    """Module-level upper-case names; a later file, and in a file a later line, wins."""
    problems: tuple[str, ...] = ()
    """`file:line: ...` for each place that is neither Python 2 nor Python 3."""
    placeholders: tuple[str, ...] = ()
    """`file:line: __NAME__` for each template variable that was never replaced."""

    def get(self, name: str) -> Value | None:
        return self.values.get(name)

    def number(self, name: str) -> int | float:
        """The number that is assigned to the name; NoData when it is absent or no plain number."""
        raise NotImplementedError


class SettingsByProject(Fact, frozen=True):
    """login, paas, esb, appengine, console."""

    by_project: dict[str, Settings]
