"""Snapshots of suites before 0.2, whose texts carry both languages in one string, can still be judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bkpaas.facts import Missing, Snapshot
from bkpaas.facts.former_texts import MARKS, in_language
from bkpaas.facts.raw import clean
from bkpaas.messages import Message

HEALTHY = Path(__file__).parents[1] / "snapshots/healthy.json"
FORMER = "paas.conf: \ufdd0not read: \ufdd0too large\ufdd1过大\ufdd2\ufdd1未读取：\ufdd0too large\ufdd1过大\ufdd2\ufdd2"


@pytest.mark.parametrize("escaped", [True, False])
def test_a_text_of_two_languages_becomes_a_message(escaped: bool, tmp_path: Path) -> None:
    snapshot = json.loads(HEALTHY.read_text("utf-8"))
    host = snapshot["hosts"]["paas-1"]
    host["nginx"] = {"fact": "Missing", "reason": FORMER}
    host["error"] = "\ufdd0refused\ufdd1被拒绝\ufdd2"
    file = tmp_path / "former.json"
    file.write_text(json.dumps(snapshot, ensure_ascii=escaped), "utf-8")
    facts = Snapshot.load(file).hosts["paas-1"]
    assert isinstance(facts.nginx, Missing) and isinstance(facts.nginx.reason, Message)
    assert facts.nginx.reason.render("en") == "paas.conf: not read: too large"
    assert facts.nginx.reason.render("zh") == "paas.conf: 未读取：过大"
    assert isinstance(facts.error, Message) and facts.error.render("zh") == "被拒绝"
    again = tmp_path / "again.json"
    Snapshot.load(file).save(again)
    assert Snapshot.load(again).hosts["paas-1"] == facts
    assert not set("\ufdd0\ufdd1\ufdd2") & set(again.read_text("utf-8"))


def test_a_text_that_is_cut_off_is_read_as_far_as_it_is_there() -> None:
    text = "a \ufdd0English\ufdd1中文\ufdd2 b"
    cuts = [in_language(text[:length], "zh") for length in range(len(text) + 1)]
    assert cuts[-1] == "a 中文 b"
    assert not any(set(cut) & set(MARKS) for cut in cuts)
    assert in_language(text[: text.index("中") - 1], "zh") == "a English"
    assert in_language(f"{MARKS[2]}stray{MARKS[1]}", "en") == "stray"


def test_a_host_cannot_bring_marks_of_its_own() -> None:
    assert clean("\ufdd0shown\ufdd1hidden\ufdd2") == "shownhidden"
