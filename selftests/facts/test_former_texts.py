"""Snapshots of suites before 0.2, whose texts carry both languages in one string, can still be judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bkpaas.facts import Missing, Snapshot
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
