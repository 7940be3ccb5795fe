"""Parse the replies of redis to the read-only commands that are sent to it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, field

from bkpaas.errors import NoData
from bkpaas.facts import raw
from bkpaas.facts.answers import error_of
from bkpaas.facts.log_plugin_conf import RedisTarget
from bkpaas.facts.log_plugins import LogPlugins
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.query import Earlier, Password, Query, TcpConnect, TcpName
from bkpaas.facts.ranges import Seconds
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory import platform
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import Message, msg


class RedisAnswer(Record, frozen=True):
    error_kind: str | None = None
    """See Answer; what was replied before it is kept."""
    error_text: Message | str | None = None
    seconds: Seconds | None = None
    replies: tuple[str, ...] = ()
    """One line each, as redis writes it: +PONG, :5, -NOAUTH ..."""

    @property
    def ok(self) -> bool:
        return self.error_kind is None


class RedisKey(Record, frozen=True):
    """Hold the raw replies about one key."""

    name: str
    type_reply: str
    """To TYPE: +list, +none if there is no such key."""
    length_reply: str
    """To LLEN: :12; an error for a key that is not a list."""

    @property
    def type(self) -> str:
        """Return the type of the key: list, none, string, hash ..."""
        return self.type_reply[1:]

    @property
    def is_list(self) -> bool:
        """Return whether the plugins can use the key; a missing key is an empty list."""
        return self.type in ("list", "none")

    @property
    def readable(self) -> bool:
        """Return whether both replies are answers and not errors."""
        return self.type_reply.startswith("+") and (self.length_reply.startswith(":") or not self.is_list)

    @property
    def length(self) -> int:
        """Return the number of items of a list."""
        return int(self.length_reply[1:])


class RedisKeyReadings(Record, frozen=True):
    """Hold a key as first read, and QUEUE_SECONDS later; None without a reply."""

    name: str
    first: RedisKey | None
    later: RedisKey | None


class RedisAnswers(Fact, frozen=True, tag="RedisTalks"):
    by_name: dict[str, RedisAnswer]
    missing: dict[str, Message | str] = field(default_factory=dict)
    """Why the answer for a name cannot be used."""

    def get(self, name: TcpName, *parts: object) -> RedisAnswer:
        """Return the replies. Raises NoData if it was not tried or its answer is not usable."""
        key = name.of(*parts)
        if key in self.missing:
            raise NoData(self.missing[key])
        if key not in self.by_name:
            raise NoData(msg("not queried: {key}", context="redis", key=key))
        return self.by_name[key]


def redis_answers(
    section: dict[str, dict[str, Any]], secrets: Secrets, missing: dict[str, Message | str] | None = None
) -> RedisAnswers:
    """Parse the raw TCP connections by name; connections to other services are ignored."""
    by_name = {
        name: _redis_answer(item, secrets)
        for name, item in section.items()
        if name.startswith(TcpName.REDIS.prefix)
    }
    return RedisAnswers(by_name=by_name, missing=missing or {})


def _redis_answer(item: dict[str, Any], secrets: Secrets) -> RedisAnswer:
    kind, text = error_of(item, secrets)
    try:
        data = base64.b64decode(raw.text(item.get("data"), 100_000) or "")
    except (binascii.Error, ValueError):
        data = b""
    lines = data.decode("utf-8", "replace").split("\r\n")[:-1]
    return RedisAnswer(
        error_kind=kind,
        error_text=text,
        seconds=raw.number(item.get("seconds")),
        replies=tuple(secrets.truncate(line, 200) for line in lines[:100]),
    )


QUEUE_SECONDS = 3.0
"""How much later a long list is asked for once more."""
_MOST_SERVERS = 5
_MOST_KEYS = 8
_REPLY_BYTES = 4096


def redis_keys(facts: LogPlugins, target: RedisTarget) -> list[str]:
    """Return the lists that are asked about in the conversation with this target's server, in their order."""
    same = (one for one in facts.targets if one.server == target.server and one.key)
    return list(dict.fromkeys(one.key for one in same if one.key))[:_MOST_KEYS]


def commands_before_keys(target: RedisTarget) -> list[str]:
    """Return the commands that begin a conversation with this target's server; each gets one reply."""
    return [*(["AUTH"] if target.password else []), f"SELECT {target.db}", "PING"]


def refused_command(answer: RedisAnswer, target: RedisTarget) -> tuple[str, str] | None:
    """Return (command, reply) of the first command before the keys that was answered by an error."""
    replies = zip(commands_before_keys(target), answer.replies, strict=False)
    return next(((command, reply) for command, reply in replies if reply.startswith("-")), None)


def refuses_login(command: str, reply: str) -> bool:
    """Return whether this error is about the login, and not about redis, such as one without a free connection."""
    return (command == "AUTH" or reply.startswith("-NOAUTH")) and re.search(
        "auth|pass", reply, re.I
    ) is not None


def answers_commands(answer: RedisAnswer, target: RedisTarget) -> bool:
    """Return whether every command before the keys got a reply."""
    return len(answer.replies) >= len(commands_before_keys(target))


def key_readings(answer: RedisAnswer, facts: LogPlugins, target: RedisTarget) -> list[RedisKeyReadings]:
    """Return what the conversation with this target's server says of each key, in the order of the keys."""
    names, before = redis_keys(facts, target), len(commands_before_keys(target))

    def reading(start: int, number: int, name: str) -> RedisKey | None:
        at = start + before + 2 * number
        replies = answer.replies[at : at + 2]
        return RedisKey(name, *replies) if len(replies) == 2 else None

    again = before + 2 * len(names)  # all commands are sent once more, QUEUE_SECONDS later
    return [
        RedisKeyReadings(name, reading(0, number, name), reading(again, number, name))
        for number, name in enumerate(names)
    ]


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return queries: PING without a login, then with the configured one, and the lengths of the lists.

    The length of a long list is queried again QUEUE_SECONDS later.
    """
    if earlier is None or not entry.has_role(*platform.LOG_PLUGIN_ROLES):
        return
    facts = earlier.hosts[entry.name].log_plugins
    if isinstance(facts, Missing):
        return
    servers = {target.server: target for target in facts.targets}
    pinged = set()
    for target in list(servers.values())[:_MOST_SERVERS]:
        if target.host is None or target.port is None or target.tls:
            continue
        ping = TcpName.REDIS.of(f"{target.host}:{target.port}")
        if ping not in pinged:
            pinged.add(ping)
            yield conversation(deployment, ping, target, [["PING"]])
        if "password" not in target.unknown and target.db is not None:
            yield _with_login(entry, deployment, facts, target, earlier)


def _with_login(
    entry: Host, deployment: Deployment, facts: LogPlugins, target: RedisTarget, earlier: Earlier
) -> TcpConnect:
    commands = [["SELECT", str(target.db)], ["PING"]]
    for key in redis_keys(facts, target):
        commands += [["TYPE", key], ["LLEN", key]]
    digits = len(str(deployment.thresholds.log_queue_length))
    query = conversation(deployment, TcpName.REDIS.of(target.server), target, commands)
    return msgspec.structs.replace(
        authenticated(query, entry, target, earlier),
        again={"when": f":[0-9]{{{digits},}}\r", "seconds": QUEUE_SECONDS},
    )


def conversation(
    deployment: Deployment, name: str, target: RedisTarget, commands: list[list[str]]
) -> TcpConnect:
    """Return a conversation; every one of these commands only reads and is answered by one line."""
    return TcpConnect(
        name=name,
        host=target.host or "",
        port=target.port or 0,
        seconds=deployment.limits.request_seconds,
        read=_REPLY_BYTES,
        send="".join(map(_command, commands)),
        lines=len(commands),
    )


def authenticated(query: TcpConnect, entry: Host, target: RedisTarget, earlier: Earlier) -> TcpConnect:
    """Return the conversation with the password of the target in front, if it has one."""
    if not target.password:
        return query
    return msgspec.structs.replace(
        query,
        auth=earlier.secret(entry.name, target.password) or Password(""),
        secret=True,
        lines=UNSET if query.lines is UNSET else query.lines + 1,
    )


def _command(arguments: list[str]) -> str:
    return f"*{len(arguments)}\r\n" + "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in arguments)
