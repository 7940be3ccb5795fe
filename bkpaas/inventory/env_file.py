"""Read bash env files (globals.env, ports.env, 04-final/*.env) as data, without executing them.

Plain assignments are supported: quotes, $VAR, ${VAR}, ${VAR:-default}, comments, arrays. A value that needs
execution, or that depends on a condition, has a reason instead of a text. Secrets are dropped while reading.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from msgspec import Struct

from bkpaas.errors import InventoryError
from bkpaas.inventory.source import Source
from bkpaas.messages import Message, msg


class Setting(Struct, frozen=True):
    """Represent one variable: its text, or the reason without one."""

    file: str
    line: int
    text: str | None
    why: Message | None = None
    unset: tuple[str, ...] = ()
    """Variables in the value that no file sets; bash puts nothing in their place."""


_SECRET_KEY = re.compile(r"PASS|PWD|TOKEN|SECRET|KEY|CREDENTIAL|_SID$|COOKIE", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"[^/\s:@]:[^/\s@]+@")  # user:password@host

_SPACE = re.compile(r"(?:[\s;]+|#[^\n]*)+")
_ASSIGNMENT = re.compile(
    r"""(?:(?:export|readonly|declare|typeset)[ \t]+(?:-[A-Za-z]+[ \t]+)*)?
        (?P<key>[A-Za-z_][A-Za-z0-9_]*)(?P<add>\+?)=""",
    re.VERBOSE,
)
_PIECE = re.compile(
    r"""'(?P<single>[^']*)'
      | "(?P<double>(?:[^"\\]|\\.)*)"
      | \\(?P<escaped>.)
      | (?P<bare>[^\s'"\\;&|()<>]+)""",
    re.VERBOSE | re.DOTALL,
)
_LONGEST = 4096
"""Characters of a value; expansion stops there."""

_EXPANSION = re.compile(
    r"""\\(?P<escaped>[$`"\\])
      | \\\n
      | \$(?P<plain>[A-Za-z_]\w*)
      | \$\{(?P<braced>[A-Za-z_]\w*)(?:(?P<when>:?-)(?P<default>[^}$`]*))?\}
      | (?P<run>`|\$[({])""",
    re.VERBOSE | re.ASCII,
)
_OPENS = re.compile(r"(?:if|case|for|while|until|select|function)\b|[\w-]+[ \t]*\(\)|\{\s", re.ASCII)
_CLOSES = re.compile(r"(?:fi|esac|done)\b|\}")
_CLOSED_AT_END = re.compile(r"[\s;](?:fi|esac|done|\})[\s;]*(?:#.*)?$")


def read_env(sources: Iterable[Source], names: Collection[str]) -> dict[str, Setting]:
    """Return the requested variables, as after sourcing the files in order.

    Raises: InventoryError for a quote or bracket that is not closed.
    """
    variables: dict[str, Setting] = {}
    for source in sources:
        _File(source, variables).read()
    return {key: setting for key, setting in variables.items() if key in names}


class _Unreadable(Exception):
    """Signal a value that needs execution, with the reason."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


class _File:
    """Read one file and add to the variables of earlier files."""

    def __init__(self, source: Source, variables: dict[str, Setting]) -> None:
        self.file, self.text, self.variables = source.file, source.text, variables
        self.position, self.line = 0, 1
        self.depth = 0
        """How many conditions, loops and functions are open."""

    def read(self) -> None:
        while True:
            self._skip(_SPACE)
            if self.position >= len(self.text):
                return
            assignment = _ASSIGNMENT.match(self.text, self.position)
            if assignment:
                self._move(assignment.end())
                self._assign(assignment["key"], self.line, added=bool(assignment["add"]))
            else:
                self._pass_over()

    def _assign(self, key: str, line: int, added: bool) -> None:
        text: str | None = None
        why: Message | None = None
        unset: list[str] = []
        try:
            text = self._value(unset)
        except _Unreadable as error:
            why = error.reason
        if self.depth:
            text, why = None, msg("is set under a condition")
        elif added:
            text, why = None, msg("is added to (+=)")
        if _SECRET_KEY.search(key) or (text and _SECRET_VALUE.search(text)):
            text, why = None, msg("is a secret, which is never kept")
        self.variables[key] = Setting(self.file, line, text, why, tuple(unset))

    def _value(self, unset: list[str]) -> str:
        if self.text.startswith("(", self.position):
            self._list()
            raise _Unreadable(msg("is a list"))
        pieces = []
        while piece := _PIECE.match(self.text, self.position):
            self._move(piece.end())
            pieces.append(piece)
        if self.text.startswith(("'", '"'), self.position):
            raise self._open()
        if self.text.startswith("(", self.position):
            raise _Unreadable(_runs())
        value = ""
        for piece in pieces:
            value += self._text(piece, unset)
            if len(value) > _LONGEST:
                raise _Unreadable(_too_long())
        return value

    def _text(self, piece: re.Match[str], unset: list[str]) -> str:
        kind, text = piece.lastgroup, piece[piece.lastgroup or 0]
        if kind == "single":
            return text
        if kind == "escaped":
            return text.replace("\n", "")
        if len(text) > _LONGEST:
            raise _Unreadable(_too_long())
        return self._expanded(text, unset)

    def _expanded(self, text: str, unset: list[str]) -> str:
        def replace(match: re.Match[str]) -> str:
            if match["run"]:
                raise _Unreadable(_runs())
            name = match["plain"] or match["braced"]
            if name is None:
                return match["escaped"] or ""
            setting = self.variables.get(name)
            if setting and setting.text is None:
                raise _Unreadable(msg("refers to {name}, which cannot be read", name=name))
            if match["when"] and (setting is None or (match["when"] == ":-" and not setting.text)):
                return match["default"]
            if setting is None:
                unset.append(name)
            return (setting.text if setting else None) or ""

        return _EXPANSION.sub(replace, text)

    def _list(self) -> None:
        """Skip a list in parentheses, which may span lines and contain comments."""
        opened = self._open()
        self.position += 1
        while not self.text.startswith(")", self.position):
            before = self.position
            self._skip(_SPACE)
            self._skip(_PIECE)
            if self.position == before:
                raise opened
        self.position += 1

    def _open(self) -> InventoryError:
        return InventoryError(
            self.file,
            self.line,
            msg("a quote or bracket is opened and never closed"),
            msg("close it: bash could not read the file either"),
        )

    def _pass_over(self) -> None:
        """Skip a command, to the end of the line."""
        end = self.text.find("\n", self.position)
        end = end if end >= 0 else len(self.text)
        if _CLOSES.match(self.text, self.position):
            self.depth = max(0, self.depth - 1)
        elif _OPENS.match(self.text, self.position) and not _CLOSED_AT_END.search(
            self.text, self.position, end
        ):
            self.depth += 1
        self._move(end)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self.text, self.position):
            self._move(match.end())

    def _move(self, position: int) -> None:
        self.line += self.text.count("\n", self.position, position)
        self.position = position


def _runs() -> Message:
    return msg("would have to be run by a shell")


def _too_long() -> Message:
    return msg("is longer than {number} characters", number=_LONGEST)
