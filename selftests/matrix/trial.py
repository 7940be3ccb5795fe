"""One trial after the other in one lab: break it, let the suite look, heal it, let the suite look again."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bkpaas.language import Language, get_language
from bkpaas.messages import msg
from bkpaas.record import Results, read_json
from lab import injection, layouts, lifecycle
from lab.control import REPOSITORY, Lab
from lab.errors import LabError
from lab.faults import FAULTS
from lab.lookalikes import LOOKALIKES
from lab.services.layout import SECRETS
from selftests.matrix import remedy
from selftests.matrix.judging import both_named, judge, named_first, red, same, strangers
from selftests.matrix.record import Found, Lookalike, Marked, Pair, Row

LANGUAGES: tuple[Language, ...] = ("en", "zh")
HEALTHY_RUNS = 10
"""How many healthy runs a lab serves before it is renewed."""
SAVED = "snapshot.json"
"""The snapshot of each fault, next to its report, to be checked again."""
HEALED = "healed"
"""Beneath the report of each fault: the report of the run after healing."""
RECORDER = "selftests.recordings.recorder"
SUITE_SECONDS = 300.0
"""How long one run of the suite may take; a healthy one takes a few seconds."""


@dataclass(frozen=True)
class Healthy:
    """A run in which nothing is broken."""

    number: int
    layout: str = "a"

    @property
    def name(self) -> str:
        return f"healthy-{self.number}" if self.layout == "a" else f"healthy-{self.layout}-{self.number}"


@dataclass(frozen=True)
class Broken:
    """Runs with one fault or several, and after healing."""

    faults: tuple[str, ...]

    @property
    def name(self) -> str:
        return "+".join(self.faults)

    @property
    def layout(self) -> str:
        """Faults of layout a are tried in any; those of another one only there."""
        return next((layout for name in self.faults if (layout := FAULTS[name].layout) != "a"), "a")


@dataclass(frozen=True)
class Alike:
    """A run with something that only looks like a fault."""

    name: str

    @property
    def layout(self) -> str:
        return LOOKALIKES[self.name].layout


@dataclass(frozen=True)
class Narrowed:
    """Runs with a fault that see one section of the FAQ only, one in each language."""

    symptom: str
    fault: str

    @property
    def name(self) -> str:
        return f"symptom-{self.symptom}"

    @property
    def layout(self) -> str:
        return FAULTS[self.fault].layout


Trial = Healthy | Broken | Alike | Narrowed


class FalseAlarms(list[str]):
    """The ids that were not green in a healthy run."""


class Stand:
    """A lab of its own, and the directory in which the reports of its trials stay.

    recordings: where to store what the runs collect; None: nowhere. Runs after healing are not recorded.
    remedies: carry out the remedy of the first root cause of each single fault, before it is healed.
    """

    def __init__(
        self, lab: Lab, reports: Path, recordings: Path | None = None, *, remedies: bool = False
    ) -> None:
        self.lab, self.reports, self.recordings, self.remedies = lab, reports, recordings, remedies
        self._fresh: str | None = None  # the layout of a lab in which all is well
        self._healthy = 0  # runs in it since it was renewed

    def perform(self, trial: Trial) -> Found | FalseAlarms:
        """The outcome. LabError if the trial could not be carried out; the next one gets a new lab then."""
        worn = isinstance(trial, Healthy) and self._healthy >= HEALTHY_RUNS
        if self._fresh != trial.layout or worn:
            self._renew(trial.layout)
        self._fresh = None
        if isinstance(trial, Healthy):
            self._healthy += 1
            found: Found | FalseAlarms = FalseAlarms(red(self._run_suite(trial.name)))
            well = not found
        elif isinstance(trial, Broken):
            found = self._broken(trial)
            well = found.healed
        elif isinstance(trial, Alike):
            found = self._alike(trial)
            well = found.perfect
        else:
            found, well = self._narrowed(trial), True
        self._fresh = trial.layout if well else None
        return found

    def _broken(self, trial: Broken) -> Row | Pair:
        begun = time.monotonic()
        for name in trial.faults:
            injection.inject(self.lab, name, _quiet)
        saved = self.reports / trial.name / SAVED
        saved.parent.mkdir(parents=True, exist_ok=True)
        seen = self._run_suite(trial.name, "--save-snapshot", str(saved))
        # what is recorded is judged again by script/replay
        again = seen if self.recordings else self._judged_again(saved)
        remedied = self._remedied(trial, seen) if self.remedies and len(trial.faults) == 1 else None
        healed = self._heals(trial)
        seconds = round(time.monotonic() - begun, 1)
        outcome = _outcome(trial, seen, healed=healed, seconds=seconds, same=same(seen, again))
        if isinstance(outcome, Row):
            outcome.remedied = remedied
        return outcome

    def _remedied(self, trial: Broken, seen: Results) -> bool | None:
        """Carry out the remedy; what was typed and printed stays in remedy.txt next to the report."""

        def run(name: str) -> list[str]:
            return red(self._run_suite(f"{trial.name}/{name}"))

        repaired, lines = remedy.judge(self.lab, seen, run)
        (self.reports / trial.name / "remedy.txt").write_text("\n".join([*lines, ""]), "utf-8")
        return repaired

    def _alike(self, trial: Alike) -> Lookalike:
        lookalike = LOOKALIKES[trial.name]
        inventory = self.lab.state_dir / "inventory"
        lookalike.apply(self.lab)
        if lookalike.inventory:
            inventory = Path(
                shutil.copytree(inventory, self.reports / trial.name / "inventory", dirs_exist_ok=True)
            )
            lookalike.inventory(inventory)
        found = red(self._run_suite(trial.name, inventory=inventory))
        lookalike.undo(self.lab)
        return Lookalike(trial.name, found)

    def _narrowed(self, trial: Narrowed) -> Marked:
        expected, first = FAULTS[trial.fault].condition, {}
        injection.inject(self.lab, trial.fault, _quiet)
        for language in LANGUAGES:
            name, marker = f"{trial.name}/{language}", trial.symptom.replace("-", "_")
            seen = self._run_suite(name, "-m", marker, language=language)
            output = (self.reports / name / "output.txt").read_text("utf-8")
            first[str(language)] = named_first(expected, seen, output, language)
        injection.heal(self.lab, None, _quiet)
        return Marked(trial.symptom, trial.fault, expected, first)

    def close(self) -> None:
        lifecycle.down(self.lab)

    def _renew(self, layout: str) -> None:
        lifecycle.down(self.lab)
        lifecycle.up(self.lab, layouts.load(layout), _quiet)
        self._healthy = 0

    def _judged_again(self, saved: Path) -> Results:
        """Return the record of the saved snapshot, checked offline. Raises LabError."""
        report = saved.parent / "again"
        shutil.rmtree(report, ignore_errors=True)
        command = [sys.executable, "-m", "pytest", "--from-snapshot", str(saved), "--report", str(report)]
        done = subprocess.run(
            [*command, "--lang", get_language()],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SUITE_SECONDS,
        )
        try:
            return read_json(report / "results.json")
        except (OSError, msgspec.DecodeError):
            raise LabError(
                f"{saved}: exit {done.returncode}\n{(done.stdout + done.stderr)[-2000:]}"
            ) from None

    def _heals(self, trial: Broken) -> bool:
        try:
            injection.heal(self.lab, None, _quiet)
            return not red(self._run_suite(f"{trial.name}/{HEALED}"))
        except LabError as error:
            print(error, file=sys.stderr)
            return False

    def _run_suite(
        self, name: str, *words: str, inventory: Path | None = None, language: Language | None = None
    ) -> Results:
        """As a user would: pytest, in the lab's network. LabError if it does not end in a record that fits."""
        report = self.reports / name
        results = report / "results.json"
        results.unlink(missing_ok=True)
        inventory = inventory or self.lab.state_dir / "inventory"
        options = ["--inventory", str(inventory), "--report", str(report), "--login-user", "admin"]
        command = [sys.executable, "-m", "pytest", *options, "--lang", language or get_language(), *words]
        if self.recordings and not name.endswith(f"/{HEALED}"):
            command += ["-p", RECORDER, "--record", str(recording_file(self.recordings, name))]
        try:
            password = {"BKPAAS_LOGIN_PASSWORD": SECRETS["PAAS_ADMIN_PASS"]}
            done = self.lab.run_program(*command, seconds=SUITE_SECONDS, environment=password)
            found = read_json(results)
        except subprocess.TimeoutExpired:
            raise LabError(
                msg(
                    "{name}: the suite took more than {seconds:g} s",
                    name=name,
                    seconds=SUITE_SECONDS,
                )
            ) from None
        except (OSError, msgspec.DecodeError):
            raise LabError(
                msg(
                    "{name}: the suite left no record (exit {status})\n{output}",
                    name=name,
                    status=done.returncode,
                    output=done.stdout[-2000:],
                )
            ) from None
        (report / "output.txt").write_text(done.stdout, "utf-8")
        if done.returncode != found.run.exit or done.returncode not in (0, 1):
            raise LabError(
                f"{name}: exit {done.returncode}, results.json: {found.run.exit}; {report}/output.txt"
            )
        return found


def recording_file(recordings: Path, name: str) -> Path:
    """Return the file in which the run of that name is recorded."""
    return recordings / f"{name.replace('/', '.')}.json"


def _outcome(trial: Broken, seen: Results, *, healed: bool, seconds: float, same: bool) -> Row | Pair:
    expected = [FAULTS[name].condition for name in trial.faults]
    if len(expected) > 1:
        return Pair(
            names=list(trial.faults),
            conditions=expected,
            both_named=both_named(expected, seen),
            strangers=strangers(expected, seen),
            healed=healed,
        )
    judgement = judge(expected[0], seen)
    return Row(
        name=trial.name,
        condition=expected[0],
        detected=judgement.detected,
        cause_first=judgement.cause_rank == 1,
        cause_rank=judgement.cause_rank,
        unexplained=judgement.unexplained,
        unrelated=judgement.unrelated,
        healed=healed,
        seconds=seconds,
        same_from_snapshot=same,
    )


def _quiet(_: str) -> None:
    """The matrix says what it does by itself."""
