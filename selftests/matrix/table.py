"""The matrix for people: a line for each result as it comes, and a table at the end."""

from __future__ import annotations

from bkpaas.lang import say
from bkpaas.report.text import columns
from selftests.matrix.record import Found, Lookalike, Matrix, Pair, Row

_WIDTHS = (28, 26, 8, 5, 11, 9, 6, 7)


def header() -> str:
    return _row(
        say(en="fault", zh="故障"),
        say(en="expected root cause", zh="预期根因"),
        say(en="detected", zh="已发现"),
        say(en="place", zh="名次"),
        say(en="unexplained", zh="未解释"),
        say(en="unrelated", zh="无关"),
        say(en="healed", zh="已恢复"),
        say(en="seconds", zh="秒"),
    )


def line(found: Found) -> str:
    """One result, and beneath it what is wrong with it."""
    if isinstance(found, Row):
        return _fault(found)
    if isinstance(found, Pair):
        text = _other(
            " + ".join(found.names), say(en="both named", zh="两者均被指出"), _word(found.both_named)
        )
        text += "" if found.healed else f", {say(en='not healed', zh='未恢复')}"
        return _with(text, others=found.strangers)
    if isinstance(found, Lookalike):
        return _other(found.name, say(en="stays green", zh="保持正常"), _word(not found.red), *found.red)
    words = [f"{language} {_word(first)}" for language, first in found.first.items()]
    return _other(f"-m {found.symptom.replace('-', '_')}", f"{found.fault} -> {found.condition}", *words)


def _fault(found: Row) -> str:
    text = _row(
        found.name,
        found.condition,
        _word(found.detected),
        str(found.cause_rank or "-"),
        str(len(found.unexplained)),
        str(len(found.unrelated)),
        _word(found.healed),
        f"{found.seconds:.1f}",
    )
    if not found.same_from_snapshot:
        text += "  " + say(en="judged otherwise from its snapshot", zh="离线判定结果不同")
    return _with(text, unexplained=found.unexplained, unrelated=found.unrelated)


def _with(text: str, **details: list[str]) -> str:
    return "\n".join([text, *(f"    {word}: {' '.join(ids)}" for word, ids in details.items() if ids)])


def _other(name: str, what: str, *words: str) -> str:
    return f"{name}: {what}: {' '.join(words)}"


def whole(matrix: Matrix) -> str:
    """Every result, and how many of them are as they should be."""
    found: tuple[Found, ...] = (*matrix.faults, *matrix.pairs, *matrix.lookalikes, *matrix.symptoms)
    return "\n".join([header(), *map(line, found), closing(matrix)])


def closing(matrix: Matrix) -> str:
    """All of it in one line."""
    faults = matrix.faults
    named = [row.cause_rank for row in faults if row.detected]
    pairs, alike, marked = (
        f"{sum(one.perfect for one in kind)}/{len(kind)}"
        for kind in (matrix.pairs, matrix.lookalikes, matrix.symptoms)
    )
    every, healed = len(faults), sum(row.healed for row in faults)
    good = sum(row.perfect for row in faults)
    first, second = named.count(1), named.count(1) + named.count(2)
    runs, alarms = matrix.healthy_runs, matrix.false_alarms
    return say(
        en=f"{every} faults: {len(named)} detected, {healed} healed, cause first {_percent(first, every)}, among the "
        f"first two {_percent(second, every)}, {good} without a flaw; pairs {pairs}, look-alikes {alike}, symptoms "
        f"{marked}; {runs} healthy runs, {alarms} false alarms",
        zh=f"{every} 个故障：发现 {len(named)}，恢复 {healed}，根因排第一 {_percent(first, every)}，前两名 "
        f"{_percent(second, every)}，无瑕疵 {good}；组合 {pairs}，疑似 {alike}，现象 {marked}；健康运行 {runs} 次，误报 {alarms} 个",
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3g} %" if whole else "-"


def _row(*cells: str) -> str:
    padded = (cell + " " * (width - columns(cell)) for cell, width in zip(cells, _WIDTHS, strict=True))
    return " ".join(padded).rstrip()


def _word(true: bool) -> str:
    return say(en="yes", zh="是") if true else say(en="NO", zh="否")
