"""Secrets: recognised by their names and shapes, replaced by a digest that is good for one run, or for one common key."""

from __future__ import annotations

import copy
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from bkpaas.facts.redacted_texts import RedactedTexts
from bkpaas.facts.secret_names import DISTINCTIVE_LENGTH, is_distinctive, is_secret
from bkpaas.facts.secret_shapes import DIGEST, PREFIX, late_shapes, shapes
from bkpaas.facts.secret_spans import hide_spans, spans_of_digests, spans_of_spellings
from bkpaas.facts.secret_spellings import compact, replace_spellings, spellings
from bkpaas.facts.secret_words import assignments, options

__all__ = ["DIGEST", "PREFIX", "Secrets"]

_REDACTED_LENGTH = 64 * 1024
"""Characters of one text that are redacted; what is longer is cut first."""
_UNSURE_LENGTH = 1024
"""Characters at the end of a text that was cut, which may hold a part of a secret that is not recognised."""
_MOST_REMEMBERED = 5000
"""Secrets that are looked for where they have no name."""
_TRIGGER = re.compile(r"[\s=:：@%\[<(密口令]|eyJ")
"""What each text with a recognisable secret contains."""
_OBJECT = re.compile(r" at 0x[0-9a-fA-F]{6,16}\b")
"""The address of an object in a text of Python: it differs in each process and says nothing."""
_FEW_SPELLINGS = 500
"""So many are searched one by one; more of them are compared with all parts of the text first."""


class Secrets:
    """Digest secrets with one key; equal secrets have equal digests under the same key only.

    Digested secrets stay in memory, so that strings() finds them in texts without a name before them.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = os.urandom(32) if key is None else key
        self._digests: dict[str, str] = {}
        self._most = _MOST_REMEMBERED
        self._spellings: dict[str, str] = {}
        """Of distinctive secrets, in compact form, with the digest of the secret."""
        self._unusual_passwords: list[str] = []
        """Passwords of logins that the shape of a login would cut in the middle."""
        self._known_texts = RedactedTexts()
        self.made = set[str]()
        """Digests that were made of a value, as opposed to texts that look like one."""
        self.fingerprint = None if key is None else self._digested("fingerprint of the key")
        """Equal in all snapshots with the same key; None for a random key."""

    @property
    def key(self) -> bytes:
        """Return the key, for the worker process that parses."""
        return self._key

    def remembered(self) -> tuple[str, ...]:
        """Return what was digested, for a process that parses for this one; it must go nowhere else."""
        return tuple(self._digests)

    def for_host(self) -> Secrets:
        """Return a copy that has room for the secrets of one host, however many the others have sent."""
        copied = copy.deepcopy(self)
        copied.made.clear()
        copied._most = len(self._digests) + _MOST_REMEMBERED
        return copied

    def digest(self, value: str) -> str:
        """Return secret: and 12 hexadecimal digits, and remember the value; a digest is its own digest."""
        if DIGEST.fullmatch(value):
            return value
        if value in self._digests:
            self.made.add(self._digests[value])
            return self._digests[value]
        digest = self.conceal(value)
        self.made.add(digest)
        if len(self._digests) < self._most:
            self._digests[value] = digest
            if is_distinctive(value):
                self._spellings |= dict.fromkeys(spellings(value), digest)
        return digest

    def conceal(self, value: str) -> str:
        """Return the digest of what need not be a secret: it is not looked for elsewhere."""
        return PREFIX + self._digested(value)

    def resolve_digest(self, digest: str) -> str | None:
        """Return the secret of a digest, to log in with it; it must not be used otherwise."""
        return next((value for value, of_value in self._digests.items() if of_value == digest), None)

    def logins(self, value: Any) -> Any:
        """Digest the passwords in texts such as `user:password@host:port;...`."""
        if isinstance(value, list):
            return [self.logins(item) for item in value]
        return ";".join(map(self._login, value.split(";"))) if isinstance(value, str) else value

    def _login(self, text: str) -> str:
        login, at, host = text.rpartition("@")
        scheme = re.match(r"\s*(?:[A-Za-z]+://)?", login)
        start = scheme.end() if scheme else 0
        user, colon, password = login[start:].partition(":")
        if not password:
            return text
        digest = self.digest(password)
        if (
            digest != password
            and password not in self._unusual_passwords
            and re.search(r"[\s/@'\",;]", password)
        ):
            self._unusual_passwords.append(password)
        return f"{login[:start]}{user}{colon}{digest}{at}{host}"

    def _digested(self, value: str) -> str:
        return hmac.new(self._key, value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:12]

    def is_secret(self, name: str, value: Any = "?") -> bool:
        """Return whether what has this name is to be hidden. Plain numbers of TOKEN_..._SECONDS are not."""
        return is_secret(name, value)

    def redact(self, text: str) -> str:
        """Return the text with each recognised secret replaced by its digest; a text of extreme length is cut.

        NUL is left out: texts in an encoding of two bytes have one after each letter, also in the names of secrets.

        The address of an object in memory becomes `0x...`, so that equal failures of two hosts have equal texts.
        """
        text = text.replace("\0", "")
        if len(text) > _REDACTED_LENGTH:
            return self._redacted(text[:_REDACTED_LENGTH])[: _REDACTED_LENGTH - _UNSURE_LENGTH]
        return self._redacted(text)

    def _redacted(self, text: str) -> str:
        if not _TRIGGER.search(text):
            return text
        text = _OBJECT.sub(" at 0x...", text) if " at 0x" in text else text
        for password in self._unusual_passwords:
            text = text.replace(password, self.digest(password)) if is_distinctive(password) else text
        known = self._known_texts.get(text)
        if known is not None:
            return known
        redacted = _hide_all(text, self.digest)
        self._known_texts.add(text, redacted)
        return redacted

    def plain_line(self, words: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return what was remembered of a command line in which nothing is a secret on any host."""
        return None if self._unusual_passwords else self._known_texts.plain_line(words)

    def add_plain_line(self, words: tuple[str, ...], shown: tuple[str, ...]) -> None:
        """Remember a command line of which nothing was digested."""
        if not self._unusual_passwords:
            self._known_texts.add_plain_line(words, shown)

    def words(self, words: list[str]) -> list[str]:
        """Return the words of a command line without the secrets that several words together show."""
        line = " ".join(words)
        if self.redact(line) == line:
            return words
        values = dict[str, str]()

        def remember(value: str) -> str:
            digest = self.digest(value)
            values.setdefault(digest, value)
            return digest

        return hide_spans(words, spans_of_digests(line, _hide_all(line, remember), values))

    def truncate(self, text: str, limit: int) -> str:
        """Redact a text, then truncate it, so that no part of a secret is left at the end."""
        return self.redact(text[: 4 * limit])[:limit]

    def header(self, name: str, value: str) -> str:
        """Return the value of one HTTP header: a cookie keeps its name and attributes, not its value."""
        if name in ("set-cookie", "cookie"):
            return self.redact(f"{name}: {value}")[len(name) + 2 :]
        return self.digest(value) if self.is_secret(name, value) else self.redact(value)

    def tree(self, value: Any) -> Any:
        """Redact all strings of a JSON value; values under secret names become digests."""
        if isinstance(value, dict):
            return {
                self.redact(key): self._hidden(item) if self.is_secret(key, item) else self.tree(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.tree(item) for item in value]
        return self.redact(value) if isinstance(value, str) else value

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._hidden(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._hidden(item) for item in value]
        return value if value is None or isinstance(value, bool) else self.digest(str(value))

    def strings(self, value: Any) -> Any:
        """Return the structure with every string scrubbed, whatever the names, and no known secret left."""
        redacted = _map_strings(value, self.redact)
        left = self._left_in(msgspec.json.encode(redacted).decode())
        if not left:
            return redacted
        return _map_strings(_map_words(redacted, left), partial(replace_spellings, left))

    def changes_json(self, data: bytes) -> bool:
        """Return whether strings() would change the value of a JSON text, as msgspec writes it."""
        json_text = data.decode()
        changes = any(self.redact(text) != text for text in _json_strings(json_text))
        return changes or bool(self._left_in(json_text))

    def _left_in(self, text: str) -> dict[str, str]:
        """Return the known secrets, in any spelling, that may be in a text, with their digests."""
        if not self._spellings:
            return {}
        text, found = compact(text), self._spellings
        text += text.replace('","', "")  # also over several words of a list
        if len(found) > _FEW_SPELLINGS:
            starts = {text[at : at + DISTINCTIVE_LENGTH] for at in range(len(text) - DISTINCTIVE_LENGTH + 1)}
            found = {one: digest for one, digest in found.items() if one[:DISTINCTIVE_LENGTH] in starts}
        return {spelling: digest for spelling, digest in found.items() if spelling in text}


def _json_strings(json_text: str) -> Iterator[str]:
    """Yield the strings of a JSON text, names included, equal ones once."""
    marked = json_text.replace("\\\\", _BACKSLASH).replace('\\"', _QUOTE)
    for written in dict.fromkeys(marked.split('"')[1::2]):
        if "\\" in written or _BACKSLASH in written or _QUOTE in written:
            escaped = written.replace(_QUOTE, '\\"').replace(_BACKSLASH, "\\\\")
            yield msgspec.json.decode(f'"{escaped}"', type=str)
        else:
            yield written


_BACKSLASH, _QUOTE = "\0", "\1"
"""Stand for their escapes while a JSON text is split: it has no control characters."""


def _hide_all(text: str, hide: Callable[[str], str]) -> str:
    """Return the text with each recognised secret hidden."""
    return late_shapes(assignments(options(shapes(text, hide), hide), hide), hide)


def _map_words(value: Any, digests: dict[str, str]) -> Any:
    """Return the structure with known secrets replaced that go over several strings of a list."""
    if isinstance(value, dict):
        return {key: _map_words(item, digests) for key, item in value.items()}
    if not isinstance(value, list) or not value:
        return value
    if not all(isinstance(item, str) for item in value):
        return [_map_words(item, digests) for item in value]
    return hide_spans(value, spans_of_spellings(" ".join(value), digests))


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    """Return the structure with every string changed, equal ones once; a tuple becomes a list."""
    return _map_known(value, _Changed(change))


class _Changed(dict[str, str]):
    """Hold each string with what it was changed to."""

    def __init__(self, change: Callable[[str], str]) -> None:
        super().__init__()
        self._change = change

    def __missing__(self, text: str) -> str:
        self[text] = changed = self._change(text)
        return changed


def _map_known(value: Any, changed: _Changed) -> Any:
    if isinstance(value, dict):
        return {
            changed[key]: changed[item] if type(item) is str else _map_known(item, changed)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [changed[item] if type(item) is str else _map_known(item, changed) for item in value]
    return changed[value] if isinstance(value, str) else value
