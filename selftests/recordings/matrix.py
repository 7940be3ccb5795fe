"""What the matrix says, computed from recordings instead of a lab."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bkpaas.record import Results
from lab.faults import FAULTS
from selftests.matrix.declared import SYMPTOM_FAULTS
from selftests.matrix.judging import both_named, judge, named_first, red, strangers
from selftests.recordings.comparing import CAUSE_NOT_FIRST, Difference

PREFIX = "symptom-"


def judgement(name: str, results: Results, output: str) -> dict[str, Any]:
    """Return how well one run names what was in the lab. output: what it printed."""
    if name.startswith(PREFIX):
        symptom, _, language = name.removeprefix(PREFIX).partition(".")
        expected = FAULTS[SYMPTOM_FAULTS[symptom]].condition
        first = named_first(expected, results, output, "zh" if language == "zh" else "en")
        return {"group": "symptoms", "first": first, "perfect": first}
    faults = name.split("+")
    if not set(faults) <= FAULTS.keys():
        bad = red(results)
        return {"group": "green", "red": bad, "perfect": not bad}
    expected_of = [FAULTS[fault].condition for fault in faults]
    if len(faults) > 1:
        named, others = both_named(expected_of, results), strangers(expected_of, results)
        return {"group": "pairs", "both": named, "strangers": others, "perfect": named and not others}
    found = judge(expected_of[0], results)
    perfect = found.cause_rank == 1 and not (found.unexplained or found.unrelated)
    return {"group": "faults", "expected": expected_of[0], **found._asdict(), "perfect": perfect}


def unmet_expectation(name: str, judgement: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield a difference if a run with a fault does not name the cause that is declared for the fault."""
    if judgement["group"] != "green" and not judgement["perfect"]:
        words = {key: value for key, value in judgement.items() if key not in ("group", "perfect")}
        yield Difference(CAUSE_NOT_FIRST, f"+ {words}", name)


def table(judgements: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return a line for each run, and the sums."""
    lines = []
    for name, found in sorted(judgements.items(), key=lambda item: (item[1]["group"], item[0])):
        words = [f"{key} {_word(value)}" for key, value in found.items() if key not in ("group", "perfect")]
        lines.append(f"{'ok ' if found['perfect'] else 'BAD'} {name:42} {'; '.join(words)}")
    return [*lines, "", *sums(judgements)]


def sums(judgements: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return the sums alone."""
    groups = {
        group: [one for one in judgements.values() if one["group"] == group]
        for group in ("faults", "pairs", "symptoms", "green")
    }
    faults = groups["faults"]
    unexplained, unrelated = (sum(bool(one[name]) for one in faults) for name in ("unexplained", "unrelated"))
    lines = [
        f"{len(faults)} faults: {sum(one['detected'] for one in faults)} detected, "
        f"{sum(one['cause_rank'] == 1 for one in faults)} cause first, "
        f"{sum(0 < one['cause_rank'] <= 2 for one in faults)} among the first two, "
        f"{unexplained} with something unexplained, {unrelated} with something unrelated"
    ]
    for group, good in (
        ("pairs", "both named and nothing else"),
        ("symptoms", "cause first"),
        ("green", "healthy runs and look-alikes all green"),
    ):
        lines.append(f"{sum(one['perfect'] for one in groups[group])}/{len(groups[group])} {group}: {good}")
    return lines


def _word(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value) or "-"
    return {True: "yes", False: "NO"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def read_output(directory: Path) -> str:
    """Return what the run in this directory has printed so far."""
    return (directory / "output.txt").read_text("utf-8")
