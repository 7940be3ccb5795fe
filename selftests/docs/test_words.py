"""Prose and identifiers use plain words: no file gets worse, and the list of exceptions shrinks."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import words


def test_no_file_gets_worse_and_no_clean_file_is_listed() -> None:
    report = words.compare(words.count_words(), words.read_remaining())
    assert report == [], "repair the words, then run .venv/bin/python -m selftests.docs.words"


def test_every_kind_of_text_is_scanned() -> None:
    suffixes = {path.suffix for path in words.tracked_files()}
    assert suffixes >= {"", ".md", ".py", ".sh", ".po", ".yaml", ".js", ".css"}
    assert len(words.tracked_files()) > 400


@pytest.mark.parametrize("word", words.WORDS)
def test_each_word_is_found(word: str) -> None:
    assert words.scan("page.md", f"It stands {word}.\n") == [word]
    assert words.scan("code.py", f'"""It stands {word}."""\n') == [word]
    assert words.scan("code.py", f"x = 1  # it stands {word}\n") == [word]
    assert words.scan("start.sh", f"# it stands {word}\n") == [word]


def test_words_are_found_across_lines_in_tables_in_code_and_in_identifiers() -> None:
    assert words.scan("page.md", "All at\nonce.\n\n| a |\n|---|\n| of\xa0ours is of ours |\n") == [
        *("at once", "of ours", "of ours"),
    ]
    assert words.scan("page.md", "    run    # for ever\n") == ["for ever"]
    assert words.scan("code.py", "# all at\n# once\nclass SomebodyElse:\n    way_out: int\n") == [
        *("somebody", "way out", "at once"),
    ]
    assert words.scan("code.py", 'limit = 1\n"""In seconds, for ever."""\n') == ["for ever"]


def test_python_code_and_quoted_names_are_accepted() -> None:
    assert (
        words.scan(
            "code.py", '"""Return 1 if it is None; besides, `x`."""\nx = "nobody" if 1 is None else 2\n'
        )
        == []
    )
    assert words.scan("page.md", "The account `nobody`.\n\n    sudo -u nobody id\n") == []


def test_a_worse_file_and_a_clean_file_are_reported() -> None:
    assert words.compare({"a.py": 2, "b.py": 1, "c.py": 1}, {"a.py": 1, "b.py": 1, "d.py": 3}) == [
        "a.py: 2 excluded words, 1 allowed",
        "c.py: 1 excluded words, 0 allowed",
        "d.py: clean or gone, remove its line",
    ]


def test_the_list_can_move_a_file_and_never_grow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(words, "REMAINING", tmp_path / "words_left.txt")
    words.write_remaining({"old.py": 2})
    monkeypatch.setattr(words, "count_words", lambda: {"new.py": 2})
    assert words.main() == 0 and words.read_remaining() == {"new.py": 2}
    monkeypatch.setattr(words, "count_words", lambda: {"new.py": 3})
    assert words.main() == 1 and words.read_remaining() == {"new.py": 2}
    words.REMAINING.write_text("5 a.py\n3 a.py\n", "utf-8")
    assert words.read_remaining() == {"a.py": 3}
