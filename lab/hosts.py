"""Starting and stopping the hosts of a lab, and knowing them by their keys."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lab import cgroups
from lab.layout import Host, Layout

START = Path(__file__).parent / "host" / "start.sh"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key.pub"
STOP_SECONDS = 10.0


class Lab(Protocol):
    """The methods of lab.control.Lab that this module uses."""

    state_dir: Path

    @property
    def layout(self) -> Layout: ...

    def inside(self, *command: str) -> list[str]: ...

    def run(self, host: str, script: str, timeout: float = 30.0) -> str: ...

    def wait(self, predicate: Callable[[], object], seconds: float, what: str) -> None: ...


class Record(Protocol):
    """The fields of lab.control.Record that this module uses."""

    @property
    def base(self) -> Path: ...

    @property
    def services(self) -> Path: ...


def enter(state_dir: Path, host: str, *command: str) -> list[str]:
    """The command line that, inside the lab, runs command on a host."""
    pid = (state_dir / "pids" / host).read_text("ascii").strip()
    return ["nsenter", "-t", pid, "-m", "-n", "-p", "-u", "-i", "--", *command]


def start(lab: Lab, host: Host, record: Record) -> None:
    """Start a host; it is there when its sshd answers. Its own log is logs/HOST.log."""
    layout = lab.layout
    environment = os.environ | {
        "NAME": host.name, "ADDRESS": host.address, "MORE_ADDRESSES": " ".join(host.more_addresses),
        "ROLES": " ".join(host.roles), "PREFIX": str(layout.prefix), "CONTROLLER": layout.controller,
        "DISK_MB": str(layout.disk_mb), "TIMEZONE": layout.timezone, "NAMES": _names(layout),
        "STATE": str(lab.state_dir), "BASE": str(record.base), "SERVICES": str(record.services),
        "CGROUP": str(cgroups.of(lab.state_dir)) if layout.systemd else "",
    }  # fmt: skip
    # In the background of a shell that ends immediately: the host becomes a child of the lab's PID 1.
    script = (
        'unshare -m -n -p -u -i --fork --propagation private "$0" </dev/null >"$STATE/logs/$NAME.log" 2>&1 &'
    )
    subprocess.run(
        lab.inside("bash", "-c", script, str(START)), env=environment, check=True, start_new_session=True
    )


def _names(layout: Layout) -> str:
    """The lines for /etc/hosts of names that are in no DNS."""
    return (
        ""
        if layout.names_in_dns
        else "\n".join(f"{address} {name}" for name, address in layout.names.items())
    )


def stop(lab: Lab, host: Host) -> None:
    """Pull the plug of a host, and its cable: its dead network could linger on the bridge otherwise."""
    file = lab.state_dir / "pids" / host.name
    pid = file.read_text("ascii").strip()
    gone = f'kill -9 {pid} 2>/dev/null; ip link del "v-{host.name}" 2>/dev/null; [ ! -e /proc/{pid} ]'
    lab.wait(
        lambda: not subprocess.run(lab.inside("bash", "-c", gone)).returncode,
        STOP_SECONDS,
        f"{host.name} stops",
    )
    file.unlink()


def write_known_hosts(lab: Lab) -> None:
    """Read every host's public key on the host itself; store it by name and address."""
    lines = []
    for host in lab.layout.hosts:
        kind, key = lab.run(host.name, f"cat {HOST_KEY}").split()[:2]
        lines += [f"{','.join((host.name, host.address, *host.more_addresses))} {kind} {key}\n"]
    (lab.state_dir / "known_hosts").write_text("".join(lines), "ascii")
