"""Telling the generation of a deployment from what its inventory shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from bkpaas.errors import InventoryError
from bkpaas.inventory.deployment import Generation
from bkpaas.lang import say


class Clue(Struct, frozen=True):
    """Something that tells the generation."""

    generation: Generation
    what: str
    file: str
    line: int | None = None

    @property
    def place(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


def decide(kinds: Iterable[Sequence[Clue]]) -> tuple[Generation, str]:
    """The generation and a note of what told it. kinds: the strongest kind of clue first; the first that
    has any decides. InventoryError when a kind contradicts itself."""
    for clues in kinds:
        first = {clue.generation: clue for clue in reversed(clues)}
        if len(first) > 1:
            raise _contradiction(first["5.x"], first["6.x"])
        for generation, clue in first.items():
            return generation, say(
                en=f"generation {generation}: told by {clue.what} ({clue.place})",
                zh=f"版本 {generation}：依据 {clue.what}（{clue.place}）",
            )
    return "5.x", say(
        en="generation 5.x: nothing tells, so it is read as 5.x; else write generation: in deployment.yaml",
        zh="版本 5.x：没有可供判断的依据，按 5.x 读取；如不符，请在 deployment.yaml 写明 generation:",
    )


def _contradiction(five: Clue, six: Clue) -> InventoryError:
    return InventoryError(
        six.file,
        six.line,
        say(
            en=f"{six.what} is of 6.x, but {five.what} ({five.place}) is of 5.x",
            zh=f"{six.what} 属于 6.x，而 {five.what}（{five.place}）属于 5.x",
        ),
        say(
            en="remove what is not of this deployment, or write generation: in deployment.yaml",
            zh="删除不属于该环境的内容，或在 deployment.yaml 写明 generation:",
        ),
    )
