"""A real sshd on loopback, with a configuration, keys and log of its own."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bkpaas.inventory.deployment import Connection, Deployment, Host, Limits

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin") or ""
needs_sshd = pytest.mark.skipif(not SSHD or os.geteuid() != 0, reason="needs root and openssh-server")


def key(path: Path, *more: str) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path), *more], check=True)
    return path


class Sshd:
    """Runs until closed; `client` is the folder of the key that it lets in."""

    def __init__(self, folder: Path, client: Path, *settings: str) -> None:
        self.folder, self.client = folder, client
        folder.mkdir()
        key(folder / "host")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        lines = [  # of a setting given twice the first holds
            *settings,
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {folder}/host",
            f"AuthorizedKeysFile {client}/id.pub",
            "PidFile none",
            "StrictModes no",
            "UsePAM no",
            "PrintMotd no",
        ]
        (folder / "sshd_config").write_text("\n".join(lines) + "\n")
        os.makedirs("/run/sshd", exist_ok=True)
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
        self.known_hosts = folder / "known_hosts"
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {self.public_key()}\n")
        self._wait()

    def public_key(self) -> str:
        return " ".join((self.folder / "host.pub").read_text().split()[:2])

    def _wait(self) -> None:
        for _ in range(12000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.01)
        raise AssertionError(self.log.read_text())

    @property
    def spec(self) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"

    def connection(self, **more: object) -> Connection:
        options = {"key": str(self.client / "id"), "known_hosts": str(self.known_hosts), **more}
        return Connection(str(options.pop("spec", self.spec)), **options)  # type: ignore[arg-type]

    def logins(self) -> int:
        return self.log.read_text().count("Accepted publickey")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


@contextlib.contextmanager
def running(folder: Path, client: Path, *settings: str) -> Iterator[Sshd]:
    sshd = Sshd(folder, client, *settings)
    try:
        yield sshd
    finally:
        sshd.close()


def deployment(*connections: Connection, names: str = "abcdefgh", **limits: object) -> Deployment:
    """Hosts a, b, c ... with these connections and limits."""
    bounds = {"connect_seconds": 20.0, "host_seconds": 40.0, "run_seconds": 90.0, **limits}
    hosts = [
        Host(name, "127.0.0.1", ("paas",), connection)
        for name, connection in zip(names, connections, strict=False)
    ]
    return Deployment("x", "5.x", tuple(hosts), "paas.bk.com", limits=Limits(**bounds))  # type: ignore[arg-type]
