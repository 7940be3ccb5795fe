"""What a redis replied."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec
import pytest
from recorded import first, host, visit

from bkpaas.errors import NoData
from bkpaas.facts import RedisTalk, Secrets
from bkpaas.facts.build import host_facts
from bkpaas.facts.query import TcpName
from bkpaas.facts.redis import redis_talks


def said(data: bytes, **more: Any) -> dict[str, Any]:
    return {"data": b64encode(data).decode(), "seconds": 0.01, "peer": "10.0.1.5:6379", "error": None, **more}


def talk(item: Any) -> RedisTalk:
    return redis_talks({"redis-x": item}, Secrets(b"k")).get(TcpName.REDIS, "x")


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
    assert talk(said(data)).replies == replies


def test_what_came_before_a_failure_is_kept() -> None:
    found = talk(said(b"+OK\r\n", error={"kind": "silent", "text": "no complete answer in time"}))
    assert (found.ok, found.error_kind, found.replies) == (False, "silent", ("+OK",))
    assert talk({"error": {"kind": "withheld", "text": "not sent"}}).error_kind == "withheld"


def test_hostile_answers_do_no_harm() -> None:
    for value in (None, 7, [], {"data": 7}, {"data": "!"}, {"data": "=" * 99, "error": 7}):
        answer = first() | {"tcp": {"redis-x": value}}
        assert msgspec.json.decode(msgspec.json.encode(host_facts(host(), visit(answer), Secrets())))
    with pytest.raises(NoData):
        redis_talks({}, Secrets()).get(TcpName.REDIS, "x")
