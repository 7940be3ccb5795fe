"""One text that carries two languages: joined, nested, cut off and told in either."""

from __future__ import annotations

import pytest

from bkpaas.facts.raw import clean
from bkpaas.lang import LANGUAGES, MARKS, in_both, in_language, say, speak, spoken


def test_outside_a_run_one_language_is_said() -> None:
    before = spoken()
    try:
        speak("zh")
        assert say(en="two hosts", zh="两台主机") == "两台主机"
    finally:
        speak(before)


@pytest.mark.parametrize(("language", "text"), [("en", "paas-1: 3 of (five)"), ("zh", "paas-1：3/（五）")])
def test_nested_and_joined_texts_come_out_whole(language: str, text: str) -> None:
    with in_both():
        inner = say(en="five", zh="五")
        both = "paas-1" + say(en=f": 3 of ({inner})", zh=f"：3/（{inner}）")
    assert in_language(both, language) == text  # type: ignore[arg-type]


def test_what_is_cut_off_is_told_as_far_as_it_is_there() -> None:
    with in_both():
        both = "a " + say(en="English", zh="中文") + " b"
    cuts = [in_language(both[:length], "zh") for length in range(len(both) + 1)]
    assert cuts[-1] == "a 中文 b"
    assert not any(set(cut) & set(MARKS) for cut in cuts)
    assert in_language(both[: both.index("中") - 1], "zh") == "a English"


def test_one_language_may_have_nothing_to_say() -> None:
    with in_both():
        both = "host" + say(en="s", zh="")
    assert [in_language(both, language) for language in LANGUAGES] == ["hosts", "host"]


def test_a_host_cannot_bring_marks_of_its_own() -> None:
    with in_both():
        forged = clean(say(en="shown", zh="hidden"))
    assert forged == "shownhidden"
    assert in_language(f"{MARKS[2]}stray{MARKS[1]}", "en") == "stray"
