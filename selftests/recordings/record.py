"""The command line of the recording: `script/record --help`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg, to_text
from lab import machine
from lab.control import REPOSITORY
from selftests.matrix import table
from selftests.matrix.__main__ import Bench
from selftests.matrix.__main__ import parser as matrix_parser
from selftests.matrix.__main__ import plan as planned
from selftests.matrix.record import Matrix
from selftests.matrix.trial import LANGUAGES, Healthy, Narrowed, Trial, recording_file
from selftests.recordings.packing import pack
from selftests.recordings.store import LAYOUTS, PACKED, SUFFIX, names

RAW = REPOSITORY / ".lab" / "recordings"
"""Each run in a file of its own, as soon as it is recorded."""
FILE = REPOSITORY / "report" / "recording.json"
"""The matrix as these runs say it; their reports lie in the directory of the same name."""
ATTEMPTS = 2
"""How often a trial that cannot be carried out is tried."""
HEALTHY = {"a": 3, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}
"""How many healthy runs of each layout are recorded."""


def main() -> int:
    machine.complete_path()
    set_language(language_of_locale())
    options = parser().parse_args()
    set_language("en")  # that of the recorded texts
    every, only = trials(), set(options.only)
    if unknown := only - {trial.name for trial in every}:
        print(f"no trial: {' '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    packed = {name for layout in LAYOUTS for name in names(layout, PACKED)}
    known = set() if options.again or only else packed
    chosen = [trial for trial in every if not only or trial.name in only]
    matrix = Matrix.read(FILE)
    for _ in range(0 if options.pack else ATTEMPTS):
        missing = [trial for trial in chosen if not all(_is_recorded(file, known) for file in files(trial))]
        if missing:
            print(f"{len(missing)} of {len(chosen)} trials are to be recorded", flush=True)
            Bench(options.labs, FILE, RAW).run(missing, matrix)
    print(table.whole(matrix))
    return packed_all(every)


def _is_recorded(file: Path, packed: set[str]) -> bool:
    return file.exists() or file.stem in packed


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


def packed_all(every: list[Trial]) -> int:
    """Pack what is recorded, and remove the files of single runs. -> 1 when something is missing"""
    missing: list[str] = []
    for layout in LAYOUTS:
        wanted = {file.stem: file for trial in every if trial.layout == layout for file in files(trial)}
        raw = {name: file for name, file in wanted.items() if file.exists()}
        missing += pack(layout, list(wanted), raw, PACKED)
        for file in raw.values():
            file.unlink()
    for path in sorted(PACKED.glob(f"*{SUFFIX}")):
        print(f"{path.relative_to(REPOSITORY)}: {path.stat().st_size / 1e6:.2f} MB")
    if missing:
        print(f"not recorded: {' '.join(missing)}")
    return 1 if missing else 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="script/record",
        description=to_text(
            msg(
                "Record every run of the fault matrix: raw answers of both rounds and what the controller saw. Runs that are recorded already are kept, so that a recording that was ended goes on where it was. All are packed for script/replay."
            )
        ),
    )
    top.add_argument("--only", metavar="NAME", action="append", default=[],
                     help=to_text(msg("record this trial, even if it is recorded already; may be repeated")))  # fmt: skip
    top.add_argument("--again", action="store_true", help=to_text(msg("record everything anew")))
    top.add_argument(
        "--labs",
        type=int,
        choices=(1, 2),
        default=2,
        help=to_text(msg("how many labs side by side (%(default)s)")),
    )
    top.add_argument("--pack", action="store_true", help=to_text(msg("only pack what is recorded")))
    return top


if __name__ == "__main__":
    sys.exit(main())
