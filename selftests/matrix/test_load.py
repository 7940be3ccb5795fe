"""The busy processes of script/matrix --load."""

from __future__ import annotations

from pathlib import Path

import pytest

from selftests.matrix.__main__ import parser
from selftests.matrix.load import busy


def test_busy_processes_run_and_end() -> None:
    with busy(2) as pids:
        assert len(pids) == 2 and all(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_busy_processes_end_with_an_error() -> None:
    seen: list[int] = []
    with pytest.raises(KeyError), busy(1) as pids:
        seen += pids
        raise KeyError
    assert seen and not Path(f"/proc/{seen[0]}").exists()


def test_the_option_has_a_number() -> None:
    assert parser().parse_args(["--healthy", "3", "--load", "15"]).load == 15
    assert parser().parse_args([]).load == 0
    for wrong in ("-1", "x", "1000"):
        with pytest.raises(SystemExit):
            parser().parse_args(["--load", wrong])
