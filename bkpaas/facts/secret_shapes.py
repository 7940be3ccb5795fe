"""Shapes in which secrets occur in texts; each function replaces them in time linear in the length of the text.

The patterns have no lookaround and no backreference. Each repeat has an upper bound, except that of one class of
characters at the end of a pattern, which cannot fail. What comes before or after a match is checked in code, on a
bounded window.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bkpaas.facts.secret_names import is_random, is_secret

Hide = Callable[[str], str]
"""Returns the digest of a secret; a digest is its own digest."""

PREFIX = "secret:"
DIGEST = re.compile(PREFIX + "[0-9a-f]{12}")
WINDOW = 512
"""Characters of the longest value that is recognised by what follows it, such as a password in a URL."""

_KEY_BEGIN, _KEY_NAME, _KEY_END = "-----BEGIN ", "PRIVATE KEY-----", "-----END"
_KEY_TITLE_LENGTH = 40


def key_blocks(text: str, hide: Hide) -> str:
    """Hide the content of PEM private keys; a block without an end reaches to the end of the text."""
    done: list[str] = []
    position = 0
    while (begin := text.find(_KEY_BEGIN, position)) >= 0:
        title = begin + len(_KEY_BEGIN)
        name = text.find(_KEY_NAME, title, title + _KEY_TITLE_LENGTH)
        if name < 0:
            done.append(text[position:title])
            position = title
            continue
        start = name + len(_KEY_NAME)
        end = text.find(_KEY_END, start)
        end = len(text) if end < 0 else end
        value = text[start:end]
        bare = value.strip()
        at = value.find(bare)
        done += [text[position:start], value[:at], hide(bare) if bare else "", value[at + len(bare) :]]
        position = end
    return "".join(done) + text[position:]


SCHEMES = ("basic", "bearer", "digest", "token", "negotiate")
"""Of the header Authorization, in lower case."""
_HEADER = re.compile(
    r"\b(?P<name>(?:Proxy-)?Authorization|(?:Set-)?Cookie|X-ID|X-Token|X-Auth-Token|X-CSRFToken)"
    r"(?P<sep>[\"']?[ \t]{0,8}[:=][ \t]{0,8}[\"']?)(?P<value>[^\"'\r\n]+)",
    re.IGNORECASE,
)


def headers(text: str, hide: Hide) -> str:
    """Hide the values of HTTP headers; a cookie keeps its name and attributes."""

    def hidden(match: re.Match[str]) -> str:
        name, value = match["name"].lower(), match["value"]
        if name == "set-cookie":
            pair, semicolon, attributes = value.partition(";")
            shown = _cookie(pair, hide) + semicolon + attributes
        elif name == "cookie":
            shown = ";".join(_cookie(pair, hide) for pair in value.split(";"))
        else:
            scheme, _, credentials = value.strip().rpartition(" ")
            shown = f"{scheme} {hide(credentials)}" if scheme.lower() in SCHEMES else hide(value.strip())
        return match["name"] + match["sep"] + shown

    return _HEADER.sub(hidden, text)


def _cookie(pair: str, hide: Hide) -> str:
    name, equals, value = pair.partition("=")
    if equals:
        return f"{name}={hide(value)}" if value and " " not in name.strip() else pair
    return hide(pair) if is_random(pair) else pair


_USER_ONLY = ("http", "https", "ftp", "socks", "socks4", "socks5", "socks5h")
"""Schemes in which a name before the host is a token, not the name of an account that a person knows."""
_SCHEME_LENGTH, _SCHEME_SIGNS = 10, "abcdefghijklmnopqrstuvwxyz0123456789+"
_HOST = re.compile(r"[\w.\-\[\]:]{1,255}")
_AFTER_HOST = "/?#'\",;)]\\"
_PORT = re.compile(r"\d{1,5}(?:/|$)")
_WORD_END = re.compile(r"[\s'\"]")
_LONG_USER = re.compile(r"[A-Za-z0-9_-]{16,128}")


def url_logins(text: str, hide: Hide) -> str:
    """Hide the passwords of URLs, and a lone user where it may be a token."""
    done: list[str] = []
    position = 0
    while (mark := text.find("://", position)) >= 0:
        start = mark + 3
        done.append(text[position:start])
        position = start
        window = text[start : start + WINDOW]
        space = _WORD_END.search(window)
        window = window[: space.start()] if space else window
        user, colon, rest = window.partition(":")
        if not colon or any(sign in user for sign in "/@?#"):
            user, at, _ = window.partition("@")
            scheme = text[max(0, mark - _SCHEME_LENGTH) : mark].lower()
            scheme = scheme[len(scheme.rstrip(_SCHEME_SIGNS)) :]
            token = scheme in _USER_ONLY or _LONG_USER.fullmatch(user)
            if at and user and token and not any(sign in user for sign in "/?#:"):
                done.append(hide(user))
                position = start + len(user)
            continue
        if _PORT.match(rest) or DIGEST.match(rest) or DIGEST.match(window):
            continue
        if (end := _login_end(rest)) > 0:
            done += [user, ":", hide(rest[:end])]
            position = start + len(user) + 1 + end
    return "".join(done) + text[position:]


def _login_end(rest: str) -> int:
    """Return where the password ends: at the first @ with a whole host behind it, else 0."""
    at = rest.find("@")
    while at >= 0:
        host = _HOST.match(rest, at + 1)
        if host and (host.end() == len(rest) or rest[host.end()] in _AFTER_HOST):
            return at
        at = rest.find("@", at + 1)
    return 0


_NAME_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_BARE_END = re.compile(r"[\s/@'\",;]")
_BARE_WINDOW = 256 + 64


def bare_logins(text: str, hide: Hide) -> str:
    """Hide the password of `user:password@host`."""
    done: list[str] = []
    position = last = 0
    at = text.find("@")
    while at >= 0:
        following = text[at + 1 : at + 2]
        if following == "[" or following == "_" or following.isalnum():
            window = text[max(position, last, at - _BARE_WINDOW) : at]
            start = max((match.end() for match in _BARE_END.finditer(window)), default=0)
            user, colon, value = window[start:].partition(":")
            before = user[: len(user.rstrip(_NAME_SIGNS))] or window[:start]
            named = user[len(user.rstrip(_NAME_SIGNS)) :]
            digest = DIGEST.fullmatch(named + colon + value)
            if colon and value and named and not digest and before[-1:] not in ("/", ":", "@"):
                done += [text[position : at - len(value)], hide(value)]
                position = at
        last = at
        at = text.find("@", at + 1)
    return "".join(done) + text[position:]


_FORM = re.compile(
    r"(?P<head>name=\\?[\"'][\w.-]{0,60}(?:token|password|secret)\\?[\"'][^>]{0,80}value=\\?[\"'])"
    r"(?P<value>[^\"'\\]+)",
    re.IGNORECASE,
)
_TOKEN_RECORD = re.compile(
    r"(?P<head>(?:bk_token|Parameter|参数)\s{0,4}\[)(?P<value>[^\]\s]{1,300})(?P<tail>\])"
)
_SCHEME = re.compile(
    r"\b(?P<head>(?:Basic|Bearer|Digest)\s{1,8})(?P<value>[A-Za-z0-9+/=._~-]{8,})", re.IGNORECASE
)
_STATEMENT = re.compile(
    r"(?P<head>\b(?:requirepass|masterauth|IDENTIFIED BY(?: PASSWORD)?)[ \t]{1,8}[\"']?"
    r"|auth-pass[ \t]{1,8}[\w.-]{1,60}[ \t]{1,8}"
    r"|(?:密码|口令|令牌|密钥)[ \t]{0,8}[为是]?[ \t]{0,8}[:：=][ \t]{0,8}[\"']?)"
    r"(?P<value>[^\s\"',;，；。]{2,})",
    re.IGNORECASE,
)
"""Statements of redis and SQL, and Chinese."""
_QUERY = re.compile(r"(?P<head>[?&][\w.\[\]-]{1,60}=)(?P<value>[A-Za-z0-9_+/=-]{24,})")
_CODE = re.compile(r"(?P<head>[?&](?:code|sig|sign)=)(?P<value>[^\s&\"'<>;,)\]]+)", re.IGNORECASE)
"""Short values of queries that let the bearer in: the code of OAuth, a signature."""
_PROSE = re.compile(
    r"(?P<head>(?:\b(?:passwords?|passwd|passphrase|passcode|token|secret|session|sessionid|ticket|cookie)"
    r"[ \t]{1,4}(?:is[ \t]|was[ \t]|id[ \t])?|(?:密码|口令|令牌|密钥)[ \t]{0,4}[为是][ \t]{0,4})"
    r"[\"'`“‘<]{0,2})(?P<value>[^\s\"'`”’<>,;:()\[\]{}，。；]+)",
    re.IGNORECASE,
)
"""Values that a sentence names: session V, token V rejected, password 'V'."""
_ELEMENT = re.compile(
    r"(?P<head><(?P<name>[A-Za-z][\w.:-]{0,60})>(?:<!\[CDATA\[)?[ \t]{0,8})(?P<value>[^\s<>\[\]]{2,})"
)
"""<password>V</password> in XML."""
_PAIR = re.compile(
    r"(?P<head>[\"'](?P<name>[A-Za-z][\w.-]{0,60})[\"'],[ \t]{0,8}[ubUB]?[\"'])(?P<value>[^\s\"',;<>()\[\]{}]{6,})"
)
"""('password', 'V') and ["password", "V"]; a value that may be the next name stays."""
_JWT_PART = re.compile(r"[\w.-]+")


def matched(pattern: re.Pattern[str], text: str, hide: Hide) -> str:
    """Hide the group `value` of each match."""

    def hidden(match: re.Match[str]) -> str:
        tail = match.groupdict().get("tail") or ""
        if DIGEST.match(match["value"]):
            return match[0]
        return match["head"] + hide(match["value"]) + tail

    return pattern.sub(hidden, text)


def prose(text: str, hide: Hide) -> str:
    """Hide what a sentence calls a password, token, session ..., if it is quoted or looks generated."""

    def hidden(match: re.Match[str]) -> str:
        head, value = match["head"], match["value"].rstrip(".!?")
        rest = match["value"][len(value) :]
        after = match.string[match.end() : match.end() + 1]
        quoted = head[-1] in "\"'`“‘" and after in tuple("\"'`”’") and _names_no_secret(value)
        if after == "(" or "=" in value.rstrip("=") or not value:
            return match[0]
        return head + hide(value) + rest if quoted or is_random(value) else match[0]

    return _PROSE.sub(hidden, text)


def named_values(pattern: re.Pattern[str], text: str, hide: Hide, fits: Callable[[str], bool]) -> str:
    """Hide the group `value` of the matches whose group `name` is the name of a secret."""

    def hidden(match: re.Match[str]) -> str:
        value = match["value"]
        if DIGEST.match(value) or not is_secret(match["name"], value) or not fits(value):
            return match[0]
        return match["head"] + hide(value)

    return pattern.sub(hidden, text)


def _names_no_secret(value: str) -> bool:
    """Return whether a quoted word is not just the name of a parameter, such as 'bk_token'."""
    plain = value.replace("_", "").replace("-", "")
    return len(value) >= 4 and not (plain.isalpha() and (plain.islower() or plain.isupper()))


def queries(text: str, hide: Hide) -> str:
    """Hide long values of a query that look like tokens, to the end of the value."""

    def hidden(match: re.Match[str]) -> str:
        after = match.string[match.end() : match.end() + 1]
        whole = after == "" or after in "&\"'])>" or after.isspace()
        return match["head"] + hide(match["value"]) if whole else match[0]

    return _QUERY.sub(hidden, text)


def web_tokens(text: str, hide: Hide) -> str:
    """Hide JSON web tokens: three parts, the first begins with eyJ."""

    def hidden(match: re.Match[str]) -> str:
        word = match[0]
        start = word.find("eyJ")
        if start < 0 or (start and (word[start - 1].isalnum() or word[start - 1] == "_")):
            return word
        parts = word[start:].split(".", 3)
        if len(parts) < 3 or len(parts[0]) < 11 or len(parts[1]) < 4 or len(parts[2]) < 4:
            return word
        value = ".".join(parts[:3])
        return word[:start] + hide(value) + word[start + len(value) :]

    return _JWT_PART.sub(hidden, text) if "eyJ" in text else text


def shapes(text: str, hide: Hide) -> str:
    """Hide secrets that are recognised by their shape, before those that have a name."""
    text = headers(key_blocks(text, hide), hide)
    if "@" in text:
        text = bare_logins(url_logins(text, hide), hide)
    for pattern in (_FORM, _TOKEN_RECORD):
        text = matched(pattern, text, hide)
    if "</" in text:
        text = named_values(_ELEMENT, text, hide, bool)
    text = named_values(_PAIR, text, hide, is_random)
    return matched(_STATEMENT, web_tokens(text, hide), hide)


def late_shapes(text: str, hide: Hide) -> str:
    """Hide secrets that are recognised by their shape, after those that have a name."""
    text = matched(_CODE, queries(text, hide), hide)
    return prose(matched(_SCHEME, text, hide), hide)
