"""Determine the generation of a deployment from clues in its inventory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from bkpaas.errors import InventoryError
from bkpaas.inventory.deployment import Generation
from bkpaas.messages import Message, msg


class Clue(Struct, frozen=True):
    """Represent a clue to the generation."""

    generation: Generation
    what: Message | str
    file: str
    line: int | None = None

    @property
    def place(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


def decide(kinds: Iterable[Sequence[Clue]]) -> tuple[Generation, Message]:
    """Return the generation and a note with its clue; kinds: the strongest kind of clue first; the first that
    has any decides. Raises InventoryError if a kind contradicts itself."""
    for clues in kinds:
        first = {clue.generation: clue for clue in reversed(clues)}
        if len(first) > 1:
            raise _contradiction(first["5.x"], first["6.x"])
        for generation, clue in first.items():
            return generation, msg(
                "generation {generation}: told by {what} ({place})",
                generation=generation,
                what=clue.what,
                place=clue.place,
            )
    return "5.x", msg(
        "generation 5.x: nothing tells, so it is read as 5.x; else write generation: in deployment.yaml"
    )


def _contradiction(five: Clue, six: Clue) -> InventoryError:
    return InventoryError(
        six.file,
        six.line,
        msg(
            "{six} is of 6.x, but {five} ({place}) is of 5.x",
            six=six.what,
            five=five.what,
            place=five.place,
        ),
        msg("remove what is not of this deployment, or write generation: in deployment.yaml"),
    )
