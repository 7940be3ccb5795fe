"""Count the steps of a regular expression, by a matcher that backtracks as Python's does."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from bkpaas.facts.former_texts import MARKS

if sys.version_info >= (3, 11):
    from re import _constants as ops
    from re import _parser as parser
else:  # pragma: no cover
    import sre_constants as ops
    import sre_parse as parser

CATEGORIES = {
    ops.CATEGORY_DIGIT: str.isdigit,
    ops.CATEGORY_SPACE: str.isspace,
    ops.CATEGORY_WORD: lambda sign: sign.isalnum() or sign == "_",
    ops.CATEGORY_NOT_DIGIT: lambda sign: not sign.isdigit(),
    ops.CATEGORY_NOT_SPACE: lambda sign: not sign.isspace(),
    ops.CATEGORY_NOT_WORD: lambda sign: not (sign.isalnum() or sign == "_"),
}
REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT)


def parsed(pattern: re.Pattern[str]) -> list[Any]:
    return list(parser.parse(pattern.pattern, pattern.flags))


def inner(op: Any, argument: Any) -> list[list[Any]]:
    """The sequences within an element of a pattern."""
    if op is ops.SUBPATTERN:
        return [list(argument[-1])]
    if op is ops.BRANCH:
        return [list(one) for one in argument[1]]
    if op in REPEATS:
        return [list(argument[2])]
    return []


class Counter:
    """Searches as re.sub does: from each place, and behind a match from its end."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self.fold = bool(pattern.flags & re.IGNORECASE)
        self.text = text.lower() if self.fold else text
        self.steps = 0
        tree, place = parsed(pattern), 0
        while place <= len(text):
            end = next(self.sequence(tree, 0, place), None)
            place = place + 1 if end is None or end == place else end

    def sequence(self, tree: list[Any], at: int, place: int) -> Iterator[int]:
        """Each place at which the elements from `at` on may end."""
        if at == len(tree):
            yield place
            return
        op, argument = tree[at]
        if op in REPEATS:
            ends: Iterator[int] = self.repeat(op, argument, place)
        elif op is ops.SUBPATTERN:
            ends = self.sequence(list(argument[-1]), 0, place)
        elif op is ops.BRANCH:
            ends = (end for one in argument[1] for end in self.sequence(list(one), 0, place))
        elif op is ops.AT:
            self.steps += 1
            ends = iter((place,) if self.anchored(argument, place) else ())
        else:
            ends = iter((place + 1,) if self.one(op, argument, place) else ())
        for end in ends:
            yield from self.sequence(tree, at + 1, end)

    def repeat(self, op: Any, argument: Any, place: int) -> Iterator[int]:
        """Of one character each; or of a group that may be left out."""
        least, most, body = argument
        most = len(self.text) if most is ops.MAXREPEAT else most
        if len(body) > 1 or inner(*body[0]):
            assert (least, most) == (0, 1)
            yield from self.sequence(list(body), 0, place)
            yield place
            return
        ((kind, what),) = body
        ends = [place]
        while len(ends) <= most and self.one(kind, what, ends[-1]):
            ends.append(ends[-1] + 1)
        enough = ends[least:]
        yield from enough if op is ops.MIN_REPEAT else reversed(enough)

    def one(self, op: Any, argument: Any, place: int) -> bool:
        self.steps += 1
        if place >= len(self.text):
            return False
        return self.fits(op, argument, self.text[place])

    def fits(self, op: Any, argument: Any, sign: str) -> bool:
        code = ord(sign)
        same = (
            {argument, ord(chr(argument).lower()) if self.fold else argument}
            if isinstance(argument, int)
            else ()
        )
        if op is ops.LITERAL:
            return code in same
        if op is ops.NOT_LITERAL:
            return code not in same
        if op is ops.ANY:
            return sign != "\n"
        if op is ops.CATEGORY:
            return bool(CATEGORIES[argument](sign))
        if op is ops.RANGE:
            return argument[0] <= code <= argument[1] or (
                self.fold and argument[0] <= ord(sign.upper()) <= argument[1]
            )
        assert op is ops.IN, op
        negated = argument[0][0] is ops.NEGATE
        return negated != any(self.fits(kind, what, sign) for kind, what in argument[negated:])

    def anchored(self, where: Any, place: int) -> bool:
        before, after = self.text[place - 1 : place] if place else "", self.text[place : place + 1]
        if where is ops.AT_BOUNDARY:
            word = CATEGORIES[ops.CATEGORY_WORD]
            return bool(before and word(before)) != bool(after and word(after))
        if where in (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING):
            return place == 0 or before == "\n"
        assert where is ops.AT_END, where
        return not after or after == "\n"


def sample(op: Any, argument: Any, most: int = 3) -> str:
    """A short text that an element of a pattern fits."""
    if op in REPEATS:
        body = "".join(sample(*one) for one in argument[2])
        return body * max(argument[0], min(argument[1], most) if isinstance(argument[1], int) else most)
    if op is ops.SUBPATTERN:
        return "".join(sample(*one) for one in argument[-1])
    if op is ops.BRANCH:
        return "".join(sample(*one) for one in argument[1][0])
    if op is ops.AT:
        return ""
    signs = MARKS + "aA0_-=/: \t\n\"'\\.,;<>[]{}()@%&?#密为：eybtBxikpscf"
    if op is ops.LITERAL:
        return chr(argument)
    counter = Counter.__new__(Counter)
    counter.fold = False
    return next(sign for sign in signs if counter.fits(op, argument, sign))


def hostile(tree: list[Any]) -> Iterator[str]:
    """Yield what to repeat: each beginning of a match, and each character that a repeat would take."""
    before = ""
    for op, argument in tree:
        for one in inner(op, argument):
            yield from (before + piece for piece in hostile(one))
            yield from hostile(one)
        before += sample(op, argument)
        if before:
            yield before
