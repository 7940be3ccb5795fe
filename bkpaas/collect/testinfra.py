"""Run plans through testinfra's backends: local, docker, podman, kubectl, salt, ansible, chroot ..., and OpenSSH.

Each plan runs in a child process, `python -m bkpaas.collect.testinfra`, which is killed at its limit with all its
children.  The collector is a compressed argument, since testinfra's `run` has no input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bkpaas.collect import clock, errors, program
from bkpaas.collect.commands import TooMuchOutput, run_bounded
from bkpaas.errors import CollectError, message_of
from bkpaas.inventory.deployment import Connection, Deployment, Host
from bkpaas.messages import msg

UNSUPPORTED = {
    "safe-ssh": msg("writes temporary files on the host"),
    "paramiko": msg("does not verify host keys"),
    "winrm": msg("is for Windows, which has no /proc"),
}
"""Backends that are refused, with the reason."""
POLL_SECONDS = 0.02
CHILD_BYTES = 4 << 30
"""Limit of the address space of a child, since testinfra keeps all output in memory."""


class Testinfra:
    """Open sessions; `ssh://` specs use OpenSSH, with one connection for both rounds."""

    def __init__(self, deployment: Deployment) -> None:
        self._limits = deployment.limits
        self._homes = (deployment.install_root,) if deployment.install_root else ()
        self._folder = Path(tempfile.mkdtemp(prefix="bkpaas-ssh-"))
        self._count = 0

    async def open(self, host: Host) -> Session:
        """Return a session; an OpenSSH connection is logged in. Raises CollectError."""
        where, spec = errors.host_label(host), host.connection.spec
        scheme = urlsplit(spec).scheme
        if scheme in UNSUPPORTED:
            reason = UNSUPPORTED[scheme]
            raise errors.config(where, msg("{scheme}:// {reason}; use ssh://", scheme=scheme, reason=reason))
        session = Session(where, host.connection, self._homes, self._limits.answer_bytes)
        if scheme == "ssh":
            self._count += 1
            await session.log_in(self._folder / str(self._count), self._limits.connect_seconds)
        return session

    async def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class Session:
    """Run plans on one host through a backend of testinfra."""

    def __init__(self, where: str, connection: Connection, homes: tuple[str, ...], limit: int) -> None:
        self.clock: clock.Clock | None = None
        self.times: clock.Times | None = None
        self._where, self._connection, self._homes, self._limit_bytes = where, connection, homes, limit
        self._options: dict[str, str] = {}
        self._master: asyncio.subprocess.Process | None = None
        self._samples: list[tuple[float, float, float]] = []
        self._left = limit
        """Bytes that the host may still send."""

    async def log_in(self, socket: Path, seconds: float) -> None:
        """Open the connection that all commands share. Raises CollectError."""
        parts = urlsplit(self._connection.spec)
        common = ssh_options(self._connection, seconds)
        account = (["-l", unquote(parts.username)] if parts.username else []) + (
            ["-p", str(parts.port)] if parts.port else []
        )
        argv = ["ssh", "-M", "-N", "-o", f"ControlPath={socket}", *common, *account, parts.hostname or ""]
        try:
            self._master = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise errors.backend(self._where, f"ssh: {error.strerror}") from None
        try:
            await asyncio.wait_for(self._wait_for_login(socket), seconds + 1)
        except asyncio.TimeoutError:
            await self.close()
            raise errors.login_hung(self._where, seconds, msg("the end of the login")) from None
        except BaseException:
            await self.close()
            raise
        self._options = {
            "ssh_extra_args": shlex.join(["-o", "ControlMaster=no", "-o", f"ControlPath={socket}", *common])
        }

    async def _wait_for_login(self, socket: Path) -> None:
        assert self._master and self._master.stderr
        while not socket.exists():
            if self._master.returncode is not None:
                stderr = (await self._master.stderr.read(65536)).decode("utf-8", "replace")
                if "during banner exchange" in stderr:
                    raise asyncio.TimeoutError
                raise _describe_failure(self._where, self._connection, stderr)
            await asyncio.sleep(POLL_SECONDS)

    async def run_plan(self, plan: dict[str, Any], seconds: float) -> bytes:
        """Return the compressed answer, without queries that contain passwords. Raises CollectError."""
        public = program.without_secrets(plan)
        plan = public.plan
        command = program.command(self._connection, self._homes, plan)
        request = {
            "spec": self._connection.spec,
            "options": self._options,
            "command": command,
            "most": self._left,
            "seconds": seconds,
        }
        child = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "bkpaas.collect.testinfra"],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])},
            start_new_session=True,
        )
        try:
            out, _ = await asyncio.wait_for(child.communicate(json.dumps(request).encode()), seconds)
        except asyncio.TimeoutError:
            raise errors.hung(self._where, seconds) from None
        finally:
            await _kill(child)
        answer = self._parse_reply(out)
        return public.complete(answer)

    def _parse_reply(self, out: bytes) -> bytes:
        try:
            reply = json.loads(out)
        except ValueError:
            cause = msg("testinfra ended without output")
            raise errors.backend(self._where, cause) from None
        if "error" in reply:
            raise errors.backend(self._where, reply["error"])
        self._left -= reply["bytes"]
        if self._left < 0:
            raise errors.too_much(self._where, self._limit_bytes)
        parser, events = program.AnswerParser(self._limit_bytes, decode=False), {}
        try:
            for event, value in parser.feed(reply["out"].encode("latin-1")):
                events[f"clock {value[0]}" if event == "clock" else event] = value
        except program.AnswerTooLarge:
            raise errors.too_much(self._where, self._limit_bytes) from None
        except program.InvalidAnswer as error:
            raise errors.garbage(self._where, message_of(error)) from None
        if not {"answer", "clock begin", "clock end"} <= events.keys():
            raise self._missing_answer(events, parser, reply)
        host_start, host_end = events["clock begin"][1], events["clock end"][1]
        sent, received = clock.now(reply["asked"]), clock.now(reply["answered"])
        self._samples.append((sent, host_start, received - (host_end - host_start)))
        self.clock = clock.best_estimate(self._samples)
        answer: bytes = events["answer"]
        return answer

    def _missing_answer(
        self, events: dict[str, Any], parser: program.AnswerParser, reply: dict[str, Any]
    ) -> CollectError:
        for word in ("nopython", "failed"):
            if word in events:
                return errors.unexpected(self._where, word, events[word], self._limit_bytes)
        stderr = reply["err"].encode("latin-1")
        error = errors.ended(self._where, parser.noise, stderr, reply["rc"])
        if error.kind != "closed" or urlsplit(self._connection.spec).scheme == "ssh":
            return error
        message = " ".join(stderr.decode("utf-8", "replace").split())[:200]
        code = msg("exit status {rc}", rc=reply["rc"])
        return errors.backend(self._where, message or code)

    async def close(self) -> None:
        if self._master:
            await _kill(self._master)


async def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill the process group of a child."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def ssh_options(connection: Connection, seconds: float) -> list[str]:
    """Return options of OpenSSH: batch mode, verified host keys, key and bastion of the inventory."""
    settings = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
        "ConnectTimeout": str(max(1, int(seconds))),
        "ServerAliveInterval": "5",
        "ServerAliveCountMax": "3",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "PermitLocalCommand": "no",
    }
    if connection.known_hosts:
        settings["UserKnownHostsFile"] = connection.known_hosts
        settings["GlobalKnownHostsFile"] = "/dev/null"
    if connection.key:
        settings["IdentityFile"] = connection.key
        settings["IdentitiesOnly"] = "yes"
    options = ["-T"] + (["-F", connection.ssh_config] if connection.ssh_config else [])
    for name, value in settings.items():
        options += ["-o", f"{name}={value}"]
    if connection.bastion:
        # -J would start an ssh without these options, for example without known_hosts.
        jump = urlsplit(f"ssh://{connection.bastion}")
        argv = ["ssh", *options, "-W", "[%h]:%p", *(["-p", str(jump.port)] if jump.port else [])]
        argv += [*(["-l", jump.username] if jump.username else []), jump.hostname or ""]
        options += ["-o", f"ProxyCommand={shlex.join(argv)}"]
    return options


Make = Callable[[str, str], CollectError]


def _describe_failure(where: str, connection: Connection, stderr: str) -> CollectError:
    """Return the error for the error output of OpenSSH; the last line is quoted."""
    user = urlsplit(connection.spec).username or msg("the user of ssh_config")
    causes: tuple[tuple[str, Make], ...] = (
        ("REMOTE HOST IDENTIFICATION HAS CHANGED", errors.host_key_changed),
        ("Host key verification failed", errors.host_key_unknown),
        ("Bad owner or permissions", errors.config),
        ("Bad configuration option", errors.config),
        ("not accessible", errors.config),
        ("Permission denied", lambda where, cause: errors.login_refused(where, user, cause)),
        ("Too many authentication failures", lambda where, cause: errors.login_refused(where, user, cause)),
        ("Connection refused", lambda where, cause: errors.refused(where)),
        ("timed out", errors.unreachable),
        ("No route to host", errors.unreachable),
        ("unreachable", errors.unreachable),
        ("Could not resolve", errors.unreachable),
        ("banner", errors.garbage),
        ("Connection closed", errors.closed),
        ("Connection reset", errors.closed),
    )
    last = stderr.strip().splitlines()[-1] if stderr.strip() else "ssh"
    return next((make for text, make in causes if text in stderr), errors.backend)(where, last)


def _bound(backend: Any, seconds: float, limit: int) -> None:
    """Limit the output of the commands of this backend; testinfra keeps all of it in memory."""

    def run_local(command: str, *args: str) -> Any:
        line = backend.encode(backend.quote(command, *args))
        status, out, err = run_bounded(line, seconds, limit, session=False)
        return backend.result(status, line, out, err)

    backend.run_local = run_local


def _child() -> None:
    """Run one command through testinfra: the request on standard input, the reply on standard output."""
    import resource

    import testinfra

    resource.setrlimit(resource.RLIMIT_AS, (CHILD_BYTES, CHILD_BYTES))
    request = json.load(sys.stdin)
    parts = urlsplit(request["spec"])
    try:
        if parts.scheme == "chroot":  # testinfra's parser of specs drops the path
            host = testinfra.get_host(parts.netloc + parts.path, connection="chroot")
        else:
            host = testinfra.get_host(request["spec"], **request["options"])
        _bound(host.backend, request["seconds"], request["most"])
        sent = time.monotonic()
        result = host.backend.run(request["command"])
        received = time.monotonic()
        out, err = result.stdout_bytes, result.stderr_bytes
        reply = {"rc": result.rc, "asked": sent, "answered": received, "bytes": len(out) + len(err)}
        reply["out"] = out[: request["most"]].decode("latin-1")
        reply["err"] = err[-4096:].decode("latin-1")
    except TooMuchOutput:
        reply = {"bytes": request["most"] + 1}
    except Exception as error:
        reply = {"error": f"{type(error).__name__}: {error}"[:300]}
    print(json.dumps(reply))


if __name__ == "__main__":
    _child()
