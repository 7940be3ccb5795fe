"""Run the plans of both rounds on all hosts of a deployment, in parallel, each within its own limits."""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Literal, Protocol

from bkpaas import interruption
from bkpaas.collect import clock as controller_clock
from bkpaas.collect import errors, program
from bkpaas.collect.clock import Clock, Times
from bkpaas.collect.host_answers import Answer, HostAnswers, Plan
from bkpaas.collect.ssh import Ssh
from bkpaas.collect.testinfra import Testinfra
from bkpaas.errors import CollectError
from bkpaas.facts.shapes import round_queries
from bkpaas.inventory.deployment import Deployment, Host

CHILDREN = 8
"""Child processes that run at the same time, for hosts that need one. Each takes about 40 MB."""

State = Literal["start", "round_1", "round_2", "done", "failed"]
"""State of a host: connecting and round 1, round 1 over, round 2, and the two final states."""
ENDED: frozenset[State] = frozenset(("done", "failed"))


class Interrupted(KeyboardInterrupt):
    """Report a stop by a signal; holds the answers collected until then."""

    def __init__(self, answers: dict[str, HostAnswers]) -> None:
        super().__init__()
        self.answers = answers


class Session(Protocol):
    """Run plans on one host over an open connection."""

    clock: Clock | None
    times: Times | None
    """When an engine carried the last plan; None: while run_plan ran."""

    async def run_plan(self, plan: Plan, seconds: float) -> bytes: ...
    async def close(self) -> None: ...


class Transport(Protocol):
    """Open sessions to hosts."""

    async def open(self, host: Host) -> Session: ...
    async def close(self) -> None: ...


def collect_hosts(
    deployment: Deployment,
    plan_round_1: Callable[[Host], Plan],
    plan_round_2: Callable[[Host, dict[str, HostAnswers]], Plan | None],
    *,
    transport: Literal["asyncssh", "openssh"] | Transport = "asyncssh",
    between: Callable[[], None] | None = None,
    progress: Callable[[str, State], None] = lambda host, state: None,
    parse: Callable[[Host, HostAnswers], None] | None = None,
) -> dict[str, HostAnswers]:
    """Collect both rounds from every selected host; return {host name: HostAnswers}.

    Args:
        transport: of ssh connections, or the one of all hosts.
        plan_round_1: returns the plan of round 1 of a host.
        plan_round_2: returns the plan of round 2, or None for no second round. It is called for hosts whose round 1
            succeeded, with the answers of all hosts, after round 1 of all hosts and `between` have ended.
        between: runs in a thread, in parallel with round 1.
        progress: called with (host name, state); the last state of each host is one of ENDED.
        parse: called after each round of a host, in one thread for all hosts; may raise CollectError. With it the
            answers stay compressed (program.decoded), since those of many hosts are large.

    Returns: one entry per selected host, also for hosts that failed.

    Raises:
        Interrupted: stopped by a signal.
        Exception: the one that `between` raised.
    """
    collection = _Collection(deployment, plan_round_1, plan_round_2, transport, progress, parse)
    _allow_files(4 * len(collection.hosts) + 200)
    try:
        asyncio.run(collection.run_until_interrupted(between))
    except (KeyboardInterrupt, asyncio.CancelledError):
        collection.fail_unfinished(errors.interrupted)
        raise Interrupted(collection.answers) from None
    return collection.answers


def _allow_files(count: int) -> None:
    """Raise the limit of open files to `count`, as far as the hard limit permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


class _Collection:
    def __init__(
        self,
        deployment: Deployment,
        plan_round_1: Callable[[Host], Plan],
        plan_round_2: Callable[[Host, dict[str, HostAnswers]], Plan | None],
        transport: str | Transport,
        progress: Callable[[str, State], None],
        parse: Callable[[Host, HostAnswers], None] | None,
    ) -> None:
        self.deployment, self.limits = deployment, deployment.limits
        self.hosts = deployment.selected()
        self.answers = {host.name: HostAnswers(host.name) for host in self.hosts}
        self._plan_round_1, self._plan_round_2, self._progress = plan_round_1, plan_round_2, progress
        self._transport, self._parse = transport, parse
        self._parse_executor = ThreadPoolExecutor(1)
        self._done: set[str] = set()

    async def run_until_interrupted(self, between: Callable[[], None] | None) -> None:
        """Run both rounds; a signal cancels them. Raises CancelledError."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task
        with interruption.calling(lambda: loop.call_soon_threadsafe(task.cancel)):
            await self.run(between)

    async def run(self, between: Callable[[], None] | None) -> None:
        self._pending = len(self.hosts) + 1
        self._round_1_over = asyncio.Event()
        transports = self._transports()
        between_task = asyncio.ensure_future(self._run_between(between))
        tasks = [
            asyncio.create_task(self._host(host, *transports[self._transport_name(host)]))
            for host in self.hosts
        ]
        try:
            _, unfinished = await asyncio.wait([between_task, *tasks], timeout=self.limits.run_seconds)
            for task in unfinished:
                task.cancel()
            if unfinished:
                await asyncio.wait(unfinished)
                self.fail_unfinished(lambda where: errors.out_of_time(where, self.limits.run_seconds))
        finally:
            for task in (between_task, *tasks):
                task.cancel()
            await asyncio.gather(between_task, *tasks, return_exceptions=True)
            self._parse_executor.shutdown(wait=False, cancel_futures=True)
            for transport, _ in transports.values():
                await transport.close()
        if not between_task.cancelled():
            between_task.result()

    def _transport_name(self, host: Host) -> str:
        if not isinstance(self._transport, str):
            return "given"
        return (
            "ssh"
            if host.connection.spec.startswith("ssh://") and self._transport == "asyncssh"
            else "testinfra"
        )

    def _transports(self) -> dict[str, tuple[Transport, asyncio.Semaphore]]:
        """Return the transports that these hosts need, each with the slots for parallel hosts."""
        limit, names = self.limits.concurrent_hosts, {self._transport_name(host) for host in self.hosts}
        transports: dict[str, tuple[Transport, asyncio.Semaphore]] = {}
        if not isinstance(self._transport, str):
            transports["given"] = self._transport, asyncio.Semaphore(limit)
        if "ssh" in names:
            transports["ssh"] = Ssh(self.deployment), asyncio.Semaphore(limit)
        if "testinfra" in names:
            transports["testinfra"] = Testinfra(self.deployment), asyncio.Semaphore(min(limit, CHILDREN))
        return transports

    async def _run_between(self, function: Callable[[], None] | None) -> None:
        """Run the function in a daemon thread, so that it cannot delay the end of the run."""
        loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

        def finish(error: Exception | None) -> None:
            if not done.done():
                done.set_exception(error) if error else done.set_result(None)

        def run() -> None:
            failure = None
            try:
                if function:
                    function()
            except Exception as error:
                failure = error
            with suppress(RuntimeError):  # the loop may be closed already
                loop.call_soon_threadsafe(finish, failure)

        threading.Thread(target=run, daemon=True).start()
        try:
            await done
        finally:
            self._count_down()

    def _count_down(self) -> None:
        self._pending -= 1
        if not self._pending:
            self._round_1_over.set()

    async def _host(self, host: Host, transport: Transport, slots: asyncio.Semaphore) -> None:
        answers, session, plan = self.answers[host.name], None, None
        try:
            try:
                async with slots:
                    self._progress(host.name, "start")
                    session = await self._run_round_1(transport, host, answers)
                await self._parse_round(host)
            finally:
                self._count_down()
            self._progress(host.name, "round_1")
            await self._round_1_over.wait()
            plan = self._plan_round_2(host, self.answers)
            if plan:
                async with slots:
                    self._progress(host.name, "round_2")
                    answers.round_2 = await self._run_plan(session, host, plan)
                await self._parse_round(host)
            self._done.add(host.name)
            self._progress(host.name, "done")
        except CollectError as error:
            self._fail(host, error)
        except Exception as error:
            self._fail(host, errors.suite(errors.host_label(host), f"{type(error).__name__}: {error}"))
        finally:
            if session:
                await session.close()

    async def _parse_round(self, host: Host) -> None:
        if self._parse:
            loop, answers = asyncio.get_running_loop(), self.answers[host.name]
            await loop.run_in_executor(self._parse_executor, self._parse, host, answers)

    def _fail(self, host: Host, error: CollectError) -> None:
        self._done.add(host.name)
        self.answers[host.name].fail(error)
        self._progress(host.name, "failed")

    async def _run_round_1(self, transport: Transport, host: Host, answers: HostAnswers) -> Session:
        start = time.monotonic()
        try:
            session = await transport.open(host)
        finally:
            answers.seconds += time.monotonic() - start
        try:
            answers.round_1 = await self._run_plan(session, host, self._plan_round_1(host))
        except BaseException:
            await session.close()
            raise
        return session

    async def _run_plan(self, session: Session, host: Host, plan: Plan) -> Answer | bytes:
        answers = self.answers[host.name]
        start, sent = time.monotonic(), controller_clock.now()
        answers.queries[plan["visit"]] = round_queries(plan)
        left = max(1.0, self.limits.host_seconds - answers.seconds)
        # The collector stops earlier, so that its partial answer still arrives in time.
        plan = {
            **plan,
            "seconds": min(plan.get("seconds", left), max(1.0, left - 2)),
            "wait": int(self.limits.run_seconds),
        }
        try:
            packed = await session.run_plan(plan, left)
            answers.times[plan["visit"]] = session.times or Times(sent, controller_clock.now())
        finally:
            answers.seconds += time.monotonic() - start
            answers.clock = session.clock
        if self._parse:
            return packed
        try:
            return program.decode(packed)
        except (program.AnswerTooLarge, program.InvalidAnswer) as error:
            raise errors.undecodable(errors.host_label(host), error) from None

    def fail_unfinished(self, error: Callable[[str], CollectError]) -> None:
        """Record the error for every host that has not ended."""
        for host in self.hosts:
            if host.name not in self._done:
                self._fail(host, error(errors.host_label(host)))
