"""The matrix for people: a line for each result as it comes, and a table at the end."""

from __future__ import annotations

from bkpaas.messages import msg, to_text
from bkpaas.report.text import columns
from selftests.matrix.record import Found, Lookalike, Matrix, Pair, Row

_WIDTHS = (28, 26, 8, 5, 11, 9, 6, 7)


def header() -> str:
    return _row(
        to_text(msg("fault")),
        to_text(msg("expected root cause")),
        to_text(msg("detected")),
        to_text(msg("place")),
        to_text(msg("unexplained")),
        to_text(msg("unrelated")),
        to_text(msg("healed")),
        to_text(msg("seconds")),
    )


def line(found: Found) -> str:
    """One result, and beneath it what is wrong with it."""
    if isinstance(found, Row):
        return _fault(found)
    if isinstance(found, Pair):
        text = _other(" + ".join(found.names), to_text(msg("both named")), _word(found.both_named))
        text += "" if found.healed else f", {to_text(msg('not healed'))}"
        return _with(text, others=found.strangers)
    if isinstance(found, Lookalike):
        return _other(found.name, to_text(msg("stays green")), _word(not found.red), *found.red)
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
    if found.remedied is False:
        text += "  " + to_text(msg("its remedy does not repair it"))
    if not found.same_from_snapshot:
        text += "  " + to_text(msg("other verdict from its snapshot"))
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
    return to_text(
        msg(
            "{number} faults: {detected} detected, {healed} healed, cause first {first}, among the first two {second}, {good} without a flaw; pairs {pairs}, look-alikes {lookalikes}, symptoms {symptoms}; {runs} healthy runs, {alarms} false alarms",
            number=every,
            detected=len(named),
            healed=healed,
            first=_percent(first, every),
            second=_percent(second, every),
            good=good,
            pairs=pairs,
            lookalikes=alike,
            symptoms=marked,
            runs=runs,
            alarms=alarms,
        )
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3g} %" if whole else "-"


def _row(*cells: str) -> str:
    padded = (cell + " " * (width - columns(cell)) for cell, width in zip(cells, _WIDTHS, strict=True))
    return " ".join(padded).rstrip()


def _word(true: bool) -> str:
    return to_text(msg("yes")) if true else to_text(msg("NO"))
