"""The command line of the fault matrix: `script/matrix --help`."""

from __future__ import annotations

import argparse
import queue
import sys
import threading
from pathlib import Path

from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg, to_text
from lab import layouts, machine
from lab.control import REPOSITORY, Lab
from lab.errors import LabError
from lab.faults import FAULTS
from lab.injection import title
from lab.lookalikes import LOOKALIKES
from selftests.matrix import table
from selftests.matrix.declared import PAIRS, SYMPTOM_FAULTS
from selftests.matrix.load import busy
from selftests.matrix.record import Found, Matrix
from selftests.matrix.trial import Alike, Broken, FalseAlarms, Healthy, Narrowed, Stand, Trial
from selftests.pairs import campaign

FILE = REPOSITORY / "report" / "matrix.json"

MOST_BUSY = 99
"""The highest number of --load."""

Outcome = Found | FalseAlarms | Exception


def main() -> int:
    set_language(language_of_locale())
    machine.complete_path()
    options = parser().parse_args()
    if options.list:
        print("\n".join(listed()))
        return 0
    if options.generated:
        found = campaign.judge_pairs(options.generated)
        print("\n".join(campaign.table(found)))
        return int(campaign.share(found) > campaign.MOST_NOT_NAMED)
    partial = options.resume or options.only or options.pair or options.symptoms
    matrix = Matrix.read(FILE) if partial else Matrix()
    trials = plan(matrix, options)
    with busy(options.load):
        whole = Bench(options.labs, FILE, remedies=options.remedy).run(trials, matrix)
    print()
    print(table.whole(matrix))
    print(FILE)
    return 0 if whole and matrix.perfect else 1


def listed() -> list[str]:
    """What --only takes, and the sections of the FAQ."""
    lines = [
        f"{fault.name:28} {fault.condition:26} {fault.layout:2} {fault.faq}" for fault in FAULTS.values()
    ]
    lines += ["", to_text(msg("pairs")), *(f"  {'+'.join(pair)}" for pair in PAIRS)]
    lines += ["", to_text(msg("look-alikes, which must pass"))]
    lines += [f"  {one.name:28} {title(one)}" for one in LOOKALIKES.values()]
    lines += ["", to_text(msg("symptoms and the faults that show them"))]
    return [*lines, *(f"  {symptom:28} {fault}" for symptom, fault in SYMPTOM_FAULTS.items())]


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="script/matrix",
        description=to_text(
            msg(
                "Inject every fault into a lab and check that the suite names the cause. Labs of its own; the reports of every run stay in report/matrix/."
            )
        ),
    )
    top.add_argument("--only", metavar="NAME", action="append", default=[], type=trial,
                     help=to_text(msg("only this fault, look-alike or pair A+B; may be repeated")))  # fmt: skip
    top.add_argument("--pair", metavar="A+B", action="append", default=[], type=pair_of_faults,
                     help=to_text(msg("two faults at the same time; may be repeated")))  # fmt: skip
    top.add_argument("--symptoms", action="store_true",
                     help=to_text(msg("only the symptoms: each one's marker on a fault of its own, in both languages")))  # fmt: skip
    top.add_argument("--healthy", metavar="N", type=int,
                     help=to_text(msg("how many runs without a fault (1; with --only, --pair or --symptoms 0)")))  # fmt: skip
    top.add_argument("--load", metavar="N", type=load, default=0,
                     help=to_text(msg("keep N processes busy on this machine meanwhile (0)")))  # fmt: skip
    top.add_argument("--layout", metavar="LAYOUT", type=layout_name,
                     help=to_text(msg("only faults of this layout, and healthy runs in it (all faults, healthy runs in a)")))  # fmt: skip
    top.add_argument("--generated", metavar="N", type=int,
                     help=to_text(msg("only check N pairs of recorded faults, without a lab: both must be named")))  # fmt: skip
    top.add_argument("--resume", action="store_true",
                     help=to_text(msg("keep what report/matrix.json holds already")))  # fmt: skip
    top.add_argument("--labs", type=int, choices=(1, 2), default=1,
                     help=to_text(msg("how many labs side by side (%(default)s)")))  # fmt: skip
    top.add_argument("--remedy", action="store_true",
                     help=to_text(msg("also run the remedy of each fault's root cause, and check that it repairs")))  # fmt: skip
    top.add_argument("--list", action="store_true", help=to_text(msg("only list the faults")))
    return top


def trial(name: str) -> Trial:
    """What a name of --only stands for."""
    if "+" in name:
        return pair_of_faults(name)
    return Alike(name) if name in LOOKALIKES else Broken((fault_name(name),))


def load(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_BUSY:
        raise argparse.ArgumentTypeError(
            to_text(msg("{text}: 0 to {most}, please", text=text, most=MOST_BUSY))
        )
    return int(text)


def layout_name(text: str) -> str:
    try:
        return layouts.load(text).name
    except LabError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def fault_name(text: str) -> str:
    if text not in FAULTS:
        raise argparse.ArgumentTypeError(
            to_text(msg("no fault or look-alike {text!r}, see --list", text=text))
        )
    return text


def pair_of_faults(text: str) -> Broken:
    names = tuple(fault_name(name) for name in text.split("+"))
    if len(set(names)) != 2:
        raise argparse.ArgumentTypeError(to_text(msg("two different faults, please: A+B")))
    if len({FAULTS[name].layout for name in names} - {"a"}) > 1:
        raise argparse.ArgumentTypeError(to_text(msg("{text}: no layout has both", text=text)))
    return Broken(names)


def plan(matrix: Matrix, options: argparse.Namespace) -> list[Trial]:
    """Return the trials: healthy runs first, so that a lab that does not pass is seen early."""
    symptoms = [Narrowed(*shown) for shown in SYMPTOM_FAULTS.items()]
    chosen: list[Trial] = [*options.only, *options.pair, *(symptoms if options.symptoms else ())]
    everything: list[Trial] = [
        *(Broken((name,)) for name in FAULTS),
        *map(Broken, PAIRS),
        *map(Alike, LOOKALIKES),
    ]
    trials = chosen or [one for one in (*everything, *symptoms) if options.layout in (None, one.layout)]
    healthy = int(not chosen) if options.healthy is None else options.healthy
    if options.resume:
        trials = [one for one in trials if not _done(one, matrix)]
    elif healthy:
        matrix.healthy_runs = matrix.false_alarms = 0
    first = matrix.healthy_runs + 1 if options.resume else 1
    well = [Healthy(number, options.layout or "a") for number in range(first, healthy + 1)]
    # a lab is renewed when the layout changes
    return sorted([*well, *trials], key=lambda one: one.layout)


def _done(trial: Trial, matrix: Matrix) -> bool:
    if isinstance(trial, Broken):
        done = [[row.name] for row in matrix.faults] + [pair.names for pair in matrix.pairs]
        return list(trial.faults) in done
    if isinstance(trial, Alike):
        return trial.name in {one.name for one in matrix.lookalikes}
    return isinstance(trial, Narrowed) and trial.symptom in {one.symptom for one in matrix.symptoms}


class Bench:
    """Labs side by side that share one list of trials.

    file: of the matrix; the reports of the runs go into the directory of the same name. recordings: see Stand.
    """

    def __init__(
        self, labs: int, file: Path, recordings: Path | None = None, *, remedies: bool = False
    ) -> None:
        self._file = file
        self._stands = [
            Stand(Lab(f"{file.stem}-{number}"), file.with_suffix(""), recordings, remedies=remedies)
            for number in range(1, labs + 1)
        ]
        self._trials: queue.SimpleQueue[Trial] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[tuple[Trial, Outcome]] = queue.SimpleQueue()
        self._stop = threading.Event()

    def run(self, trials: list[Trial], matrix: Matrix) -> bool:
        """Perform all trials; note each in the matrix and its file as it ends. -> were all of them performed?"""
        for trial in trials:
            self._trials.put(trial)
        threads = [
            threading.Thread(target=self._work, args=(stand,)) for stand in self._stands[: len(trials)]
        ]
        for thread in threads:
            thread.start()
        performed = 0
        try:
            print(table.header(), flush=True)
            for _ in trials:
                performed += _note(*self._outcomes.get(), matrix, self._file)
        except KeyboardInterrupt:
            print(to_text(msg("stopping; what is done is kept")), file=sys.stderr)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        return performed == len(trials)

    def _work(self, stand: Stand) -> None:
        try:
            while not self._stop.is_set():
                trial = self._trials.get_nowait()
                try:
                    self._outcomes.put((trial, stand.perform(trial)))
                except (
                    Exception
                ) as error:  # one trial that goes wrong ends neither its worker nor the wait for it
                    self._outcomes.put((trial, error))
        except queue.Empty:
            pass
        finally:
            stand.close()


def _note(trial: Trial, outcome: Outcome, matrix: Matrix, file: Path) -> bool:
    """Print an outcome and put it into the matrix and its file. -> was the trial performed?"""
    if isinstance(outcome, Exception):
        reason = str(outcome) if isinstance(outcome, LabError) else repr(outcome)
        print(to_text(msg("{trial}: not performed: {reason}", trial=trial.name, reason=reason)), flush=True)
        return False
    if isinstance(outcome, FalseAlarms):
        matrix.healthy_runs += 1
        matrix.false_alarms += len(outcome)
        print(f"{trial.name:28} {' '.join(outcome) or to_text(msg('green'))}", flush=True)
    else:
        matrix.put(outcome)
        matrix.sort(FAULTS)
        print(table.line(outcome), flush=True)
    matrix.write(file)
    return True


if __name__ == "__main__":
    sys.exit(main())
