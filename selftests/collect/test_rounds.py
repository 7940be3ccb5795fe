"""All hosts of a deployment: none waits for another longer than it must, and nothing is lost."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from bkpaas.collect.clock import Clock, best_estimate
from bkpaas.collect.host_answers import HostAnswers
from bkpaas.collect.rounds import Interrupted, collect_hosts
from bkpaas.inventory.deployment import Connection, Host
from collect.running import ended
from collect.servers import refusing, serving, silent
from collect.sshd import Sshd, deployment, key, needs_sshd, running

PLAN: dict[str, Any] = {"visit": 1, "disks": ["/"]}


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    folder = tmp_path_factory.mktemp("visit")
    key(folder / "id")
    with running(folder / "sshd", folder) as server:
        yield server


@needs_sshd
def test_a_hung_host_costs_only_itself(sshd: Sshd) -> None:
    with serving(silent) as hole:
        hung = Connection(f"ssh://root@127.0.0.1:{hole.port}")
        plan = deployment(sshd.connection(), hung, sshd.connection(), connect_seconds=3.0)
        visits = collect_hosts(plan, lambda host: PLAN, lambda host, all: {"visit": 2, "disks": ["/"]})
    assert list(visits) == ["a", "b", "c"]
    assert visits["a"].round_2 and visits["c"].round_2 and not visits["a"].error
    assert visits["b"].round_1 is None and visits["b"].error and visits["b"].error.kind == "login_hung"


@pytest.mark.parametrize("limits", [{"connect_seconds": 0.5}, {"run_seconds": 0.5}], ids=["host", "run"])
def test_failed_host_is_reported_as_ended(limits: dict[str, float]) -> None:
    """The last state of every host is one that the progress line counts."""
    states: dict[str, str] = {}
    with serving(silent) as hole, refusing() as closed:
        hung, refused = (
            Connection(f"ssh://root@127.0.0.1:{port}") for port in (hole.port, urlsplit(closed).port)
        )
        plan = deployment(hung, refused, **limits)
        collect_hosts(plan, lambda host: PLAN, lambda host, all: None, progress=states.__setitem__)
    assert states == {"a": "failed", "b": "failed"}


@needs_sshd
def test_order_of_things(sshd: Sshd) -> None:
    """Round 2 begins when round 1 of all hosts and the requests of the controller are over."""
    events: list[str] = []
    first_done, parallel = threading.Event(), threading.Event()

    def between() -> None:
        first_done.wait(300)
        events.append("between")
        parallel.set()

    def progress(host: str, word: str) -> None:
        events.append(f"{host} {word}")
        if word == "round_1":
            first_done.set()

    def second(host: Host, visits: dict[str, HostAnswers]) -> dict[str, Any] | None:
        assert parallel.is_set() and all(visit.round_1 for visit in visits.values())
        return {"visit": 2, "disks": []} if host.name == "b" else None

    visits = collect_hosts(
        deployment(*[sshd.connection()] * 2), lambda host: PLAN, second, between=between, progress=progress
    )
    assert visits["a"].round_2 is None and visits["b"].round_2
    assert events.index("between") > min(events.index("a round_1"), events.index("b round_1"))
    assert events.index("b round_2") > max(
        events.index("a round_1"), events.index("b round_1"), events.index("between")
    )
    assert events.count("a start") == 1 and {"a done", "b done"} <= set(events) and "a round_2" not in events


@needs_sshd
def test_never_more_hosts_in_parallel_than_allowed(sshd: Sshd) -> None:
    now, most = set(), []

    def progress(host: str, word: str) -> None:
        now.add(host) if word == "start" else now.discard(host)
        most.append(len(now))

    visits = collect_hosts(
        deployment(*[sshd.connection()] * 5, concurrent_hosts=2),
        lambda host: PLAN,
        lambda host, all: None,
        progress=progress,
    )
    assert all(visit.round_1 for visit in visits.values()) and max(most) == 2


@needs_sshd
def test_first_answer_survives_a_failed_second_visit(sshd: Sshd) -> None:
    visits = collect_hosts(
        deployment(sshd.connection()),
        lambda host: PLAN,
        lambda host, all: {"visit": 2, "disks": 7},
    )
    visit = visits["a"]
    assert visit.round_1 and visit.round_2 is None
    assert visit.error and visit.error.kind == "suite" and "TypeError" in str(visit.error.reason)


@needs_sshd
def test_what_is_ready_in_time_is_sent(sshd: Sshd) -> None:
    """The collector ends a little before the host's limit, so that a hanging part costs only itself."""
    with serving(silent) as hole:
        plan = {**PLAN, "http": [{"name": "it", "url": hole.url, "seconds": 100}], "seconds": 100}
        visit = collect_hosts(
            deployment(sshd.connection(), host_seconds=15.0), lambda h: plan, lambda h, a: None
        )["a"]
    assert visit.error is None and visit.round_1 and visit.round_1["disks"][0]["bytes"]
    assert visit.round_1["http"]["it"]["error"]["kind"] == "silent"


@needs_sshd
def test_time_of_the_run(sshd: Sshd) -> None:
    with serving(silent) as hole:
        hung = Connection(f"ssh://root@127.0.0.1:{hole.port}")
        plan = deployment(sshd.connection(), hung, run_seconds=12.0)
        visits = collect_hosts(plan, lambda host: PLAN, lambda host, all: {"disks": []})
    for name, first in (("a", True), ("b", False)):
        error = visits[name].error
        assert bool(visits[name].round_1) == first and error and error.kind == "out_of_time"
        assert "limits.run_seconds" in str(error.reason)


@needs_sshd
@pytest.mark.parametrize("transport", ["asyncssh", "openssh"])
def test_interrupted_from_the_keyboard(sshd: Sshd, transport: Any) -> None:
    def progress(host: str, word: str) -> None:
        if word == "round_1":
            signal.raise_signal(signal.SIGINT)

    with serving(silent) as hole:
        hung = Connection(f"ssh://root@127.0.0.1:{hole.port}")
        with pytest.raises(Interrupted) as caught:
            collect_hosts(
                deployment(sshd.connection(), hung),
                lambda host: PLAN,
                lambda host, all: None,
                transport=transport,
                progress=progress,
            )
    visits = caught.value.answers
    assert isinstance(caught.value, KeyboardInterrupt)
    assert visits["a"].round_1 and visits["b"].error and visits["b"].error.kind == "interrupted"


@needs_sshd
def test_collectors_end_with_their_connection(sshd: Sshd, tmp_path: Path) -> None:
    """Cut off in the middle of a visit that would take half a minute, they are gone immediately."""
    plan = msgspec.structs.replace(
        deployment(sshd.connection(), run_seconds=10.0), install_root=f"{tmp_path}/bkce"
    )
    seen: list[int] = []
    with serving(silent) as hole:
        first = {**PLAN, "http": [{"name": "it", "url": hole.url, "seconds": 30}], "seconds": 30}
        hole.on_first = lambda: seen.extend(running_with(str(tmp_path)))
        visits = collect_hosts(plan, lambda host: first, lambda host, all: None)
        assert visits["a"].error and visits["a"].error.kind == "out_of_time"
        assert seen and all(ended(pid) for pid in seen)


def running_with(words: str) -> list[int]:
    """Processes with these words in their command line: the shell that waits for the collector."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if words.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@needs_sshd
def test_faults_of_a_planner_are_reported_and_cost_one_host(sshd: Sshd) -> None:
    def first(host: Host) -> dict[str, Any]:
        if host.name == "a":
            raise KeyError("login")
        return PLAN

    visits = collect_hosts(deployment(*[sshd.connection()] * 2), first, lambda host, all: None)
    assert visits["b"].round_1 and visits["a"].error and visits["a"].error.kind == "suite"
    assert "KeyError" in str(visits["a"].error.reason)


def test_faults_of_the_parallel_requests_are_raised() -> None:
    def between() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        collect_hosts(deployment(), lambda host: PLAN, lambda host, all: None, between=between)


def test_hosts_that_are_not_judged_are_not_visited() -> None:
    plan = deployment(Connection("local://"))
    left_out = msgspec.structs.replace(plan, hosts=(msgspec.structs.replace(plan.hosts[0], selected=False),))
    assert collect_hosts(left_out, lambda host: PLAN, lambda host, all: None) == {}


def test_clock_is_measured_by_the_shortest_round_trip() -> None:
    assert best_estimate([]) is None
    samples = [(10.0, 15.0, 12.0), (20.0, 24.25, 20.5), (30.0, 33.0, 33.0)]
    assert best_estimate(samples) == Clock(offset_seconds=4.0, uncertainty_seconds=0.25, samples=3)


def test_visits_can_be_written_down(tmp_path: Path) -> None:
    visit = HostAnswers.failed("a", "hung", "why")
    assert msgspec.json.decode(msgspec.json.encode(visit), type=HostAnswers) == visit
