"""Checks on edited facts: the healthy snapshot with something changed in it, judged in this process."""

import msgspec
import pytest

from bkpaas.language import get_language, set_language
from selftests.judges import cases, masking
from selftests.snapshots.edited import load_edited
from selftests.snapshots.placeholders import unfilled
from selftests.suite import in_process
from selftests.suite.judges import register_markers


def pytest_configure(config):
    register_markers(config)


def pytest_sessionfinish():
    cases.write()


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
        snapshot = load_edited(tmp_path / "changed.json", change)
        cases.keep(snapshot)
        results = in_process.record(snapshot, only)
        cases.note(results.verdicts)
        wrong = {one.id: left for one in results.verdicts if (left := unfilled(one.remedy or ""))}
        assert not wrong, "variables of remedies that have no value"
        assert masking.silent_passes(snapshot, results.verdicts) == []
        return msgspec.to_builtins(results)

    return of


@pytest.fixture
def judge(record):
    """judge(condition, change) -> the verdicts of that condition by subject, after change(snapshot)."""

    def of(condition, change):
        return {verdict["subject"]: verdict for verdict in record(change, condition)["verdicts"]}

    return of
