"""Checks on edited facts: the healthy snapshot with something changed in it, judged in this process."""

import msgspec
import pytest

from bkpaas.language import get_language, set_language
from selftests.snapshots.edited import load_edited
from selftests.suite import in_process


@pytest.fixture(autouse=True)
def english():
    """Judge in English and leave the language as it was."""
    before = get_language()
    set_language("en")
    yield
    set_language(before)


@pytest.fixture
def record(tmp_path):
    """record(change) -> results.json after change(snapshot), with all conditions or only one."""

    def of(change, only=None):
        results = in_process.record(load_edited(tmp_path / "changed.json", change), only)
        return msgspec.to_builtins(results)

    return of


@pytest.fixture
def judge(record):
    """judge(condition, change) -> the verdicts of that condition by subject, after change(snapshot)."""

    def of(condition, change):
        return {verdict["subject"]: verdict for verdict in record(change, condition)["verdicts"]}

    return of
