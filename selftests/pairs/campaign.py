"""The command line of the generated pairs: `script/matrix --generated N`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lab.faults import FAULTS
from selftests.pairs.merging import Pair, Run, judge, pairs, run
from selftests.recordings import expectation
from selftests.recordings.store import LAYOUTS

MOST_NOT_NAMED = 0.10
"""The share of all pairs of which one fault may be seen under the other."""


def recorded() -> list[Run]:
    """Return the recorded runs with one fault."""
    return [
        run(expected, layout)
        for layout in LAYOUTS
        for expected in expectation.runs(layout, expectation.DIRECTORY)
        if expected["name"] in FAULTS
    ]


def judge_pairs(number: int | None = None, runs: Sequence[Run] | None = None) -> list[Pair]:
    """Judge so many pairs of recorded faults, or all."""
    return [judge(*pair) for pair in pairs(recorded() if runs is None else runs, number)]


def share(found: Sequence[Pair]) -> float:
    """Return the share of pairs of which one fault is not a root cause of its own."""
    return sum(set(pair.outcomes) != {"named"} for pair in found) / len(found)


def table(found: Sequence[Pair]) -> Iterator[str]:
    """Yield a line for each pair that is not as it should be, and the sums."""
    for pair in found:
        for fault, outcome in zip(pair.faults, pair.outcomes, strict=True):
            if outcome != "named":
                yield f"{'+'.join(pair.faults):60} {fault}: {outcome}, {' '.join(pair.under[:4])}"
    outcomes = Counter(outcome for pair in found for outcome in pair.outcomes)
    both = sum(set(pair.outcomes) == {"named"} for pair in found)
    yield (
        f"{len(found)} pairs of recorded faults: both named {both}, one possibly explained "
        f"{outcomes['possibly']}, one hidden {outcomes['hidden']} ({share(found):.1%} not both named)"
    )
