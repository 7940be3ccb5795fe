"""Run plans over asyncssh: one process, hundreds of connections, each within its limits.

Host keys are always verified against known_hosts; an unknown key is an error and is not added.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from bkpaas.collect import clock, errors, program
from bkpaas.collect.libraries import asyncssh
from bkpaas.collect.ssh_client import Client
from bkpaas.collect.ssh_login import Login
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
        connected = await Login(where, connection, self._limits, client).run(connection.spec, self._bastion)
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
            login = Login(last, key[1], self._limits, client, before or None)
            self._bastions[key] = asyncio.create_task(login.run(f"ssh://{last}", self._bastion))
        return await asyncio.shield(self._bastions[key])

    async def close(self) -> None:
        for task in self._bastions.values():
            if not task.done():
                task.cancel()
            elif not task.cancelled() and not task.exception():
                task.result().abort()
        await asyncio.gather(*self._bastions.values(), return_exceptions=True)


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
