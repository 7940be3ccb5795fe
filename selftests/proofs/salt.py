"""Run the rounds of an exchange through a master and minions of Salt, with the script of the documentation.

The master runs on the controller of the lab, a minion on each host. Salt is not installed there: the directory of its
environment is mounted read-only at the path where Salt's own packages have it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from docs.pages import engine_words

from bkpaas.collect.program import MARK
from lab import hosts
from lab.control import CLEAN_ENVIRONMENT, Lab
from selftests.proofs.environments import environment

REQUIREMENT = "salt==3008.4"
ONEDIR = "/opt/saltstack/salt"
MINION = f"^{ONEDIR}/bin/python3 -c from salt.scripts import salt_minion"
"""The command line of a minion, for pgrep -f."""
BIND = Path(__file__).with_name("bind.py")
READY_SECONDS, SECONDS = 120.0, 400
CHOSEN = "/opt/chosen"
"""The first directory of a minion's PATH, which use_python fills."""


def other_python() -> str:
    """Return the path on hosts of the oldest Python 3 of this machine, else that of the hosts."""
    found = sorted(Path.home().glob(".pyenv/versions/3.[6-9].*/bin/python3"))
    return str(found[0]) if found else "/usr/bin/python3"


class Salt:
    """A master, and a minion on each host of a lab, between entering and leaving."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.place = environment("salt", REQUIREMENT)
        self.python = str(self.place / "bin/python")
        self.versions: dict[str, str] = {}
        """By host, the Python of the last collector."""

    def __enter__(self) -> Salt:
        try:
            self._start_all()
        except BaseException:
            self._stop_all()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_all()

    def _start_all(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        address = self.lab.layout.controller
        (self.folder / "master").write_text(
            f"interface: {address}\nroot_dir: {self.folder}\nuser: root\nauto_accept: true\nworker_threads: 3\n"
        )
        self.master = self._start("salt_master")
        for host in self.lab.layout.hosts:
            self._bind(host.name, str(self.place), ONEDIR)
            for prefix in {sys.base_prefix, str(Path(other_python()).parents[1])} - {"/usr"}:
                self._bind(host.name, prefix, prefix)
            config = f"master: {address}\nid: {host.name}\nuser: root\n"
            self.lab.run(
                host.name, f"rm -rf /etc/salt; mkdir /etc/salt; printf '{config}' > /etc/salt/minion"
            )
            self.start_minion(host.name)
        self._wait()

    def _stop_all(self) -> None:
        for host in self.lab.layout.hosts:
            self.stop_minion(host.name)
        self.lab.exec(["sh", "-c", f"pkill -f '[/]{str(self.folder)[1:]}'; true"])
        self.master.wait()

    def run(self, place: Path) -> None:
        """Run the scripts of a round with the example."""
        words = engine_words("", "salt_round.py", DIR=str(place.parent))
        words = [self.python, *(word.replace("round-1", place.name) for word in words[1:])]
        options = ("--config", str(self.folder / "master"), "--seconds", "180", "--check", "45")
        done = self.lab.run_program(*words, *options, seconds=SECONDS)
        (self.folder / "output").write_text(done.stdout)
        if done.returncode not in (0, 1) or "minions returned" not in done.stdout:
            raise RuntimeError(done.stdout)
        for output in place.glob("*.out"):
            if match := re.search(rf"^{MARK} ready \d+ (\S+)", output.read_text(), re.MULTILINE):
                self.versions[output.stem] = match[1]

    def start_minion(self, host: str, path: str = "") -> None:
        """Start the minion of a host, with a directory in front of its PATH."""
        program = "from salt.scripts import salt_minion; salt_minion()"
        setting = f"PATH={path}:$PATH " if path else ""
        self.lab.run(host, f"{setting}{ONEDIR}/bin/python3 -c '{program}' -d -c /etc/salt", 120)

    def stop_minion(self, host: str) -> None:
        """End the minion of a host."""
        self.lab.run(host, f"pkill -9 -f '{MINION}'; true")

    def use_python(self, host: str, script: str) -> str:
        """Start the minion again with a python3 that is this shell script; return the version of Python it starts."""
        self.stop_minion(host)
        self.lab.run(host, f"mkdir -p {CHOSEN}")
        file = f"{CHOSEN}/python3"
        text = f"#!/bin/sh\n{script}\n"
        command = (*CLEAN_ENVIRONMENT, "sh", "-c", f"cat > {file}; chmod 755 {file}")
        subprocess.run(
            self.lab.inside(*hosts.enter(self.lab.state_dir, host, *command)),
            input=text,
            text=True,
            check=True,
        )
        self.start_minion(host, CHOSEN)
        self._wait(host)
        version = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
        return self.lab.run(host, f'{file} -c "{version}"', 60).strip()

    def _bind(self, host: str, source: str, target: str) -> None:
        pid = (self.lab.state_dir / "pids" / host).read_text().strip()
        subprocess.run(self.lab.inside("/usr/bin/python3", str(BIND), pid, source, target), check=True)

    def _start(self, program: str) -> subprocess.Popen[bytes]:
        code = f"from salt.scripts import {program}; {program}()"
        with open(self.folder / f"{program}.log", "wb") as log:
            return subprocess.Popen(
                self.lab.inside(self.python, "-c", code, "-c", str(self.folder)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(self.folder)},
            )

    def _wait(self, *names: str) -> None:
        """Wait until these minions, or all, answer."""
        wanted = names or tuple(host.name for host in self.lab.layout.hosts)
        code = "from salt.scripts import salt_main; salt_main()"
        until = time.monotonic() + READY_SECONDS
        while True:
            words = (self.python, "-c", code, "-c", str(self.folder), "-L", ",".join(wanted))
            done = subprocess.run(
                self.lab.inside(*words, "--static", "--out=json", "-t", "15", "test.ping"),
                capture_output=True,
                text=True,
            )
            if done.stdout.count("true") == len(wanted):
                return
            if time.monotonic() > until:
                raise RuntimeError(f"minions do not answer: {done.stdout}{done.stderr}")
            time.sleep(1)
