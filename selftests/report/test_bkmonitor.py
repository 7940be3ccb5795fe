"""Root causes as events of BlueKing Monitor, against a stand-in that checks what its documentation requires.

The stand-in is constructed from that documentation; it was not tried with a real monitor.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from bkpaas.errors import SuiteError
from bkpaas.report import bkmonitor, posting
from bkpaas.report.bkmonitor import Channel, channel
from report.robots import robot
from report.sample import three_faults as failed

TOKEN = "Pl4nted-t0ken"
ACCEPTED = (200, '{"code":"200","result":"true","message":""}')
REQUIRED = {"event_name": str, "event": dict, "target": str, "dimension": dict, "timestamp": int}


def problems(message: Any) -> list[str]:
    """Return what the documented interface would refuse."""
    found = [name for name in ("data_id", "access_token", "data") if name not in message]
    for event in message["data"]:
        found += [name for name, kind in REQUIRED.items() if not isinstance(event.get(name), kind)]
        found += ["event_name"] * (not 0 < len(event["event_name"]) <= 128)
        found += ["content"] * (not event["event"].get("content"))
        found += [name for name, value in event["dimension"].items() if not isinstance(value, str)]
        found += ["timestamp"] * (event["timestamp"] < 1e12)
    return found


def test_each_root_cause_is_an_event() -> None:
    record = failed()
    with robot(ACCEPTED) as one:
        bkmonitor.send(record, Channel(one.url, 1500001, TOKEN))
    (message,) = one.bodies
    assert not problems(message) and (message["data_id"], message["access_token"]) == (1500001, TOKEN)
    subjects = [f"{one['dimension']['condition']}@{one['dimension']['subject']}" for one in message["data"]]
    assert subjects and subjects[0] == record.root_causes[0] and len(set(subjects)) == len(subjects)
    addresses = {host.address for host in record.hosts}
    assert {event["target"] for event in message["data"]} <= addresses | {"controller", "deployment"}
    assert max(len(event["event"]["content"]) for event in message["data"]) <= bkmonitor.CONTENT_LIMIT


def test_nothing_is_sent_without_a_root_cause() -> None:
    record = failed()
    record.verdicts, record.root_causes, record.causes = [], [], []
    with robot(ACCEPTED) as one:
        bkmonitor.send(record, Channel(one.url, 1, TOKEN))
    assert one.bodies == []


@pytest.mark.parametrize(
    ("answers", "attempts", "text"),
    [
        ([(200, '{"code":"403","result":"false","message":"' + TOKEN + '"}')], 1, "code 403"),
        ([(200, '{"code":1001,"result":false}')], 1, "code 1001"),
        ([(200, "<html>")], 1, "not that of BlueKing Monitor"),
        ([(200, "[]")], 1, "not that of BlueKing Monitor"),
        ([(404, "")], 1, "HTTP 404"),
        ([(503, "")], posting.ATTEMPTS, "HTTP 503"),
    ],
    ids=["refused", "number", "page", "list", "404", "busy"],
)
def test_events_that_are_not_accepted(answers: list[tuple[int, str]], attempts: int, text: str) -> None:
    with robot(*answers) as one, pytest.raises(posting.NotSent, match=text) as caught:
        bkmonitor.send(failed(), Channel(one.url, 1, TOKEN), pause=lambda seconds: None)
    assert len(one.bodies) == attempts and TOKEN not in str(caught.value)


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(Channel("http://127.0.0.1/", 1, TOKEN))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"url": "http://a/", "data_id": "1", "access_token": "t"}',
        '{"url": "ftp://a/", "data_id": 1, "access_token": "t"}',
        '{"url": "http://[", "data_id": 1, "access_token": "t"}',
        '{"url": "http://a/", "data_id": 1, "access_token": ""}',
        '{"url": "http://a/", "data_id": 1, "access_token": "t", "more": 1}',
        "[" * 9_999,
    ],
)
def test_files_that_are_refused(content: str) -> None:
    with pytest.raises(SuiteError):
        channel(content.encode())


def test_file_that_is_accepted() -> None:
    content = {"url": "http://10.0.0.5:10205/v2/push/", "data_id": 1500001, "access_token": TOKEN}
    assert channel(json.dumps(content).encode()) == Channel(**content)  # type: ignore[arg-type]
