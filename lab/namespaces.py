"""One user namespace around everything: processes inside are root there and unprivileged outside.

Started by root, the ids inside are those outside; started by a plain user, they are the user's subordinate
ids (/etc/subuid, /etc/subgid, given by newuidmap). Either way the kernel refuses the machine's clock, modules,
network and mounts to everything inside.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from bkpaas.messages import msg
from lab.errors import LabError
from lab.machine import ENOUGH_IDS, SUBGID, SUBUID, refusal, subordinate_range, too_few_ids, user

HOLDER = Path(__file__).with_name("namespace_holder.py")
PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started: int
    """Clock ticks after boot."""

    @classmethod
    def of(cls, pid: int) -> Process:
        """Return the process that has this number now; started is -1 without one."""
        try:
            fields = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            return cls(pid, -1)
        return cls(pid, -1 if fields[0] in "ZX" else int(fields[19]))

    @property
    def alive(self) -> bool:
        return self.started >= 0 and Process.of(self.pid) == self


def start(
    kind: Literal["lab", "build"], log: IO[str] | int, *command: str
) -> tuple[subprocess.Popen[str], Process]:
    """Start a holder (see namespace_holder.py); log receives the output of it and of its PID 1.

    Returns: the holder, still running, and its PID 1. A lab ends with the caller until "noted" is sent.
    Raises: LabError names what the machine refuses, and how to allow it.
    """
    holder = subprocess.Popen(
        [sys.executable, "-I", str(HOLDER), kind, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=kind == "lab",
        cwd="/",
    )
    try:
        _expect(holder, "user")
        _map_ids(holder.pid)
        send(holder, "mapped")
        init = int(_expect(holder, ""))
    except BaseException:
        holder.kill()
        holder.communicate()
        raise
    return holder, Process.of(init)


def send(holder: subprocess.Popen[str], line: str) -> None:
    """Send the next line of the protocol to a holder; after "noted" a lab outlives the process that started it."""
    assert holder.stdin is not None
    holder.stdin.write(line + "\n")
    holder.stdin.flush()


def enter(init: int, *command: str) -> list[str]:
    """The command line that runs command in the namespaces of that PID 1."""
    spaces = ("-U", "--preserve-credentials", "-m", "-n", "-p", "-u", "-i")
    return ["nsenter", "-t", str(init), *spaces, "--", *command]


def _expect(holder: subprocess.Popen[str], word: str) -> str:
    assert holder.stdout is not None
    line = holder.stdout.readline().strip()
    if line.startswith("refused"):
        _, *step, number = line.split()
        raise LabError(refusal(" ".join(step), int(number)))
    if not line or (word and line != word):
        raise LabError(msg("the holder of the namespaces ended early"))
    return line


def _map_ids(pid: int) -> None:
    if os.geteuid() == 0:
        for name in ("uid_map", "gid_map"):
            ranges = [line.split() for line in (PROC / "self" / name).read_text("ascii").splitlines()]
            if sum(int(count) for _, _, count in ranges) < ENOUGH_IDS:
                raise LabError(too_few_ids())
            same = "".join(f"{inside} {inside} {count}\n" for inside, _, count in ranges)
            (PROC / str(pid) / name).write_text(same, "ascii")
        return
    for tool, file, own in (("newuidmap", SUBUID, os.getuid()), ("newgidmap", SUBGID, os.getgid())):
        first = subordinate_range(file, user())
        command = [tool, str(pid), "0", str(own), "1", "1", str(first), str(ENOUGH_IDS)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise LabError(f"{' '.join(command)}: {done.stderr.strip()}")
