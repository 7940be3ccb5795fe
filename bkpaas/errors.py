"""The errors of the suite, one tree.

SuiteError
├── InventoryError    the inventory cannot be used: file, line, reason, fix
├── CatalogueError    a file of the catalogue cannot be used: file, line or key, reason
├── CollectError      a host could not be visited: a kind and a reason in words
├── NoData            a fact that could not be had: judged as no_data
└── NotApplicable     the facts show that a condition has no meaning here
"""

from __future__ import annotations

from pathlib import Path

from bkpaas.former_names import warn_former_name
from bkpaas.messages import Message, msg, to_text


class SuiteError(Exception):
    """Everything this suite raises on purpose; its argument is the text."""

    def message(self) -> Message | str:
        """Return the text."""
        return _argument_message(self) or super().__str__()

    def __str__(self) -> str:
        """Return the text in the language of this program's output."""
        return to_text(self.message())


def message_of(error: BaseException) -> Message | str:
    """Return the text of an exception; a message that it was raised with stays one."""
    if isinstance(error, SuiteError):
        return error.message()
    return _argument_message(error) or str(error)


def _argument_message(error: BaseException) -> Message | None:
    """Return the message that is the argument, or the evidence of the case that is (bkpaas.checks.case)."""
    argument = error.args[0] if len(error.args) == 1 else None
    argument = getattr(argument, "evidence", argument)
    return argument if isinstance(argument, Message) else None


class InventoryError(SuiteError):
    """The inventory cannot be used."""

    def __init__(self, file: str, line: int | None, reason: Message | str, fix: Message | str) -> None:
        super().__init__(file, line, reason, fix)
        self.file, self.line, self.reason, self.fix = file, line, reason, fix

    @property
    def way_out(self) -> Message | str:
        """Return fix."""
        warn_former_name("InventoryError.way_out is now InventoryError.fix")
        return self.fix

    def message(self) -> Message:
        """Return the whole text: where, what and the fix."""
        location = self.file if self.line is None else f"{self.file}:{self.line}"
        return msg("{location}: {reason}\n  fix: {fix}", location=location, reason=self.reason, fix=self.fix)

    def __str__(self) -> str:
        return to_text(self.message())


class CatalogueError(SuiteError):
    """A file of the catalogue cannot be used: its syntax (with the line) or its content (with the key)."""

    def __init__(self, path: Path, where: int | str | None, reason: str) -> None:
        super().__init__(path, where, reason)
        self.path, self.where, self.reason = path, where, reason

    def message(self) -> str:
        """Return where and what."""
        if isinstance(self.where, int):
            return f"{self.path}:{self.where}: {self.reason}"
        return ": ".join(filter(None, (str(self.path), self.where, self.reason)))


class CollectError(SuiteError):
    """A host could not be visited, or not to the end.

    kind: one word for programs (see bkpaas.collect.errors); reason: a sentence for people.
    """

    def __init__(self, kind: str, reason: Message | str) -> None:
        super().__init__(kind, reason)
        self.kind, self.reason = kind, reason

    def message(self) -> Message | str:
        """Return the reason."""
        return self.reason

    def __str__(self) -> str:
        return to_text(self.reason)


class NoData(SuiteError):
    """A fact that could not be had, with the reason in words."""


class NotApplicable(SuiteError):
    """A condition that the facts show to have no meaning here, with the reason in words."""
