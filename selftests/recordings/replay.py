"""The command line of the replay: `script/replay --help`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg, to_text
from bkpaas.record import read_json
from selftests.recordings import comparing, expectation, judging, matrix, unrecorded
from selftests.recordings.pool import judge_all
from selftests.recordings.sample import SAMPLE
from selftests.recordings.store import (
    LAYOUTS,
    PACKED,
    SUFFIX,
    Recording,
    canonical,
    names,
    packed_layouts,
    read_lines,
)

MOST_ADDITIONS = 20
"""Names of queries and conditions that are printed."""


def main(words: list[str] | None = None) -> int:
    set_language(language_of_locale())
    options = parser().parse_args(words)
    set_language("en")  # that of the recorded texts
    layouts = options.layout or packed_layouts(options.recordings)
    only = set(SAMPLE if options.sample else options.only)
    unknown = only - {name for layout in layouts for name in names(layout, options.recordings)}
    if unknown or not layouts:
        print(f"no recording: {' '.join(sorted(unknown)) or options.recordings}", file=sys.stderr)
        return 2
    total = sum(not only or name in only for layout in layouts for name in names(layout, options.recordings))
    begun, replay = time.monotonic(), Replay(options, total)
    for layout in layouts:
        replay.judge(layout, only)
    replay.compare_catalogue()
    print("\n".join(comparing.report(replay.differences)))
    if options.list:
        lines = (json.dumps(one._asdict(), ensure_ascii=False) for one in replay.differences)
        options.list.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    print("\n".join(replay.additions()))
    print()
    print("\n".join(matrix.table(replay.judgements) if options.matrix else matrix.sums(replay.judgements)))
    if replay.otherwise:
        print(f"plans that are not those that the answers were recorded with: {replay.otherwise}")
    seconds, number = time.monotonic() - begun, len(replay.differences)
    print("\n".join(comparing.totals(replay.differences)))
    print(f"{len(replay.judgements)} runs judged in {seconds:.0f} s: {number} differences")
    if options.update:
        print(f"written: {options.expected}")
        return 1 if any(one.kind in comparing.NEVER for one in replay.differences) else 0
    return 1 if replay.differences else 0


class Replay:
    """The outcome of judging `total` recordings again."""

    def __init__(self, options: argparse.Namespace, total: int) -> None:
        self.options = options
        self.total, self.done, self.begun = total, 0, time.monotonic()
        self.differences: list[comparing.Difference] = []
        self.judgements: dict[str, dict[str, Any]] = {}
        self.otherwise = 0
        """Plans that the code makes today and that are not the recorded ones."""
        self.not_recorded: Counter[str] = Counter()
        """Verdicts that a recording has no answers for, by condition."""
        self.changed_words: Counter[str] = Counter()
        """Of those, verdicts that were known: `condition: word`."""
        self.new_queries: Counter[str] = Counter()

    def judge(self, layout: str, only: set[str]) -> None:
        """Judge the recordings of a layout, all of them or those with these names."""
        options, known = self.options, names(layout, self.options.recordings)
        chosen = {name for name in known if not only or name in only}
        if not chosen:
            return
        recordings = wanted(layout, options.recordings, chosen)
        expected = expectation.read(layout, options.expected, chosen if only else ())
        actual: dict[str, str] = {}
        for name, outcome in judge_all(work, _with_known(recordings, expected), options.jobs):
            output, wanted_ = outcome.get("output", outcome), json.loads(expected.pop(name, "null"))
            found = list(comparing.compare(name, wanted_, output))
            self.differences += found
            if wanted_ and "error" not in output:
                self._count_additions(wanted_, output)
            self.otherwise += outcome.get("otherwise", 0)
            if "error" not in output:
                self.judgements[name] = outcome["judgement"]
                if outcome["judgement"].get("expected") not in map(
                    _condition, output.get("not_recorded", ())
                ):
                    self.differences += matrix.unmet_expectation(name, outcome["judgement"])
                actual[name] = canonical({"name": name, **output})
            self.done += 1
            if options.progress:
                print(f"{self.progress()} {layout} {name}: {len(found)} differences", flush=True)
        if options.update and actual:
            expectation.update(layout, actual, options.expected, known)
        elif not only:
            self.differences += [
                comparing.Difference("expected, not recorded", "", name) for name in expected
            ]

    def progress(self) -> str:
        """Return how many runs are judged, and the minutes that the others take at this speed."""
        left = (time.monotonic() - self.begun) * (self.total - self.done) / self.done / 60
        return f"{self.done}/{self.total}, {left:.0f} min left:"

    def _count_additions(self, expected: dict[str, Any], output: dict[str, Any]) -> None:
        self.not_recorded.update(map(_condition, output.get("not_recorded", ())))
        self.changed_words.update(unrecorded.changed_words(expected, output))
        self.new_queries.update(set(unrecorded.new_queries(expected["plans"], output["plans"])))

    def additions(self) -> list[str]:
        """Return the lines about what is not recorded; none of it is a difference."""
        lines = []
        for text, counted in (
            ("queries that are not recorded, with the number of runs", self.new_queries),
            ("verdicts that are not recorded", self.not_recorded),
            ("of those, verdicts that were known before: record these runs again", self.changed_words),
        ):
            if counted:
                lines += ["", f"{text}: {counted.total()}"]
                lines += [f"  {number} x {name}" for name, number in counted.most_common(MOST_ADDITIONS)]
                if len(counted) > MOST_ADDITIONS:
                    lines.append(f"  ... (+{len(counted) - MOST_ADDITIONS} others)")
        return lines

    def compare_catalogue(self) -> None:
        """Compare what concerns no run, or write it as expected."""
        actual = catalogue(self.options.recordings)
        expected = expectation.read_catalogue(self.options.expected)
        self.differences += comparing.compare_catalogue(expected, actual)
        if self.options.update:
            expectation.write_catalogue(actual, self.options.expected)


def _with_known(recordings: Iterable[Recording], expected: dict[str, str]) -> Iterator[Recording]:
    """Yield the recordings with what their expectation has: `known` conditions, and ids that were `left_out`."""
    for recording in recordings:
        text = expected.get(recording["name"])
        run = json.loads(text) if text else None
        known = sorted(set(map(_condition, run["verdicts"]))) if run else None
        yield {**recording, "known": known, "left_out": (run or {}).get("not_recorded", [])}


def _condition(id_: str) -> str:
    return id_.partition("@")[0]


def wanted(layout: str, directory: Path, chosen: set[str]) -> Iterator[Recording]:
    """Yield the recordings of a layout with these names; read no further than the last of them."""
    left = set(chosen)
    for recording in read_lines(directory / f"{layout}{SUFFIX}"):
        if recording["name"] in left:
            left.remove(recording["name"])
            yield recording
        if not left:
            return


def work(recording: Recording, directory: Path) -> dict[str, Any]:
    """Judge one run in the process of a pool."""
    output = judging.judge(recording, directory)
    sys.stdout.flush()
    results = directory / "report" / "results.json"
    if not results.exists():
        return {"error": matrix.read_output(directory)}
    record = read_json(results)
    record.run.exit = output["exit"]  # without the verdicts that are not recorded
    judgement = matrix.judgement(recording["name"], record, matrix.read_output(directory))
    return {
        "output": output,
        "judgement": judgement,
        "otherwise": otherwise(recording["plans"], output["plans"]),
    }


def otherwise(recorded: dict[str, dict[str, Any]], made: dict[str, dict[str, Any]]) -> int:
    """Return how many of the recorded plans are not made in that form any more."""
    return sum(
        canonical(plan) != canonical(made.get(host, {}).get(round_))
        for host, plans in recorded.items()
        for round_, plan in plans.items()
    )


def catalogue(recordings: Path) -> dict[str, Any]:
    """Return what concerns no run: every edge, and the text of --plan for a healthy inventory of each layout."""
    plans = {}
    for layout in packed_layouts(recordings):
        first = next(iter(read_lines(recordings / f"{layout}{SUFFIX}")))
        with tempfile.TemporaryDirectory(prefix="bkpaas-replay-") as directory:
            plans[f"{layout} ({first['name']})"] = judging.plan_texts(first, Path(directory))
    return {"edges": judging.edges(), "plan": plans}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="script/replay",
        description=to_text(
            msg(
                "Judge the recorded runs of the lab with the code at hand, offline, and compare plans, verdicts, texts in both languages, root causes, edges and markers with the stored expectation. Exit status 1: something differs."
            )
        ),
    )
    top.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        default=[],
        help=to_text(msg("only this run; may be repeated")),
    )
    top.add_argument(
        "--sample", action="store_true", help=to_text(msg("only these: {names}", names=" ".join(SAMPLE)))
    )
    top.add_argument(
        "--layout", choices=LAYOUTS, action="append", help=to_text(msg("only runs of this layout"))
    )
    top.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=2,
        help=to_text(msg("runs judged side by side (%(default)s)")),
    )
    top.add_argument(
        "--update",
        action="store_true",
        help=to_text(msg("rewrite the expectation instead of comparing with it")),
    )
    top.add_argument(
        "--matrix", action="store_true", help=to_text(msg("print for each run whether the cause comes first"))
    )
    top.add_argument(
        "--quiet", dest="progress", action="store_false", help=to_text(msg("no line for each run"))
    )
    top.add_argument(
        "--list",
        metavar="FILE",
        type=Path,
        help=to_text(msg("write every difference, one JSON object a line; the screen shows examples")),
    )
    top.add_argument("--recordings", metavar="DIR", type=Path, default=PACKED, help="(%(default)s)")
    top.add_argument(
        "--expected", metavar="DIR", type=Path, default=expectation.DIRECTORY, help="(%(default)s)"
    )
    return top


if __name__ == "__main__":
    sys.exit(main())
