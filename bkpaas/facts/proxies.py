"""Parse HTTP proxies in files of the shell, curl and wget, and match no_proxy."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import lru_cache
from os.path import basename

from msgspec import field

from bkpaas.facts.file import Files, content, file_fact, unreadable
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class ProxySetting(Record, frozen=True):
    """Represent one assignment of a proxy variable."""

    name: str
    """One of VARIABLES, in lower case whatever it is written in; those of curl's and wget's files by what they do."""
    value: str
    """Without credentials."""
    location: str = field(name="place")
    """file:line."""


class Proxies(Fact, frozen=True):
    """Hold the proxies that the files set, without empty values and variables unset later."""

    settings: tuple[ProxySetting, ...]
    problems: tuple[Message | str, ...] = ()
    """Files that could not be read."""


_LENGTH = 2000
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_FUNCTION = re.compile(r"\s*(?:function\s+[\w-]+|[\w-]+\s*\(\s*\))")
_OPTION = re.compile(r"\s*-{0,2}(?P<name>\w+)\s*[=:\s]\s*(?P<value>\S.*?)\s*$")
_CURL = {"proxy": "all_proxy", "x": "all_proxy", "noproxy": "no_proxy"}


def proxies(files: Files, secrets: Secrets) -> Proxies:
    """Parse the files that set variables of a shell, and the settings of curl and wget."""
    settings: list[ProxySetting] = []
    problems: list[Message | str] = []
    for name, entries in files.items():
        for entry in entries if name.startswith(FileName.PROXY.prefix) else ():
            path = file_fact(entry).path
            if reason := unreadable(entry):
                problems.append(msg("{path}: {reason}", path=path, reason=reason))
            text = content(entry) or ""
            read = _options(path, text) if basename(path) in (".curlrc", ".wgetrc") else _shell(text)
            settings += [
                ProxySetting(name=variable, value=secrets.truncate(value, _LENGTH), location=f"{path}:{line}")
                for variable, value, line in read
            ]
    return Proxies(settings=tuple(settings), problems=tuple(problems))


@lru_cache(maxsize=128)  # most files of a deployment are equal, and each is parsed after both rounds
def _shell(text: str) -> tuple[tuple[str, str, int], ...]:
    """Return (variable, value, line) of the assignments in effect at the end, outside of functions."""
    variables: dict[str, tuple[str, int]] = {}
    for number, line in _outside_functions(text):
        try:
            args = shlex.split(line, comments=True)
        except ValueError:  # a quote that ends on another line
            args = line.split()
        if args[:1] == ["unset"]:
            for word in args[1:]:
                variables.pop(word, None)
            continue
        for word in args:
            name, equals, value = word.rstrip(";").partition("=")
            if equals and name.isidentifier():
                variables[name] = (
                    _REFERENCE.sub(lambda match: variables.get(match[1] or match[2], ("",))[0], value),
                    number,
                )
    return tuple(
        (name.lower(), value, number)
        for name, (value, number) in variables.items()
        if name.lower() in VARIABLES and value
    )


def _outside_functions(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines outside of functions, since a function has no effect until it is called."""
    depth, within = 0, False
    for number, line in enumerate(text.splitlines(), 1):
        within = within or bool(_FUNCTION.match(line))
        if not within:
            yield number, line
            continue
        depth += len(re.findall(r"(?<!\$)\{", line)) - len(re.findall(r"(?<!\w)\}", line))
        within = depth > 0 or ("{" not in line and "}" not in line)


def _options(path: str, text: str) -> Sequence[tuple[str, str, int]]:
    options = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _OPTION.match(line)
        if match:
            name = match["name"].lower()
            name = _CURL.get(name, name) if basename(path) == ".curlrc" else name
            options.append((name, match["value"].strip("\"'"), number))
    off = any(name == "use_proxy" and value in ("off", "no", "0") for name, value, _ in options)
    return [] if off else [one for one in options if one[0] in VARIABLES]


def excepted(name: str, no_proxy: str) -> bool:
    """Return whether no_proxy matches a host name or address: by a suffix, an address or a network.

    `*.bk.com` does not match for curl or Python; only a single star matches everything.
    """
    for entry in re.split(r"[\s,|]+", no_proxy):
        plain = entry.strip().partition(":")[0].lstrip(".").lower()
        if entry == "*" or (
            plain and (name == plain or (not _is_address(name) and name.endswith("." + plain)))
        ):
            return True
        if "/" in entry and _is_address(name) and _within(name, entry):
            return True
    return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _within(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


_FILES = (
    "/etc/environment",
    "/etc/profile",
    "/etc/profile.d/*.sh",
    "/root/.bashrc",
    "/root/.bash_profile",
    "/root/.profile",
    "/root/.curlrc",
    "/root/.wgetrc",
)
_MOST_FILES = 50


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the files that set a proxy for a shell, curl or wget."""
    if earlier is None:
        for number, path in enumerate(_FILES, 1):
            yield ReadFile(FileName.PROXY.of(number), path, deployment.limits.file_bytes, _MOST_FILES)
