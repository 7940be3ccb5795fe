"""What is recorded comes back as it was, and names no place of the machine that recorded it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bkpaas.messages import both
from lab.control import REPOSITORY
from selftests.recordings.recorder import without_place
from selftests.recordings.store import neutral, product, read_lines, write_lines


def test_texts_in_two_languages_come_back() -> None:
    text = both(en="ssh: refused.", zh="ssh: 被拒绝.")
    stored = neutral({"reason": msgspec.to_builtins(text), "list": ["plain", 1, None]})
    assert stored == {"reason": {"en": "ssh: refused.", "zh": "ssh: 被拒绝."}, "list": ["plain", 1, None]}
    again = product(stored)["reason"]
    assert again == text


def test_lines_come_back(tmp_path: Path) -> None:
    values = [{"b": 1.5, "a": "half \ud800 of a pair"}, {"zh": "中文"}]
    write_lines(tmp_path / "a.jsonl.xz", values)
    assert list(read_lines(tmp_path / "a.jsonl.xz")) == values


def test_recording_names_a_neutral_place() -> None:
    text = f"key: {REPOSITORY}/.lab/recording-2/id_ed25519"
    assert without_place(text) == "key: /opt/bkpaas-acceptance/.lab/recorded/id_ed25519"
