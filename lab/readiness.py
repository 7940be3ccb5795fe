"""Is the lab ready? Asked from inside the lab's network, one check after the other.

`lab/services/ready.py` says what ready means: `checks(layout: dict) -> list[Check]`, in the order in which they
are to be asked. A check is not asked before all earlier ones were true, so that a probe through nginx never finds
a service that is only starting and marks it as down.

Run as a program (`python -m lab.readiness --help`) it prints one JSON line per event: {"true": NAME, "host": HOST}
for every check in turn, or at the end {"false": NAME, "host": HOST, "missing": TEXT}.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.1
BANNER_SECONDS = 2.0


class Hopeless(Exception):
    """A check that will not become true however long one waits; the message says why."""


@dataclass(frozen=True)
class Check:
    """One thing that has to be true before the lab can be used."""

    host: str
    """The host to look at when it does not become true."""
    name: str
    """What it is, for people: "redis answers on data-1:6379"."""
    missing: Callable[[], str]
    """What is still missing, in words; "" when it is true. Bounded in time by itself; an OSError is missing too."""

    def ask(self) -> str:
        try:
            return self.missing()
        except OSError as error:
            return str(error) or type(error).__name__


def sshd_missing(address: str, pid: Path) -> str:
    """What is missing for a login at address: "" once sshd has sent its banner.

    pid: the file with the number of the host's first process, once it has one.
    """
    if pid.exists() and not Path("/proc", pid.read_text("ascii").strip()).exists():
        raise Hopeless("the host has ended")
    with socket.create_connection((address, 22), timeout=BANNER_SECONDS) as connection:
        banner = connection.recv(4)
    return "" if banner == b"SSH-" else f"{address}:22 answers {banner!r}"


def all_checks(state: Path, services: Path) -> list[Check]:
    """sshd on every host, then what the services ask for."""
    layout = json.loads((state / "layout.json").read_text("utf-8"))
    logins = [
        Check(
            host["name"],
            f"sshd answers on {host['name']}",
            partial(sshd_missing, host["address"], state / "pids" / host["name"]),
        )
        for host in layout["hosts"]
    ]
    return logins + _service_checks(layout, services)


def _service_checks(layout: dict[str, Any], services: Path) -> list[Check]:
    spec = importlib.util.spec_from_file_location("lab_services_ready", services / "ready.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    checks: list[Check] = module.checks(layout)
    return checks


def wait(check: Check, until: float) -> str:
    """Ask until it is true or the monotonic clock says `until`; what is missing at the end."""
    try:
        while missing := check.ask():
            if time.monotonic() > until:
                return missing
            time.sleep(POLL_SECONDS)
    except Hopeless as error:
        return str(error)
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.readiness", description=__doc__.split("\n")[0])
    parser.add_argument("state", type=Path, help="the lab's directory")
    parser.add_argument("services", type=Path, help="directory with ready.py")
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="how long to wait for all (default: ask once)"
    )
    parser.add_argument("--host", help="only the checks of this host")
    arguments = parser.parse_args()
    until = time.monotonic() + arguments.seconds
    for check in all_checks(arguments.state, arguments.services):
        if arguments.host not in (None, check.host):
            continue
        if missing := wait(check, until):
            print(json.dumps({"false": check.name, "host": check.host, "missing": missing}), flush=True)
            return 1
        print(json.dumps({"true": check.name, "host": check.host}), flush=True)
    return 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
