"""Secrets that are recognised by the name before them: assignments, options of commands, words of a command line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from os.path import basename

from bkpaas.facts.secret_names import is_random, is_secret, is_secret_name
from bkpaas.facts.secret_shapes import DIGEST, PREFIX, SCHEMES, Hide

# name = value, name: value, "name": "value", \"name\": \"value\", name%3Dvalue; the value quoted or bare.
_SEPARATOR = re.compile(r"(?:=>|==?|:|%(?:25)?3[DdAa])[ \t]{0,64}")
_NAME_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_NAME_WINDOW = 300
_HEXADECIMAL = frozenset("0123456789ABCDEFabcdef")
_NEXT_LINE = re.compile(r"(?:[|>][-+0-9]{0,2})?[ \t]{0,8}\\?\r?\n[ \t]{0,64}(?:-[ \t]{1,8})?")
"""A value may begin on the line after its name."""
_QUOTE = re.compile(r"[ubUB]?(?P<quote>\\{0,8}[\"'])")
_BARE = re.compile(r"[^\s&,;\"'<>()\[\]{}\\]+")
_SCHEME = re.compile(r"\{[A-Z0-9-]{3,12}\}")
"""Before a digest of a password: {SHA} of supervisord, {SSHA} of LDAP."""
_CONTINUED = re.compile(r"\\\r?\n[ \t]{0,64}")
_SHELL_ESCAPES = frozenset("&$ #!*|(){}[];<>?~^%@=+,.:-`")
_BROKEN_LINE = re.compile(r"[ \t]{0,64}[^\s\"'=:,\\]{1,120}(?P<quote>\\{0,8}[\"'])")
"""The rest of a quoted value that goes on in the next line."""
_MOST_SLASHES = 64
_MOST_LINES = 8
"""Of one quoted value that goes on behind a backslash."""
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "proxy")
_SESSIONS = ("session", "jsessionid", "phpsessid")


def assignments(text: str, hide: Hide) -> str:
    """Hide the values of secret names."""
    done: list[str] = []
    position = 0
    while separator := _SEPARATOR.search(text, position):
        start, end = separator.span()
        if digest := DIGEST.match(text, max(0, start - len(PREFIX) + 1)):
            done.append(text[position : digest.end()])
            position = digest.end()
            continue
        name, quoted_name = _name_before(text, max(0, position), start)
        value = _Value(text, end, separator[0])
        if not name or not value.text or DIGEST.match(value.text) or not _hides(name, value):
            done.append(text[position:end])
            position = end
            continue
        quote = value.quote or ('"' if quoted_name else "")  # a bare number in JSON becomes a string
        shown = _without_login(value.text, hide) if name.lower() in _PROXIES else hide(value.text)
        done += [text[position : value.start], quote, shown, quote if value.closed else ""]
        position = value.end
    return "".join(done) + text[position:]


def _name_before(text: str, first: int, separator: int) -> tuple[str, bool]:
    """Return the name before a separator, and whether it is written in double quotes."""
    window = text[max(first, separator - _NAME_WINDOW) : separator].rstrip(" \t")
    quoted = window.endswith('"') and not window.endswith('\\"')
    if window[-1:] in ("'", '"'):
        window = window[:-1].rstrip("\\")
    before = window.rstrip(_NAME_SIGNS)
    name = window[len(before) :]
    if before.endswith("%") and _HEXADECIMAL.issuperset(name[:2]):
        name = name[2:]
    return name, quoted


def _hides(name: str, value: _Value) -> bool:
    lower = name.lower()
    if lower in _PROXIES:
        return "@" in value.text
    if lower.endswith("authorization") and value.text.lower() in SCHEMES:
        return False  # the credentials behind the scheme are hidden already
    if lower in ("cookie", "set-cookie"):  # headers are done; what is left has no name of a cookie
        return bool(value.quote) and "=" not in value.text
    if lower.rpartition("_")[2] in _SESSIONS and is_random(value.text):
        return True
    return is_secret(name, value.text)


def _without_login(value: str, hide: Hide) -> str:
    """Hide who logs in at a proxy, also where only a user is given and no scheme."""
    login, at, host = value.rpartition("@")
    scheme, mark, user = login.rpartition("://")
    name, colon, password = user.partition(":")
    if colon and password and not DIGEST.fullmatch(user):
        return f"{scheme}{mark}{name}:{hide(password)}{at}{host}"
    return f"{scheme}{mark}{hide(user)}{at}{host}"


class _Value:
    """Represent the value after a separator: its text, quote and position."""

    def __init__(self, text: str, start: int, separator: str) -> None:
        self.start = self.end = start
        self.text, self.quote, self.closed = "", "", True
        if separator == ":" and text.startswith("//", start):
            return  # a URL
        if below := _NEXT_LINE.match(text, start):
            word = _BARE.match(text, below.end())
            names = word and (word[0].endswith(":") or text[word.end() : word.end() + 1] in ("=", ":"))
            if names or (word and "=" in word[0].rstrip("=")):
                return  # the next line has a name of its own
            self.start = self.end = below.end()
        if quote := _QUOTE.match(text, self.start):
            self._quoted(text, quote["quote"], quote.end())
        else:
            self._bare(text)

    def _quoted(self, text: str, quote: str, start: int) -> None:
        self.quote = quote
        if len(quote) == 1 and text.startswith(quote * 2, start):
            close = text.find(quote * 3, start + 2)
            close = len(text) if close < 0 else close
            self.text, self.quote, self.end = text[start + 2 : close], quote * 3, min(len(text), close + 3)
            return
        close = _closing(text, quote, start)
        if close >= 0:
            self.text, self.end = text[start:close], close + len(quote)
            return
        self.closed = False
        line_end = text.find("\n", start)
        self.end = len(text) if line_end < 0 else line_end
        if line_end >= 0 and (rest := _BROKEN_LINE.match(text, line_end + 1)) and rest["quote"] == quote:
            self.end, self.closed = rest.end(), True
        self.text = text[start : self.end - (len(quote) if self.closed else 0)]

    def _bare(self, text: str) -> None:
        scheme = _SCHEME.match(text, self.start)
        self.start = end = scheme.end() if scheme else self.start
        while True:
            if word := _BARE.match(text, end) or _CONTINUED.match(text, end):
                end = word.end()
            elif text[end : end + 1] == "\\" and text[end + 1 : end + 2] in _SHELL_ESCAPES:
                end += 2
            else:
                break
        self.text, self.end = text[self.start : end], end


def _closing(text: str, quote: str, start: int) -> int:
    """Return where a quote ends on its line, or behind a backslash at the end of the line; -1 if it does not."""
    line_end = text.find("\n", start)
    for _ in range(_MOST_LINES):
        if line_end <= start or text[line_end - 1] != "\\":
            break
        line_end = text.find("\n", line_end + 1)
    line_end = len(text) if line_end < 0 else line_end
    at = text.find(quote, start, line_end)
    while at >= 0:
        before = text[max(start, at - _MOST_SLASHES) : at]
        slashes = len(before) - len(before.rstrip("\\"))
        if slashes % 2 == 0 if len(quote) == 1 else slashes == 0:
            return at
        at = text.find(quote, at + 1, line_end)
    return -1


OPTIONS = {
    "curl": ("-u", "--user", "-U", "--proxy-user", "-b", "--cookie", "-H", "--header", "-d", "--data"),
    "wget": ("--header",),
    "redis-cli": ("-a",),
    "sshpass": ("-p",),
    "ldapsearch": ("-w",),
    "mongo": ("-p",),
    "mongosh": ("-p",),
    "mongodump": ("-p",),
    "beeline": ("-p",),
    "useradd": ("-p",),
    "usermod": ("-p",),
    "smbclient": ("-U",),
    "openssl": ("-k", "-K", "-iv"),
    "consul": ("-encrypt", "--encrypt"),
    "rabbitmqctl": (),
    "htpasswd": (),
}
"""Options whose value is or may be a secret, though the name of the option does not say so."""
_MYSQL = ("mysql", "maria")
_PROGRAM = re.compile(
    r"\b(?:curl|wget|redis-cli|sshpass|ldapsearch|mongo|mongosh|mongodump|beeline|useradd|usermod|smbclient"
    r"|openssl|consul|rabbitmqctl|htpasswd|mysql[\w-]{0,20}|maria[\w-]{0,20})[ \t]"
)
_OPTION = re.compile(
    r"(?P<before>[\s\"'(,\[]|^)(?P<option>--?(?P<name>[A-Za-z][\w-]{0,60})[\"']?,?[ \t]{1,8}[\"']?)"
    r"(?P<value>[^\s\"',;]{2,})",
    re.MULTILINE,
)


def _is_mysql(program: str) -> bool:
    return program.startswith(_MYSQL)


def hide_words(args: list[str], hide: Hide) -> Iterator[str | None]:
    """Yield the words of a command line without secrets; None for a word that has no secret by its place."""
    program, hidden, options = "", False, tuple[str, ...]()
    glued = named = None
    for at, word in enumerate(args):
        base = basename(word)
        if at == 0 or base in OPTIONS or base.startswith(_MYSQL):
            program = base  # also behind a sudo, a timeout, a shell
            options = OPTIONS.get(program, ())
        if options:
            glued = next((one for one in options if word.startswith(one) and len(one) == 2 < len(word)), None)
            named = next(
                (one for one in options if one.startswith("--") and word.startswith(f"{one}=")), None
            )
        else:
            glued = named = None
        if hidden:
            yield hide(word)
        elif word.startswith("-p") and len(word) > 2 and _is_mysql(program):
            yield "-p" + hide(word[2:])
        elif named:
            yield f"{named}=" + hide(word[len(named) + 1 :])
        elif glued and not word.startswith("--"):
            yield glued + hide(word[2:])
        elif at == len(args) - 1 and _ends_with_password(program, args):
            yield hide(word)
        else:
            yield None
        hidden = word.startswith("-") and (word in options or _is_secret_option(word.lstrip("-")))


def _is_secret_option(name: str) -> bool:
    return name.isascii() and "=" not in name and ":" not in name and is_secret_name(name)


def _ends_with_password(program: str, args: list[str]) -> bool:
    if program == "rabbitmqctl":
        return not {"add_user", "change_password", "authenticate_user"}.isdisjoint(args)
    return program == "htpasswd" and any(
        re.fullmatch("-[a-zA-Z]{0,20}b[a-zA-Z]{0,20}", word) for word in args
    )


def options(text: str, hide: Hide) -> str:
    """Hide the values of options in a text: of those with a secret name, and of known programs."""

    def hidden(match: re.Match[str]) -> str:
        if (
            not is_secret_name(match["name"])
            or match["value"].startswith("-")
            or DIGEST.match(match["value"])
        ):
            return match[0]
        return match["before"] + match["option"] + hide(match["value"])

    text = _OPTION.sub(hidden, text)
    if not _PROGRAM.search(text):
        return text
    return "".join(_command(line, hide) for line in text.splitlines(keepends=True))


def _command(line: str, hide: Hide) -> str:
    match = _PROGRAM.search(line)
    if not match:
        return line
    pieces = re.split(r"(\s+)", line[match.start() :])
    args = pieces[::2]
    for at, shown in enumerate(hide_words([word for word in args if word], _once(hide))):
        if shown is not None:
            pieces[2 * at] = shown
    return line[: match.start()] + "".join(pieces)


def _once(hide: Hide) -> Hide:
    """Return a function that leaves what begins with a digest; quotes around a value stay."""

    def hidden(word: str) -> str:
        bare = word.strip("\"'")
        if not bare or DIGEST.match(bare):
            return word
        return word.replace(bare, hide(bare), 1)

    return hidden
