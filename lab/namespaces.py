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

KEEPER = Path(__file__).with_name("keeper.py")
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
    """Start a keeper (see keeper.py); what it and its PID 1 write goes to log.

    -> the keeper, still running, and its PID 1. A lab ends with the caller until it is told "noted".
    LabError tells what the machine refuses and how to allow it.
    """
    keeper = subprocess.Popen(
        [sys.executable, "-I", str(KEEPER), kind, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=kind == "lab",
        cwd="/",
    )
    try:
        _expect(keeper, "user")
        _map_ids(keeper.pid)
        tell(keeper, "mapped")
        init = int(_expect(keeper, ""))
    except BaseException:
        keeper.kill()
        keeper.communicate()
        raise
    return keeper, Process.of(init)


def tell(keeper: subprocess.Popen[str], word: str) -> None:
    """Say the next word of the conversation with a keeper; "noted" lets a lab live on without its maker."""
    assert keeper.stdin is not None
    keeper.stdin.write(word + "\n")
    keeper.stdin.flush()


def enter(init: int, *command: str) -> list[str]:
    """The command line that runs command in the namespaces of that PID 1."""
    spaces = ("-U", "--preserve-credentials", "-m", "-n", "-p", "-u", "-i")
    return ["nsenter", "-t", str(init), *spaces, "--", *command]


def _expect(keeper: subprocess.Popen[str], word: str) -> str:
    assert keeper.stdout is not None
    line = keeper.stdout.readline().strip()
    if line.startswith("refused"):
        _, *step, number = line.split()
        raise LabError(refusal(" ".join(step), int(number)))
    if not line or (word and line != word):
        raise LabError(msg("the keeper of the namespaces ended early"))
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
