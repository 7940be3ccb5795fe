"""Replies of redis."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec
import pytest
from recorded import first, host, visit

from bkpaas.errors import NoData
from bkpaas.facts import FileFact, LogPlugin, LogPlugins, RedisAnswer, RedisTarget, Secrets
from bkpaas.facts.build import host_facts
from bkpaas.facts.query import TcpName
from bkpaas.facts.redis import RedisKey, answers_commands, key_readings, redis_answers, refused_command


def received(data: bytes, **more: Any) -> dict[str, Any]:
    return {"data": b64encode(data).decode(), "seconds": 0.01, "peer": "10.0.1.5:6379", "error": None, **more}


def parse(item: Any) -> RedisAnswer:
    return redis_answers({"redis-x": item}, Secrets(b"k")).get(TcpName.REDIS, "x")


@pytest.mark.parametrize(
    ("data", "replies"),
    [
        (b"+PONG\r\n", ("+PONG",)),
        (b"-NOAUTH Authentication required.\r\n", ("-NOAUTH Authentication required.",)),
        (b"+OK\r\n+OK\r\n+PONG\r\n+list\r\n:12\r\n", ("+OK", "+OK", "+PONG", "+list", ":12")),
        (b"-WRONGPASS invalid username-password pair or user is disabled.\r\n:3",
         ("-WRONGPASS invalid username-password pair or user is disabled.",)),
        (b"-ERR invalid password\r\n", ("-ERR invalid password",)),
        (b"", ()),
        (b"\xff\xfe\r\n", ("\ufffd\ufffd",)),
    ],
)  # fmt: skip
def test_replies(data: bytes, replies: tuple[str, ...]) -> None:
    assert parse(received(data)).replies == replies


def test_what_came_before_a_failure_is_kept() -> None:
    found = parse(received(b"+OK\r\n", error={"kind": "silent", "text": "no complete answer in time"}))
    assert (found.ok, found.error_kind, found.replies) == (False, "silent", ("+OK",))
    assert parse({"error": {"kind": "withheld", "text": "not sent"}}).error_kind == "withheld"


def test_hostile_answers_do_no_harm() -> None:
    for value in (None, 7, [], {"data": 7}, {"data": "!"}, {"data": "=" * 99, "error": 7}):
        answer = first() | {"tcp": {"redis-x": value}}
        assert msgspec.json.decode(msgspec.json.encode(host_facts(host(), visit(answer), Secrets())))
    with pytest.raises(NoData):
        redis_answers({}, Secrets()).get(TcpName.REDIS, "x")


def target(key: str, line: int = 3, password: str | None = "secret:a") -> RedisTarget:
    return RedisTarget("/conf", line, "10.0.1.9", 6379, 0, key, "list", password)


def plugins(*targets: RedisTarget) -> LogPlugins:
    none = LogPlugin(FileFact("/log_agent", "missing"), False, (), (), (), ())
    return LogPlugins(none, msgspec.structs.replace(none, targets=targets))


@pytest.mark.parametrize("password", ["secret:a", None])
def test_replies_about_each_key_are_found_by_their_place(password: str | None) -> None:
    one, other = target("one", password=password), target("other", 9, password)
    begin = ("+OK", "+OK", "+PONG") if password else ("+OK", "+PONG")
    first = (*begin, "+list", ":5", "+none", ":0")
    found = key_readings(RedisAnswer(replies=first), plugins(one, other), one)
    assert [(key.name, key.first and key.first.length, key.later) for key in found] == [
        ("one", 5, None),
        ("other", 0, None),
    ]
    again = (*first, *begin, "+list", ":7", "+hash", "-WRONGTYPE Operation against a key")
    later = [key.later for key in key_readings(RedisAnswer(replies=again), plugins(one, other), one)]
    assert later[0] and (later[0].type, later[0].is_list, later[0].length) == ("list", True, 7)
    assert later[1] and (later[1].type, later[1].is_list, later[1].readable) == ("hash", False, True)


def test_a_key_without_both_replies_is_not_read() -> None:
    one = target("one")
    for replies in ((), ("+OK", "+OK", "+PONG"), ("+OK", "+OK", "+PONG", "+list")):
        assert [key.first for key in key_readings(RedisAnswer(replies=replies), plugins(one), one)] == [None]


@pytest.mark.parametrize(
    ("type_reply", "length_reply", "readable"),
    [
        ("+list", ":5", True),
        ("+none", ":0", True),
        ("+string", "-WRONGTYPE", True),
        ("+list", "-NOPERM", False),
        ("-NOPERM", "-NOPERM", False),
        (":1", ":5", False),
    ],
)
def test_an_error_is_not_an_answer(type_reply: str, length_reply: str, readable: bool) -> None:
    assert RedisKey("one", type_reply, length_reply).readable is readable


def test_the_command_that_was_refused_is_named() -> None:
    one = target("one")
    assert refused_command(RedisAnswer(replies=("+OK", "+OK", "+PONG")), one) is None
    assert refused_command(RedisAnswer(replies=("+OK", "-ERR out of range", "+PONG")), one) == (
        "SELECT 0",
        "-ERR out of range",
    )
    assert answers_commands(RedisAnswer(replies=("+OK", "+OK", "+PONG")), one)
    assert not answers_commands(RedisAnswer(replies=("+OK", "+OK")), one)
