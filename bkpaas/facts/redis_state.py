"""Ask the redis of the log plugins whether it accepts new lines: INFO, and four settings that only CONFIG GET shows.

COMMAND INFO shows whether it knows the commands of the plugins, and ACL DRYRUN whether the account may use them. Both only
report. Source: redis 3.2 to 7.2, INFO and redis.conf: stop-writes-on-bgsave-error, min-replicas-to-write, maxmemory-policy,
rename-command, ACL (6.0), ACL DRYRUN (7.0).
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
from bkpaas.facts.answers import error_of
from bkpaas.facts.log_plugin_conf import RedisTarget
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.query import Earlier, Query, TcpConnect, TcpName
from bkpaas.facts.redis import authenticated, conversation
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg

SECTIONS = ("replication", "memory", "persistence", "keyspace")
"""The sections of INFO that are requested."""
SETTINGS = ("save", "stop-writes-on-bgsave-error", "min-*-to-write", "maxmemory-policy")
"""The settings that are requested with CONFIG GET."""
_FIELDS = frozenset({
    "role", "master_host", "master_port", "master_link_status", "connected_slaves", "min_slaves_good_slaves",
    "loading", "rdb_last_bgsave_status", "used_memory", "maxmemory", "maxmemory_policy", "aof_last_write_status",
})  # fmt: skip
WRITING = {"list": "rpush", "channel": "publish"}
READING = {"list": "blpop", "channel": "subscribe"}
"""What log_agent writes with and log_parser reads with, by type of the target."""
_ASKED = (*WRITING.values(), *READING.values())
ACCOUNT = "default"
"""The account of a login that has only a password."""
_KNOWN, _ALLOWED = "bkpaas-known", "bkpaas-allowed"
_END = "bkpaas-end"
_UNTIL = rf"{_END}\r\n$|^(-[^\r\n]*\r\n)+$"
"""The echo of the last command, or only errors."""
_REPLY_BYTES = 32_768
_MOST_SERVERS = 5


class RedisState(Record, frozen=True):
    error_kind: str | None = None
    """See Answer."""
    fields: dict[str, str] = field(default_factory=dict)
    """Of INFO, those of a closed list."""
    settings: dict[str, str] = field(default_factory=dict)
    """By name; without those that redis did not tell."""
    expiring: int | None = None
    """Keys with an expiry, in all databases."""
    refusal: str = ""
    """The error with which it refused INFO."""
    unknown_commands: tuple[str, ...] = ()
    """Of the commands of the plugins, those that it does not know under their own name."""
    refused_commands: dict[str, str] = field(default_factory=dict)
    """Of the commands of the plugins, those that the account may not use, with the answer."""

    def number(self, name: str) -> int | None:
        """Return a field of INFO as a number, None if it has none."""
        text = self.fields.get(name, "")
        return int(text) if re.fullmatch(r"\d{1,18}", text) else None


class RedisStates(Fact, frozen=True):
    by_name: dict[str, RedisState]
    missing: dict[str, Message | str] = field(default_factory=dict)

    def of(self, target: RedisTarget) -> RedisState:
        """Return the state of a target's server. Raises NoData if it was not requested or cannot be used."""
        key = TcpName.REDIS_STATE.of(target.server)
        if key in self.missing:
            raise NoData(self.missing[key])
        if key not in self.by_name:
            raise NoData(msg("not queried: {key}", context="redis", key=key))
        return self.by_name[key]


def redis_states(
    section: dict[str, dict[str, Any]], secrets: Secrets, missing: dict[str, Message | str] | None = None
) -> RedisStates:
    """Parse the raw TCP connections by name; connections to other services are ignored."""
    prefix = TcpName.REDIS_STATE.prefix
    states = {name: _state(item, secrets) for name, item in section.items() if name.startswith(prefix)}
    return RedisStates(by_name=states, missing=missing or {})


def _state(item: dict[str, Any], secrets: Secrets) -> RedisState:
    kind, _ = error_of(item, secrets)
    try:
        data = base64.b64decode(raw.text(item.get("data"), 100_000) or "")
    except (binascii.Error, ValueError):
        data = b""
    lines = data.decode("utf-8", "replace").split("\r\n")
    pairs = dict(line.partition(":")[::2] for line in lines if re.match(r"[a-z_0-9]+:", line))
    expiring = [
        re.search(r"expires=(\d+)", value) for name, value in pairs.items() if re.fullmatch(r"db\d+", name)
    ]
    refused = next((line for line in lines if line.startswith("-")), "")
    unknown, forbidden = _commands(lines, secrets)
    return RedisState(
        error_kind=kind,
        unknown_commands=unknown,
        refused_commands=forbidden,
        fields={name: secrets.truncate(value, 100) for name, value in pairs.items() if name in _FIELDS},
        settings=_settings(lines),
        expiring=sum(int(match[1]) for match in expiring if match) if pairs else None,
        refusal=secrets.truncate(refused, 200) if not pairs else "",
    )


def _commands(lines: list[str], secrets: Secrets) -> tuple[tuple[str, ...], dict[str, str]]:
    """Parse the answers between the echoes: which commands are not known, and which are refused and why.

    An error, as of a version without the question or an account without the right to ask, says nothing.
    """
    if not {_KNOWN, _ALLOWED, _END} <= set(lines):
        return (), {}
    known = [line.lower() for line in lines[lines.index(_KNOWN) + 1 : lines.index(_ALLOWED) - 1]]
    unknown = tuple(one for one in _ASKED if one not in known) if known[:1] == [f"*{len(_ASKED)}"] else ()
    answers = iter(lines[lines.index(_ALLOWED) + 1 : lines.index(_END) - 1])
    refused: dict[str, str] = {}
    for answer in answers:
        text = next(answers, "") if answer.startswith("$") else ""
        command = re.search(r"run the '(\w+)' command", text)
        if text:
            refused[command[1] if command else "key"] = secrets.truncate(text, 200)
    return unknown, refused


def _settings(lines: list[str]) -> dict[str, str]:
    """Parse the arrays of CONFIG GET: the name of a setting and, two lines further, its value."""
    settings: dict[str, str] = {}
    names = ("save", "stop-writes-on-bgsave-error", "maxmemory-policy")
    for at, line in enumerate(lines):
        sized = at > 0 and lines[at - 1].startswith("$") and at + 2 < len(lines)
        if sized and (line in names or re.fullmatch(r"min-\w+-to-write", line)):
            settings[line] = lines[at + 2][:200]
    return settings


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return one conversation per redis server and login of the plugins, in round 2."""
    if earlier is None or not entry.has_role(*platform.LOG_PLUGIN_ROLES):
        return
    facts = earlier.hosts[entry.name].log_plugins
    if isinstance(facts, Missing):
        return
    servers = {target.server: target for target in facts.targets}
    for target in list(servers.values())[:_MOST_SERVERS]:
        if target.host is None or target.port is None or target.tls or "password" in target.unknown:
            continue
        yield _ask(entry, deployment, target, earlier)


def _ask(entry: Host, deployment: Deployment, target: RedisTarget, earlier: Earlier) -> TcpConnect:
    commands = [["INFO", section] for section in SECTIONS]
    commands += [["CONFIG", "GET", name] for name in SETTINGS]
    commands += [["ECHO", _KNOWN], ["COMMAND", "INFO", *_ASKED], ["ECHO", _ALLOWED]]
    used = [by_type["channel" if target.type == "channel" else "list"] for by_type in (WRITING, READING)]
    commands += [["ACL", "DRYRUN", ACCOUNT, one, target.key, "1"] for one in used if target.key]
    commands += [["ECHO", _END]]
    query = conversation(deployment, TcpName.REDIS_STATE.of(target.server), target, commands)
    return structs.replace(
        authenticated(query, entry, target, earlier),
        read=_REPLY_BYTES,
        lines=UNSET,
        until=_UNTIL,
    )
