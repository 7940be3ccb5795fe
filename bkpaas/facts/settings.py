"""Parse the Django settings of the open_paas projects from their source, without executing it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Set
from typing import Any, Literal

from bkpaas.errors import NoData
from bkpaas.facts import python2
from bkpaas.facts.file import FileFact, Files, content, file_fact, unreadable
from bkpaas.facts.literals import Unknown, evaluate
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile
from bkpaas.facts.secret_names import is_random
from bkpaas.facts.secret_shapes import Hide
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.shown import SHOWN, Own, allowed, consul_names, is_plain, no_own, normalised
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

Kind = Literal["int", "float", "str", "bool", "none", "list", "dict", "secret", "expression", "broken"]


_TYPES: dict[Kind, Any] = {
    "int": int,
    "float": (int, float),
    "str": str,
    "bool": bool,
    "list": list,
    "dict": dict,
}
"""The types of the values of each kind; the others keep none."""


class Value(Record, frozen=True, array_like=True):  # there are hundreds on a host: JSON without names
    """Represent the last assignment of a name."""

    kind: Kind
    file: str
    line: int
    value: Any = None
    """JSON; None for a secret, an expression, a broken assignment, what is too long, and a name that is not SHOWN."""
    source: str = ""
    """The right side as written, without secrets, cut; empty where the value says as much."""
    digest: str | None = None
    """Of a value that is not kept; of its normalised form, in which 3306 and "3306" are equal."""
    own_digest: str | None = None
    """The same with LAN_IP in place of the host's own addresses and names; None: there are none of them in it."""

    def __post_init__(self) -> None:
        """Refuse a value that is not of its kind, also where it is decoded."""
        if self.value is not None and not isinstance(self.value, _TYPES.get(self.kind, ())):
            raise ValueError(f"a value of another type than {self.kind}")

    @property
    def text(self) -> str:
        """Return the right side for display, redacted and truncated."""
        return self.source or self.digest or json.dumps(self.value, ensure_ascii=False)[:_TEXT_LENGTH]


class Settings(Record, frozen=True):
    """Hold the settings of one project, from its files in order."""

    project: str
    files: tuple[FileFact, ...]
    values: dict[str, Value]
    """Module-level upper-case names; a later file, and in a file a later line, wins."""
    problems: tuple[Message | str, ...] = ()
    """`file:line: ...` for each place that is neither Python 2 nor Python 3."""
    placeholders: tuple[str, ...] = ()
    """`file:line: __NAME__` for each template variable that was never replaced."""
    consul_names: tuple[str, ...] = ()
    """Names of consul's services in any of the values."""

    def get(self, name: str) -> Value | None:
        return self.values.get(name)

    def number(self, name: str) -> int | float:
        """Return the number assigned to a name.

        Raises: NoData if it is absent, not a plain number, or if a file was not readable, which may set it.
        """
        for file in self.files:
            if file.error is not None:
                raise NoData(msg("{path}: {reason}", path=file.path, reason=file.error))
        value = self.values.get(name)
        if value is None:
            raise NoData(msg("{name} is not set in {project}", name=name, project=self.project))
        if value.kind not in ("int", "float") or value.value is None:
            raise NoData(
                msg(
                    "{file}:{line}: {name} = {text} is not a plain number",
                    file=value.file,
                    line=value.line,
                    name=name,
                    text=value.text,
                )
            )
        number: int | float = value.value
        return number


class SettingsByProject(Fact, frozen=True):
    """Hold the settings by project: login, paas, esb, appengine, console."""

    by_project: dict[str, Settings]


SEARCH_SETTINGS = ("ELASTICSEARCH_URLS", "ELASTICSEARCH_HOSTS")
"""Where paas looks for logs: `user:password@host:port`, without a scheme."""

_FILES = re.compile(r"settings-(?P<project>[a-z0-9_]+)-(?P<order>\d+)")
_PLACEHOLDER = re.compile(r"__[0-9A-Z_]+__")
_TEXT_LENGTH = 200
_MOST_NAMES = 100
_VALUE_LENGTH = 2000
"""Of one value as JSON, in characters; a longer one is kept as its digest."""
_KINDS: dict[type, Kind] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    list: "list",
    dict: "dict",
    type(None): "none",
}


def settings(files: Files, secrets: Secrets, own: Own = no_own, shown: Set[str] = SHOWN) -> SettingsByProject:
    """Return the settings of all projects, the files of each in their order of reading.

    own: replaces the host's own addresses and names in a text. shown: names whose values are kept.
    """
    by_project: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for name, entries in files.items():
        if match := _FILES.fullmatch(name):
            read = by_project.setdefault(match["project"], [])
            read.extend((int(match["order"]), entry) for entry in entries)
    return SettingsByProject(
        by_project={
            project: _settings(
                project,
                [entry for _, entry in sorted(read, key=lambda one: one[0])],
                _Reader(secrets, own, shown),
            )
            for project, read in by_project.items()
        }
    )


def _settings(project: str, entries: list[dict[str, Any]], reader: _Reader) -> Settings:
    files = tuple(map(file_fact, entries))
    for file, entry in zip(files, entries, strict=True):
        if reason := unreadable(entry):
            reader.problems.append(msg("{path}: {reason}", path=file.path, reason=reason))
        reader.read(file.path, content(entry) or "")
    return Settings(
        project=project,
        files=files,
        values=reader.values,
        problems=tuple(reader.problems),
        placeholders=tuple(reader.placeholders),
        consul_names=tuple(dict.fromkeys(reader.consul_names))[:_MOST_NAMES],
    )


class _Reader:
    """Read the assignments of files in order; values of earlier files are visible in later ones."""

    def __init__(self, secrets: Secrets, own: Own, shown: Set[str]) -> None:
        self.secrets, self.own, self.shown = secrets, own, shown
        self.consul_names: list[str] = []
        self.names: dict[str, Any] = {}
        self.values: dict[str, Value] = {}
        self.problems: list[Message | str] = []
        self.placeholders: list[str] = []
        self.file = ""

    def read(self, file: str, text: str) -> None:
        self.file = file
        module, error_line = python2.parse(text.lstrip("\ufeff"))
        if error_line is not None:
            self.problems.append(msg("{place}: syntax error", place=f"{file}:{error_line}"))
        self._block(module, certain=True)
        for leaf in python2.leaves(module):
            if leaf.type in ("string", "name") and leaf.parent.type != "simple_stmt":
                found = _PLACEHOLDER.findall(leaf.value)
                self.placeholders.extend(f"{file}:{leaf.start_pos[0]}: {name}" for name in found)

    def _block(self, node: Any, certain: bool) -> None:
        for child in node.children:
            if child.type == "expr_stmt":
                self._assignment(child, certain)
            elif child.type in ("simple_stmt", "suite", "with_stmt"):
                self._block(child, certain)
            elif child.type in ("try_stmt", "for_stmt", "while_stmt"):
                self._block(child, certain=False)
            elif child.type == "if_stmt":
                self._branches(child, certain)
            elif child.type == "error_node":
                self._broken(child)

    def _branches(self, node: Any, certain: bool) -> None:
        """Read the branch that is taken, or all possible branches if that is unknown."""
        for index, word in enumerate(node.children):
            if getattr(word, "value", None) not in ("if", "elif", "else"):
                continue
            taken: bool | None = True
            if word.value != "else":
                taken = self._truth(node.children[index + 1])
            suite = node.children[index + (2 if word.value == "else" else 3)]
            if taken is not False:
                certain = certain and taken is True
                self._block(_Only(suite), certain)
            if taken:
                return

    def _truth(self, test: Any) -> bool | None:
        try:
            return bool(evaluate(test, self.names))
        except Unknown:
            return None

    def _assignment(self, statement: Any, certain: bool) -> None:
        for target, source, operator in _targets(statement):
            if target.type in ("power", "atom_expr") and target.children[0].type == "name":
                # X["key"] = ... changes a value that is known so far.
                self._set(target.children[0], source, None)
            elif target.type == "name":
                value = self._evaluated(target, source, operator) if certain else None
                self._set(target, source, value)

    def _evaluated(self, target: Any, source: Any, operator: str) -> Any:
        try:
            value = evaluate(source, self.names)
            if operator == "+=":
                return (self.names[target.value] + value,)
            return (value,) if operator == "=" else None
        except (Unknown, KeyError, TypeError):
            return None

    def _set(self, target: Any, source: Any, value: tuple[Any] | None) -> None:
        """Remember a name with its value in a tuple, None when the value cannot be told."""
        name = target.value
        if value is None:
            self.names.pop(name, None)
        else:
            self.names[name] = value[0]
        if name.isupper():
            line = target.start_pos[0]
            self.values[name] = self._value(name, line, source, value)

    def _value(self, name: str, line: int, source: Any, value: tuple[Any] | None) -> Value:
        written = self._text(name, list(python2.leaves(source)))
        if value is None:
            kind: Kind = "broken" if any(map(python2.is_error, python2.leaves(source))) else "expression"
            if kind == "expression" and self.secrets.is_secret(name):
                kind = "secret"
            digest = self.secrets.digest(source.get_code(include_prefix=False)) if kind == "secret" else None
            return Value(kind=kind, file=self.file, line=line, source=written, digest=digest)
        plain = value[0]
        self.consul_names += consul_names(plain)
        if self._hidden(name, plain):
            digest = self.secrets.digest(plain if isinstance(plain, str) else json.dumps(plain))
            return Value(kind="secret", file=self.file, line=line, digest=digest)
        if name not in self.shown and not is_plain(plain):
            return self._concealed(name, line, plain)
        logins = self.secrets.logins(plain) if name in SEARCH_SETTINGS else plain
        shown = allowed(self.secrets.tree(logins), self.shown, self.secrets)
        as_json = json.dumps(shown, ensure_ascii=False, sort_keys=True)
        telling = isinstance(plain, str | int | float) and source.type not in ("string", "number", "keyword")
        long = len(as_json) > _VALUE_LENGTH
        return Value(
            kind=_KINDS[type(shown)],
            file=self.file,
            line=line,
            value=None if long else shown,
            source=written if telling else as_json[:_TEXT_LENGTH] if long else "",
            digest=self.secrets.conceal(as_json) if long else None,
        )

    def _concealed(self, name: str, line: int, plain: Any) -> Value:
        """Return a value of which only the digest is kept."""
        if isinstance(plain, str) and is_random(plain):
            self.secrets.digest(plain)  # it is looked for elsewhere, as a secret is
        self.secrets.tree(plain)  # remembers the secrets within
        normal = normalised(plain)
        own = self.own(normal)
        return Value(
            kind=_KINDS[type(plain)],
            file=self.file,
            line=line,
            digest=self.secrets.conceal(normal),
            own_digest=None if own == normal else self.secrets.conceal(own),
        )

    def _hidden(self, name: str, value: Any) -> bool:
        """Return whether a value is secret; empty values and unreplaced template variables are not."""
        if not value or (isinstance(value, str) and _PLACEHOLDER.fullmatch(value)):
            return False
        return self.secrets.is_secret(name, value)

    def _hiding(self, name: str, leaves: list[Any]) -> Hide | None:
        """Return what hides the strings of an expression; None where they may be shown."""
        names = [name, *(leaf.value.strip("'\"") for leaf in leaves if leaf.type in ("name", "string"))]
        secret = any(map(self.secrets.is_secret, names))
        secret = secret or (name in SEARCH_SETTINGS and any("@" in leaf.value for leaf in leaves))
        if secret:
            return self.secrets.digest
        return None if name in self.shown else self.secrets.conceal

    def _broken(self, node: Any) -> None:
        """Read an assignment inside of a syntax error."""
        leaves = list(python2.leaves(node))
        if (
            len(leaves) < 2
            or leaves[0].type != "name"
            or leaves[1].value != "="
            or not leaves[0].value.isupper()
        ):
            return
        name, line = leaves[0].value, leaves[0].start_pos[0]
        after = leaves[-1].get_next_leaf()
        while after is not None and after.start_pos[0] == line and after.type != "newline":
            leaves.append(after)
            after = after.get_next_leaf()
        self.names.pop(name, None)
        text = self._text(name, leaves[2:])
        self.values[name] = Value(kind="broken", file=self.file, line=line, source=text)

    def _text(self, name: str, leaves: list[Any]) -> str:
        """Return the source without comments; strings are redacted if any name in it is secret."""
        hide = self._hiding(name, leaves)
        if hide and any(map(python2.is_error, leaves)):
            return hide(" ".join(leaf.value for leaf in leaves))
        parts: list[str] = []
        space_left = (
            4 * _TEXT_LENGTH
        )  # of which the cut below takes the beginning; the next leaf is costly to find
        for leaf in leaves:
            if space_left <= 0:
                break
            inner = leaf.value.strip("'\"")
            number = name not in self.shown or self.secrets.is_secret(name, inner)
            hidden = leaf.type == "string" or (leaf.type == "number" and number)
            variable = inner.isidentifier() and inner.isupper() and self.secrets.is_secret(inner)
            if hide and hidden and inner and not variable:
                parts.append(hide(inner))
            else:
                parts.append(leaf.value)
            following = leaf.get_next_leaf()
            parts.append(" " if following is not None and following.prefix else "")
            space_left -= len(parts[-2]) + len(parts[-1])
        return self.secrets.truncate("".join(parts).strip(), _TEXT_LENGTH)


class _Only:
    """Wrap a node as the only child of another."""

    def __init__(self, child: Any) -> None:
        self.children = (child,)


def _targets(statement: Any) -> Iterator[tuple[Any, Any, str]]:
    """Yield target, source and operator of `A = B = 1`, `A, B = 1, 2`, `A += 1` and `A: int = 1`."""
    first, *rest = statement.children
    if rest and rest[0].type == "annassign":
        if len(rest[0].children) == 4:
            yield first, rest[0].children[3], "="
        return
    source = statement.children[-1]
    for target, operator in zip(statement.children[0:-1:2], statement.children[1::2], strict=True):
        if target.type == "testlist_star_expr" and source.type == "testlist_star_expr":
            pairs = zip(target.children[0::2], source.children[0::2], strict=False)
            yield from ((name, value, "=") for name, value in pairs)
        else:
            yield target, source, operator.value


_MOST_FILES = 50


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the settings files of all projects of a paas host."""
    if earlier is None and entry.has_role("paas"):
        for project, paths in platform.SETTINGS_FILES.items():
            for order, path in enumerate(paths, 1):
                name = FileName.SETTINGS.of(project, order)
                yield ReadFile(name, "{home}/" + path, deployment.limits.file_bytes, _MOST_FILES)
