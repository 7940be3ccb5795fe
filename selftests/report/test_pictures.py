"""The pictures of the page show the record: the request flow, the clocks, the changes."""

from __future__ import annotations

import re

import msgspec
import pytest

from bkpaas.catalogue.registry import CONDITIONS, TOPOLOGY
from bkpaas.record import Change, Clock, Comparison, HostRecord, Results, Word
from bkpaas.report import changes, clocks, path

from .fleet import large
from .sample import among_others, healthy, judge, settle, three_faults, without_data


def test_every_station_has_its_place_in_both_pictures() -> None:
    assert set(path.WIDE) == set(path.NARROW) == set(TOPOLOGY.station)


def test_a_healthy_way_is_green_where_it_was_judged() -> None:
    found = path.parts(healthy())
    words = {key: part.word for key, part in found.items()}
    unchecked = {key for key, word in words.items() if word is None}
    # the sample has no such condition
    assert unchecked == {"open_paas>appo", "open_paas>appt", "open_paas>redis"}
    assert {word for word in words.values() if word} == {"pass"}
    assert not any(part.bad for part in found.values())


@pytest.mark.parametrize(
    ("id_", "bad"),
    [
        ("paas-ports-from-nginx@nginx-1+paas-2", {"nginx>open_paas"}),
        ("agent-8010-from-nginx@nginx-1+appt-1", {"nginx>appt"}),
        ("agent-upstream-map@nginx-1", {"nginx>appo", "nginx>appt"}),
        ("domain-from-agents@appo-1", {"agents>nginx"}),
        ("domain-from-cmdb-job@job-1", {"job>nginx"}),
        ("domain-resolve@cmdb-1", {"cmdb>nginx"}),
        ("domain-502@controller", {"browser>nginx"}),
        ("database-reachable@paas-1", {"open_paas>mysql"}),
        ("healthz-esb@controller", {"esb"}),
        ("supervisor-sock@paas-2", {"open_paas"}),
        ("disk-space@es-1", {"es"}),
        ("log-redis-equal@appt-1", {"appt"}),
        ("paas-es-config@paas-2", {"open_paas>es"}),
        ("timezone-all@job-1", {"job"}),
        ("login-settings-equal@paas-1+paas-2", {"login"}),
    ],
)
def test_each_failure_is_in_its_component(id_: str, bad: set[str]) -> None:
    results = healthy()
    judge(results, id_, "fail", evidence="x")
    found = path.parts(results)
    assert {key for key, part in found.items() if part.word == "fail"} == bad
    assert all(found[key].bad == [id_] and not found[key].folded for key in bad)


def test_a_failure_with_a_cause_elsewhere_is_explained_unless_one_is_not() -> None:
    results = healthy()
    judge(results, "healthz-login@controller", "fail", explained_by=["supervisor-sock@paas-1"])
    assert path.parts(results)["login"].folded
    judge(results, "login-is-login-direct@paas-1", "fail")
    login = path.parts(results)["login"]
    assert not login.folded and login.bad[0] == "login-is-login-direct@paas-1"


def test_what_could_not_be_judged_is_never_green() -> None:
    found = path.parts(without_data())
    assert found["nginx>open_paas"].word == found["open_paas"].word == "fail"
    assert found["login"].word == "no_data" and "login-log-dir@paas-2" in found["login"].bad
    results = healthy()
    for verdict in results.verdicts:
        judge(results, verdict.id, "not_applicable")
    assert {part.word for part in path.parts(results).values()} == {None}


def test_the_way_is_judged_by_conditions_of_the_catalogue() -> None:
    parts = path.flow_parts(healthy())
    named = {name for part in parts.values() for name in (*part.conditions, *part.anywhere)}
    assert named <= CONDITIONS.keys()


def test_every_condition_has_a_component() -> None:
    """No failure leaves the whole picture green."""
    named = {name for part in healthy().flow for name in (*part.conditions, *part.anywhere)}
    assert CONDITIONS.keys() <= named


def test_the_picture_stays_within_its_frame() -> None:
    for picture in path.pictures(three_faults()):
        for box in picture.boxes:
            assert box.x >= 0 and box.x + box.width <= picture.width and box.y + box.height <= picture.height
        for line in picture.lines:
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", line.d)]
            assert all(0 <= x <= picture.width for x in numbers[::2])
            assert all(0 <= y <= picture.height for y in numbers[1::2])


def test_a_record_of_an_earlier_version_has_no_picture() -> None:
    results = healthy()
    results.flow = []
    assert path.pictures(results) == [] and path.parts(results) == {}


def test_without_nginx_or_paas_there_is_no_picture() -> None:
    results = healthy()
    results.hosts = [host for host in results.hosts if "nginx" not in host.roles]
    assert path.pictures(results) == []


def clock(offset: float, uncertainty: float = 0.01) -> Clock:
    return Clock(offset, uncertainty)


def with_clocks(*offsets: float | None) -> Results:
    """Hosts paas-0, paas-1 and others with these clocks, not checked."""
    results = healthy()
    results.hosts = [
        HostRecord(
            f"h{n}", f"10.0.0.{n}", ["paas"] if n < 2 else ["es"], "5.x", True, 0.1, None,
            clock=None if offset is None else clock(offset),
        )
        for n, offset in enumerate(offsets)
    ]  # fmt: skip
    results.verdicts = []
    return settle(results, 0)


def test_clocks_are_relative_to_the_median_as_in_the_conditions() -> None:
    chart = clocks.chart(with_clocks(100.0, 100.2, 100.1, 190.0))
    assert chart is not None
    assert [round(row.offset or 0, 3) for row in chart.rows] == [-0.1, 0.1, 0.0, 89.9]


def test_the_further_out_the_tighter_and_always_inside() -> None:
    chart = clocks.chart(with_clocks(0.0, 0.0, 0.0, 2.0, 30.0, 86_400.0, -4.0))
    assert chart is not None
    at = [row.marks[0].at for row in chart.rows]
    assert at[0] == 50 and 0 < at[6] < 50 < at[3] < at[4] < at[5] < 100
    low, high = chart.band
    assert low < 50 < at[3] < high < at[4]
    assert all(mark.low <= mark.at <= mark.high for row in chart.rows for mark in row.marks)


@pytest.mark.parametrize("word", ["pass", "warn", "fail", "no_data"])
def test_its_colour_is_the_verdict(word: Word) -> None:
    results = healthy()
    judge(results, "clock-all@es-1", word)
    judge(results, "paas-clock-skew@paas-1+paas-2", word)
    chart = clocks.chart(results)
    assert chart is not None and chart.span is not None
    assert {row.host: row.word for row in chart.rows}["es-1"] == word
    assert chart.span.word == word
    assert chart.span.ids[0] == "paas-clock-skew@paas-1+paas-2"


def test_a_clock_that_was_not_measured_is_no_data() -> None:
    chart = clocks.chart(with_clocks(0.0, 0.1, None))
    assert chart is not None
    assert chart.rows[2].marks == [] and chart.rows[2].word == "no_data" and chart.rows[2].offset is None
    assert clocks.chart(with_clocks(None, None)) is None


def test_of_a_fleet_those_with_findings_have_a_line_of_their_own() -> None:
    results = healthy()
    late = next(verdict for verdict in results.verdicts if verdict.id == "clock-all@es-1")
    late.verdict = "fail"
    results.hosts += [
        HostRecord(f"more-{n}", "10.1.0.1", ["es"], "5.x", True, 0.1, None, clock=clock(n / 1000))
        for n in range(300)
    ]
    chart = clocks.chart(results)
    assert chart is not None
    assert [row.host for row in chart.rows] == ["paas-1", "paas-2", "es-1", ""]
    assert chart.rows[-1].hosts == 308 and len(chart.rows[-1].marks) <= 308


def test_what_shares_a_line_is_as_bad_as_its_worst() -> None:
    results = healthy()
    template = results.verdict("clock-all@es-1")
    for n in range(60):
        results.hosts.append(
            HostRecord(f"z-{n}", "10.1.0.1", ["es"], "5.x", True, 0.1, None, clock=clock(90))
        )
        late = msgspec.structs.replace(template, id=f"clock-all@z-{n}", subject=f"z-{n}", verdict="fail")
        results.verdicts.append(late)
    chart = clocks.chart(results)
    assert chart is not None and len(chart.rows) == clocks.ROWS + 1
    assert chart.rows[-1].host == "" and chart.rows[-1].word == "fail"


@pytest.mark.parametrize("offset", [-300.0, 0.0, 50.0, 4000.0])
def test_how_far_a_token_stretches_stays_inside(offset: float) -> None:
    results = healthy()
    for host in results.hosts:
        if host.name.startswith("paas"):
            host.clock = clock(offset)
    chart = clocks.chart(results)
    assert chart is not None and chart.span is not None
    assert 0 < chart.span.low <= chart.span.high < chart.span.limit < 100


def test_since_when() -> None:
    texts = {id_: text.render("en") for id_, text in changes.since(among_others()).items()}
    assert texts["supervisor-sock@paas-1"] == "since 2026-03-05 03:15, 3 runs in a row"
    assert texts["paas-clock-skew@paas-1+paas-2"] == "new in this run"
    assert changes.since(healthy()) == {}


def test_changes_are_sorted_by_what_they_mean() -> None:
    changed = changes.changed(among_others())
    assert changed is not None
    assert {group.name.render("en"): [one.id for one in group.changes] for group in changed.groups} == {
        "Worse": ["supervisor-sock@paas-1", "disk-space@es-1", "time-daemon@job-1"],
        "Better": ["domain-from-cmdb-job@job-1"],
        "Otherwise changed": ["log-redis-equal@appo-2"],
    }
    assert [name.render("en") for name, _ in changed.lists] == [
        "New since the run before", "Repaired since the run before", "Flapping",
    ]  # fmt: skip
    assert changes.changed(healthy()) is None


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("pass", "warn", "Worse"),
        ("warn", "no_data", "Worse"),
        (None, "fail", "Worse"),
        ("waived", "fail", "Worse"),
        ("no_data", "warn", "Better"),
        ("fail", None, "Better"),
        ("fail", "waived", "Better"),
        ("pass", "not_applicable", "Otherwise changed"),
        (None, "warn", "Otherwise changed"),
    ],
)
def test_which_way_a_verdict_went(before: Word | None, after: Word | None, name: str) -> None:
    results = healthy()
    results.comparison = Comparison("x", "2026-03-06T03:15:02+08:00", [Change("a@b", before, after)], [])
    changed = changes.changed(results)
    assert changed is not None and [group.name.render("en") for group in changed.groups] == [name]


def test_a_trend_needs_two_runs_and_draws_the_latest() -> None:
    results = among_others()
    assert results.history is not None
    shown = changes.trend(results)
    assert shown is not None
    bars = shown.bars
    assert len(bars) == 7 and bars[-1].last and bars[-1].fail > bars[2].fail > bars[0].fail == 0
    assert max(bar.fail + bar.no_data + bar.warn for bar in bars) == pytest.approx(100, abs=0.2)
    assert (shown.most, shown.first, shown.last, shown.linked) == (12, "2026-03-01", "2026-03-07", False)
    results.history.runs *= 20
    longer = changes.trend(results)
    assert longer is not None and len(longer.bars) == changes.BARS
    assert max(bar.x + bar.width for bar in longer.bars) <= 100
    results.history.runs = results.history.runs[:1]
    assert changes.trend(results) is None


def test_pictures_of_a_fleet_are_small() -> None:
    results = large(600)
    assert (
        sum(len(row.marks) for row in (clocks.chart(results) or clocks.Chart([], None, [], (0, 0))).rows)
        <= 600
    )
    for picture in path.pictures(three_faults()):
        assert len(picture.lines) == 12 and len(picture.boxes) == 15
