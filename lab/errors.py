"""What goes wrong with a lab, told to the person who started it."""

from __future__ import annotations

from bkpaas.messages import Message, to_text


class LabError(Exception):
    """The lab cannot do what was asked: what, why and the fix, in the words of the message."""

    def __init__(self, message: Message | str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return to_text(self.message)
