"""Run commands in a lab that is up, wait for it and reboot its hosts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bkpaas.messages import msg
from lab import hosts, namespaces
from lab.errors import LabError
from lab.layout import Layout
from lab.namespaces import Process

REPOSITORY = Path(__file__).resolve().parent.parent
HOME = REPOSITORY / ".lab"
"""The state of the labs and the base of the hosts."""
RECORD = "lab.json"
TLS = "tls"
"""The authority and the certificate of a lab behind https."""
SERVICES = Path(__file__).with_name("services")
READY_SECONDS = 150.0
"""How long a lab may take until everything in it answers; RabbitMQ alone takes 7 s of a processor."""
POLL_SECONDS = 0.05
TIMED_OUT = (124, 137)
"""What timeout(1) returns when it had to end or kill the command."""
CLEAN_ENVIRONMENT = (
    "env",
    "-i",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
)

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Record:
    """The file lab.json: the processes and directories of a lab that was started."""

    holder: Process
    init: Process
    base: Path
    services: Path
    finished: bool = False
    """It was ready once; False for what an interrupted `up` left."""

    @classmethod
    def read(cls, file: Path) -> Record | None:
        """Return the record of a lab; None without a complete file."""
        try:
            content = json.loads(file.read_text("utf-8"))
            holder = content.get("holder") or content["keeper"]  # the name before 0.2
            return cls(
                Process(**holder),
                Process(**content["init"]),
                Path(content["base"]),
                Path(content["services"]),
                content["finished"],
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), default=str) + "\n", "utf-8")


@dataclass(frozen=True)
class Event:
    """One answer of the readiness program: a check of a host, and what is missing ("" when it is true)."""

    host: str
    name: str
    missing: str


class Lab:
    """One lab by name. Methods that need it up raise LabError when it is not."""

    def __init__(self, name: str = "default", home: Path = HOME) -> None:
        if not re.fullmatch(r"(?!base-)[A-Za-z0-9][A-Za-z0-9_-]{0,39}", name):
            raise LabError(
                msg(
                    "{name!r} cannot name a lab: up to 40 letters, digits, - and _, not beginning with base-",
                    name=name,
                )
            )
        self.name = name
        self.state_dir = home / name

    @property
    def record(self) -> Record | None:
        return Record.read(self.state_dir / RECORD)

    @property
    def is_up(self) -> bool:
        record = self.record
        return record is not None and record.init.alive

    @property
    def layout(self) -> Layout:
        self.started()
        return Layout.from_json(json.loads((self.state_dir / "layout.json").read_text("utf-8")))

    def started(self) -> Record:
        """The record of a lab that is up; LabError if it is not."""
        record = self.record
        if record is None or not record.init.alive:
            option = "" if self.name == "default" else f" --name {self.name}"
            raise LabError(
                msg("the lab {name} is not up\n  python -m lab up{option}", name=self.name, option=option)
            )
        return record

    def inside(self, *command: str) -> list[str]:
        """The command line that runs command in the lab's network, with the lab's names."""
        return namespaces.enter(self.started().init.pid, *command)

    def run_program(
        self, *command: str, seconds: float, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the controller in the lab's network and the directory of the repository.

        seconds: subprocess.TimeoutExpired after them. environment: added to that of this process. The `stdout` of the
        outcome has both outputs in their order; a program that fails is no error.
        """
        return subprocess.run(
            self.inside("env", "-C", str(REPOSITORY), *command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            env={**os.environ, **(environment or {})},
        )

    def exec(self, argv: list[str], timeout: float = 30.0) -> str:
        """Run argv in the lab's network, outside of the hosts. -> its output; LabError if it fails or takes longer."""
        return _output(self.inside("timeout", "-k", "1", str(timeout), *argv), " ".join(argv))

    def run(self, host: str, script: str, timeout: float = 30.0) -> str:
        """Run a bash script as root on a host, whatever its network and sshd do. What it leaves in the background
        lives on. -> its output; LabError if it fails or takes longer than timeout seconds."""
        command = (*CLEAN_ENVIRONMENT, "timeout", "-k", "1", str(timeout), "bash", "-c", script)
        return _output(
            self.inside(*hosts.enter(self.state_dir, self.layout.host(host).name, *command)),
            f"{host}: {script}",
        )

    def wait(self, predicate: Callable[[], object], seconds: float, what: str) -> None:
        """Ask predicate until it is true. LabError says what did not happen in that many seconds."""
        until = time.monotonic() + seconds
        while not predicate():
            if time.monotonic() > until:
                raise LabError(msg("not after {seconds:g} s: {what}", seconds=seconds, what=what))
            time.sleep(POLL_SECONDS)

    def checks(self, seconds: float = 0.0, host: str | None = None) -> Iterator[Event]:
        """Ask the checks of readiness (of one host) in turn, each until it is true or the seconds are over;
        ends at the first that stays false."""
        record = self.started()
        program = [
            sys.executable,
            "-m",
            "lab.readiness",
            "--seconds",
            str(seconds),
            *(["--host", host] if host else []),
        ]
        command = self.inside(*program, str(self.state_dir), str(record.services))
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        ) as asking:
            assert asking.stdout is not None
            for line in asking.stdout:
                answer: dict[str, Any] = json.loads(line)
                yield Event(answer["host"], answer.get("true") or answer["false"], answer.get("missing", ""))
        if asking.returncode not in (0, 1):
            raise LabError(msg("{services}/ready.py failed", services=record.services))

    def ready(self) -> bool:
        """Does everything answer right now?"""
        return not any(event.missing for event in self.checks())

    def wait_ready(
        self, seconds: float = READY_SECONDS, notify: Notify = lambda _: None, host: str | None = None
    ) -> None:
        """Wait until everything (of one host) answers. LabError names the check that does not and shows the log."""
        begun = time.monotonic()
        for event in self.checks(seconds, host):
            if event.missing:
                log = self.state_dir / "logs" / f"{event.host}.log"
                raise LabError(
                    msg(
                        "not ready after {seconds:.0f} s: {host}: {check}: {missing}\n{log}:\n{tail}",
                        seconds=time.monotonic() - begun,
                        host=event.host,
                        check=event.name,
                        missing=event.missing,
                        log=log,
                        tail=tail(log),
                    )
                )
            notify(f"  {time.monotonic() - begun:5.1f} s  {event.name}")

    def reboot(self, host: str, seconds: float = READY_SECONDS, notify: Notify = lambda _: None) -> None:
        """Give a host a pristine disk, new host keys and no memory; returns when its own services answer again."""
        record, target = self.started(), self.layout.host(host)
        hosts.stop(self, target)
        hosts.start(self, target, record)
        self.wait_ready(seconds, notify, target.name)
        self.run(host, "chronyc waitsync 250 0 0 0.1 > /dev/null")  # as a host that has been up for a while
        hosts.write_known_hosts(self)


def tail(log: Path, lines: int = 15) -> str:
    """Return the end of a log, indented; "" without a log."""
    if not log.exists():
        return ""
    return "\n".join("  " + line for line in log.read_text("utf-8", "replace").splitlines()[-lines:])


def _output(command: list[str], what: str) -> str:
    # A file, not a pipe: a daemon that keeps its standard output must not keep us waiting.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
        output.seek(0)
        text = output.read()
    if status:
        late = status in TIMED_OUT
        state = (
            msg("status {status} (took too long)", status=status)
            if late
            else msg("status {status}", status=status)
        )
        raise LabError(
            msg("{state}: {command}{output}", state=state, command=what, output=f"\n{text}".rstrip())
        )
    return text
