"""A message as data: made, nested, rendered, saved and read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from bkpaas import messages
from bkpaas.language import LANGUAGES, Language, get_language, set_language
from bkpaas.messages import Message, joined, lines, msg, plural, series, set_redactor, to_text

CHINESE = {
    "{path} is {mode}": "{path} 的权限是 {mode}",
    "waited {seconds:.1f} s": "已等待 {seconds:.1f} 秒",
    "wrong": "{nothing} 出错",
    "wrong {number:d}": "错误 {number:x!}",
}


class _Chinese:
    """The part of GNUTranslations that rendering uses."""

    def gettext(self, template: str) -> str:
        return CHINESE.get(template, template)

    def pgettext(self, context: str, template: str) -> str:
        return {("series", ", "): "、", ("port", "closed"): "未监听"}.get((context, template), template)

    def ngettext(self, singular: str, several: str, count: int) -> str:
        return {"{count} host": "{count} 台主机"}.get(singular, singular if count == 1 else several)


@pytest.fixture(autouse=True)
def _chinese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = messages._catalogue
    monkeypatch.setattr(
        messages, "_catalogue", lambda language: _Chinese() if language == "zh" else known(language)
    )
    before = get_language()
    yield
    set_language(before)
    set_redactor(None)


def both(message: Message) -> list[str]:
    return [message.render(language) for language in LANGUAGES]


def test_a_message_is_rendered_in_either_language() -> None:
    assert both(msg("{path} is {mode}", path="/x", mode="0700")) == ["/x is 0700", "/x 的权限是 0700"]


def test_a_nested_message_is_in_the_language_of_the_outer_one() -> None:
    inner = msg("waited {seconds:.1f} s", seconds=2)
    assert both(msg("{path} is {mode}", path=inner, mode="{}")) == [
        "waited 2.0 s is {}",
        "已等待 2.0 秒 的权限是 {}",
    ]


@pytest.mark.parametrize(
    ("message", "english", "chinese"),
    [
        (plural("{count} host", "{count} hosts", count=1), "1 host", "1 台主机"),
        (plural("{count} host", "{count} hosts", count=0), "0 hosts", "0 台主机"),
        (series(["a", 2]), "a, 2", "a、2"),
        (lines(["a", msg("waited {seconds:.1f} s", seconds=1)]), "a\nwaited 1.0 s", "a\n已等待 1.0 秒"),
        (joined(" -> ", ["a", "b"]), "a -> b", "a -> b"),
        (lines([]), "", ""),
        (msg("closed", context="port"), "closed", "未监听"),
        (msg("closed"), "closed", "closed"),
        (msg("{name!r:>5}{{}}", name="a"), "  'a'{}", "  'a'{}"),
    ],
)
def test_plurals_lists_and_contexts(message: Message, english: str, chinese: str) -> None:
    assert both(message) == [english, chinese]


def test_a_translation_that_cannot_be_rendered_falls_back_to_english() -> None:
    assert both(msg("wrong")) == ["wrong", "wrong"]
    assert msg("wrong {number:d}", number=1).render("zh") == "wrong 1"


def test_a_format_that_does_not_fit_shows_the_parameters() -> None:
    message = msg("waited {seconds:.1f} s", seconds=None)
    assert message.render("en") == "waited {seconds:.1f} s (seconds=None)"


def test_an_unreadable_catalogue_means_english(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(messages, "LOCALE_DIRECTORY", tmp_path)
    messages._catalogue.cache_clear()
    try:
        assert series(["a", "b"]).render("zh") == "a, b"
    finally:
        messages._catalogue.cache_clear()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda message: message + "",
        lambda message: "" + message,
        lambda message: f"{message}",
        lambda message: "{}".format(message),  # noqa: UP032
        lambda message: ", ".join([message]),
    ],
)
def test_a_message_refuses_to_be_made_a_string_by_accident(wrong: Any) -> None:
    with pytest.raises(TypeError):
        wrong(msg("a"))


def test_a_message_is_always_true() -> None:
    assert msg("{nothing}", nothing="") and lines([])


def test_equal_messages_are_one_key() -> None:
    assert {msg("{a}", a=[1]): 1, msg("{a}", a=[2]): 2, msg("{a}", a=[1]): 3} == {msg("{a}", a="[1]"): 3, msg("{a}", a="[2]"): 2}  # fmt: skip


def test_parameters_are_redacted_when_the_message_is_made() -> None:
    set_redactor(lambda text: text.replace("hunter2", "secret:1"))
    inner = msg("{word}", word="hunter2")
    made = [msg("{a} {b}", a="is hunter2", b=inner), lines(["hunter2"]), msg("{a}", a=["hunter2"])]
    set_redactor(None)
    assert b"hunter2" not in msgspec.json.encode(made)
    assert made[0].render("en") == "is secret:1 secret:1"


def test_a_message_survives_a_file() -> None:
    message = lines(
        [msg("{a} {b:g} {c} {d}", a=msg("x"), b=1.0, c=None, d=True), plural("one", "{count}", count=2)]
    )
    read = msgspec.json.decode(msgspec.json.encode(message), type=Message)
    assert read == message and read.render("en") == "x 1 None True\n2"


def test_what_json_cannot_hold_becomes_a_string() -> None:
    message = msg("{big} {name}", big=10**30, name="a\udcff")
    assert (
        msgspec.json.decode(msgspec.json.encode(message), type=Message).render("en") == f"{10**30} a\\udcff"
    )


def test_a_long_parameter_is_cut_when_the_message_is_made() -> None:
    rendered = msg("{body}", body="x" * (messages.PARAMETER_CHARACTERS + 1)).render("en")
    assert len(rendered) == messages.PARAMETER_CHARACTERS and rendered.endswith("x…")
    assert lines(range(messages.ITEMS + 1)).render("en").split("\n")[-2:] == [str(messages.ITEMS - 2), "…"]


def nested(depth: int) -> dict[str, Any]:
    return {"template": "{a}", "parameters": {"a": nested(depth - 1) if depth else 1}}


def doubled(depth: int) -> dict[str, Any]:
    return {"template": "{a}" * 100, "parameters": {"a": doubled(depth - 1) if depth else "x"}}


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        pytest.param({"template": ""}, "1 to", id="empty"),
        pytest.param({"template": "x" * 4001}, "1 to", id="long-template"),
        pytest.param({"template": "a", "plural": "x" * 4001}, "1 to", id="long-plural"),
        pytest.param({"template": "{a}"}, "no parameter", id="no-parameter"),
        pytest.param(
            {"template": "{a.__class__}", "parameters": {"a": 1}}, "not a placeholder", id="attribute"
        ),
        pytest.param({"template": "{a[0]}", "parameters": {"a": "x"}}, "not a placeholder", id="index"),
        pytest.param({"template": "{}"}, "not a placeholder", id="no-name"),
        pytest.param({"template": "{a:999}", "parameters": {"a": 1}}, "not a format", id="wide"),
        pytest.param({"template": "{a:.999f}", "parameters": {"a": 1.5}}, "not a format", id="precise"),
        pytest.param({"template": "{a:{a}}", "parameters": {"a": 1}}, "not a format", id="nested-format"),
        pytest.param({"template": "{a"}, "expected '}'", id="syntax"),
        pytest.param(
            {"template": "a", "parameters": {str(n): n for n in range(51)}}, "at most", id="parameters"
        ),
        pytest.param({"template": "{a}", "parameters": {"a": "x" * 20_001}}, "at most", id="long-parameter"),
        pytest.param({"template": ",", "items": [1] * 1_001}, "at most", id="items"),
        pytest.param({"template": ",", "items": ["x" * 20_000] * 60}, "at most", id="long-text"),
        pytest.param({"template": "a", "plural": "b"}, "count", id="plural-without-count"),
        pytest.param(
            {"template": "a", "plural": "b", "parameters": {"count": "2"}}, "count", id="count-is-text"
        ),
        pytest.param({"template": ",", "items": [1], "plural": "b"}, "no plural", id="list-with-plural"),
        pytest.param(nested(10), "levels", id="deep"),
        pytest.param(doubled(5), "characters", id="multiplied"),
        pytest.param({"template": "a", "more": 1}, "unknown field", id="unknown-field"),
    ],
)
def test_a_hostile_message_is_refused(hostile: dict[str, Any], reason: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=reason):
        msgspec.json.decode(msgspec.json.encode(hostile), type=Message)


def test_hundreds_of_levels_are_refused_while_they_are_read() -> None:
    levels = 5_000
    hostile = b'{"template":"{a}","parameters":{"a":' * levels + b"1" + b"}}" * levels
    with pytest.raises(RecursionError):
        msgspec.json.decode(hostile, type=Message)


@pytest.mark.parametrize(("language", "expected"), [("en", "/x is 0700"), ("zh", "/x 的权限是 0700")])
def test_a_command_line_prints_in_its_language(language: Language, expected: str) -> None:
    set_language(language)
    message = msg("{path} is {mode}", path="/x", mode="0700")
    assert to_text(message) == expected and to_text("as is") == "as is"


def test_the_string_of_a_message_is_english() -> None:
    set_language("zh")
    assert str(msg("{path} is {mode}", path="/x", mode=msg("waited {seconds:.1f} s", seconds=2))) == (
        "/x is waited 2.0 s"
    )


def test_a_text_that_is_data_has_both_languages() -> None:
    text = messages.both(en="{free}", zh="剩余 {}")
    assert (text.render("en"), text.render("zh")) == ("{free}", "剩余 {}")
    outer = msg("{path} is {mode}", path=text, mode="0700")
    again = msgspec.json.decode(msgspec.json.encode(outer), type=Message)
    assert again == outer and hash(again) == hash(outer) and "剩余 {}" in again.render("zh")


def test_redaction_of_a_whole_message_reaches_every_parameter() -> None:
    text = lines(
        [msg("{path} is {mode}", path="secret", mode=1), messages.both(en="secret", zh="secret 密"), "secret"]
    )
    shown = messages.redacted(text, lambda part: part.replace("secret", "***"))
    assert isinstance(shown, Message)
    assert all("secret" not in shown.render(language) for language in LANGUAGES)
    assert shown.render("en").count("***") == 3


def test_a_list_of_long_items_is_cut_instead_of_refused() -> None:
    """A host with very many findings fails; an exception here would make that a fault of the suite."""
    item = "x" * messages.PARAMETER_CHARACTERS
    nested = lines(msg("{first}: {second}", first=item, second=item) for _ in range(messages.ITEMS))
    text = lines([nested, nested, "end"]).render("en")
    assert text.startswith(f"{item}: {item}\n{item}") and text.endswith("…")
    assert len(text) <= messages.TEXT_CHARACTERS
