"""One trial after the other in one lab: break it, let the suite look, heal it, let the suite look again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bkpaas.lang import say, spoken
from bkpaas.report.record import Results, read_json
from lab import broken, layouts, lifecycle
from lab.control import REPOSITORY, Lab
from lab.errors import LabError
from lab.faults import FAULTS
from lab.services.layout import SECRETS
from selftests.matrix.judging import both_named, judge, red
from selftests.matrix.record import Pair, Row

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


Trial = Healthy | Broken


class FalseAlarms(list[str]):
    """The ids that were not green in a healthy run."""


class Stand:
    """A lab of its own, and the directory in which the reports of its trials stay."""

    def __init__(self, lab: Lab, reports: Path) -> None:
        self.lab, self.reports = lab, reports
        self._fresh: str | None = None  # the layout of a lab in which all is well

    def perform(self, trial: Trial) -> Row | Pair | FalseAlarms:
        """The outcome. LabError if the trial could not be carried out; the next one gets a new lab then."""
        if self._fresh != trial.layout:
            self._renew(trial.layout)
        self._fresh = None
        if isinstance(trial, Healthy):
            found: Row | Pair | FalseAlarms = FalseAlarms(red(self._run_suite(trial.name)))
            self._fresh = None if found else trial.layout
            return found
        begun = time.monotonic()
        for name in trial.faults:
            broken.inject(self.lab, name, _quiet)
        seen = self._run_suite(trial.name)
        healed = self._heals(trial)
        self._fresh = trial.layout if healed else None
        return _outcome(trial, seen, healed=healed, seconds=round(time.monotonic() - begun, 1))

    def close(self) -> None:
        lifecycle.down(self.lab)

    def _renew(self, layout: str) -> None:
        lifecycle.down(self.lab)
        lifecycle.up(self.lab, layouts.load(layout), _quiet)

    def _heals(self, trial: Broken) -> bool:
        try:
            broken.heal(self.lab, None, _quiet)
            return not red(self._run_suite(f"{trial.name}/healed"))
        except LabError as error:
            print(error, file=sys.stderr)
            return False

    def _run_suite(self, name: str) -> Results:
        """As a user would: pytest, in the lab's network. LabError if it does not end in a record that fits."""
        report = self.reports / name
        results = report / "results.json"
        results.unlink(missing_ok=True)
        options = ["--inventory", str(self.lab.state_dir / "inventory"), "--report", str(report)]
        options += ["--login-user", "admin"]
        command = [sys.executable, "-m", "pytest", *options, "--lang", spoken()]
        try:
            done = subprocess.run(
                self.lab.inside("env", "-C", str(REPOSITORY), *command),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SUITE_SECONDS,
                env={**os.environ, "BKPAAS_LOGIN_PASSWORD": SECRETS["PAAS_ADMIN_PASS"]},
            )
            found = read_json(results)
        except subprocess.TimeoutExpired:
            raise LabError(
                say(
                    en=f"{name}: the suite took more than {SUITE_SECONDS:g} s",
                    zh=f"{name}：套件运行超过 {SUITE_SECONDS:g} 秒",
                )
            ) from None
        except (OSError, msgspec.DecodeError):
            raise LabError(
                say(en=f"{name}: the suite left no record", zh=f"{name}：套件没有留下结果")
                + f" (exit {done.returncode})\n{(done.stdout + done.stderr)[-2000:]}"
            ) from None
        (report / "output.txt").write_text(done.stdout + done.stderr, "utf-8")
        if done.returncode != found.run.exit or done.returncode not in (0, 1):
            raise LabError(
                f"{name}: exit {done.returncode}, results.json: {found.run.exit}; {report}/output.txt"
            )
        return found


def _outcome(trial: Broken, seen: Results, *, healed: bool, seconds: float) -> Row | Pair:
    expected = [FAULTS[name].condition for name in trial.faults]
    if len(expected) > 1:
        return Pair(names=list(trial.faults), conditions=expected, both_named=both_named(expected, seen))
    judged = judge(expected[0], seen)
    return Row(
        name=trial.name,
        condition=expected[0],
        detected=judged.detected,
        cause_first=judged.cause_rank == 1,
        cause_rank=judged.cause_rank,
        unexplained=judged.unexplained,
        unrelated=judged.unrelated,
        healed=healed,
        seconds=seconds,
    )


def _quiet(_: str) -> None:
    """The matrix says what it does by itself."""
