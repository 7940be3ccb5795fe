"""Open testinfra hosts over the inventory's connections, for the tests of a site."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bkpaas.collect.commands import TooMuchOutput, run_bounded
from bkpaas.collect.testinfra import ssh_options
from bkpaas.errors import NoData
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.messages import msg

LiveHost = Any
"""The type testinfra.host.Host; testinfra is imported when the first host is opened."""

_SHARED_SECONDS = 60
"""Seconds that an idle connection stays open after a run was killed. A run that ends closes it."""


class LiveHosts:
    """Open each host once in a run; its commands share one connection."""

    def __init__(self, deployment: Deployment) -> None:
        self._limits = deployment.limits
        self._hosts: dict[str, LiveHost] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="bkpaas-live-"))

    def __enter__(self) -> LiveHosts:
        return self

    def __exit__(self, *error: object) -> None:
        for socket in self._folder.glob("*"):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    ["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "any"],
                    capture_output=True,
                    timeout=5,
                )
        shutil.rmtree(self._folder, ignore_errors=True)

    def host(self, host: Host) -> LiveHost:
        """Return testinfra's host with the user, key, bastion and sudo of the inventory."""
        if host.name not in self._hosts:
            self._hosts[host.name] = self._open(host)
        return self._hosts[host.name]

    def _open(self, host: Host) -> LiveHost:
        import testinfra

        connection = host.connection
        options: dict[str, Any] = {"sudo": connection.sudo, "sudo_user": connection.sudo_user}
        if urlsplit(connection.spec).scheme == "ssh":
            argv = [
                *("-o", "ControlMaster=auto", "-o", f"ControlPersist={_SHARED_SECONDS}s"),
                *("-o", f"ControlPath={self._folder / str(len(self._hosts))}"),
                *ssh_options(connection, self._limits.connect_seconds),
            ]
            options["ssh_extra_args"] = shlex.join(argv)
        live_host = testinfra.get_host(connection.spec, **options)
        _bound(live_host.backend, host, self._limits.host_seconds, self._limits.answer_bytes)
        return live_host


def _bound(backend: Any, host: Host, seconds: float, limit: int) -> None:
    """Limit every command of this backend in time and output; a command that cannot run raises NoData."""

    def run_local(command: str, *args: str) -> Any:
        argv = backend.encode(backend.quote(command, *args))
        try:
            status, out, err = run_bounded(argv, seconds, limit)
        except TooMuchOutput:
            raise NoData(
                msg("{name}: a command printed more than {limit} bytes", name=host.name, limit=limit)
            ) from None
        except subprocess.TimeoutExpired:
            raise NoData(
                msg("{name}: a command did not end within {seconds:.0f} s", name=host.name, seconds=seconds)
            ) from None
        _require_execution(host, status, err)
        return backend.result(status, argv, out, err)

    backend.run_local = run_local


def _require_execution(host: Host, code: int, stderr: bytes) -> None:
    """Raise NoData if ssh (exit status 255) or sudo failed instead of the command."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    if code == 255 and urlsplit(host.connection.spec).scheme == "ssh":
        raise NoData(f"{host.name}: {lines[-1] if lines else 'ssh'}")
    if host.connection.sudo and code and any(line.startswith("sudo: ") for line in lines):
        raise NoData(f"{host.name}: " + next(line for line in lines if line.startswith("sudo: ")))
