"""Every host's clock against the median of all, with how exactly it was measured and where it becomes a finding."""

from __future__ import annotations

from collections.abc import Callable
from math import asinh
from typing import NamedTuple

from bkpaas.record import Clock, HostRecord, Results, Word

ROWS = 40
"""Hosts drawn one by one; of a larger fleet only those with a finding and the paas hosts are, the rest in one line."""
PAAS = 12
"""Unless there are more paas hosts than this."""

_URGENCY: tuple[Word, ...] = ("fail", "no_data", "warn", "waived", "pass", "not_applicable")

Scale = Callable[[float], float]
"""From seconds to percent of the chart's width."""


class Mark(NamedTuple):
    """One clock; places in percent of the chart's width, from the left."""

    at: float
    low: float
    high: float
    """The truth is between low and high."""


class Row(NamedTuple):
    """One host, or all that need no line of their own."""

    host: str
    """Empty: many hosts."""
    hosts: int
    marks: list[Mark]
    offset: float | None
    """Seconds; None: many hosts, or it could not be measured."""
    uncertainty: float
    word: Word


class Span(NamedTuple):
    """How far the paas hosts are apart, and how far a token stretches from the one that is behind."""

    low: float
    high: float
    limit: float
    seconds: float
    limit_seconds: float
    word: Word
    ids: list[str]


class Chart(NamedTuple):
    rows: list[Row]
    span: Span | None
    limits: list[tuple[float, float, str]]
    """Place in percent, seconds, drift or apart."""
    band: tuple[float, float]
    """From minus to plus the drift that is tolerated, in percent."""


def chart(results: Results) -> Chart | None:
    """Return the chart of the clocks; None if no clock was measured."""
    clocks = {host.name: host.clock for host in results.hosts if host.clock}
    if not clocks:
        return None
    well = results.limits.get("clock_uncertainty_seconds", 2.0)
    usual = {
        controller: _usual([one for one in clocks.values() if one.controller == controller], well)
        for controller in {clock.controller for clock in clocks.values()}
    }
    drift = results.limits.get("clock_drift_seconds", 3.0)
    spread = results.limits.get("clock_apart_seconds", 60.0)
    token = float(results.limits.get("token_offset_seconds", 60))
    offsets = {name: clock.offset_seconds - usual[clock.controller] for name, clock in clocks.items()}
    paas = [offsets[host.name] for host in results.hosts if "paas" in host.roles and host.name in offsets]
    widest = max(
        spread,
        *(abs(offset) + clocks[name].uncertainty_seconds for name, offset in offsets.items()),
        *(abs(offset + token) for offset in paas),
    )

    def scale(seconds: float) -> float:
        """Scale an offset: linear near the middle, compressed further out, so that 3 s and an hour both fit."""
        return round(50 + 46 * asinh(seconds) / asinh(widest * 1.15), 2)

    verdicts = _worst_verdicts(results)
    listed, many = _split(results, clocks, verdicts)
    rows = [
        _row(
            host,
            clocks.get(host.name),
            offsets.get(host.name),
            verdicts.get(host.name, "not_applicable"),
            scale,
        )
        for host in listed
    ]
    if many:
        marks = [_mark(offsets[host.name], clocks[host.name].uncertainty_seconds, scale) for host in many]
        worst = min((verdicts.get(host.name, "not_applicable") for host in many), key=_URGENCY.index)
        rows.append(Row("", len(many), sorted(set(marks)), None, 0.0, worst))
    limits = [
        (scale(seconds), seconds, kind)
        for kind, limit in (("drift", drift), ("apart", spread))
        for seconds in (-limit, limit)
    ]
    # Offsets from the medians of two controllers do not tell how far two hosts are apart.
    span = _span(results, paas, token, scale) if len(usual) == 1 else None
    return Chart(rows, span, limits, (scale(-drift), scale(drift)))


def _usual(clocks: list[Clock], limit: float) -> float:
    """Return the median of the clocks that were measured well, as the conditions take it; of two, the one nearer to ours."""
    offsets = sorted(clock.offset_seconds for clock in clocks if clock.uncertainty_seconds <= limit)
    if not offsets:
        return 0.0
    return min(offsets[(len(offsets) - 1) // 2], offsets[len(offsets) // 2], key=abs)


def _worst_verdicts(results: Results) -> dict[str, Word]:
    """Return, by host, the worst verdict on its clock."""
    verdicts: dict[str, Word] = {}
    for verdict in results.verdicts:
        if verdict.condition in ("clock-all", "clock-drift-all"):
            before = verdicts.get(verdict.subject, "not_applicable")
            verdicts[verdict.subject] = min(before, verdict.verdict, key=_URGENCY.index)
    return verdicts


def _split(
    results: Results, clocks: dict[str, Clock], verdicts: dict[str, Word]
) -> tuple[list[HostRecord], list[HostRecord]]:
    """Split the hosts into those that get a line and those that share one."""
    if len(results.hosts) <= ROWS:
        return results.hosts, []
    paas = [host.name for host in results.hosts if "paas" in host.roles]
    chosen = {name for name, word in verdicts.items() if word in ("fail", "no_data", "warn")}
    chosen |= set(paas if len(paas) <= PAAS else [])
    notable = [host for host in results.hosts if host.name in chosen and host.name in clocks][:ROWS]
    names = {host.name for host in notable}
    return notable, [host for host in results.hosts if host.name in clocks and host.name not in names]


def _row(host: HostRecord, clock: Clock | None, offset: float | None, word: Word, scale: Scale) -> Row:
    if clock is None or offset is None:
        return Row(host.name, 1, [], None, 0.0, "no_data")
    return Row(
        host.name,
        1,
        [_mark(offset, clock.uncertainty_seconds, scale)],
        offset,
        clock.uncertainty_seconds,
        word,
    )


def _mark(offset: float, uncertainty: float, scale: Scale) -> Mark:
    return Mark(scale(offset), scale(offset - uncertainty), scale(offset + uncertainty))


def _span(results: Results, paas: list[float], token: float, scale: Scale) -> Span | None:
    relevant = [
        verdict
        for verdict in results.verdicts
        if verdict.condition in ("paas-clock-skew", "paas-clock-drift")
    ]
    verdicts = [verdict.verdict for verdict in relevant if verdict.verdict != "not_applicable"]
    if len(paas) < 2 or not verdicts:
        return None
    low, high = min(paas), max(paas)
    word = min(verdicts, key=_URGENCY.index)
    ids = [verdict.id for verdict in relevant if verdict.verdict == word]
    return Span(scale(low), scale(high), scale(low + token), high - low, token, word, ids)
