"""Read YAML against a schema, with the line of every value, and report all problems of a file.

A check is a function from a node to a value that raises Refused. A Section is a mapping whose keys are taken one by
one; keys that are left over are unknown.
"""

from __future__ import annotations

import datetime
import difflib
import math
import re
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from bkpaas.errors import InventoryError
from bkpaas.inventory import words
from bkpaas.inventory.problems import Problems, quoted
from bkpaas.inventory.source import Source
from bkpaas.messages import Message, msg

T = TypeVar("T")
Node = Any  # a ruamel.yaml node; ruamel types them as Any too
Check = Callable[[Node], T]

_TAG = "tag:yaml.org,2002:"
_PASSWORD = re.compile(r"pass|pwd|secret|token|credential", re.IGNORECASE)


class Refused(Exception):
    """Signal a refused value: reason, fix, and its node if it is not the checked one."""

    def __init__(self, reason: Message, fix: Message, node: Node = None) -> None:
        super().__init__(reason, fix)
        self.reason, self.fix, self.node = reason, fix, node


def compose(source: Source) -> Node:
    """Return the root node. Raises InventoryError: not YAML, several documents, empty."""
    fix = msg("correct the YAML")
    try:
        # The parser alone: no value is built, so 2025-13-01 or !!python/object cannot do any harm.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote the file, which may hold what is refused below
            root = YAML(typ="safe", pure=True).compose(source.text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(error.problem or error.context).split())
        if "alias" in problem or "tag" in problem:
            problem = problem.partition(" '")[0]  # what follows was written as a value: a password, perhaps
        raise InventoryError(
            source.file,
            mark.line + 1 if mark else None,
            msg("is not YAML: {problem}", problem=problem),
            fix,
        ) from None
    except YAMLError as error:
        line = source.text.count("\n", 0, getattr(error, "position", 0)) + 1
        problem = " ".join(str(error).split("\n", 1)[0].split())
        raise InventoryError(source.file, line, msg("is not YAML: {problem}", problem=problem), fix) from None
    except RecursionError:
        reason = msg("is nested too deeply")
        raise InventoryError(source.file, None, reason, fix) from None
    if root is None or _is_null(root):
        raise InventoryError(
            source.file,
            None,
            msg("is empty", context="file"),
            msg("write at least hosts:, or remove the file"),
        )
    return root


class Section:
    """Read one mapping of the file."""

    def __init__(self, file: str, node: Node, name: str, problems: Problems) -> None:
        self.file, self.name, self.problems = file, name, problems
        self.line: int = node.start_mark.line + 1
        self._nodes: dict[str, tuple[Node, Node]] = {}
        self._known: list[str] = []
        self._sound = isinstance(node, MappingNode)
        if not self._sound:
            shape = msg("{name} is not a mapping (key: value)", name=name)
            self._add(node, shape, msg("write it as key: value"))
            return
        for key, value in node.value:
            text = key.value if isinstance(key, ScalarNode) else ""
            if text in self._nodes:
                first = self._nodes[text][0].start_mark.line + 1
                self._add(
                    key,
                    msg("{key}: is set twice, first in line {line}", key=text, line=first),
                    msg("remove one of the two"),
                )
            else:
                self._nodes[text] = (key, value)

    def keys(self) -> list[str]:
        return list(self._nodes)

    def has(self, key: str) -> bool:
        return key in self._nodes

    def take(self, key: str, check: Check[T]) -> T | None:
        """Return the value of a key, None if it is absent or refused; a refusal is added to the problems."""
        self._known.append(key)
        if key not in self._nodes:
            return None
        name, node = self._nodes[key]
        try:
            if _is_null(node):
                raise Refused(
                    msg("has no value"),
                    msg("give it one, or remove the key"),
                    name,  # for YAML what is missing begins on the next line
                )
            return check(node)
        except Refused as refused:
            self._add(
                refused.node or node, msg("{key}: {reason}", key=key, reason=refused.reason), refused.fix
            )
            return None

    def need(self, key: str, check: Check[T]) -> T | None:
        """Take a key; report a problem if it is absent."""
        if self._sound and key not in self._nodes:
            self.problems.add(
                self.file,
                self.line,
                msg("{name} has no {key}:", name=self.name, key=key),
                msg("add {key}:", key=key),
            )
        return self.take(key, check)

    def section(self, key: str) -> Section | None:
        return self.take(key, lambda node: Section(self.file, node, f"{key}:", self.problems))

    def sections(self, key: str) -> list[Section]:
        """Return the sections of a list of mappings."""

        def each(node: Node) -> list[Section]:
            singular = key.removesuffix("s")
            return [
                Section(self.file, item, f"{singular} {number}", self.problems)
                for number, item in enumerate(_items(node), 1)
            ]

        return self.take(key, each) or []

    def end(self) -> None:
        """Report keys that were not taken as unknown."""
        for key, (node, _) in self._nodes.items():
            if key in self._known:
                continue
            if _PASSWORD.search(key):
                reason = msg("{key}: an inventory must not contain secrets", key=key)
                fix = msg("remove it and log in with a key: connect: {{key: PATH}}")
            else:
                reason = msg("{key} is unknown in {name}", key=quoted(key), name=self.name)
                near = difflib.get_close_matches(key, self._known, 1)
                listed = ", ".join(self._known)
                fix = (
                    msg("did you mean {near}: ?", near=near[0])
                    if near
                    else msg("known here: {listed}", listed=listed)
                )
            self._add(node, reason, fix)

    def refuse(self, key: str, reason: Message, fix: Message) -> None:
        """Report a problem with a valid key or with the whole section."""
        node = self._nodes.get(key)
        line = node[1].start_mark.line + 1 if node else self.line
        self.problems.add(self.file, line, reason, fix)

    def _add(self, node: Node, reason: Message, fix: Message) -> None:
        self.problems.add(self.file, node.start_mark.line + 1, reason, fix)


def text(node: Node) -> str:
    """Check for a plain text of one line."""
    if not isinstance(node, ScalarNode):
        raise Refused(
            msg("is not a text"),
            msg("write one word or sentence"),
        )
    if node.tag != _TAG + "str":
        raise Refused(
            msg("{value} is not a text for YAML", value=quoted(node.value)),
            msg("put it in quotes"),
        )
    value = str(node.value).strip()
    if not value or not value.isprintable():
        raise Refused(
            msg("is empty or has control characters"),
            msg("write printable text"),
        )
    return value


def matching(pattern: re.Pattern[str], fix: Message) -> Check[str]:
    """Return a check for a pattern, folded to lower case; fix describes the form."""

    def check(node: Node) -> str:
        value = text(node).lower()
        if not pattern.fullmatch(value):
            raise Refused(msg("{value} is not allowed", value=quoted(value)), fix)
        return value

    return check


def address(node: Node) -> str:
    value = str(node.value) if isinstance(node, ScalarNode) else ""
    if not words.is_address(value):
        raise Refused(*words.no_address(value))
    return value


def domain(node: Node) -> str:
    value = text(node).lower()
    if not words.is_domain(value):
        raise Refused(
            msg("{value} is not a host name", value=quoted(value)),
            msg("letters, digits, '-' and dots, without scheme, port and path: paas.bk.com"),
        )
    return value


def flag(node: Node) -> bool:
    value = node.value if isinstance(node, ScalarNode) else None
    if value not in ("true", "True", "TRUE", "false", "False", "FALSE"):
        raise Refused(
            msg("is neither true nor false"),
            msg("write true or false, without quotes"),
        )
    return bool(value.lower() == "true")


def number(low: float, high: float, whole: bool) -> Check[float]:
    """Return a check for a number from low to high; with whole, an int."""

    def check(node: Node) -> float:
        plain = isinstance(node, ScalarNode) and node.tag in (_TAG + "int", _TAG + "float")
        try:
            value = int(node.value) if whole else float(node.value)
        except (ValueError, TypeError, AttributeError):
            value = math.nan
        if not plain or not low <= value <= high:
            kind = msg("a whole number") if whole else msg("a number")
            raise Refused(
                msg("is not {kind} of {low:g} to {high:g}", kind=kind, low=low, high=high),
                msg("write such a number, without quotes and unit"),
            )
        return value

    return check


def port(node: Node) -> int:
    return int(number(1, 65535, whole=True)(node))


def one_of(*choices: str) -> Check[str]:
    def check(node: Node) -> str:
        value = node.value if isinstance(node, ScalarNode) else None
        if value not in choices:
            listed = ", ".join(choices)
            raise Refused(
                msg("is not one of {listed}", listed=listed),
                msg("write one of {listed}", listed=listed),
            )
        return str(value)

    return check


def day(node: Node) -> str:
    """Check for a date; return it as ISO text."""
    value = str(node.value) if isinstance(node, ScalarNode) else ""
    try:
        return datetime.datetime.strptime(value, "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise Refused(
            msg("{value} is not a date", value=quoted(value)),
            msg("write year-month-day: 2025-12-31"),
        ) from None


def many(check: Check[T]) -> Check[tuple[T, ...]]:
    """Return a check for a list whose items all pass the check."""

    def each(node: Node) -> tuple[T, ...]:
        values = []
        for item in _items(node):
            try:
                values.append(check(item))
            except Refused as refused:
                raise Refused(refused.reason, refused.fix, item) from None
        return tuple(values)

    return each


def _items(node: Node) -> list[Node]:
    if not isinstance(node, SequenceNode):
        raise Refused(
            msg("is not a list"),
            msg("write [one, two], or one '- item' a line"),
        )
    return list(node.value)


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == _TAG + "null"
