"""Compare this run with others: since when, what is new, what changed, the recent trend."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from bkpaas.messages import Message, msg
from bkpaas.record import Change, Comparison, FactChange, PastRun, Results, Word
from bkpaas.report.change_lines import day, not_compared

BARS = 60
"""Past runs drawn, the latest."""
FEW = 12
"""With fewer runs than this the bars do not get any wider."""
_BAD: tuple[Word, ...] = ("fail", "no_data")
_WORRY: tuple[Word, ...] = ("pass", "warn", "no_data", "fail")
_DRAWN: tuple[Word, ...] = ("fail", "no_data", "warn")


def since(results: Results) -> dict[str, Message]:
    """Return, by id of what is bad, since when it is, as far as the history reaches."""
    past = results.history
    if past is None:
        return {}
    texts: dict[str, Message] = {}
    for id_, start in past.since.items():
        first = datetime.fromisoformat(start)
        runs = sum(datetime.fromisoformat(run.started) >= first for run in past.runs)
        when = day(start)
        if id_ in past.new:
            texts[id_] = msg("new in this run")
        elif runs > 1:
            texts[id_] = msg("since {when}, {runs} runs in a row", when=when, runs=runs)
        else:
            texts[id_] = msg("since {when}", when=when)
    return texts


class Group(NamedTuple):
    """Changes of one kind."""

    name: Message
    changes: list[Change]


class Changed(NamedTuple):
    """Everything that is not as it was."""

    comparison: Comparison | None
    groups: list[Group]
    facts: list[FactChange]
    not_compared: list[Message]
    """A line for each group of upgraded hosts."""
    lists: list[tuple[Message, list[str]]]
    """From the history: what it is called, ids."""


def changed(results: Results) -> Changed | None:
    """Return the changes, None for a run without baseline and history."""
    past, baseline = results.history, results.comparison
    if past is None and baseline is None:
        return None
    lists = [
        (msg("New since the run before"), past.new),
        (msg("Repaired since the run before"), past.repaired),
        (msg("Flapping"), past.flapping),
    ] if past and len(past.runs) > 1 else []  # fmt: skip
    changes = baseline.verdicts if baseline else []
    worse = [one for one in changes if _grown(one.before, one.after)]
    better = [one for one in changes if _grown(one.after, one.before)]
    other = [one for one in changes if one not in worse and one not in better]
    with_names = (
        (msg("Worse"), worse),
        (msg("Better"), better),
        (msg("Otherwise changed"), other),
    )
    return Changed(
        baseline,
        [Group(name, those) for name, those in with_names if those],
        baseline.facts if baseline else [],
        not_compared(baseline),
        [(name, ids) for name, ids in lists if ids],
    )


def _grown(before: Word | None, after: Word | None) -> bool:
    """Return whether there are more failures than before; what was not judged on one side does not count."""
    if after in _BAD and before not in _WORRY:
        return True
    return before in _WORRY and after in _WORRY and _WORRY.index(after) > _WORRY.index(before)


class Bar(NamedTuple):
    """One run: its place and the heights of its parts, in percent."""

    x: float
    width: float
    fail: float
    no_data: float
    warn: float
    run: PastRun
    last: bool
    link: str | None
    """The page of its report, as seen from this page; None where it is not there any more."""


class Trend(NamedTuple):
    """The latest runs, oldest first."""

    bars: list[Bar]
    most: int
    """The verdicts that the height of the picture stands for."""
    first: str
    last: str
    """Days of the first and the last run; with the time if all runs are of one day."""

    @property
    def linked(self) -> bool:
        return any(bar.link for bar in self.bars)


def trend(results: Results, page: Path | None = None) -> Trend | None:
    """Return the latest runs; None where there is nothing to compare. page: where links to earlier pages start."""
    if results.history is None or len(results.history.runs) < 2:
        return None
    runs = results.history.runs[-BARS:]
    worst = max(1, *(sum(run.counts.get(word, 0) for word in _DRAWN) for run in runs))
    step = 100 / max(len(runs), FEW)
    bars = []
    for index, run in enumerate(runs):
        fail, no_data, warn = (round(100 * run.counts.get(word, 0) / worst, 1) for word in _DRAWN)
        x, width = round(index * step, 2), round(step * 0.78, 2)
        bars.append(Bar(x, width, fail, no_data, warn, run, run is runs[-1], _link(run, runs, page)))
    first, last = day(runs[0].started), day(runs[-1].started)
    if first[:10] != last[:10]:
        first, last = first[:10], last[:10]
    return Trend(bars, worst, first, last)


def _link(run: PastRun, runs: list[PastRun], page: Path | None) -> str | None:
    """Return the link to a page that is still there: a later run into the same directory has replaced it."""
    if page is None or run.report is None or [one for one in runs if one.report == run.report][-1] is not run:
        return None
    earlier = Path(run.report, "report.html")
    if run is runs[-1] or earlier == page.absolute() or not earlier.is_file():
        return None
    return quote(os.path.relpath(earlier, page.absolute().parent))
