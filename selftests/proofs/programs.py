"""The net of system calls: strace on every sshd of a lab, and on all that these start."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collect.test_footprint import CHANGING

from lab.control import Lab

BIRTHS = ("clone", "clone3", "fork", "vfork")
STARTS = ("execve", "execveat")
KILL = re.compile(r"kill\((-?)(\d+)(?: /\* (\d+) in strace's PID NS \*/)?")
WRITING = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)")
ATTACH_SECONDS = 60.0
SSHD = r"^sshd: /usr/sbin/sshd \[listener\]"
"""The command line of each sshd that waits for logins, for pgrep -f."""
_LINE = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)")
_BORN = re.compile(r"= (\d+)(?: /\* (\d+) in strace's PID NS \*/)?")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass
class Trace:
    """Output of strace: programs and calls by process, and the parent of each process."""

    parents: dict[int, int] = field(default_factory=dict)
    programs: list[tuple[int, str, list[str]]] = field(default_factory=list)
    """(process, path, words) of each program that was started"""
    calls: list[tuple[int, str, str]] = field(default_factory=list)
    """(process, name, line) of each call that opens or changes something"""

    @classmethod
    def of(cls, lines: Iterator[str]) -> Trace:
        trace, halves = cls(), dict[int, str]()
        for line in lines:
            match = _LINE.match(line)
            if not match:
                continue
            pid, name, rest = int(match[1]), match[2], match[3]
            if rest.endswith("<unfinished ...>"):
                halves[pid] = rest
                if name in STARTS:  # the line after its end may name another thread
                    trace._started(pid, rest)
                continue
            whole = halves.pop(pid, "") + rest
            if name in BIRTHS and (born := _BORN.search(rest)):
                trace.parents[int(born[2] or born[1])] = pid
            elif name in STARTS:
                if whole == rest:
                    trace._started(pid, rest)
            else:
                trace.calls.append((pid, name, f"{name}({whole}"))
        return trace

    def _started(self, pid: int, text: str) -> None:
        words = _WORD.findall(text)
        if words and not re.search(r"= -1 ", text):
            self.programs.append((pid, words[0], words[1:]))

    def below(self, roots: set[int]) -> set[int]:
        """Return processes and threads that descend from these, and these."""
        found = set(roots)
        while more := {child for child, parent in self.parents.items() if parent in found} - found:
            found |= more
        return found

    @property
    def collectors(self) -> set[int]:
        """The processes that became a collector, by its options of Python."""
        return {pid for pid, _, words in self.programs if words[1:5] == ["-E", "-s", "-S", "-B"]}

    def changes(self) -> list[str]:
        """Return every call of a collector or below it that changes something or opens for writing."""
        own = self.below(self.collectors)
        return [
            line
            for pid, name, line in self.calls
            if pid in own
            and (name not in ("open", "openat") or WRITING.search(line))
            and not self._of_own(line, own)
        ]

    @staticmethod
    def _of_own(line: str, own: set[int]) -> bool:
        """Return whether the call ends a command that the collector itself started and that is too slow."""
        match = KILL.match(line)
        return bool(match and int(match[3] or match[2]) in own)

    def started(self) -> list[list[str]]:
        """Return the command lines that collectors started, without that of the collector."""
        own = self.below(self.collectors)
        return [
            [path, *words[1:]]
            for pid, path, words in self.programs
            if pid in own and words[1:5] != ["-E", "-s", "-S", "-B"]
        ]


class Programs:
    """Traces every sshd of the lab, which are ancestors of all that a run starts on hosts.

    patterns: of the command lines that are traced instead, for an engine that needs no sshd.
    """

    def __init__(self, lab: Lab, file: Path, patterns: Sequence[str] = (SSHD,)) -> None:
        self.lab, self.file, self.trace = lab, file, Trace()
        self.pattern = "|".join(patterns)

    def start(self) -> None:
        found = self.lab.exec(["pgrep", "-f", self.pattern]).split()
        calls = ",".join(("open", "openat", *BIRTHS, *STARTS, CHANGING))
        command = [
            "strace",
            "-f",
            "-qq",
            "-s",
            "400",
            "--decode-pids=pidns",
            "-o",
            str(self.file),
            "-e",
            f"trace={calls}",
        ]
        self.child = subprocess.Popen(self.lab.inside(*command, *(f"-p{pid}" for pid in found)))
        until = time.monotonic() + ATTACH_SECONDS
        script = "grep -h TracerPid " + " ".join(f"/proc/{pid}/status" for pid in found)
        while "TracerPid:\t0" in self.lab.exec(["sh", "-c", script]):
            assert time.monotonic() < until, "strace does not attach to the sshd of the hosts"
            time.sleep(0.1)

    def stop(self) -> list[str]:
        self.lab.exec(["pkill", "-INT", "-x", "strace"])
        self.child.wait()
        with open(self.file, encoding="utf-8", errors="replace") as stream:
            self.trace = Trace.of(iter(stream))
        return self.trace.changes()
