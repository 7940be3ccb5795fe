"""The command line of the proofs: `script/proof --help`."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg, to_text
from lab import layouts, lifecycle, machine
from lab.control import REPOSITORY, Lab
from selftests.proofs import controller, engines, hostile, privilege, read_only, secrets
from selftests.proofs.figures import Figures, warn

FILE = REPOSITORY / "report" / "proof.json"

Proof = Callable[[Lab, Figures], None]
IN_LAB: dict[str, Proof] = {
    "read_only": read_only.prove,
    "privilege": privilege.prove,
    "engines": engines.prove,
    "engine_faults": engines.prove_faults,
    "secrets": secrets.prove,
}
"""Proofs that need a lab of layout a in which all is well; the last one plants secrets in it."""
ALONE: dict[str, Callable[[Figures], None]] = {"hostile": hostile.prove, "controller": controller.prove}
NAMES = (*IN_LAB, *ALONE)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="script/proof",
        description=to_text(
            msg(
                "Prove the laws of the suite at length, and that each proof notices a broken law. Uses a lab of its own."
            )
        ),
    )
    top.add_argument("--only", metavar="NAME", action="append", choices=NAMES, default=[],
                     help=to_text(msg("only this proof, may be repeated: {names}", names=", ".join(NAMES))))  # fmt: skip
    top.add_argument(
        "--file", type=Path, default=FILE, help=to_text(msg("where to write the figures (report/proof.json)"))
    )
    top.add_argument(
        "--lab", metavar="NAME", default="proof", help=to_text(msg("the name of the lab (%(default)s)"))
    )
    top.add_argument(
        "--keep", action="store_true", help=to_text(msg("use the lab if it is up, and leave it running"))
    )
    return top


def main() -> int:
    machine.complete_path()
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a process in the background would pass on SIG_IGN
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    set_language(language_of_locale())
    options = parser().parse_args()
    figures, names = Figures(), options.only or list(NAMES)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True
    )
    more = {"commit": commit.stdout.strip(), "machine": f"{os.cpu_count()} cores, {platform.release()}"}
    lab = Lab(options.lab)
    try:
        for name in names:
            figures.step(name)
            begun = time.monotonic()
            if name in IN_LAB:
                lifecycle.up(lab, layouts.load("a"), figures.say)
                IN_LAB[name](lab, figures)
            else:
                ALONE[name](figures)
            more[f"{name}_seconds"] = str(round(time.monotonic() - begun))
    finally:
        figures.write(options.file, **more)
        if not options.keep:
            lifecycle.down(lab)
    failed = [figure for figure in figures.figures if not figure.ok]
    for figure in failed:
        warn(f"FAIL {figure.n} {figure.what}: {figure.value} (goal: {figure.goal})")
    figures.step(f"{len(figures.figures)} figures, {len(failed)} failed: {options.file}")
    return 0 if figures.ok else 1


if __name__ == "__main__":
    sys.exit(main())
