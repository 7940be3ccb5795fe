"""Parse Python 2 and 3 sources into a tree, with error recovery.

parso supports Python 3 only. python2_grammar adds the rules in which Python 2 differs to its grammar of 3.6, and joins
the tokens in which it differs; parser and error recovery are those of parso.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parso.python.tree import Module
    from parso.tree import NodeOrLeaf


@lru_cache(maxsize=16)
def parse(text: str) -> tuple[Module, int | None]:
    """Return (tree, line of the first syntax error); None if Python 2 or Python 3 accepts the text.

    Results are cached, since the hosts of a deployment have equal files and each is read twice.
    """
    from bkpaas.facts.python2_grammar import grammars  # parso: only answers of hosts with settings need it

    first: tuple[Module, int] | None = None
    for grammar in grammars():
        module = grammar.parse(text)
        line = _error_line(module)
        if line is None:
            return module, None
        first = first or (module, line)
    assert first is not None
    return first


def _error_line(node: NodeOrLeaf) -> int | None:
    if is_error(node):
        return int(node.start_pos[0])
    lines = (_error_line(child) for child in getattr(node, "children", ()))
    return next((line for line in lines if line is not None), None)


def is_error(node: NodeOrLeaf) -> bool:
    return node.type in ("error_node", "error_leaf")


def leaves(node: NodeOrLeaf) -> Iterator[Any]:
    """Yield the leaves in order."""
    if not hasattr(node, "children"):
        yield node
    for child in getattr(node, "children", ()):
        yield from leaves(child)
