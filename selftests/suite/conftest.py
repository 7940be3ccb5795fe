"""Runs of the suite as an operator starts them, on the recorded snapshot; the judges bear their markers here too."""

import textwrap

import pytest

from selftests.snapshots.edited import HEALTHY, write_edited
from selftests.suite.judges import register_markers
from selftests.suite.runs import run_suite


def pytest_configure(config: pytest.Config) -> None:
    register_markers(config)


@pytest.fixture
def run(tmp_path):
    """Judge a snapshot in a process of its own, as an operator would.

    plugin: code that spoils the run. around: the words of a command that starts it.
    """

    def judge(*words, snapshot=HEALTHY, plugin=None, report="report", around=(), **more):
        options = [f"--from-snapshot={snapshot}"] if snapshot else []
        if plugin:
            (tmp_path / "spoiler.py").write_text(textwrap.dedent(plugin))
            options += ["-p", "spoiler"]
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path), **more}
        return run_suite(*options, *words, report=tmp_path / report, environment=environment, around=around)

    return judge


@pytest.fixture
def changed(tmp_path):
    """The healthy snapshot with something changed in it."""

    def change(function, name="changed.json"):
        return write_edited(tmp_path / name, function)

    return change
