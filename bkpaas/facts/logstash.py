"""Parse the configuration of logstash: plugins with their settings, as written. Nothing is executed."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Any

from bkpaas.facts.missing import Record

_SPACE = re.compile(r"(?:\s+|#[^\n]*)*")
_WORD = re.compile(r"[A-Za-z0-9_-]+")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*'", re.DOTALL)
_CONDITION = re.compile(
    r"(?:[^{}\"'/#]" + rf"|{_STRING.pattern}" + r"|/(?:\\.|[^/\\\n])*/" + r"|#[^\n]*)*", re.DOTALL
)
"""What stands between if and its block: selectors, words, strings, regular expressions."""
_DEEPEST = 30


class ParseError(ValueError):
    """Signal a syntax error of the configuration, with its line."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class Plugin(Record, frozen=True):
    """Represent one `name { setting => value ... }`."""

    section: str
    """input, filter, output."""
    name: str
    line: int
    settings: dict[str, tuple[Any, int]]
    """Value and line. Strings without their quotes and otherwise as written, numbers as text, [] as list, {} as dict;
    None for a plugin as value, such as a codec. Of a repeated name the last."""
    conditional: bool = False
    """Whether it is inside of an if or else."""


def plugins(text: str) -> list[Plugin]:
    """Return all plugins of a configuration, those in conditions included. Raises ParseError."""
    reader = _Reader(text)
    try:
        reader.sections()
    except RecursionError:
        raise ParseError(reader.line()) from None
    return reader.found


class _Reader:
    """Parse by recursive descent; each method starts at a word and ends after the part that it read."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text.lstrip("\ufeff"), 0
        self.ends = [match.start() for match in re.finditer("\n", self.text)]
        self.found: list[Plugin] = []

    def line(self) -> int:
        return bisect_left(self.ends, self.at) + 1

    def sections(self) -> None:
        while self._more():
            name = self._take(_WORD)
            if name not in ("input", "filter", "output"):
                raise ParseError(self.line())
            self._plugins(name, 0)

    def _plugins(self, section: str, depth: int) -> None:
        """Parse { plugin or condition ... }."""
        self._need("{")
        while not self._is("}"):
            if depth > _DEEPEST:
                raise ParseError(self.line())
            line, name = self.line(), self._name()
            if name in ("if", "else"):
                self._take(_CONDITION)
                self._plugins(section, depth + 1)
            else:
                self.found.append(Plugin(section, name, line, self._settings(depth), depth > 0))

    def _settings(self, depth: int) -> dict[str, tuple[Any, int]]:
        """Parse { name => value ... }."""
        self._need("{")
        settings = {}
        while not self._is("}"):
            line, name = self.line(), self._name()
            self._need("=>")
            settings[name] = (self._value(depth + 1), line)
            self._is(",")  # in newer hashes
        return settings

    def _value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ParseError(self.line())
        self._more()
        if self.text.startswith("{", self.at):
            return {name: value for name, (value, _) in self._settings(depth).items()}
        if self._is("["):
            return self._array(depth)
        number = _NUMBER.match(self.text, self.at)
        if number and not _WORD.match(self.text, number.end()):
            self.at = number.end()
            return number.group()
        quoted = self.text[self.at : self.at + 1] in ('"', "'")
        word = self._name()
        if not quoted and self._more() and self.text.startswith("{", self.at):
            self._settings(depth)
            return None
        return word

    def _array(self, depth: int) -> list[Any]:
        values: list[Any] = []
        while not self._is("]"):
            if values:
                self._need(",")
            values.append(self._value(depth + 1))
        return values

    def _name(self) -> str:
        self._more()
        if self.text[self.at : self.at + 1] in ('"', "'"):
            return self._take(_STRING)[1:-1]
        return self._take(_WORD)

    def _more(self) -> bool:
        """Skip blanks and comments; return whether anything follows."""
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return self.at < len(self.text)

    def _take(self, form: re.Pattern[str]) -> str:
        self._more()
        match = form.match(self.text, self.at)
        if match is None:
            raise ParseError(self.line())
        self.at = match.end()
        return match.group()

    def _is(self, sign: str) -> bool:
        self._more()
        if not self.text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        return True

    def _need(self, sign: str) -> None:
        if not self._is(sign):
            raise ParseError(self.line())
