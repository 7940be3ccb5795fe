"""Names of values that are secrets, and values that are not, whatever their name."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Any

_WORDS = frozenset(
    (
        *("pass", "passwd", "pwd", "pw", "pswd", "passcode", "passphrase", "secret", "token", "key", "sid"),
        *("auth", "authorization", "credential", "credentials", "signature", "ticket", "sessionid"),
        *("requirepass", "masterauth", "privatekey", "salt", "iv", "ak", "sk", "sig", "cookie", "license"),
    )
)
_ENDINGS = ("password", "passwd", "token", "secret", "apikey", "secretkey", "accesskey", "credential")
_PAIRS = frozenset((("private", "bytes"), ("session", "id"), ("csrf", "cookie")))
_OF_OTHERS = frozenset(("cookie", "license", "salt"))
"""Words that also begin the names of plain values, such as BK_COOKIE_NAME."""
_PLAIN_PARTS = frozenset(
    (
        *("name", "domain", "path", "age", "secure", "httponly", "samesite", "host", "port", "url", "server"),
        *("file", "dir", "ip", "address", "addr", "engine", "type", "version", "id", "policy", "master"),
    )
)
_MEASURES = frozenset(
    (
        *("time", "seconds", "secs", "minutes", "hours", "days", "age", "expire", "expires", "expiry", "ttl"),
        *("offset", "timeout", "interval", "count", "length", "len", "size", "limit", "max", "min", "port"),
    )
)
_PLAIN = frozenset(("", "null", "none", "true", "false", "-", "*"))
_SPLIT = re.compile(r"[^a-z0-9]")
_CAMEL = re.compile("([a-z0-9])([A-Z])")
_NAME_LENGTH = 300
"""Characters of a name that are looked at, its end."""
_MOST_NAMES = 4096
"""Names that are remembered with the answer."""


def is_secret_name(name: str) -> bool:
    """Return whether the name says that its value is a secret, by whole words and by endings of words."""
    return _says_secret(name[-_NAME_LENGTH:])


@lru_cache(_MOST_NAMES)
def _says_secret(name: str) -> bool:
    parts = _words_of(name)
    singular = [word.removesuffix("s") for word in parts]
    secret = {word for word in (*parts, *singular) if word in _WORDS or word.endswith(_ENDINGS)}
    if secret and secret <= _OF_OTHERS and not _PLAIN_PARTS.isdisjoint(parts):
        return False
    return bool(secret) or not _PAIRS.isdisjoint(pairwise(parts))


def is_secret(name: str, value: Any) -> bool:
    """Return whether the value of this name is to be hidden. A number of TOKEN_..._SECONDS is not."""
    if value is None or isinstance(value, bool) or not is_secret_name(name):
        return False
    if isinstance(value, str) and value.strip().lower() in _PLAIN:
        return False
    return not (_is_number(value) and any(word in _MEASURES for word in _words_of(name[-_NAME_LENGTH:])))


def _words_of(name: str) -> list[str]:
    """Return the words of a name in lower case; camelCase is split, since KeyError is not the name of a value."""
    if name[:1].islower():
        name = _CAMEL.sub(r"\1_\2", name)
    return [word for word in _SPLIT.split(name.lower()) if word]


def is_random(value: str) -> bool:
    """Return whether a word looks generated: letters and digits, or both cases in a long one; no path, no address."""
    if not 6 <= len(value) <= _NAME_LENGTH or not _GENERATED.fullmatch(value):
        return False
    letters = any(sign.isalpha() for sign in value)
    digits = any(sign.isdigit() for sign in value)
    mixed = not value.islower() and not value.isupper()
    return letters and (digits or (mixed and len(value) >= 20))


_GENERATED = re.compile(r"[A-Za-z0-9_+=*!#$%^&~-]+")


def is_distinctive(value: str) -> bool:
    """Return whether a text that contains this value surely means the secret, not a common word or a path."""
    kinds = (str.islower, str.isupper, str.isdigit)
    return (
        len(value) >= DISTINCTIVE_LENGTH
        and not value.startswith(("/", "http"))
        and sum(any(map(kind, value)) for kind in kinds) >= 2
    )


_DOTTED = re.compile(r"[A-Za-z0-9_/:.-]{1,64}")
_NUMBERED = re.compile(r"[A-Za-z_-]{1,60}[0-9]{1,3}")


def may_be_a_name(value: str) -> bool:
    """Return whether a text may be a sentence, or the name of a host, a domain or a version, even if it is called a secret."""
    if len(value.split()) > 1:
        return True
    if _DOTTED.fullmatch(value):
        return "." in value.strip(".") or (
            bool(_NUMBERED.fullmatch(value)) and not {"-", "_"}.isdisjoint(value)
        )
    return False


DISTINCTIVE_LENGTH = 8
"""Characters of the shortest value that is searched for where it has no name."""


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
