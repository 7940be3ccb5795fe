"""Read the files of redis on its hosts, and from the log plugins' hosts what the running redis has.

The password of the running redis is never asked for: it is known which configured password it accepts.
Source: redis 3.2 to 7.2, redis.conf and config.c (memory units, quotes, include), INFO server.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, field, structs

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.file import FileFact, Files, content, file_fact, unreadable
from bkpaas.facts.log_plugin_conf import RedisTarget
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.query import Earlier, FileName, Query, ReadFile, TcpConnect, TcpName
from bkpaas.facts.redis import authenticated, conversation
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import DEFAULT_PORTS, Deployment, Host
from bkpaas.messages import Message

PATHS = ("{home}/etc/redis*.conf", "/etc/redis*.conf", "/etc/redis/*.conf")
_FIELDS = frozenset({"tcp_port", "config_file", "maxmemory", "maxmemory_policy"})
_COMPARED = frozenset({"port", "maxmemory", "maxmemory-policy", "bind"})
_ACCESS = frozenset({"user", "aclfile"})
"""Settings by which the password may be another one than requirepass."""
_DEFAULTS = {"port": str(DEFAULT_PORTS["redis"]), "maxmemory": "0", "maxmemory-policy": "noeviction"}
_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3}
_WORD = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\S+))""")
_END = "bkpaas-end"
_UNTIL = rf"{_END}\r\n$|^(-[^\r\n]*\r\n)+$"
_REPLY_BYTES, _FILE_BYTES = 16_384, 262_144
_MOST_FILES, _MOST_SERVERS = 20, 5


class RedisFile(Record, frozen=True):
    """Represent a configuration file of redis."""

    file: FileFact
    password: str | None = None
    """A digest of requirepass; None: it has none."""
    settings: dict[str, str] = field(default_factory=dict)
    """Port, limit of memory in bytes, policy and addresses, as redis reads them."""
    unknown: tuple[str, ...] = ()
    """Settings that another file may decide, or one of the access control lists."""
    problem: Message | str | None = None


class RedisRunning(Record, frozen=True):
    """Represent the file and settings that a running redis reports."""

    config_file: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    """The same names as those of RedisFile; a setting that it does not tell is absent."""


class RedisConfs(Fact, frozen=True):
    files: tuple[RedisFile, ...] = ()
    running: dict[str, RedisRunning] = field(default_factory=dict)
    missing: dict[str, Message | str] = field(default_factory=dict)

    def of(self, target: RedisTarget) -> RedisRunning | None:
        """Return what the server of a target reports, None if it reported nothing. Raises NoData without a usable answer."""
        key = TcpName.REDIS_CONF.of(target.server)
        if key in self.missing:
            raise NoData(self.missing[key])
        return self.running.get(key)


def redis_confs(
    files: Files,
    section: dict[str, dict[str, Any]],
    secrets: Secrets,
    missing: dict[str, Message | str] | None = None,
) -> RedisConfs:
    """Parse the files of redis and the answers of the servers."""
    prefix = TcpName.REDIS_CONF.prefix
    entries = [entry for entry in files.get(FileName.REDIS_CONF, []) if entry.get("type") == "file"]
    return RedisConfs(
        files=tuple(_file(entry, secrets) for entry in entries),
        running={
            name: running
            for name, item in section.items()
            if name.startswith(prefix) and (running := _running(item, secrets)) is not None
        },
        missing={name: reason for name, reason in (missing or {}).items() if name.startswith(prefix)},
    )


def _file(entry: dict[str, Any], secrets: Secrets) -> RedisFile:
    file = file_fact(entry)
    if reason := unreadable(entry):
        return RedisFile(file, problem=reason)
    settings, password, unknown = dict(_DEFAULTS), None, set[str]()
    for line in (content(entry) or "").splitlines():
        name, words = _line(line)
        if name == "include":
            unknown |= _COMPARED | {"requirepass"}
        elif name in _ACCESS:
            unknown.add("requirepass")
        elif name == "requirepass":
            password = secrets.digest(words[0]) if words and words[0] else None
            unknown.discard(name)
        elif name in _COMPARED:
            settings[name] = _normal(name, secrets.truncate(" ".join(words), 200))
            unknown.discard(name)
    return RedisFile(file, password, settings, tuple(sorted(unknown)))


def _line(line: str) -> tuple[str, list[str]]:
    """Return a setting in small letters and its arguments; an empty name for a comment."""
    if line.lstrip().startswith("#"):
        return "", []
    words = [
        re.sub(r"\\(.)", r"\1", quoted or single) if quoted or single else plain
        for quoted, single, plain in _WORD.findall(line)
    ]
    return (words[0].lower(), words[1:]) if words else ("", [])


def _normal(name: str, value: str) -> str:
    """Return a value in the form in which equal values are equal texts."""
    if name == "maxmemory":
        match = re.fullmatch(r"(\d{1,18})([a-z]*)", value.lower())
        return str(int(match[1]) * _UNITS[match[2]]) if match and match[2] in _UNITS else value
    if name == "bind":
        return " ".join(sorted(word.lstrip("-") for word in value.split()))
    return value.lower()


def _running(item: dict[str, Any], secrets: Secrets) -> RedisRunning | None:
    """Parse INFO and CONFIG GET bind; None for a server that refuses INFO."""
    try:
        data = base64.b64decode(raw.text(item.get("data"), 100_000) or "")
    except (binascii.Error, ValueError):
        return None
    lines = data.decode("utf-8", "replace").split("\r\n")
    fields = dict(line.partition(":")[::2] for line in lines if re.match(r"[a-z_0-9]+:", line))
    reported = {name: secrets.truncate(value, 300) for name, value in fields.items() if name in _FIELDS}
    if not reported:
        return None
    named = {"port": "tcp_port", "maxmemory": "maxmemory", "maxmemory-policy": "maxmemory_policy"}
    settings = {name: reported[info] for name, info in named.items() if reported.get(info)}
    for at, line in enumerate(lines[:-2]):
        if line == "bind" and lines[at - 1] == "$4":
            settings["bind"] = _normal("bind", lines[at + 2][:200])
    return RedisRunning(reported.get("config_file", ""), settings)


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Read the files on the hosts of redis; round 2: ask each redis of log_parser, from the paas hosts."""
    if earlier is None:
        for path in PATHS if entry.has_role("redis") else ():
            yield ReadFile(FileName.REDIS_CONF.value, path, _FILE_BYTES, _MOST_FILES)
        return
    facts = earlier.hosts[entry.name].log_plugins
    if not entry.has_role("paas") or isinstance(facts, Missing):
        return
    servers = {target.server: target for target in facts.parser.targets}
    for target in list(servers.values())[:_MOST_SERVERS]:
        if target.host is None or target.port is None or target.tls or "password" in target.unknown:
            continue
        yield _ask(entry, deployment, target, earlier)


def _ask(entry: Host, deployment: Deployment, target: RedisTarget, earlier: Earlier) -> TcpConnect:
    commands = [["INFO", "server"], ["INFO", "memory"], ["CONFIG", "GET", "bind"], ["ECHO", _END]]
    query = conversation(deployment, TcpName.REDIS_CONF.of(target.server), target, commands)
    authenticated_query = authenticated(query, entry, target, earlier)
    return structs.replace(authenticated_query, read=_REPLY_BYTES, lines=UNSET, until=_UNTIL)
