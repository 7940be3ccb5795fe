"""Visits to all hosts of a deployment: twice each, side by side, each within its own limits."""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Literal, Protocol

from msgspec import Struct, field

from bkpaas.collect import errors, program
from bkpaas.collect.clock import Clock
from bkpaas.collect.ssh import Ssh
from bkpaas.collect.testinfra import Testinfra
from bkpaas.errors import CollectError
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.shapes import Asked, asked_of
from bkpaas.inventory.deployment import Deployment, Host

CHILDREN = 8
"""Child processes at once, for hosts that need one: each takes some 40 MB."""

State = Literal["start", "first", "second", "done", "failed"]
"""How far a host is: connecting and round 1, round 1 is over, round 2, and the two ends."""
ENDED: frozenset[State] = frozenset(("done", "failed"))

Plan = dict[str, Any]
Answer = dict[str, Any]


class Trouble(Struct, frozen=True):
    """Why a visit failed: a word of bkpaas.collect.errors and a sentence."""

    kind: str
    reason: str


class Visit(Struct):
    """What one host told. `first` is kept when only the second visit failed."""

    host: str
    first: Answer | bytes | None = None
    second: Answer | bytes | None = None
    """Decoded, or compressed as it came; see visit_hosts."""
    error: Trouble | None = None
    clock: Clock | None = None
    seconds: float = 0.0
    """Spent on this host, without waiting for the others."""
    asked: dict[int, Asked] = field(default_factory=dict)
    """What each round asked, by its number."""

    @classmethod
    def failed(cls, host: str, kind: str, reason: str) -> Visit:
        return cls(host, error=_trouble(kind, reason))

    def fail(self, error: CollectError) -> None:
        self.error = _trouble(error.kind, error.reason)


def _trouble(kind: str, reason: str) -> Trouble:
    """Return an error without secrets: its reason may quote a banner or the output of sudo."""
    return Trouble(kind, Secrets().scrub(reason))


class Interrupted(KeyboardInterrupt):
    """Stopped from the keyboard; what was collected until then."""

    def __init__(self, visits: dict[str, Visit]) -> None:
        super().__init__()
        self.visits = visits


class Session(Protocol):
    clock: Clock | None

    async def visit(self, plan: Plan, seconds: float) -> bytes: ...
    async def close(self) -> None: ...


class Transport(Protocol):
    async def open(self, host: Host) -> Session: ...
    async def close(self) -> None: ...


def visit_hosts(
    deployment: Deployment,
    first: Callable[[Host], Plan],
    second: Callable[[Host, dict[str, Visit]], Plan | None],
    *,
    transport: Literal["asyncssh", "openssh"] = "asyncssh",
    between: Callable[[], None] | None = None,
    progress: Callable[[str, State], None] = lambda host, state: None,
    parse: Callable[[Host, Visit], None] | None = None,
) -> dict[str, Visit]:
    """Visit every judged host; {host name: Visit}, one for each of them, whatever happened.

    `second`, given all visits so far, is asked when all first visits and `between` (run beside them in a thread) are over; it hears what
    all of them told, and is asked only for hosts whose first visit went well.
    With `parse` the answers stay compressed (program.decoded), since those of many hosts are large. It is called after
    each round of a host, in one thread for all, and may raise CollectError.
    `progress` is called with (host name, state); the last state of each host is one of ENDED.
    Raises Interrupted, and whatever `between` raised.
    """
    round_ = _Round(deployment, first, second, transport, progress, parse)
    _allow_files(4 * len(round_.hosts) + 200)
    try:
        asyncio.run(round_.run(between))
    except KeyboardInterrupt:
        round_.unfinished(errors.interrupted)
        raise Interrupted(round_.visits) from None
    return round_.visits


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Round:
    def __init__(
        self,
        deployment: Deployment,
        first: Callable[[Host], Plan],
        second: Callable[[Host, dict[str, Visit]], Plan | None],
        transport: str,
        progress: Callable[[str, State], None],
        parse: Callable[[Host, Visit], None] | None,
    ) -> None:
        self.deployment, self.limits = deployment, deployment.limits
        self.hosts = deployment.judged()
        self.visits = {host.name: Visit(host.name) for host in self.hosts}
        self._first, self._second, self._progress = first, second, progress
        self._transport, self._parse = transport, parse
        self._parsing = ThreadPoolExecutor(1)
        self._done: set[str] = set()

    async def run(self, between: Callable[[], None] | None) -> None:
        self._pending = len(self.hosts) + 1
        self._all_arrived = asyncio.Event()
        transports = self._transports()
        beside = asyncio.ensure_future(self._beside(between))
        tasks = [asyncio.create_task(self._host(host, *transports[self._way(host)])) for host in self.hosts]
        try:
            _, late = await asyncio.wait([beside, *tasks], timeout=self.limits.run_seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
                self.unfinished(lambda where: errors.out_of_time(where, self.limits.run_seconds))
        finally:
            for task in (beside, *tasks):
                task.cancel()
            await asyncio.gather(beside, *tasks, return_exceptions=True)
            self._parsing.shutdown(wait=False, cancel_futures=True)
            for transport, _ in transports.values():
                await transport.close()
        if not beside.cancelled():
            beside.result()

    def _way(self, host: Host) -> str:
        return (
            "ssh"
            if host.connection.spec.startswith("ssh://") and self._transport == "asyncssh"
            else "testinfra"
        )

    def _transports(self) -> dict[str, tuple[Transport, asyncio.Semaphore]]:
        """The transports that these hosts need, each with the slots for its visits."""
        most, ways = self.limits.concurrent_hosts, {self._way(host) for host in self.hosts}
        transports: dict[str, tuple[Transport, asyncio.Semaphore]] = {}
        if "ssh" in ways:
            transports["ssh"] = Ssh(self.deployment), asyncio.Semaphore(most)
        if "testinfra" in ways:
            transports["testinfra"] = Testinfra(self.deployment), asyncio.Semaphore(min(most, CHILDREN))
        return transports

    async def _beside(self, function: Callable[[], None] | None) -> None:
        """Run the function in a daemon thread, so that it can hold up nothing but its own result."""
        loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

        def tell(error: Exception | None) -> None:
            if not done.done():
                done.set_exception(error) if error else done.set_result(None)

        def run() -> None:
            failure = None
            try:
                if function:
                    function()
            except Exception as error:
                failure = error
            with suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(tell, failure)

        threading.Thread(target=run, daemon=True).start()
        try:
            await done
        finally:
            self._arrive()

    def _arrive(self) -> None:
        self._pending -= 1
        if not self._pending:
            self._all_arrived.set()

    async def _host(self, host: Host, transport: Transport, slots: asyncio.Semaphore) -> None:
        visit, session, plan = self.visits[host.name], None, None
        try:
            try:
                async with slots:
                    self._progress(host.name, "start")
                    session = await self._first_visit(transport, host, visit)
                await self._parsed(host)
            finally:
                self._arrive()
            self._progress(host.name, "first")
            await self._all_arrived.wait()
            plan = self._second(host, self.visits)
            if plan:
                async with slots:
                    self._progress(host.name, "second")
                    visit.second = await self._ask(session, host, plan)
                await self._parsed(host)
            self._done.add(host.name)
            self._progress(host.name, "done")
        except CollectError as error:
            self._fail(host, error)
        except Exception as error:
            self._fail(host, errors.suite(errors.place(host), f"{type(error).__name__}: {error}"))
        finally:
            if session:
                await session.close()

    async def _parsed(self, host: Host) -> None:
        if self._parse:
            loop, visit = asyncio.get_running_loop(), self.visits[host.name]
            await loop.run_in_executor(self._parsing, self._parse, host, visit)

    def _fail(self, host: Host, error: CollectError) -> None:
        self._done.add(host.name)
        self.visits[host.name].fail(error)
        self._progress(host.name, "failed")

    async def _first_visit(self, transport: Transport, host: Host, visit: Visit) -> Session:
        began = time.monotonic()
        try:
            session = await transport.open(host)
        finally:
            visit.seconds += time.monotonic() - began
        try:
            visit.first = await self._ask(session, host, self._first(host))
        except BaseException:
            await session.close()
            raise
        return session

    async def _ask(self, session: Session, host: Host, plan: Plan) -> Answer | bytes:
        visit = self.visits[host.name]
        began = time.monotonic()
        visit.asked[plan["visit"]] = asked_of(plan)
        left = max(1.0, self.limits.host_seconds - visit.seconds)
        # The collector stops a little earlier, so that what it has by then still arrives.
        plan = {
            **plan,
            "seconds": min(plan.get("seconds", left), max(1.0, left - 2)),
            "wait": int(self.limits.run_seconds),
        }
        try:
            packed = await session.visit(plan, left)
        finally:
            visit.seconds += time.monotonic() - began
            visit.clock = session.clock
        if self._parse:
            return packed
        try:
            return program.decoded(packed)
        except (program.TooMuch, program.Garbage) as error:
            raise errors.undecodable(errors.place(host), error) from None

    def unfinished(self, error: Callable[[str], CollectError]) -> None:
        """Say for every host that was still on its way why it did not arrive."""
        for host in self.hosts:
            if host.name not in self._done:
                self._fail(host, error(errors.place(host)))
