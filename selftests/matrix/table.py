"""The matrix for people: a line for each result as it comes, and a table at the end."""

from __future__ import annotations

from bkpaas.lang import say
from bkpaas.report.text import columns
from selftests.matrix.record import Matrix, Pair, Row

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


def line(found: Row | Pair) -> str:
    if isinstance(found, Pair):
        return (
            f"{' + '.join(found.names)}: {say(en='both named', zh='两者均被指出')}: {_word(found.both_named)}"
        )
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
    details = [
        f"    {word}: {' '.join(ids)}"
        for word, ids in (("unexplained", found.unexplained), ("unrelated", found.unrelated))
        if ids
    ]
    return "\n".join([text, *details])


def whole(matrix: Matrix) -> str:
    """Every result, and how many of them are as they should be."""
    parts = [header(), *(line(row) for row in matrix.faults), *(line(pair) for pair in matrix.pairs)]
    good, every = sum(row.perfect for row in matrix.faults), len(matrix.faults)
    runs, alarms = matrix.healthy_runs, matrix.false_alarms
    parts.append(
        say(
            en=f"{good} of {every} faults named as they should be; {runs} healthy runs, {alarms} false alarms",
            zh=f"{every} 个故障中 {good} 个判定无误；健康运行 {runs} 次，误报 {alarms} 个",
        )
    )
    return "\n".join(parts)


def _row(*cells: str) -> str:
    padded = (cell + " " * (width - columns(cell)) for cell, width in zip(cells, _WIDTHS, strict=True))
    return " ".join(padded).rstrip()


def _word(true: bool) -> str:
    return say(en="yes", zh="是") if true else say(en="NO", zh="否")
