"""Secrets: told by their names and shapes, replaced by a digest that is good for one run, or for one common key."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Callable
from typing import Any

PREFIX = "secret:"

_WORDS = (
    *("pass", "passwd", "pwd", "passphrase", "secret", "token", "key", "sid", "auth", "authorization"),
    *(
        "credential",
        "credentials",
        "signature",
        "ticket",
        "sessionid",
        "requirepass",
        "masterauth",
        "privatekey",
    ),
)
_ENDINGS = ("password", "passwd", "token", "secret", "apikey", "secretkey", "accesskey", "credential")
_MEASURES = (
    *("time", "seconds", "secs", "minutes", "hours", "days", "age", "expire", "expires", "expiry", "ttl"),
    *("offset", "timeout", "interval", "count", "length", "len", "size", "limit", "max", "min", "port"),
)
_PLAIN = frozenset(("", "null", "none", "true", "false", "-", "*"))
_SPLIT = re.compile(r"[^a-z0-9]+")

# name = value, name: value, "name": "value", \"name\": \"value\", name%3Dvalue; the value quoted or bare.
# In two steps: the value of what is no secret need not be found, which may be long.
_NAMED = re.compile(
    r"""(?:%[0-9A-Fa-f]{2}|(?<![A-Za-z0-9_.-]))(?P<name>[A-Za-z0-9_.-]+)"""
    r"""(?P<sep>\\*["']?[ \t]*(?:=>|==?|:|%3[DdAa])[ \t]*)"""
)
_VALUE = re.compile(
    r"""(?:[ubUB]?(?P<quote>\\*["'])(?P<quoted>(?:\\.|[^\\\n])*?)(?:(?P=quote)|$)|(?P<bare>[^\s&,;"'<>()\[\]{}\\]+))""",
    re.MULTILINE,
)
DIGEST = re.compile(PREFIX + "[0-9a-f]{12}")
_HEADER = re.compile(
    r"(?P<name>\b(?:Proxy-)?Authorization|(?<!Set-)\bCookie|\bX-ID|\bX-Token)"
    r"(?P<sep>[\"']?[ \t]*[:=][ \t]*[\"']?)(?P<value>[^\"'\r\n]+)",
    re.IGNORECASE,
)
_SET_COOKIE = re.compile(r"(?P<head>\bSet-Cookie\s*:\s*[^=;\s]+=)(?P<value>[^;\s\"']+)", re.IGNORECASE)
_COOKIE_PAIR = re.compile(r"(?P<name>[^=;\s]+)=(?P<value>[^;]*)")
_URL_LOGIN = re.compile(
    r"""(?P<head>://(?!secret:)[^\s/:@'"]*:)(?!\d+/)(?P<value>[^\s'"]{1,256}?)(?=@[\w.\-\[\]:]+(?:[/?#\s'",;)\]\\]|$))"""
)
_URL_USER = re.compile(r"(?P<head>://)(?P<value>[A-Za-z0-9_-]{16,})(?=@)")
_BARE_LOGIN = re.compile(r"(?P<head>(?<![\w/:@.-])[\w.-]+:)(?P<value>[^\s/@'\",;]{1,256})(?=@[\w\[])")
_QUERY = re.compile(
    r"(?P<head>[?&][\w.\[\]-]+=)(?P<value>[A-Za-z0-9_+/=-]{24,})(?=$|[&\s\"'\])>])", re.MULTILINE
)
_TOKEN_RECORD = re.compile(r"(?P<head>bk_token\s*\[)(?P<value>[^\]\s]{1,1000})(?=\])")
_FORM = re.compile(
    r"(?P<head>name=\\?[\"'][\w.-]*(?:token|password|secret)\\?[\"'][^>]{0,80}?value=\\?[\"'])(?P<value>[^\"'\\]+)",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"(?P<head>(?:(?<!\S)--?[\w-]*(?:password|passwd|token|secret|requirepass|masterauth)|\b(?:requirepass|masterauth)"
    r"|\bIDENTIFIED BY(?: PASSWORD)?)[ \t]+[\"']?|(?:密码|口令|令牌|密钥)[ \t]*[为是]?[ \t]*[:：=][ \t]*[\"']?)"
    r"(?P<value>(?!secret:)[^\s\"',;，；。]{2,})",
    re.IGNORECASE,
)
"""Options with their value in the next word, statements of redis and SQL, and Chinese."""
_JWT = re.compile(r"(?P<head>\b)(?P<value>eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]{4,})")
_SCHEME = re.compile(r"(?i)\b(?P<head>(?:Basic|Bearer|Digest)\s+)(?P<value>[A-Za-z0-9+/=._~-]{8,})")
_KEY_BLOCK = re.compile(
    r"(?P<head>-----BEGIN [A-Z ]*PRIVATE KEY-----\s*)(?P<value>\S.*?)(?=\s*(?:-----END|\Z))", re.DOTALL
)


class Secrets:
    """Digests with one key. Equal secrets have equal digests under the same key, and only there.

    What was once digested is remembered, in memory only, for strings() to find it where it has no name.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = os.urandom(32) if key is None else key
        self._known: dict[str, str] = {}
        self._odd: list[str] = []
        """Passwords of logins that the shape of a login would cut in the middle."""
        self.fingerprint = None if key is None else self._digested("fingerprint of the key")
        """By which snapshots of the same key know each other; None for a key that nobody gave."""

    @property
    def key(self) -> bytes:
        """The key, for a process that parses for this one."""
        return self._key

    def remembered(self) -> tuple[str, ...]:
        """Return what was digested, for a process that parses for this one; it must go nowhere else."""
        return tuple(self._known)

    def digest(self, value: str) -> str:
        """secret: and 12 hexadecimal digits; a digest is its own digest."""
        if DIGEST.fullmatch(value):
            return value
        if value not in self._known:
            self._known[value] = PREFIX + self._digested(value)
        return self._known[value]

    def reveal(self, digest: str) -> str | None:
        """What was digested, for whoever has to log in with it; it must go nowhere else."""
        return next((value for value, known in self._known.items() if known == digest), None)

    def logins(self, value: Any) -> Any:
        """Texts such as `user:password@host:port;...` with their passwords digested, whatever these are made of."""
        if isinstance(value, list):
            return [self.logins(item) for item in value]
        return ";".join(map(self._login, value.split(";"))) if isinstance(value, str) else value

    def _login(self, text: str) -> str:
        login, at, place = text.rpartition("@")
        scheme = re.match(r"\s*(?:[A-Za-z]+://)?", login)
        start = scheme.end() if scheme else 0
        user, colon, password = login[start:].partition(":")
        if not password:
            return text
        digest = self.digest(password)
        if digest != password and password not in self._odd and re.search(r"[\s/@'\",;]", password):
            self._odd.append(password)
        return f"{login[:start]}{user}{colon}{digest}{at}{place}"

    def _digested(self, value: str) -> str:
        return hmac.new(self._key, value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:12]

    def is_secret(self, name: str, value: Any = "?") -> bool:
        """Whether what bears this name is to be hidden. Plain numbers of TOKEN_..._SECONDS are not."""
        words = [word for word in _SPLIT.split(name.lower()) if word]
        singular = [word.removesuffix("s") for word in words]
        if not any(word in _WORDS or word.endswith(_ENDINGS) for word in (*words, *singular)):
            return False
        if value is None or isinstance(value, bool):
            return False
        if isinstance(value, str) and value.strip().lower() in _PLAIN:
            return False
        measure = any(word in _MEASURES for word in words)
        return not (measure and _is_number(value))

    def scrub(self, text: str) -> str:
        """The text with every recognised secret replaced by its digest."""
        for known in self._odd:
            text = text.replace(known, self.digest(known)) if _telling(known) else text
        text = _KEY_BLOCK.sub(self._value, text)
        text = _HEADER.sub(self._header, text)
        text = _SET_COOKIE.sub(self._value, text)
        for shape in (_URL_LOGIN, _URL_USER, _BARE_LOGIN, _FORM, _TOKEN_RECORD, _JWT, _SAID):
            text = shape.sub(self._value, text)
        text = self._assignments(text)
        text = _QUERY.sub(self._value, text)
        return _SCHEME.sub(self._value, text)

    def cut(self, text: str, limit: int) -> str:
        """Scrubbed first and cut then, so that no half of a secret is left at the end."""
        return self.scrub(text[: 4 * limit])[:limit]

    def header(self, name: str, value: str) -> str:
        """The value of one HTTP header: a cookie keeps its name and attributes, not its value."""
        if name == "set-cookie":
            return _SET_COOKIE.sub(self._value, "Set-Cookie: " + value)[len("Set-Cookie: ") :]
        if name == "cookie":
            return self.scrub("Cookie: " + value)[len("Cookie: ") :]
        return self.digest(value) if self.is_secret(name, value) else self.scrub(value)

    def tree(self, value: Any) -> Any:
        """JSON with all its strings scrubbed, and digests for everything that stands under a secret name."""
        if isinstance(value, dict):
            return {
                self.scrub(key): self._hidden(item) if self.is_secret(key, item) else self.tree(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.tree(item) for item in value]
        return self.scrub(value) if isinstance(value, str) else value

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._hidden(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._hidden(item) for item in value]
        return value if value is None or isinstance(value, bool) else self.digest(str(value))

    def strings(self, value: Any) -> Any:
        """The same structure with every string in it scrubbed, whatever the names, and no known secret left."""
        scrubbed = _mapped(value, self.scrub)
        text = json.dumps(scrubbed, ensure_ascii=False)
        left = [known for known in self._known if json.dumps(known, ensure_ascii=False)[1:-1] in text]
        left = sorted(filter(_telling, left), key=len, reverse=True)
        if not left:
            return scrubbed
        anywhere = re.compile("|".join(map(re.escape, left)))
        return _mapped(scrubbed, lambda string: anywhere.sub(lambda match: self.digest(match[0]), string))

    def _value(self, match: re.Match[str]) -> str:
        return match["head"] + self.digest(match["value"])

    def _header(self, match: re.Match[str]) -> str:
        value = match["value"]
        if match["name"].lower() == "cookie":
            hidden = _COOKIE_PAIR.sub(lambda pair: f"{pair['name']}={self.digest(pair['value'])}", value)
        else:
            hidden = self.digest(value.strip())
        return match["name"] + match["sep"] + hidden

    def _assignments(self, text: str) -> str:
        done, position = [], 0
        while match := _NAMED.search(text, position):
            end = match.end("sep")  # the value of what is no secret may still contain one
            secret = None
            # One of ours, also where it follows the letter of an option: -psecret:0123456789ab
            if digest := DIGEST.match(text, match.start()) or DIGEST.match(text, end - len(PREFIX)):
                end = digest.end()
            elif self.is_secret(match["name"]):
                secret = _VALUE.match(text, end)
            done.append(text[position:end])
            if secret:
                value = secret["bare"] if secret["quoted"] is None else secret["quoted"]
                if self.is_secret(match["name"], value):
                    quote, end = secret["quote"] or "", secret.end()
                    if not quote and match["sep"].startswith('"'):
                        quote = '"'  # a bare number in JSON becomes a string, so that the text stays JSON
                    done.append(quote + self.digest(value) + quote)
            position = end
        return "".join(done) + text[position:]


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same structure with every string changed; a tuple becomes a list."""
    if isinstance(value, dict):
        return {change(key): _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _telling(value: str) -> bool:
    """Whether a text that contains this value surely means the secret, not a common word or a path."""
    kinds = (str.islower, str.isupper, str.isdigit)
    return (
        len(value) >= 8
        and not value.startswith(("/", "http"))
        and sum(any(map(kind, value)) for kind in kinds) >= 2
    )
