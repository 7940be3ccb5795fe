"""The summary on a terminal: fits, copies, and is plain unless asked otherwise."""

from __future__ import annotations

import re

import pytest

from bkpaas.language import Language, set_language
from bkpaas.record import Results
from bkpaas.report import terminal
from bkpaas.report.terminal import CAUSES_IN_FULL, LINES_SHOWN, summary
from bkpaas.report.text import columns

from .sample import SCENARIOS, healthy, judge, settle, three_faults


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_only_commands_are_wider_than_the_terminal(scenario: str, language: Language, width: int) -> None:
    set_language(language)
    *lines, closing = summary(SCENARIOS[scenario](), width=width, colour=False, where="report/report.html")
    assert closing.endswith("  ->  report/report.html")
    for line in lines:
        assert columns(line) <= width or line.startswith(" " * 18), line


def test_a_command_is_whole_on_its_line() -> None:
    lines = summary(three_faults(), width=60, colour=False)
    whole = "/data/bkce/.envs/open_paas/bin/supervisord -c /data/bkce/etc/supervisor-open_paas.conf"
    assert whole in [line.strip() for line in lines]


def test_green_is_short() -> None:
    assert len(summary(healthy(), width=100, colour=False)) == 3


def test_colour_adds_nothing_but_sequences() -> None:
    plain = summary(three_faults(), width=100, colour=False)
    coloured = summary(three_faults(), width=100, colour=True)
    assert not any("\x1b" in line for line in plain)
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in coloured] == plain
    assert coloured != plain


def test_a_partial_run_says_so_first() -> None:
    assert summary(SCENARIOS["interrupted"](), width=100, colour=False)[0].startswith("Interrupted")
    assert "exit code 3" in summary(settle(three_faults(), 3), width=100, colour=False)[0]


def broken_everywhere() -> Results:
    results = healthy()
    for verdict in results.verdicts:
        judge(results, verdict.id, "fail", evidence="line\n" * 50, remedy="$ true\n" * 50)
    results.root_causes = [verdict.id for verdict in results.verdicts]
    return settle(results, 1)


def test_many_causes_are_bounded_and_counted() -> None:
    lines = summary(broken_everywhere(), width=100, colour=False)
    assert lines[0] == "166 failures."
    assert f"further causes ({166 - CAUSES_IN_FULL})" in lines
    assert f"    and {166 - CAUSES_IN_FULL - LINES_SHOWN} more" in lines
    bound = CAUSES_IN_FULL * (terminal.EVIDENCE_LINES + terminal.REMEDY_LINES + 7) + LINES_SHOWN + 10
    assert len(lines) < bound
