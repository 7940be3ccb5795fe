"""Runs of the suite and of small programs in a lab."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import hosts
from lab.control import CLEAN_ENVIRONMENT, Lab

ON_HOST = Path(__file__).with_name("on_host")
PROGRAM_SECONDS = 240.0
RUN_SECONDS = 400.0


@dataclass(frozen=True)
class Run:
    """A finished run of the suite."""

    exit: int
    out: str
    report: Path

    @property
    def results(self) -> dict[str, Any]:
        """The record of the run, {} without one."""
        path = self.report / "results.json"
        return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}

    def words(self) -> dict[str, str]:
        """Return the word of every verdict."""
        return {verdict["id"]: verdict["verdict"] for verdict in self.results.get("verdicts", ())}


def run_suite(
    lab: Lab,
    report: Path,
    *words: str,
    inventory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    around: Sequence[str] = (),
) -> Run:
    """Run pytest in the network of the lab. around: the words of a command that starts it."""
    shutil.rmtree(report, ignore_errors=True)
    report.parent.mkdir(parents=True, exist_ok=True)
    options = ["-p", "no:cacheprovider", f"--report={report}", *words]
    if "--from-snapshot" not in words:
        options.append(f"--inventory={inventory or lab.state_dir / 'inventory'}")
    language = () if "--lang" in words else ("--lang", "en")
    command = [*around, sys.executable, "-m", "pytest", *options, *language]
    variables = {"PYTHONDONTWRITEBYTECODE": "1", **(environment or {})}
    done = lab.run_program(*command, seconds=RUN_SECONDS, environment=variables)
    return Run(done.returncode, done.stdout, report)


def run_exchange(lab: Lab, report: Path, inventory: Path, run_round: Callable[[Path], None]) -> Run:
    """Plan each round, have its scripts run by an engine, judge the answers. run_round: receives DIR/round-N."""
    exchange = report.with_name("exchange")
    shutil.rmtree(exchange, ignore_errors=True)
    for number in (1, 2):
        planned = run_suite(lab, report, "--collect-plan", str(exchange), inventory=inventory)
        if planned.exit:
            return planned
        run_round(exchange / f"round-{number}")
    run = run_suite(lab, report, "--from-answers", str(exchange), inventory=inventory)
    shutil.rmtree(exchange)
    return run


def over_ssh(lab: Lab) -> Callable[[Path], None]:
    """Return a function that runs the scripts of a round over ssh, one after the other."""

    def run_round(place: Path) -> None:
        for script in sorted(place.glob("*.sh")):
            answer = subprocess.run(
                lab.inside("ssh", "-F", str(lab.state_dir / "ssh_config"), script.stem, "sh"),
                input=script.read_bytes(),
                capture_output=True,
                timeout=PROGRAM_SECONDS,
            )
            script.with_suffix(".out").write_bytes(answer.stdout)

    return run_round


LIMITS = "limits: {connect_seconds: 60, host_seconds: 240, command_seconds: 60, request_seconds: 30, healthz_seconds: 60}\n"
"""Hosts that are traced are slow."""


def inventory_of(lab: Lab, folder: Path, user: str = "root", *, sudo: bool = False) -> Path:
    """Copy the inventory of the lab to a folder, with another account and patient limits; return the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(lab.state_dir / "inventory", folder)
    path = folder / "deployment.yaml"
    before, line, after = path.read_text("utf-8").partition("  user: root\n")
    assert line, f"{path} names no user root"
    path.write_text(f"{before}  user: {user}\n{'  sudo: true' if sudo else ''}\n{after}{LIMITS}", "utf-8")
    return folder


def on_host(lab: Lab, host: str, program: str, *words: str) -> list[str]:
    """Return the command line that runs a program of on_host/ on a host, writing nothing there."""
    source = (ON_HOST / f"{program}.py").read_text("utf-8")
    python = (*CLEAN_ENVIRONMENT, "python3", "-E", "-s", "-S", "-B", "-c", source, *words)
    return lab.inside(*hosts.enter(lab.state_dir, host, *python))


def output_of(lab: Lab, host: str, program: str, *words: str) -> Any:
    """Run a program of on_host/ and return its JSON."""
    done = subprocess.run(
        on_host(lab, host, program, *words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PROGRAM_SECONDS,
        check=True,
    )
    return json.loads(done.stdout)
