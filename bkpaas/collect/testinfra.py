"""Visits through testinfra's backends: local, docker, podman, kubectl, salt, ansible, chroot ..., and OpenSSH.

Each visit is one child process, `python -m bkpaas.collect.testinfra`, which can be killed at its limit together with
everything that it started.  The collector comes as a compressed argument, since testinfra's `run` has no input.
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
from bkpaas.errors import CollectError
from bkpaas.inventory.deployment import Connection, Deployment, Host
from bkpaas.lang import say

UNFIT = {
    "safe-ssh": ("writes temporary files on the host", "会在主机上写临时文件"),
    "paramiko": ("does not verify host keys", "不校验主机密钥"),
    "winrm": ("is for Windows, which has no /proc", "用于 Windows，没有 /proc"),
}
"""Backends that are never used, with the reason in English and Chinese."""
POLL_SECONDS = 0.02
CHILD_BYTES = 4 << 30
"""Address space of a child: output without end must not eat the controller's memory."""


class Testinfra:
    """Opens sessions; `ssh://` specs go through OpenSSH, with one connection for both visits."""

    def __init__(self, deployment: Deployment) -> None:
        self._limits = deployment.limits
        self._homes = (deployment.home,) if deployment.home else ()
        self._folder = Path(tempfile.mkdtemp(prefix="bkpaas-ssh-"))
        self._count = 0

    async def open(self, host: Host) -> Session:
        """Raises CollectError."""
        where, spec = errors.place(host), host.connection.spec
        scheme = urlsplit(spec).scheme
        if scheme in UNFIT:
            en, zh = UNFIT[scheme]
            raise errors.config(
                where, say(en=f"{scheme}:// {en}; use ssh://", zh=f"{scheme}:// {zh}；请使用 ssh://")
            )
        session = Session(where, host.connection, self._homes, self._limits.answer_bytes)
        if scheme == "ssh":
            self._count += 1
            await session.log_in(self._folder / str(self._count), self._limits.connect_seconds)
        return session

    async def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class Session:
    """One host behind a backend of testinfra."""

    def __init__(self, where: str, connection: Connection, homes: tuple[str, ...], most: int) -> None:
        self.clock: clock.Clock | None = None
        self._where, self._connection, self._homes, self._most = where, connection, homes, most
        self._options: dict[str, str] = {}
        self._master: asyncio.subprocess.Process | None = None
        self._samples: list[tuple[float, float, float]] = []
        self._left = most
        """Bytes that the host may still send."""

    async def log_in(self, socket: Path, seconds: float) -> None:
        """Open the connection that all commands then share. Raises CollectError."""
        parts = urlsplit(self._connection.spec)
        common = ssh_options(self._connection, seconds)
        account = (["-l", unquote(parts.username)] if parts.username else []) + (
            ["-p", str(parts.port)] if parts.port else []
        )
        words = ["ssh", "-M", "-N", "-o", f"ControlPath={socket}", *common, *account, parts.hostname or ""]
        try:
            self._master = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise errors.backend(self._where, f"ssh: {error.strerror}") from None
        try:
            await asyncio.wait_for(self._logged_in(socket), seconds + 1)
        except asyncio.TimeoutError:
            await self.close()
            raise errors.login_hung(
                self._where, seconds, say(en="the end of the login", zh="登录完成")
            ) from None
        except BaseException:
            await self.close()
            raise
        self._options = {
            "ssh_extra_args": shlex.join(["-o", "ControlMaster=no", "-o", f"ControlPath={socket}", *common])
        }

    async def _logged_in(self, socket: Path) -> None:
        assert self._master and self._master.stderr
        while not socket.exists():
            if self._master.returncode is not None:
                said = (await self._master.stderr.read(65536)).decode("utf-8", "replace")
                if "during banner exchange" in said:
                    raise asyncio.TimeoutError
                raise _explained(self._where, self._connection, said)
            await asyncio.sleep(POLL_SECONDS)

    async def run_plan(self, plan: dict[str, Any], seconds: float) -> bytes:
        """Return the compressed answer; what would show a password is not asked. Raises CollectError."""
        plan, hidden = program.withheld(plan)
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
        answer = self._understood(out)
        return program.with_answers(answer, hidden) if hidden else answer

    def _understood(self, out: bytes) -> bytes:
        try:
            reply = json.loads(out)
        except ValueError:
            cause = say(en="testinfra ended without a word", zh="testinfra 没有输出就结束了")
            raise errors.backend(self._where, cause) from None
        if "error" in reply:
            raise errors.backend(self._where, reply["error"])
        self._left -= reply["bytes"]
        if self._left < 0:
            raise errors.too_much(self._where, self._most)
        talk, heard = program.Talk(self._most, decode=False), {}
        try:
            for word, value in talk.feed(reply["out"].encode("latin-1")):
                heard[f"clock {value[0]}" if word == "clock" else word] = value
        except program.TooMuch:
            raise errors.too_much(self._where, self._most) from None
        except program.Garbage as error:
            raise errors.garbage(self._where, str(error)) from None
        if not {"answer", "clock begin", "clock end"} <= heard.keys():
            raise self._missing(heard, talk, reply)
        began, ended = heard["clock begin"][1], heard["clock end"][1]
        asked, answered = clock.now(reply["asked"]), clock.now(reply["answered"])
        self._samples.append((asked, began, answered - (ended - began)))
        self.clock = clock.measured(self._samples)
        answer: bytes = heard["answer"]
        return answer

    def _missing(self, heard: dict[str, Any], talk: program.Talk, reply: dict[str, Any]) -> CollectError:
        for word in ("nopython", "failed"):
            if word in heard:
                return errors.unexpected(self._where, word, heard[word], self._most)
        complaints = reply["err"].encode("latin-1")
        error = errors.ended(self._where, talk.noise, complaints, reply["rc"])
        if error.kind != "closed" or urlsplit(self._connection.spec).scheme == "ssh":
            return error
        said = " ".join(complaints.decode("utf-8", "replace").split())[:200]
        code = say(en=f"exit status {reply['rc']}", zh=f"退出码 {reply['rc']}")
        return errors.backend(self._where, said or code)

    async def close(self) -> None:
        if self._master:
            await _kill(self._master)


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End a child and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def ssh_options(connection: Connection, seconds: float) -> list[str]:
    """How OpenSSH is to connect: without questions, host keys verified, key and bastion of the inventory."""
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
        # Not -J: its own ssh would not hear of these options, of known_hosts above all.
        jump = urlsplit(f"ssh://{connection.bastion}")
        words = ["ssh", *options, "-W", "[%h]:%p", *(["-p", str(jump.port)] if jump.port else [])]
        words += [*(["-l", jump.username] if jump.username else []), jump.hostname or ""]
        options += ["-o", f"ProxyCommand={shlex.join(words)}"]
    return options


Make = Callable[[str, str], CollectError]


def _explained(where: str, connection: Connection, said: str) -> CollectError:
    """What OpenSSH complains of, as one of our errors; its last line is quoted."""
    user = urlsplit(connection.spec).username or say(en="the user of ssh_config", zh="ssh_config 中的用户")
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
    last = said.strip().splitlines()[-1] if said.strip() else "ssh"
    return next((make for words, make in causes if words in said), errors.backend)(where, last)


def _bound(backend: Any, seconds: float, most: int) -> None:
    """Limit what a command of this backend may print; testinfra itself keeps all of it in memory."""

    def run_local(command: str, *args: str) -> Any:
        line = backend.encode(backend.quote(command, *args))
        status, out, err = run_bounded(line, seconds, most, session=False)
        return backend.result(status, line, out, err)

    backend.run_local = run_local


def _child() -> None:
    """One command through testinfra: the request on standard input, the reply on standard output."""
    import resource

    import testinfra

    resource.setrlimit(resource.RLIMIT_AS, (CHILD_BYTES, CHILD_BYTES))
    request = json.load(sys.stdin)
    parts = urlsplit(request["spec"])
    try:
        if parts.scheme == "chroot":  # testinfra's own reading of a spec loses the path
            host = testinfra.get_host(parts.netloc + parts.path, connection="chroot")
        else:
            host = testinfra.get_host(request["spec"], **request["options"])
        _bound(host.backend, request["seconds"], request["most"])
        asked = time.monotonic()
        result = host.backend.run(request["command"])
        answered = time.monotonic()
        out, err = result.stdout_bytes, result.stderr_bytes
        reply = {"rc": result.rc, "asked": asked, "answered": answered, "bytes": len(out) + len(err)}
        reply["out"] = out[: request["most"]].decode("latin-1")
        reply["err"] = err[-4096:].decode("latin-1")
    except TooMuchOutput:
        reply = {"bytes": request["most"] + 1}
    except Exception as error:
        reply = {"error": f"{type(error).__name__}: {error}"[:300]}
    print(json.dumps(reply))


if __name__ == "__main__":
    _child()
