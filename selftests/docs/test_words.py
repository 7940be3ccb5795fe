"""Prose and identifiers use plain words."""

from __future__ import annotations

import pytest

from docs import words
from lab.faults import FAULTS
from lab.lookalikes import LOOKALIKES


def test_no_file_has_an_excluded_word() -> None:
    assert words.find_in_files() == {}


def test_every_kind_of_text_is_scanned() -> None:
    suffixes = {path.suffix for path in words.tracked_files()}
    assert suffixes >= {"", ".md", ".py", ".sh", ".po", ".yaml", ".js", ".css", ".j2"}
    assert len(words.tracked_files()) > 400


@pytest.mark.parametrize("word", words.WORDS)
def test_each_word_is_found(word: str) -> None:
    assert words.scan("page.md", f"It stands {word}.\n") == [word]
    assert words.scan("code.py", f'"""It stands {word}."""\n') == [word]
    assert words.scan("code.py", f"x = 1  # it stands {word}\n") == [word]
    assert words.scan("start.sh", f"# it stands {word}\n") == [word]
    assert words.scan("page.html.j2", f"<p>It stands {word}.</p>\n") == [word]


def test_words_are_found_across_lines_in_tables_in_code_and_in_identifiers() -> None:
    assert words.scan("page.md", "All at\nonce.\n\n| a |\n|---|\n| of\xa0ours is of ours |\n") == [
        *("at once", "of ours", "of ours"),
    ]
    assert words.scan("page.md", "    run    # for ever\n") == ["for ever"]
    assert words.scan("code.py", "# all at\n# once\nclass SomebodyElse:\n    at_once: int\n") == [
        *("somebody", "at once", "at once"),
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


def test_no_title_of_the_lab_has_an_excluded_word() -> None:
    """Titles of faults and look-alikes are string literals, which the scan of the files leaves out."""
    titles = {one.name: one.title_en for one in (*FAULTS.values(), *LOOKALIKES.values())}
    assert {name: title for name, title in titles.items() if words.find_words(title)} == {}
