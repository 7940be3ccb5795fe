"""The collector starts a bounded number of threads, however many requests a plan has."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from bkpaas.collect import collector


def requests(count: int, function: Any) -> list[Any]:
    return [collector.Request(5 + number % 3, {"number": number}, function) for number in range(count)]


def test_threads_are_bounded_and_the_longest_limit_is_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "MAX_THREADS", 8)
    before, peak, order = threading.active_count(), [0], list[int]()

    def work(job: Any) -> None:
        peak[0] = max(peak[0], threading.active_count())
        order.append(job.seconds)
        time.sleep(0.005)

    jobs = requests(60, work)
    collector.run_requests(jobs, collector.monotonic() + 20)
    answers = [job.outcome(collector.monotonic() + 20, True) for job in jobs]
    assert [answer["number"] for answer in answers] == list(range(60))
    assert peak[0] <= before + 8 and order[:8] == [7] * 8 and order[-8:] == [5] * 8


def test_a_thousand_requests_of_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name of the plan has an answer, or a reason why it has none."""
    monkeypatch.setattr(collector, "MAX_THREADS", 2)
    started, release, real = [threading.Event(), threading.Event()], threading.Event(), collector.monotonic

    def block(job: Any, query: dict[str, Any]) -> None:
        started[int(query["name"][-1])].set()
        release.wait()

    def until_both_have_started() -> float:  # the limit of the plan ends then, however slow this machine is
        return float(real()) + 3600 * all(event.is_set() for event in started)

    monkeypatch.setattr(collector, "monotonic", until_both_have_started)
    monkeypatch.setattr(collector, "tcp", block)
    names = [f"tcp-{number}" for number in range(1000)]
    plan = {"seconds": 600, "tcp": [{"name": name, "seconds": 800} for name in names]}
    try:
        answer = collector.Collection(plan).run()
    finally:
        release.set()
    late = {key for key, text in answer["errors"].items() if text == "not sent in time: too many requests"}
    assert set(answer["tcp"]) == {"tcp-0", "tcp-1"}
    assert late == {f"tcp:{name}" for name in names[2:]}
