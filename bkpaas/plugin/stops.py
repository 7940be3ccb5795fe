"""Ends of a run before its last check: by a signal, or at the first failures (-x, --maxfail, --stepwise)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from bkpaas.plugin.outcome import Outcome
from bkpaas.record import Word

_FAILED: tuple[Word, ...] = ("fail", "no_data")


def hide_interrupt_lines(config: pytest.Config) -> None:
    """Print no exclamation line and no place of a KeyboardInterrupt: the summary says that the run was interrupted."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter._report_keyboardinterrupt = lambda: None


def stopped_at_failure(session: pytest.Session, outcomes: Iterable[Outcome]) -> bool:
    """Return whether -x, --maxfail or --stepwise ended the run; xdist and --stepwise end it like an interruption."""
    limit: int = session.config.option.maxfail
    if session.shouldfail:
        return True
    failures = sum(outcome.word in _FAILED for outcome in outcomes)
    if getattr(session.config.option, "stepwise", False) and session.shouldstop:
        return failures > 0
    return bool(limit) and failures >= limit
