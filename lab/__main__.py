"""The command line of the lab."""

from __future__ import annotations

import argparse
import os
import sys

from bkpaas import lang
from lab import layouts, lifecycle, machine
from lab.control import Lab
from lab.errors import LabError


def main() -> int:
    lang.speak(lang.of_locale())
    machine.complete_path()
    p = argparse.ArgumentParser(prog="python -m lab")
    s = p.add_subparsers(dest="c", required=True)
    for c in ("up", "down", "exec", "ssh", "status", "reboot"):
        q = s.add_parser(c)
        q.add_argument("--name", default="default")
        if c in ("exec", "ssh", "reboot"):
            q.add_argument("rest", nargs=argparse.REMAINDER)
        if c == "up":
            q.add_argument("layout", nargs="?", default="a")
            q.add_argument("--keep", action="store_true")
            q.add_argument("--services", default=str(lifecycle.SERVICES))
    a = p.parse_args()
    lab = Lab(a.name)

    def tell(line: str) -> None:
        print(line, flush=True)

    try:
        if a.c == "up":
            from pathlib import Path

            lifecycle.up(lab, layouts.load(a.layout), tell, keep=a.keep, services=Path(a.services).absolute())
        elif a.c == "down":
            print(lifecycle.down(lab))
        elif a.c == "reboot":
            lab.reboot(a.rest[0], tell=tell)
        elif a.c == "exec":
            c = lab.inside("env", "-C", os.getcwd(), "--", *a.rest)
            os.execvp(c[0], c)
        elif a.c == "ssh":
            c = lab.inside("ssh", "-F", str(lab.state_dir / "ssh_config"), *a.rest)
            os.execvp(c[0], c)
        else:
            for e in lab.checks(0):
                print(e)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


sys.exit(main())
