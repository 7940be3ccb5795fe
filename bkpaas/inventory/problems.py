"""Gather the problems of an inventory, so that one run reports all of them."""

from __future__ import annotations

from bkpaas.errors import InventoryError
from bkpaas.messages import Message, lines, msg

_SHOWN = 20
MOST_PROBLEMS = 1000
"""So many are kept, in the order in which they were read; the others are counted."""


class InventoryErrors(InventoryError):
    """Several problems; file, line, reason and fix are those of the first."""

    def __init__(self, errors: tuple[InventoryError, ...], more: int = 0) -> None:
        """Gather errors; more: the number of further problems that were not kept."""
        self.errors = errors
        self.more = more
        first = errors[0]
        super().__init__(first.file, first.line, first.reason, first.fix)

    def message(self) -> Message:
        texts = [error.message() for error in self.errors[:_SHOWN]]
        left = len(self.errors) - _SHOWN + self.more
        if left > 0:
            texts.append(msg("and {left} more", left=left))
        return lines(texts)


class Problems:
    """Collect the problems of an inventory. raise_any() raises them.

    visits: whether hosts will be collected, so that the files of connections must exist.
    """

    def __init__(self, *, visits: bool = False) -> None:
        self.visits = visits
        self._errors: list[InventoryError] = []
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._errors)

    def add(self, file: str, line: int | None, reason: Message, fix: Message) -> None:
        if len(self._errors) < MOST_PROBLEMS:
            self._errors.append(InventoryError(file, line, reason, fix))
        else:
            self._more += 1

    def raise_any(self) -> None:
        """Raise InventoryError for one problem, its subclass InventoryErrors for several."""
        errors = sorted(self._errors, key=lambda e: (e.file, e.line or 0))
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise InventoryErrors(tuple(errors), self._more)


def quoted(text: str, limit: int = 60) -> str:
    """Return a word of a file for a message: short, quoted, with visible control characters."""
    return repr(text if len(text) <= limit else text[:limit] + "…")
