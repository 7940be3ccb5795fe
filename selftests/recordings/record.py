"""The command line of the recording: `script/record --help`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bkpaas.lang import speak
from lab import machine
from lab.control import REPOSITORY
from selftests.matrix import table
from selftests.matrix.__main__ import Bench
from selftests.matrix.__main__ import parser as matrix_parser
from selftests.matrix.__main__ import plan as planned
from selftests.matrix.record import Matrix
from selftests.matrix.trial import LANGUAGES, Healthy, Narrowed, Trial, recording_file
from selftests.recordings.replay import SAMPLE
from selftests.recordings.store import LAYOUTS, PACKED, SUFFIX, Recording, write_lines

RAW = REPOSITORY / ".lab" / "recordings"
"""Each run in a file of its own, as soon as it is recorded."""
FILE = REPOSITORY / "report" / "recording.json"
"""The matrix as these runs say it; their reports lie in the directory of the same name."""
ATTEMPTS = 2
"""How often a trial that cannot be carried out is tried."""
HEALTHY = {"a": 3, "b": 1, "c": 1, "d": 1}
"""How many healthy runs of each layout are recorded."""


def main() -> int:
    speak("en")
    machine.complete_path()
    options = parser().parse_args()
    every = trials()
    if not options.pack:
        names = set(options.only)
        if unknown := names - {trial.name for trial in every}:
            print(f"no trial: {' '.join(sorted(unknown))}", file=sys.stderr)
            return 2
        chosen = [trial for trial in every if trial.name in names] if names else every
        for trial in chosen if names else ():
            for file in files(trial):
                file.unlink(missing_ok=True)
        matrix = Matrix.read(FILE)
        for _ in range(ATTEMPTS):
            if missing := [trial for trial in chosen if not all(file.exists() for file in files(trial))]:
                print(f"{len(missing)} of {len(chosen)} trials are to be recorded", flush=True)
                Bench(options.labs, FILE, RAW).run(missing, matrix)
        print(table.whole(matrix))
    return pack(every)


def trials() -> list[Trial]:
    """Return everything that is recorded, a layout after the other."""
    options = matrix_parser().parse_args([])
    healthy = [Healthy(number, layout) for layout in LAYOUTS for number in range(1, HEALTHY[layout] + 1)]
    others = [trial for trial in planned(Matrix(), options) if not isinstance(trial, Healthy)]
    return sorted([*healthy, *others], key=lambda trial: trial.layout)


def files(trial: Trial) -> list[Path]:
    """Return the files that the runs of a trial are recorded in."""
    if isinstance(trial, Narrowed):
        return [recording_file(RAW, f"{trial.name}/{language}") for language in LANGUAGES]
    return [recording_file(RAW, trial.name)]


def pack(every: list[Trial]) -> int:
    """Write what is recorded as one compressed file for each layout. -> 1 when something is missing"""
    PACKED.mkdir(exist_ok=True)
    missing = []
    for layout in LAYOUTS:
        recorded: dict[str, Path] = {}
        for trial in every:
            for file in files(trial) if trial.layout == layout else ():
                if file.exists():
                    recorded[file.stem] = file
                else:
                    missing.append(file.stem)
        if not recorded:
            continue
        names = sorted(recorded, key=_place)
        path = PACKED / f"{layout}{SUFFIX}"
        write_lines(path, (_read(recorded[name], layout) for name in names))
        (PACKED / f"{layout}.names").write_text("\n".join(names) + "\n", "ascii")
        print(f"{path.relative_to(REPOSITORY)}: {len(names)} runs, {path.stat().st_size / 1e6:.2f} MB")
    if missing:
        print(f"not recorded: {' '.join(missing)}")
    return 1 if missing else 0


def _place(name: str) -> tuple[int, bool, str]:
    """Order by this: the sample first, since a replay stops reading behind the last run that it wants."""
    place = SAMPLE.index(name) if name in SAMPLE else len(SAMPLE)
    return place, not name.startswith("healthy"), name


def _read(file: Path, layout: str) -> Recording:
    return {"name": file.stem, "layout": layout, **json.loads(file.read_text("ascii"))}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="script/record",
        description="Record every run of the fault matrix: raw answers of both rounds and what the controller saw. "
        "Runs that are recorded already are kept, so that an ended recording goes on where it was; then pack them "
        "for script/replay.",
    )
    top.add_argument("--only", metavar="NAME", action="append", default=[],
                     help="record this trial, even if it is recorded already; may be repeated")  # fmt: skip
    top.add_argument("--labs", type=int, choices=(1, 2), default=2, help="labs side by side (%(default)s)")
    top.add_argument("--pack", action="store_true", help="only pack what is recorded")
    return top


if __name__ == "__main__":
    sys.exit(main())
