"""Texts from hosts: seen as they are, in the columns a terminal gives them."""

from __future__ import annotations

import pytest

from bkpaas.report.text import columns, cut, fitted, visible, whole_lines, wrap


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain\ttext\nof two lines", "plain\ttext\nof two lines"),
        ("from Windows\r\n", "from Windows\n"),
        ("\x1b[31mred\x1b[0m \x00 \x9b", "\\x1b[31mred\\x1b[0m \\x00 \\x9b"),
        ("over\rwritten", "over\\x0dwritten"),
        ("\u202egnp.exe\u2066\u200f", "\\u202egnp.exe\\u2066\\u200f"),
        ("half \udc80 \ud83d, none \uffff", "half \\udc80 \\ud83d, none \\uffff"),
        ("中文 é 👩‍💻", "中文 é 👩‍💻"),
    ],
)
def test_visible(text: str, wanted: str) -> None:
    assert visible(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("abc", 3), ("中文", 4), ("，（", 4), ("ｶﾅ", 2), ("e\u0301", 1), ("😀", 2), ("a\u200db", 2)],
)
def test_columns(text: str, wanted: int) -> None:
    assert columns(text) == wanted


def test_cut_says_how_much_is_missing() -> None:
    assert cut("x" * 10, 10, "en") == "x" * 10
    assert cut("x" * 1010, 10, "en") == "x" * 10 + " ... (1000 more characters in results.json)"


@pytest.mark.parametrize("limit", [0, 6, 10, 15, 20, 24])
def test_a_command_is_kept_whole_or_not_at_all(limit: int) -> None:
    remedy = "First:\n$ kill 1\n$ kill 12"
    kept, _, note = whole_lines(remedy, limit, "en").rpartition("\n")
    assert note == "(the rest is in results.json)"
    assert kept in ("", "First:", "First:\n$ kill 1")
    assert whole_lines(remedy, 25, "en") == remedy


def test_wrap_at_spaces() -> None:
    assert wrap("one two  three\n\nfour", 8) == ["one two", "three", "", "four"]


def test_wrap_between_double_width_characters() -> None:
    assert wrap("时间差小于容忍值", 8) == ["时间差小", "于容忍值"]


def test_wrap_keeps_closing_punctuation_with_its_character() -> None:
    lines = wrap("主机在线，端口可达。", 8)
    assert "".join(lines) == "主机在线，端口可达。"
    assert not any(line.startswith(("，", "。")) for line in lines)


@pytest.mark.parametrize(
    "text", ["x" * 500, "中" * 500, "a 中b" * 200, "-- " * 300, "，" * 99, "e\u0301" * 300]
)
@pytest.mark.parametrize("width", [8, 41])
def test_wrap_stays_within_the_width_and_loses_nothing(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(columns(line) <= width for line in lines if line.strip("，"))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "width", "wanted"),
    [
        ("short", 9, "short"),
        ("just right", 10, "just right"),
        ("too long now", 10, "too lon..."),
        ("中文也一样长", 10, "中文也..."),
    ],
)
def test_fitted(text: str, width: int, wanted: str) -> None:
    assert fitted(text, width) == wanted and columns(wanted) <= width
