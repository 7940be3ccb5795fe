"""A lab of two small hosts for the tests of the engine, and the means to start others next to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import lifecycle, machine
from lab.control import REPOSITORY, Lab
from lab.layouts import Host, Layout

SMALL = Layout(
    name="small",
    hosts=(
        Host("one", "10.66.0.11", ("left",)),
        Host("two", "10.66.0.12", ("right", "spare"), more_addresses=("10.66.0.112",)),
    ),
    ports={"word": 7007},
    names={"paas.bklab.test": "10.66.0.12"},
)

START = """#!/bin/sh
echo "$NAME at $ADDRESS starts $ROLES"
exec setsid nc -lk 7007 </dev/null >/dev/null 2>&1 &
"""

READY = """
import socket
from lab.readiness import Check

def missing(address, port):
    socket.create_connection((address, port), timeout=1).close()
    return ""

def checks(layout):
    return [
        Check(host["name"], f"port {layout['ports']['word']} on {host['name']}",
              lambda host=host: missing(host["address"], layout["ports"]["word"]))
        for host in layout["hosts"]
    ]
"""


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Services that are a listening port and nothing else."""
    place = tmp_path_factory.mktemp("services")
    (place / "start.sh").write_text(START)
    (place / "start.sh").chmod(0o755)
    (place / "ready.py").write_text(READY)
    return place


@pytest.fixture(scope="session")
def raise_lab(services: Path) -> Iterator[Callable[..., Lab]]:
    """A function that brings a lab of its own name up (keywords as `lifecycle.up`); all end with the session."""
    machine.complete_path()
    labs: list[Lab] = []

    def up(purpose: str, layout: Layout = SMALL, **keywords: object) -> Lab:
        lab = Lab(f"selftest-{purpose}-{os.getpid()}")
        labs.append(lab)
        lifecycle.up(lab, layout, print, **{"services": services, "seconds": 20.0, **keywords})
        return lab

    yield up
    for lab in labs:
        lifecycle.down(lab)
        shutil.rmtree(lab.state_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def small() -> Layout:
    """The layout of the tests' labs."""
    return SMALL


@pytest.fixture(scope="module")
def lab(raise_lab: Callable[..., Lab], request: pytest.FixtureRequest) -> Lab:
    return raise_lab(request.module.__name__.rpartition(".")[2].removeprefix("test_lab_"))


@pytest.fixture
def ssh(lab: Lab) -> Callable[..., str]:
    """Real ssh to a host, with the lab's keys and known hosts: ssh("ops@one", "id")."""

    def run(*arguments: str) -> str:
        return lab.exec(["ssh", "-F", str(lab.state_dir / "ssh_config"), *arguments])

    return run


@pytest.fixture
def command(lab: Lab) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`python -m lab` for the module's lab: command("exec", "true")."""

    def run(verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "lab", verb, "--name", lab.name, *arguments]
        return subprocess.run(
            line,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            env=os.environ | {"LANG": "C.UTF-8", "LC_ALL": ""},
        )

    return run
