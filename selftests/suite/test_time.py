"""Clocks and zones of all hosts: the host at fault."""

from __future__ import annotations

from typing import Any

import pytest
from judges import deployment, facts, room, views

from bkpaas.checks import Finding
from bkpaas.errors import NoData, NotApplicable
from bkpaas.facts import Clock, HostFacts, Missing, Processes, System

TIME = room("tests_logging/test_time.py")
HOUR = 3600


def words_of(judge: Any, hosts: list[HostFacts], roles: dict[str, str] | None = None) -> dict[str, str]:
    """The word for each host."""
    known = deployment({one.host: (roles or {}).get(one.host, "appo") for one in hosts})
    words = {}
    for one in hosts:
        of = views(hosts)
        try:
            judge(of(one.host), known, of, Finding())
            words[one.host] = "pass"
        except AssertionError:
            words[one.host] = "bad"
        except NoData:
            words[one.host] = "no data"
        except NotApplicable:
            words[one.host] = "n/a"
    return words


def clocks(*offsets: float | tuple[float, float]) -> list[HostFacts]:
    pairs = [one if isinstance(one, tuple) else (one, 0.01) for one in offsets]
    return [facts(name, clock=Clock(*pair, 3)) for name, pair in zip("abcdefg", pairs, strict=False)]


@pytest.mark.parametrize(
    ("offsets", "bad"),
    [
        pytest.param((0, 0.1, -0.1, 90), "d", id="one-ahead"),
        pytest.param((0, 0.1, -90, 0), "c", id="one-behind"),
        pytest.param((3600, 3600, 3600.5), "", id="controller-is-wrong"),
        pytest.param((0, 90), "b", id="two-hosts"),
        pytest.param((0, -90), "b", id="two-hosts-behind"),
        pytest.param((0, 0, 90, 90), "cd", id="halves"),
        pytest.param((0, 61, 30), "", id="within-a-minute-of-the-middle"),
    ],
)
def test_the_clock_that_is_not_with_the_others(offsets: Any, bad: str) -> None:
    words = words_of(TIME.test_clock_is_that_of_the_others, clocks(*offsets))
    assert [name for name, word in words.items() if word == "bad"] == list(bad)


def test_an_inaccurate_clock_is_neither_checked_nor_compared() -> None:
    words = words_of(TIME.test_clock_does_not_drift, clocks(0, 0.1, 0, (90, 2.5)))
    assert words == {"a": "pass", "b": "pass", "c": "pass", "d": "no data"}
    words = words_of(TIME.test_clock_does_not_drift, clocks(0, 0.1, (3.5, 1.5)))
    assert words["c"] == "no data"
    words = words_of(TIME.test_clock_does_not_drift, clocks(0, (90, 2.5)))
    assert words == {"a": "no data", "b": "no data"}


def test_one_host_has_nothing_to_compare() -> None:
    assert words_of(TIME.test_clock_is_that_of_the_others, clocks(90)) == {"a": "n/a"}
    assert words_of(TIME.test_time_zone_is_that_of_the_others, zones(HOUR)) == {"a": "n/a"}


def system(seconds: int | None, localtime: str | None = None) -> System:
    return System("h", 0, "3", None, None, None, seconds, "CST", localtime, None)


def zones(*offsets: int | None) -> list[HostFacts]:
    running = Processes(items=())
    return [
        facts(name, system=system(seconds), processes=running) if seconds is not None else facts(name)
        for name, seconds in zip("abcdefg", offsets, strict=False)
    ]


@pytest.mark.parametrize(
    ("offsets", "paas", "bad"),
    [
        pytest.param((8, 8, 0), "", "c", id="one-differs"),
        pytest.param((8, 8, 0, 0), "ab", "cd", id="tie-decided-by-paas"),
        pytest.param((8, 8, 0, 0), "cd", "ab", id="tie-decided-by-paas-the-other-way"),
        pytest.param((8, 0), "ab", "ab", id="tie-that-nobody-decides"),
        pytest.param((8, 0, 0, 8), "ab", "abcd", id="tie-among-paas-too"),
        pytest.param((8, 0, 0, 0), "a", "a", id="most-decide-against-paas"),
    ],
)
def test_the_zone_that_most_hosts_have(offsets: Any, paas: str, bad: str) -> None:
    hosts = zones(*(hours * HOUR for hours in offsets))
    words = words_of(TIME.test_time_zone_is_that_of_the_others, hosts, dict.fromkeys(paas, "paas"))
    assert "".join(name for name, word in words.items() if word == "bad") == bad


def test_names_of_zones_do_not_matter() -> None:
    places = (None, "/usr/share/zoneinfo/PRC", "/usr/share/zoneinfo/Asia/Shanghai")
    hosts = [
        facts(name, system=system(8 * HOUR, place), processes=Processes(items=()))
        for name, place in zip("abc", places, strict=True)
    ]
    assert set(words_of(TIME.test_time_zone_is_that_of_the_others, hosts).values()) == {"pass"}


def test_a_zone_that_is_not_known_is_no_data() -> None:
    words = words_of(TIME.test_time_zone_is_that_of_the_others, zones(HOUR, HOUR, None))
    assert words == {"a": "pass", "b": "pass", "c": "no data"}


def test_remedy_names_the_zone_of_the_others() -> None:
    right = system(8 * HOUR, "/usr/share/zoneinfo/Asia/Shanghai")
    hosts = [facts("a", system=right), facts("b", system=right), facts("c", system=system(0))]
    finding, of = Finding(), views(hosts)
    with pytest.raises(AssertionError, match=r"\+0000.*\+0800"):
        TIME.test_time_zone_is_that_of_the_others(
            of("c"), deployment(dict.fromkeys("abc", "appo")), of, finding
        )
    assert finding.remedy_values == {"zone": "Asia/Shanghai"}


def test_missing_is_reported_as_missing() -> None:
    hosts = [facts("a", system=Missing("hung")), *zones(HOUR, HOUR, HOUR)[1:]]
    of = views(hosts)
    with pytest.raises(NoData, match="hung"):
        TIME.test_time_zone_is_that_of_the_others(
            of("a"), deployment(dict.fromkeys("abc", "appo")), of, Finding()
        )
