"""The nets of the read-only proof. Each watches a lab during a run and returns what must not be there."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Protocol

from lab import hosts
from lab.control import CLEAN_ENVIRONMENT, Lab
from lab.services.layout import SECRETS
from selftests.proofs.live import on_host, output_of

LEFT_SECONDS = 15.0
"""Seconds that a process may take to end after the run."""


class Net(Protocol):
    """Watches a lab between start() and stop()."""

    def start(self) -> None: ...

    def stop(self) -> list[str]:
        """Return one line for each thing that must not be there."""
        ...


def of_all_hosts(lab: Lab, program: str, *words: str) -> dict[str, Any]:
    """Run a program of on_host/ on every host, two at a time."""
    names = [host.name for host in lab.layout.hosts]
    with ThreadPoolExecutor(2) as pool:
        return dict(
            zip(names, pool.map(lambda name: output_of(lab, name, program, *words), names), strict=True)
        )


class Files:
    """Lists every file of every host before and after."""

    def __init__(self, lab: Lab, allowed: dict[str, str], since: float) -> None:
        self.lab, self.allowed, self.since = lab, allowed, since
        self.before: dict[str, Any] = {}
        self.count, self.hashed, self.seen = 0, 0, Counter[str]()

    def start(self) -> None:
        self.before = of_all_hosts(self.lab, "listing", str(self.since))
        self.count = sum(map(len, self.before.values()))
        self.hashed = sum(bool(entry[6]) for files in self.before.values() for entry in files.values())

    def stop(self) -> list[str]:
        after = of_all_hosts(self.lab, "listing", str(self.since))
        wrong = []
        for host, before in self.before.items():
            for path in sorted(before.keys() | after[host].keys()):
                old, new = before.get(path), after[host].get(path)
                if old == new:
                    continue
                pattern = next((known for known in self.allowed if fnmatch(path, known)), None)
                if pattern is None or (pattern and old and new and old[:4] != new[:4]):
                    wrong.append(f"{host}: {path}: {old} -> {new}")
                else:
                    self.seen[pattern] += 1
        return wrong


class Left:
    """Compares processes and listening sockets before and after."""

    def __init__(self, lab: Lab, ignored: str) -> None:
        self.lab, self.ignored = lab, re.compile(ignored)
        self.before: dict[str, dict[str, Counter[str]]] = {}

    def _now(self) -> dict[str, dict[str, Counter[str]]]:
        return {
            host: {kind: Counter(items) for kind, items in found.items()}
            for host, found in of_all_hosts(self.lab, "left").items()
        }

    def start(self) -> None:
        self.before = self._now()

    def stop(self) -> list[str]:
        until = time.monotonic() + LEFT_SECONDS
        while (found := self._new()) and time.monotonic() < until:
            time.sleep(1)
        return found

    def _new(self) -> list[str]:
        return [
            f"{host}: {kind}: {item}"
            for host, now in self._now().items()
            for kind, items in now.items()
            for item in items - self.before[host][kind]
            if not self.ignored.search(item)
        ]


class Requests:
    """Reads the HTTP requests that arrive at every host from the network cards."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.running: list[subprocess.Popen[str]] = []
        self.requests: list[dict[str, Any]] = []

    def start(self) -> None:
        for host in self.lab.layout.hosts:
            child = subprocess.Popen(
                on_host(self.lab, host.name, "sniff"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert child.stdout and child.stdout.readline() == "ready\n", host.name
            self.running.append(child)
        self._threads = ThreadPoolExecutor(len(self.running))
        self._read = [self._threads.submit(_lines, child) for child in self.running]

    def stop(self) -> list[str]:
        for child in self.running:
            assert child.stdin
            child.stdin.close()
        self.requests = [json.loads(line) for found in self._read for line in found.result()]
        for child in self.running:
            child.wait()
        self._threads.shutdown()
        return []


def _lines(child: subprocess.Popen[str]) -> list[str]:
    assert child.stdout
    return list(child.stdout)


class Redis:
    """Reads redis' MONITOR on its host."""

    def __init__(self, lab: Lab, host: str) -> None:
        self.lab, self.host = lab, host
        self.commands: list[tuple[str, str]] = []
        """(client, words)"""

    def start(self) -> None:
        command = (
            *CLEAN_ENVIRONMENT,
            "redis-cli",
            "--no-auth-warning",
            "-a",
            SECRETS["REDIS_PASS"],
            "monitor",
        )
        self.child = subprocess.Popen(
            self.lab.inside(*hosts.enter(self.lab.state_dir, self.host, *command)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.child.stdout and self.child.stdout.readline().strip() == "OK"
        self._pool = ThreadPoolExecutor(1)
        self._read = self._pool.submit(_lines, self.child)

    def stop(self) -> list[str]:
        self.lab.run(self.host, "pkill -x redis-cli; true")
        for line in self._read.result():
            if match := re.match(r"\S+ \[\d+ (\S+)\] (.*)", line):
                self.commands.append((match[1], " ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match[2]))))
        self.child.wait()
        self._pool.shutdown()
        return []


class Database:
    """Reads the general log of MariaDB on its host."""

    LOG = "/dev/shm/general.log"

    def __init__(self, lab: Lab, host: str) -> None:
        self.lab, self.host = lab, host
        self.connections: dict[str, list[str]] = {}
        """{number of the connection: [command and text]}"""

    def _set(self, text: str) -> None:
        self.lab.run(self.host, f'mysql -uroot -S /run/mysqld/mysqld.sock -e "{text}"')

    def start(self) -> None:
        self._set("SET GLOBAL general_log=OFF")
        self.lab.run(self.host, f"rm -f {self.LOG}")
        self._set(f"SET GLOBAL general_log_file='{self.LOG}'; SET GLOBAL general_log=ON")

    def stop(self) -> list[str]:
        self._set("SET GLOBAL general_log=OFF")
        number = ""
        for line in self.lab.run(self.host, f"cat {self.LOG}; rm {self.LOG}").splitlines():
            if match := re.match(r"(?:\d{6} [\d: ]\d:\d\d:\d\d)?\t\s*(\d+) (\w+(?: DB)?)\t(.*)", line):
                number = match[1]
                self.connections.setdefault(number, []).append(f"{match[2]} {match[3]}".strip())
            elif number:
                self.connections[number][-1] += " " + line.strip()
        return []


@contextlib.contextmanager
def watching(*nets: Net) -> Iterator[dict[str, list[str]]]:
    """Start nets, and stop them in the reverse order; yield what they find, by the name of their class."""
    found: dict[str, list[str]] = {}
    for net in nets:
        net.start()
    try:
        yield found
    finally:
        for net in reversed(nets):
            found[type(net).__name__] = net.stop()


def folder_of(lab: Lab) -> Path:
    """Return where the proofs keep what they make, outside of the hosts."""
    folder = lab.state_dir.parent / f"{lab.name}-proof"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
