"""Hosts that the bench makes itself: loopback addresses of one real sshd, in a network namespace of their own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PORT, HUNG_PORT, RELAY_PORT, GARBAGE_PORT, REFUSED_PORT = 2201, 2202, 2203, 2204, 2205
FAULTY = {97: HUNG_PORT, 98: REFUSED_PORT, 99: GARBAGE_PORT}
"""Of each hundred hosts of a faulty fleet, those that hang, that refuse and that answer garbage."""
NAMESPACE = "BKPAAS_BENCH_NAMESPACE"
"""Set in the process that runs in the namespace."""
ROLES = ("appo", "appt", "cmdb", "job", "nginx")
SSHD = "/usr/sbin/sshd"
DOMAIN = "paas.bench.test"
CONNECT_SECONDS, SILENT_SECONDS = 30.0, 20.0


def enter_namespace(module: str) -> None:
    """Start the module again in new namespaces, unless these are: there only loopback and its names exist."""
    if NAMESPACE in os.environ:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "bench", "/mnt"], check=True)
        Path("/mnt/hosts").write_text(f"127.0.0.1 localhost\n{address(0)} {DOMAIN}\n")
        Path("/mnt/resolv.conf").write_text("")
        for name in ("hosts", "resolv.conf"):
            subprocess.run(["mount", "--bind", f"/mnt/{name}", f"/etc/{name}"], check=True)
        return
    words = ["unshare", "--net", "--mount", sys.executable, "-m", module, *sys.argv[1:]]
    os.execvpe(words[0], words, {**os.environ, NAMESPACE: "1"})


def address(number: int) -> str:
    return f"127.81.{number // 200}.{number % 200 + 1}"


def name(number: int) -> str:
    return f"{roles(number)[0]}-{number}"


def roles(number: int) -> list[str]:
    """Return the roles of a host: two paas hosts, the others in turn."""
    return ["paas"] if number < 2 else [ROLES[number % len(ROLES)]]


class Fleet:
    """The files of a fleet: keys, known_hosts, an ssh_config and the inventory of so many hosts."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        self.addresses = [address(number) for number in range(count)]
        self.key, self.known_hosts, self.config = folder / "id", folder / "known_hosts", folder / "ssh_config"
        for path in (self.key, folder / "host"):
            if not path.exists():
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        public = " ".join((folder / "host.pub").read_text().split()[:2])
        ports = (PORT, HUNG_PORT, RELAY_PORT, GARBAGE_PORT, REFUSED_PORT)
        self.known_hosts.write_text(
            "".join(f"[{one}]:{port} {public}\n" for one in self.addresses for port in ports)
        )
        self.config.write_text(
            f"Host *\n  Port {PORT}\n  User root\n  IdentityFile {self.key}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  BatchMode yes\n  StrictHostKeyChecking yes\n"
        )

    def inventory(self, hung: int = 0, port: int = PORT, *, faulty: bool = False) -> Path:
        """Write the inventory and return its directory; so many of the hosts hang in the middle of a visit.

        faulty: 1 % hang, 1 % refuse the connection, 1 % answer garbage.
        """
        directory = self.folder / f"inventory-{self.count}-{hung}-{port}-{faulty}"
        directory.mkdir(exist_ok=True)
        every = self.count // hung if hung else 0

        def port_of(number: int) -> int:
            if faulty:
                return FAULTY.get(number % 100, port)
            return HUNG_PORT if every and number % every == every - 1 else port

        hosts = [
            {
                "name": name(number),
                "address": one,
                "roles": roles(number),
                "connect": {"port": port_of(number)},
            }
            for number, one in enumerate(self.addresses)
        ]
        connect = {"user": "root", "key": str(self.key), "known_hosts": str(self.known_hosts)}
        limits = {"connect_seconds": CONNECT_SECONDS, "silent_seconds": SILENT_SECONDS}
        document = {"generation": "5.x", "domain": DOMAIN, "connect": connect, "limits": limits}
        (directory / "deployment.yaml").write_text(json.dumps({**document, "hosts": hosts}))
        return directory


@contextlib.contextmanager
def sshd(fleet: Fleet) -> Iterator[None]:
    """Run the sshd of all hosts, the one whose visits hang, and the one that answers garbage."""
    os.makedirs("/run/sshd", exist_ok=True)
    processes = []
    commands = (
        (PORT, ""),
        (HUNG_PORT, _script(fleet.folder, "silent")),
        (GARBAGE_PORT, _script(fleet.folder, "garbage")),
    )
    for port, command in commands:
        settings = fleet.folder / f"sshd_config-{port}"
        settings.write_text(
            f"{f'ForceCommand {command}' if command else ''}\nPort {port}\nListenAddress 0.0.0.0\nHostKey {fleet.folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {fleet.key}.pub\nStrictModes no\nUsePAM no\nPrintMotd no\nLogLevel ERROR\n"
            "MaxStartups 2000\nPermitRootLogin yes\n"
        )
        processes.append(subprocess.Popen([SSHD, "-D", "-e", "-f", str(settings)], stderr=subprocess.DEVNULL))
    try:
        for port, _ in commands:
            _wait(port)
        yield
    finally:
        for process in processes:
            process.terminate()
            process.wait()


AFTER_READY = {
    "silent": "exec sleep 600",
    "garbage": "head -c 300000 /dev/urandom; echo; echo '@@bkpaas answer 100000'; exec head -c 300000 /dev/urandom",
}


def _script(folder: Path, name: str) -> Path:
    """Return a command that says it is the collector, and then nothing, or garbage."""
    script = folder / name
    script.write_text(f"#!/bin/sh\necho '@@bkpaas ready 1 3.9'\n{AFTER_READY[name]}\n")
    script.chmod(0o755)
    return script


def _wait(port: int) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"no sshd on port {port}")
