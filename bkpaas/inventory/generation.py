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
    def location(self) -> str:
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
                "generation {generation}, because of {clue} ({location})",
                generation=generation,
                clue=clue.what,
                location=clue.location,
            )
    return "5.x", msg(
        "generation 5.x, because nothing in the inventory shows another; set generation: in deployment.yaml if it is 6.x"
    )


def _contradiction(five: Clue, six: Clue) -> InventoryError:
    return InventoryError(
        six.file,
        six.line,
        msg(
            "{six} belongs to 6.x, but {five} ({location}) belongs to 5.x",
            six=six.what,
            five=five.what,
            location=five.location,
        ),
        msg("remove the files of the other deployment, or set generation: in deployment.yaml"),
    )
