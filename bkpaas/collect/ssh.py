"""Run plans over asyncssh: one process, hundreds of connections, each within its limits.

Host keys are always verified against known_hosts; an unknown key is an error and is not added.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from bkpaas.collect import clock, errors, program
from bkpaas.collect.libraries import asyncssh
from bkpaas.collect.ssh_client import Client
from bkpaas.collect.ssh_keys import identity, known_hosts, prefer
from bkpaas.errors import CollectError, message_of
from bkpaas.inventory.deployment import Connection, Deployment, Host, Limits
from bkpaas.messages import Message, msg

CLOCK_SAMPLES = 3
CLOCK_SECONDS = 0.005
"""Between two requests for the time; none waits for the answer to the one before it."""
PENDING_EVENTS = CLOCK_SAMPLES + 2
"""Limit of unread events: the times, the answer to a plan and its timeout."""
STDERR_BYTES = 4096
"""Limit of the kept error output of a host."""
FAST_KEX, FAST_CIPHER = b"curve25519-sha256", b"aes128-gcm@openssh.com"
"""Algorithms tried first; other key exchanges cost several times the CPU, chacha20 a quarter more in total."""
HOST_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
FIRST_RETRY_SECONDS = 0.5
"""After a connection that was closed before the login, on average; doubles each time."""
DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")


_CLOSED = (asyncssh.ConnectionLost, ConnectionResetError, BrokenPipeError)
"""What a connection ends with that the server closed."""


class Ssh:
    """Open sessions; the hosts of a run share the connections to bastions."""

    def __init__(self, deployment: Deployment) -> None:
        self._limits = deployment.limits
        self._homes = (deployment.install_root,) if deployment.install_root else ()
        self._bastion_bytes = deployment.limits.answer_bytes * (1 + len(deployment.selected()))
        """Limit of bytes from a bastion: the limits of the hosts behind it and its own."""
        self._bastions: dict[tuple[str, Connection], asyncio.Task[asyncssh.SSHClientConnection]] = {}

    async def open(self, host: Host) -> Session:
        """Log in and start the collector. Raises CollectError."""
        where, connection = errors.host_label(host), host.connection
        client = Client(self._limits.answer_bytes)
        connected = await _Login(where, connection, self._limits, client).run(connection.spec, self._bastion)
        session = Session(where, connected, client, self._limits)
        try:
            await session.start(program.command(connection, self._homes), self._limits.connect_seconds)
        except BaseException:
            session.abort()
            raise
        return session

    async def _bastion(self, chain: str, connection: Connection) -> asyncssh.SSHClientConnection:
        """Return the shared connection to the last hop of "user@host:port,..."."""
        key = (chain, Connection("", connection.key, connection.known_hosts, connection.ssh_config))
        if key not in self._bastions:
            before, _, last = chain.rpartition(",")
            client = Client(self._bastion_bytes)
            login = _Login(last, key[1], self._limits, client, before or None)
            self._bastions[key] = asyncio.create_task(login.run(f"ssh://{last}", self._bastion))
        return await asyncio.shield(self._bastions[key])

    async def close(self) -> None:
        for task in self._bastions.values():
            if not task.done():
                task.cancel()
            elif not task.cancelled() and not task.exception():
                task.result().abort()
        await asyncio.gather(*self._bastions.values(), return_exceptions=True)


class _Login:
    """Log in to a host, through its bastion if it has one, and describe errors."""

    def __init__(
        self, where: str, connection: Connection, limits: Limits, client: Client, bastion: str | None = None
    ) -> None:
        self.where, self.connection, self.limits = where, connection, limits
        self.seconds = limits.connect_seconds
        self.bastion = bastion or connection.bastion
        self.client = client
        self.host_keys: asyncssh.SSHKnownHosts | None = None

    async def run(self, spec: str, bastion: Any) -> asyncssh.SSHClientConnection:
        try:
            arguments = self._inventory_options(spec)
            options = asyncssh.SSHClientConnectionOptions(**arguments)
            arguments.update(self._host_options(options))
        except (OSError, ValueError, asyncssh.Error) as error:
            raise errors.config(self.where, message_of(error)) from None
        self.user, self.host, self.port = options.username, options.host, options.port
        self.alias, self.host_keys = options.host_key_alias or options.host, arguments["known_hosts"]
        jump = self.bastion or (options.tunnel if isinstance(options.tunnel, str) else None)
        try:
            arguments["tunnel"] = await bastion(jump, self.connection) if jump else ()
        except CollectError as error:
            raise errors.via(self.where, str(jump), error) from None
        try:
            return await asyncio.wait_for(self._connect(arguments), self.seconds)
        except asyncio.TimeoutError:
            raise self._timeout_error() from None
        except (OSError, ValueError, asyncssh.Error) as error:
            raise self._describe_failure(error) from None

    async def _connect(self, arguments: dict[str, Any]) -> asyncssh.SSHClientConnection:
        """Log in; connect again while the server closes the connection before the login, as with MaxStartups."""
        loop = asyncio.get_running_loop()
        deadline, wait = loop.time() + self.seconds, FIRST_RETRY_SECONDS
        for _ in range(self.limits.connect_attempts - 1):
            try:
                return await asyncssh.connect(**arguments)
            except _CLOSED:
                pause = wait * (0.5 + random.random())  # or all hosts that were closed come again together
                if self._is_known() or self.client.left < 0 or loop.time() + pause >= deadline:
                    raise
            await asyncio.sleep(pause)
            wait *= 2
        return await asyncssh.connect(**arguments)

    def _is_known(self) -> bool:
        """Return whether the key exchange was over: from there on the server knows who it closes."""
        connection = self.client.connection
        return connection is not None and connection.get_server_host_key() is not None

    def _inventory_options(self, spec: str) -> dict[str, Any]:
        """Return the settings of the inventory as options of asyncssh; the rest comes from ssh_config."""
        parts = urlsplit(spec)
        arguments: dict[str, Any] = {
            "host": parts.hostname or "",
            "config": [self.connection.ssh_config] if self.connection.ssh_config else (),
            "client_factory": lambda: self.client,
            "password_auth": False,
            "kbdint_auth": False,
            "login_timeout": 0,
        }
        if parts.port:
            arguments["port"] = parts.port
        if parts.username:
            arguments["username"] = unquote(parts.username)
        if self.connection.key:
            arguments.update(identity(self.connection.key))
        return arguments

    def _host_options(self, options: asyncssh.SSHClientConnectionOptions) -> dict[str, Any]:
        """Return the host key and algorithm options, which depend on the ssh_config."""
        files: Any = options.known_hosts or ()  # None: "UserKnownHostsFile none", which is not accepted
        if self.connection.known_hosts:
            files = (self.connection.known_hosts,)
        host_keys = known_hosts(tuple(files) or DEFAULT_KNOWN_HOSTS)
        arguments: dict[str, Any] = {"known_hosts": host_keys}
        port = options.port if options.port != 22 else None
        keys, authorities, *_ = host_keys.match(options.host_key_alias or options.host, "", port)
        if keys and not authorities and not options.config.get("HostKeyAlgorithms"):
            # Known types first. With the others, a host whose key type changed is reported as changed.
            names = [name.decode() for key in keys for name in key.sig_algorithms]
            arguments["server_host_key_algs"] = [*names, *HOST_KEYS]
        if not options.config.get("KexAlgorithms"):
            arguments["kex_algs"] = prefer(FAST_KEX, options.kex_algs)
        if not options.config.get("Ciphers"):
            arguments["encryption_algs"] = prefer(FAST_CIPHER, options.encryption_algs)
        return arguments

    def _timeout_error(self) -> CollectError:
        if not self.client.connection:
            return errors.unreachable(
                self.where,
                msg(
                    "no TCP connection to port {port} within {seconds:g} s",
                    port=self.port,
                    seconds=self.seconds,
                ),
            )
        if not self.client.connection.get_extra_info("server_version"):
            return errors.login_hung(self.where, self.seconds, msg("sshd's greeting"))
        return errors.login_hung(self.where, self.seconds, msg("the end of the login"))

    def _describe_failure(self, error: Exception) -> CollectError:
        where = self.where
        if self.client.left < 0:
            return errors.too_much(where, self.limits.answer_bytes)
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return self._host_key_error()
        if isinstance(error, asyncssh.PermissionDenied):
            return errors.login_refused(where, self.user, msg("no key was accepted"))
        if isinstance(error, asyncssh.ChannelOpenError):
            cause = msg("message of the bastion: {reason}", reason=error.reason)
            return errors.unreachable(where, cause)
        if isinstance(error, _CLOSED):
            return errors.closed(where, msg("in the middle of the login"))
        if (
            isinstance(error, asyncssh.KeyExchangeFailed)
            and "host key" in str(error).lower()
            and self._known_keys()
        ):
            return errors.host_key_changed(where, msg("of another type"))
        if isinstance(error, asyncssh.KeyExchangeFailed):
            return errors.config(where, _no_algorithm(error.reason))
        if isinstance(error, asyncssh.DisconnectError):
            if "authentication" in error.reason.lower():
                return errors.login_refused(where, self.user, error.reason)
            return errors.garbage(where, error.reason)
        if isinstance(error, ConnectionRefusedError) or (
            "Connect call failed" in str(error) and "111" in str(error)
        ):
            return errors.refused(where)
        if isinstance(error, socket.gaierror):
            return errors.unreachable(where, msg("the name {host} does not resolve", host=self.host))
        if isinstance(error, OSError):
            return errors.unreachable(where, os.strerror(error.errno) if error.errno else str(error))
        return errors.config(where, message_of(error))

    def _host_key_error(self) -> CollectError:
        key = self.client.untrusted
        offered = f"{key.get_algorithm()} {key.get_fingerprint()}" if key else msg("a certificate")
        error = errors.host_key_changed if self._known_keys() else errors.host_key_unknown
        return error(self.where, offered)

    def _known_keys(self) -> Sequence[Any]:
        """Return the keys of this host in known_hosts."""
        assert self.host_keys is not None
        address = self.host
        if self.client.connection and (peer := self.client.connection.get_extra_info("peername")):
            address = peer[0]
        port = self.port if self.port != 22 else None
        return self.host_keys.match(self.alias, address, port)[0]


def _no_algorithm(reason: str) -> Message:
    return msg(
        "its sshd and this ssh client have no algorithm in common ({reason}); what a very old sshd needs has to be permitted for this host in ssh_config, with KexAlgorithms, HostKeyAlgorithms, Ciphers or MACs",
        reason=reason,
    )


_TIMEOUTS = ("late", "silent")
"""Events of timers, with the object of the request that they belong to."""


class Session(asyncssh.SSHClientSession[bytes]):
    """Send plans to a running collector on a host and receive the answers."""

    def __init__(
        self, where: str, connection: asyncssh.SSHClientConnection, client: Client, limits: Limits
    ) -> None:
        self.clock: clock.Clock | None = None
        self.times: clock.Times | None = None
        self._where, self._connection, self._client = where, connection, client
        limit = self._limit_bytes = limits.answer_bytes
        self._silent_seconds = limits.silent_seconds
        self._moved = 0.0
        """When the last data came, by the clock of the event loop."""
        self._parser = program.AnswerParser(limit, decode=False)
        self._aborted = False
        self._events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._stderr = b""
        self._status: int | None = None
        self._timer: object = None
        self._channel: asyncssh.SSHClientChannel[bytes]
        self._sent: list[float] = []
        """When the time was asked for."""
        self._samples: list[tuple[float, float, float]] = []

    async def start(self, command: str, seconds: float) -> None:
        """Send the program, and ask for the time; the answers are read with that to the plan. Raises CollectError."""
        try:
            with self._limit(seconds):
                opening = self._connection.create_session(lambda: self, command, encoding=None)
                self._channel, _ = await asyncio.wait_for(opening, seconds)
                self._send(program.packed())
                await self._expect("ready")
                for number in range(CLOCK_SAMPLES):
                    await asyncio.sleep(CLOCK_SECONDS if number else 0)
                    self._sent.append(clock.now())
                    self._send(b"clock %d\n" % number)
        except asyncio.TimeoutError:
            stage = msg("the start of a program")
            raise errors.login_hung(self._where, seconds, stage) from None
        except asyncssh.Error as error:
            raise errors.closed(self._where, str(error)) from None

    async def run_plan(self, plan: dict[str, Any], seconds: float) -> bytes:
        """Send a plan; return the compressed answer, received within `seconds`. Raises CollectError."""
        try:
            with self._limit(seconds), self._watch():
                self._send(program.plan_lines(plan))
                while len(self._samples) < CLOCK_SAMPLES:
                    await self._compare_clocks()
                answer: bytes = await self._expect("answer")
                return answer
        except asyncio.TimeoutError:
            raise errors.hung(self._where, seconds) from None
        except (asyncssh.Error, OSError) as error:
            raise errors.closed(self._where, str(error)) from None

    @contextlib.contextmanager
    def _limit(self, seconds: float) -> Iterator[None]:
        """Queue a timeout event after `seconds`; unlike wait_for it needs no task."""
        self._timer = object()
        timeout_event = ("late", self._timer)
        timer = asyncio.get_running_loop().call_later(seconds, self._events.put_nowait, timeout_event)
        try:
            yield
        finally:
            timer.cancel()

    @contextlib.contextmanager
    def _watch(self) -> Iterator[None]:
        """Queue an event when nothing has come from the host for `limits.silent_seconds`."""
        loop, event = asyncio.get_running_loop(), ("silent", self._timer)
        self._moved = loop.time()

        timers: list[asyncio.TimerHandle] = []

        def check() -> None:
            left = self._moved + self._silent_seconds - loop.time()
            if left > 0:
                timers[:] = [loop.call_later(left, check)]
            else:
                self._events.put_nowait(event)

        check()
        try:
            yield
        finally:
            timers[-1].cancel()

    async def _compare_clocks(self) -> None:
        (key, host_time), received = await self._expect("clock")
        if key != str(len(self._samples)):
            raise self._unexpected("clock", None)
        self._samples.append((self._sent[len(self._samples)], host_time, received))
        self.clock = clock.best_estimate(self._samples)

    async def _expect(self, expected: str) -> Any:
        event, value = await self._events.get()
        while event in _TIMEOUTS and value is not self._timer:  # of an earlier plan that was answered in time
            event, value = await self._events.get()
        if event == expected:
            return value
        if event == "late":
            raise asyncio.TimeoutError
        if event == "silent":
            raise errors.silent(self._where, self._silent_seconds)
        raise self._unexpected(event, value)

    def _unexpected(self, event: str, value: Any) -> CollectError:
        if self._client.left < 0:
            return errors.too_much(self._where, self._limit_bytes)
        if event == "ended":
            return errors.ended(self._where, self._parser.noise, self._stderr, self._status)
        return errors.unexpected(self._where, event, value, self._limit_bytes)

    def _send(self, data: bytes) -> None:
        """Send a request. Raises CollectError if unrequested data is pending."""
        kept = []
        while not self._events.empty():
            event, value = self._events.get_nowait()
            if event == "clock":
                kept.append((event, value))
            elif event not in _TIMEOUTS:
                raise self._unexpected(event, value)
        for item in kept:
            self._events.put_nowait(item)
        try:
            self._channel.write(data)
        except OSError:  # the channel was closed
            raise self._unexpected("ended", None) from None

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Parse the output of the host; the first error aborts the connection."""
        if self._aborted:
            return
        self._moved, now = asyncio.get_running_loop().time(), clock.now()
        try:
            if datatype == asyncssh.EXTENDED_DATA_STDERR:
                self._parser.count(len(data))
                self._stderr = (self._stderr + data)[-STDERR_BYTES:]
                return
            for event, value in self._parser.feed(data):
                if self._events.qsize() >= PENDING_EVENTS:
                    raise program.InvalidAnswer(msg("more than was requested"))
                self._events.put_nowait((event, (value, now) if event == "clock" else value))
        except program.AnswerTooLarge:
            self._abort_with("too much", None)
        except program.InvalidAnswer as error:
            self._abort_with("garbage", message_of(error))

    def _abort_with(self, event: str, value: Message | str | None) -> None:
        self._aborted = True
        self._events.put_nowait((event, value))
        self.abort()

    def exit_status_received(self, status: int) -> None:
        self._status = status

    def connection_lost(self, exc: Exception | None) -> None:
        self._events.put_nowait(("ended", exc))

    def abort(self) -> None:
        """Abort the connection; the collector ends when its input does."""
        self._connection.abort()

    async def close(self) -> None:
        self._connection.close()
        self._connection.abort()
