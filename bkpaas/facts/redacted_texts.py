"""Remember the result of redacting a text: most texts of a host occur again, in its other facts and on other hosts."""

from __future__ import annotations

from typing import Any

_TEXT_LENGTH = 16 * 1024
"""Characters of the longest text that is remembered."""
_MOST_CHARACTERS = 4_000_000
"""Of all texts that are remembered; then it starts again."""


class RedactedTexts:
    """Hold texts with what redaction made of them.

    A text in which nothing is a secret is the same for all copies. A text with a secret belongs to one copy, since
    redacting it also puts the secret among those that the copy searches for elsewhere.
    """

    def __init__(self, plain: _Texts | None = None, plain_lines: _Lines | None = None) -> None:
        self._plain = _Texts() if plain is None else plain
        self._plain_lines = _Lines() if plain_lines is None else plain_lines
        self._changed = _Texts()

    def get(self, text: str) -> str | None:
        """Return the redacted text; None if it is not remembered."""
        return self._plain.get(text) or self._changed.get(text)

    def add(self, text: str, redacted: str) -> None:
        """Remember the result, unless the text is long."""
        if len(text) <= _TEXT_LENGTH:
            (self._plain if redacted == text else self._changed).add(text, redacted)

    def plain_line(self, words: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return what is shown of a command line that has no secret; None if it is not remembered."""
        return self._plain_lines.get(words)

    def add_plain_line(self, words: tuple[str, ...], shown: tuple[str, ...]) -> None:
        """Remember a command line without a secret."""
        self._plain_lines.add(words, shown)

    def __deepcopy__(self, memo: dict[int, Any]) -> RedactedTexts:
        copied = RedactedTexts(self._plain, self._plain_lines)
        copied._changed = self._changed.copied()
        return copied


class _Texts(dict[str, str]):
    """Hold a bounded number of characters."""

    characters = 0

    def add(self, text: str, redacted: str) -> None:
        self.characters += len(text) + len(redacted)
        if self.characters > _MOST_CHARACTERS:
            self.clear()
            self.characters = len(text) + len(redacted)
        self[text] = redacted

    def copied(self) -> _Texts:
        copied = _Texts(self)
        copied.characters = self.characters
        return copied


class _Lines(dict[tuple[str, ...], tuple[str, ...]]):
    """Hold a bounded number of characters of command lines."""

    characters = 0

    def add(self, words: tuple[str, ...], shown: tuple[str, ...]) -> None:
        size = sum(map(len, words)) + sum(map(len, shown))
        if size > _TEXT_LENGTH:
            return
        self.characters += size
        if self.characters > _MOST_CHARACTERS:
            self.clear()
            self.characters = size
        self[words] = shown
