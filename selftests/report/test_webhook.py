"""The message to a chat: what is in it, what each service takes, and what happens when it does not arrive."""

from __future__ import annotations

import json
import logging

import pytest

from bkpaas.language import Language, set_language
from bkpaas.record import Results
from bkpaas.report import posting
from bkpaas.report.posting import NotSent
from bkpaas.report.webhook import KINDS, Hook, Kind, body, send

from .hostile import hostile
from .robots import SECRET_PATH, robot
from .sample import SCENARIOS, judge, settle, three_faults

LINK = "https://ci.example.test/report.html"
MOST = {"wecom": 4096, "feishu": 20_000, "dingtalk": 20_000, "slack": 3000}
"""Bytes of what the service counts, as its own pages say."""


def text(message: dict, kind: Kind) -> str:
    """Return the size as the service counts it."""
    return {
        "wecom": lambda: message["markdown"]["content"],
        "dingtalk": lambda: message["markdown"]["text"],
        "feishu": lambda: json.dumps(message, ensure_ascii=False),
        "slack": lambda: message["blocks"][0]["text"]["text"],
        "json": lambda: json.dumps(message, ensure_ascii=False),
    }[kind]()


def crowded() -> Results:
    """A hundred causes with long evidence."""
    results = SCENARIOS["healthy"]()
    for verdict in results.verdicts[:100]:
        judge(results, verdict.id, "fail", evidence="証拠" * 400)
        results.root_causes.append(verdict.id)
    return settle(results, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_names_the_causes_and_the_link(kind: Kind, language: Language) -> None:
    set_language(language)
    message = text(body(three_faults(), kind, LINK), kind)
    for id_ in ("supervisor-sock", "paas-clock-skew", "disk-space"):
        assert id_ in message
    assert LINK in message
    assert "12" in message, "failures in all"


@pytest.mark.parametrize("kind", ["wecom", "feishu", "dingtalk", "slack"])
@pytest.mark.parametrize("record", [crowded, hostile])
def test_it_keeps_within_the_limits_of_the_service(kind: Kind, record) -> None:
    message = body(record(), kind, LINK)
    assert len(text(message, kind).encode()) <= MOST[kind]
    assert len(json.dumps(message).encode()) <= 20_000 or kind != "feishu"


def test_hostile_text_stays_text() -> None:
    for kind in ("wecom", "dingtalk"):
        message = text(body(hostile(), kind, LINK), kind)
        assert (
            "<img" not in message and "](" not in message.replace(f"]({LINK})", "") and "\x1b" not in message
        )
        assert "`" not in message and message.count("**") % 2 == 0
    slack = text(body(hostile(), "slack", LINK), "slack")
    assert "<img" not in slack and "&lt;img" in slack and slack.count("<") == 1, "but for the link"
    feishu = body(hostile(), "feishu", LINK)
    assert feishu["card"]["elements"][0]["text"]["tag"] == "plain_text"
    mention = three_faults()
    judge(mention, "disk-space@es-1", "fail", evidence="<!channel> <@U1> @all [x](http://evil) `code`")
    for kind in ("wecom", "dingtalk", "slack"):
        message = text(body(mention, kind, LINK), kind)
        assert "<!channel>" not in message and "<@U1>" not in message
        assert kind == "slack" or "](http://evil" not in message, "Slack knows no such links"


def test_a_link_can_end_no_markup() -> None:
    message = text(body(three_faults(), "wecom", "https://x/a)b [c](d"), "wecom")
    assert "(https://x/a%29b%20[c]%28d)" in message


ANSWERS: dict[Kind, str] = {
    "wecom": '{"errcode": 0, "errmsg": "ok"}',
    "dingtalk": '{"errcode": 0, "errmsg": "ok"}',
    "feishu": '{"code": 0, "msg": "success"}',
    "slack": "ok",
    "json": "",
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_arrives(kind: Kind) -> None:
    message = body(three_faults(), kind, LINK)
    with robot((200, ANSWERS[kind])) as one:
        send(Hook(kind, one.url), message)
    assert one.bodies == [message] and one.paths == [SECRET_PATH]


REFUSALS = {
    "busy, then well": (["wecom", (503, ""), (200, ANSWERS["wecom"])], 2, None),
    "busy without end": (["wecom", (503, "")], posting.ATTEMPTS, "HTTP 503"),
    "gone": (["slack", (404, "no_service")], 1, "HTTP 404"),
    "a robot that says no": (
        ["wecom", (200, '{"errcode": 93000, "errmsg": "invalid webhook url"}')],
        1,
        "93000",
    ),
    "a robot that has enough": (
        ["dingtalk", (200, '{"errcode": 130101}'), (200, ANSWERS["dingtalk"])],
        2,
        None,
    ),
    "feishu says no": (["feishu", (200, '{"code": 19024, "msg": "Key Words Not Found"}')], 1, "19024"),
    "a login page instead": (["feishu", (200, "<html>log in</html>")], 1, "not that of such a robot"),
    "a redirect": (["json", (302, "")], 1, "HTTP 302"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_failed_delivery_is_reported_without_the_address(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    (kind, *answers), attempts, reason = REFUSALS[name]
    caplog.set_level(logging.DEBUG)
    pauses: list[float] = []
    with robot(*answers) as one:
        hook = Hook(kind, one.url)
        if reason is None:
            send(hook, {}, pauses.append)
        else:
            with pytest.raises(NotSent, match=reason) as caught:
                send(hook, {}, pauses.append)
            assert "s3cret" not in str(caught.value) and "127.0.0.1" not in str(caught.value)
    assert len(one.bodies) == attempts and pauses == [posting.PAUSE_SECONDS] * (attempts - 1)
    assert "s3cret" not in caplog.text and "s3cret" not in repr(hook)


def test_no_listener() -> None:
    with robot((200, "")) as one:
        url = one.url
    with pytest.raises(NotSent, match="no connection"):
        send(Hook("json", url), {}, lambda _: None)


def test_a_robot_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(posting, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(posting, "ATTEMPTS", 2)
    with robot(None) as one, pytest.raises(NotSent, match="no answer in time"):
        send(Hook("json", one.url), {}, lambda _: None)
    assert len(one.bodies) == 2
