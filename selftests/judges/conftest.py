"""Judges on edited facts: the healthy snapshot with something changed in it, judged in a process of its own."""

import json
import os
import sys
import traceback
from pathlib import Path

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

ROOT = Path(__file__).parents[2]
HEALTHY = ROOT / "selftests/snapshots/healthy.json"


@pytest.fixture
def record(tmp_path):
    """record(change, *words) -> results.json after change(snapshot), of a run with these words."""

    def of(change, *words):
        snapshot = json.loads(HEALTHY.read_text())
        change(snapshot)
        path = tmp_path / "changed.json"
        path.write_text(json.dumps(snapshot))
        said = _pytest([f"--from-snapshot={path}", f"--report={tmp_path / 'report'}", *words], tmp_path)
        results = tmp_path / "report/results.json"
        assert results.exists(), said
        return json.loads(results.read_text())

    return of


@pytest.fixture
def judge(record):
    """judge(condition, change) -> the verdicts of that condition by subject, after change(snapshot)."""

    def of(condition, change):
        verdicts = record(change, "--only", condition)["verdicts"]
        return {verdict["subject"]: verdict for verdict in verdicts}

    return of


def _pytest(words, directory):
    """What a run says. In a fork of this process, which has loaded already what every run needs."""
    said = directory / "said.txt"
    child = os.fork()
    if not child:
        code = 3
        try:
            output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.chdir(ROOT)
            sys.meta_path[:] = [
                hook for hook in sys.meta_path if not isinstance(hook, AssertionRewritingHook)
            ]
            for name in [name for name in sys.modules if name.startswith("test_")]:
                del sys.modules[name]  # a selftest may have the name of a file of conditions
            code = pytest.main(
                ["-c", "pytest.ini", "-p", "no:cacheprovider", "--lang", "en", *words], plugins=[]
            )
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.waitpid(child, 0)
    return said.read_text()
