"""Reading YAML against a schema, with the line of every value and every problem told at once.

A check is a function from a node to a value that raises Refused; a Section is a mapping whose keys are taken
one by one, and what is left over at the end is unknown.
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
from bkpaas.lang import say

T = TypeVar("T")
Node = Any  # a ruamel.yaml node; ruamel types them as Any too
Check = Callable[[Node], T]

_TAG = "tag:yaml.org,2002:"
_PASSWORD = re.compile(r"pass|pwd|secret|token|credential", re.IGNORECASE)


class Refused(Exception):
    """A value that cannot be taken: reason, way out, and the node when it is not the one checked."""

    def __init__(self, reason: str, way_out: str, node: Node = None) -> None:
        super().__init__(reason, way_out)
        self.reason, self.way_out, self.node = reason, way_out, node


def compose(source: Source) -> Node:
    """The root node. InventoryError: not YAML, several documents, empty."""
    way_out = say(en="correct the YAML", zh="请更正 YAML 语法")
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
            say(en=f"is not YAML: {problem}", zh=f"不是合法的 YAML：{problem}"),
            way_out,
        ) from None
    except YAMLError as error:
        line = source.text.count("\n", 0, getattr(error, "position", 0)) + 1
        reason = " ".join(str(error).split("\n", 1)[0].split())
        raise InventoryError(
            source.file, line, say(en=f"is not YAML: {reason}", zh=f"不是合法的 YAML：{reason}"), way_out
        ) from None
    except RecursionError:
        reason = say(en="is nested too deeply", zh="嵌套过深")
        raise InventoryError(source.file, None, reason, way_out) from None
    if root is None or _is_null(root):
        raise InventoryError(
            source.file,
            None,
            say(en="is empty", zh="内容为空"),
            say(en="write at least hosts:, or remove the file", zh="至少写上 hosts:，或删除该文件"),
        )
    return root


class Section:
    """One mapping of the file."""

    def __init__(self, file: str, node: Node, name: str, problems: Problems) -> None:
        self.file, self.name, self.problems = file, name, problems
        self.line: int = node.start_mark.line + 1
        self._nodes: dict[str, tuple[Node, Node]] = {}
        self._known: list[str] = []
        self._sound = isinstance(node, MappingNode)
        if not self._sound:
            shape = say(en=f"{name} is not a mapping (key: value)", zh=f"{name} 不是映射（key: value）")
            self._add(node, shape, say(en="write it as key: value", zh="请写成 key: value 的形式"))
            return
        for key, value in node.value:
            text = key.value if isinstance(key, ScalarNode) else ""
            if text in self._nodes:
                first = self._nodes[text][0].start_mark.line + 1
                self._add(
                    key,
                    say(
                        en=f"{text}: stands here twice, first in line {first}",
                        zh=f"{text}: 重复出现，首次在第 {first} 行",
                    ),
                    say(en="remove one of the two", zh="请删除其中一个"),
                )
            else:
                self._nodes[text] = (key, value)

    def has(self, key: str) -> bool:
        return key in self._nodes

    def take(self, key: str, check: Check[T]) -> T | None:
        """The value of a key; None when it is absent or was refused, which is then among the problems."""
        self._known.append(key)
        if key not in self._nodes:
            return None
        name, node = self._nodes[key]
        try:
            if _is_null(node):
                raise Refused(
                    say(en="has no value", zh="没有值"),
                    say(en="give it one, or remove the key", zh="请填写，或删除该项"),
                    name,  # for YAML what is missing begins on the next line
                )
            return check(node)
        except Refused as refused:
            self._add(refused.node or node, f"{key}: {refused.reason}", refused.way_out)
            return None

    def need(self, key: str, check: Check[T]) -> T | None:
        """take, and a problem when the key is absent."""
        if self._sound and key not in self._nodes:
            self.problems.add(
                self.file,
                self.line,
                say(en=f"{self.name} has no {key}:", zh=f"{self.name} 缺少 {key}:"),
                say(en=f"add {key}:", zh=f"请补上 {key}:"),
            )
        return self.take(key, check)

    def section(self, key: str) -> Section | None:
        return self.take(key, lambda node: Section(self.file, node, f"{key}:", self.problems))

    def sections(self, key: str) -> list[Section]:
        """A list of mappings."""

        def each(node: Node) -> list[Section]:
            singular = key.removesuffix("s")
            return [
                Section(self.file, item, f"{singular} {number}", self.problems)
                for number, item in enumerate(_items(node), 1)
            ]

        return self.take(key, each) or []

    def end(self) -> None:
        """What was not taken is unknown."""
        for key, (node, _) in self._nodes.items():
            if key in self._known:
                continue
            if _PASSWORD.search(key):
                reason = say(
                    en=f"{key}: secrets have no place in an inventory",
                    zh=f"{key}: 清单中不允许出现密码等机密",
                )
                way_out = say(
                    en="remove it and log in with a key: connect: {key: PATH}",
                    zh="请删除，改用密钥登录：connect: {key: 路径}",
                )
            else:
                reason = say(
                    en=f"{quoted(key)} is unknown in {self.name}",
                    zh=f"{self.name} 中没有 {quoted(key)} 这一项",
                )
                near = difflib.get_close_matches(key, self._known, 1)
                listed = ", ".join(self._known)
                way_out = (
                    say(en=f"did you mean {near[0]}: ?", zh=f"是否想写 {near[0]}: ？")
                    if near
                    else say(en=f"known here: {listed}", zh=f"此处可用：{listed}")
                )
            self._add(node, reason, way_out)

    def refuse(self, key: str, reason: str, way_out: str) -> None:
        """A problem with a key that was taken well, or with the whole section."""
        node = self._nodes.get(key)
        line = node[1].start_mark.line + 1 if node else self.line
        self.problems.add(self.file, line, reason, way_out)

    def _add(self, node: Node, reason: str, way_out: str) -> None:
        self.problems.add(self.file, node.start_mark.line + 1, reason, way_out)


def text(node: Node) -> str:
    """A plain text of one line."""
    if not isinstance(node, ScalarNode):
        raise Refused(
            say(en="is not a text", zh="不是文本"),
            say(en="write one word or sentence", zh="请写一个词或一句话"),
        )
    if node.tag != _TAG + "str":
        raise Refused(
            say(
                en=f"{quoted(node.value)} is not a text for YAML",
                zh=f"YAML 不把 {quoted(node.value)} 当作文本",
            ),
            say(en="put it in quotes", zh="请加上引号"),
        )
    value = str(node.value).strip()
    if not value or not value.isprintable():
        raise Refused(
            say(en="is empty or has control characters", zh="为空或含有控制字符"),
            say(en="write printable text", zh="请填写可见文本"),
        )
    return value


def matching(pattern: re.Pattern[str], en: str, zh: str) -> Check[str]:
    """A text of one form, folded to lower case; en and zh say which form."""

    def check(node: Node) -> str:
        value = text(node).lower()
        if not pattern.fullmatch(value):
            raise Refused(
                say(en=f"{quoted(value)} is not allowed", zh=f"{quoted(value)} 不合要求"), say(en=en, zh=zh)
            )
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
            say(en=f"{quoted(value)} is no host name", zh=f"{quoted(value)} 不是主机域名"),
            say(
                en="letters, digits, '-' and dots, without scheme, port and path: paas.bk.com",
                zh="只用字母、数字、'-' 和点，不带协议、端口和路径，例如：paas.bk.com",
            ),
        )
    return value


def flag(node: Node) -> bool:
    value = node.value if isinstance(node, ScalarNode) else None
    if value not in ("true", "True", "TRUE", "false", "False", "FALSE"):
        raise Refused(
            say(en="is neither true nor false", zh="不是 true 或 false"),
            say(en="write true or false, without quotes", zh="请写 true 或 false，不加引号"),
        )
    return bool(value.lower() == "true")


def number(low: float, high: float, whole: bool) -> Check[float]:
    """A number from low to high; with whole, an int."""

    def check(node: Node) -> float:
        plain = isinstance(node, ScalarNode) and node.tag in (_TAG + "int", _TAG + "float")
        try:
            value = int(node.value) if whole else float(node.value)
        except (ValueError, TypeError, AttributeError):
            value = math.nan
        if not plain or not low <= value <= high:
            kind = say(en="a whole number", zh="整数") if whole else say(en="a number", zh="数字")
            raise Refused(
                say(en=f"is not {kind} of {low:g} to {high:g}", zh=f"不是 {low:g} 到 {high:g} 之间的{kind}"),
                say(en="write such a number, without quotes and unit", zh="请直接填写数字，不加引号和单位"),
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
                say(en=f"is not one of {listed}", zh=f"不是以下之一：{listed}"),
                say(en=f"write one of {listed}", zh=f"请填写以下之一：{listed}"),
            )
        return str(value)

    return check


def day(node: Node) -> str:
    """A date, as ISO text."""
    value = str(node.value) if isinstance(node, ScalarNode) else ""
    try:
        return datetime.datetime.strptime(value, "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise Refused(
            say(en=f"{quoted(value)} is not a date", zh=f"{quoted(value)} 不是日期"),
            say(en="write year-month-day: 2025-12-31", zh="请写成 年-月-日，例如：2025-12-31"),
        ) from None


def many(check: Check[T]) -> Check[tuple[T, ...]]:
    """A list whose items all pass the check."""

    def each(node: Node) -> tuple[T, ...]:
        values = []
        for item in _items(node):
            try:
                values.append(check(item))
            except Refused as refused:
                raise Refused(refused.reason, refused.way_out, item) from None
        return tuple(values)

    return each


def _items(node: Node) -> list[Node]:
    if not isinstance(node, SequenceNode):
        raise Refused(
            say(en="is not a list", zh="不是列表"),
            say(en="write [one, two], or one '- item' a line", zh="请写成 [甲, 乙]，或每行一个 '- 项目'"),
        )
    return list(node.value)


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == _TAG + "null"
