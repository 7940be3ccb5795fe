"""Compare what was judged with what is expected, and group the differences for a reader. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import ndiff
from typing import Any, NamedTuple

from selftests.recordings.unrecorded import comparable

MOST_SHOWN = 4
"""Different changes of one kind that are shown in full."""
MOST_LINES = 12
"""Lines of one change that are shown."""
MOST_RUNS = 6
"""Names of runs that are shown."""

NOT_JUDGED = "the run could not be judged"
SUITE_FAILED = "the suite itself failed"
CAUSE_NOT_FIRST = "the run does not name the declared cause as the matrix demands"
UNFILLED = "a command of a remedy has a variable without a value"
NEVER = (NOT_JUDGED, SUITE_FAILED, CAUSE_NOT_FIRST, UNFILLED)
"""Kinds of differences that no expectation may hold."""

TEXTS = ("title", "reason", "evidence", "remedy")

CLASSES = (
    ("failures of the replay", NEVER),
    ("exit codes", ("exit code",)),
    (
        "verdicts",
        ("word of", "severity of", "case of", "no verdict any more", "new verdict", "order of the verdicts"),
    ),
    ("root causes", ("root causes", "groups of root causes", "explained_by of")),
    ("other fields of causes", ("headline of the cause",)),
    ("services and hosts of verdicts", ("services of", "missed of", "needs of")),
    ("edges", ("edges",)),
    ("selection by markers", ("ids that -m",)),
    ("texts", tuple(f"{name} of" for name in TEXTS)),
    ("plans", ("plan of round", "text of --plan")),
)
"""Classes of differences, the most serious first, with the beginnings of their kinds."""
OTHER = "others"


class Difference(NamedTuple):
    """One thing that is not as expected."""

    kind: str
    """What is grouped, such as `evidence of timezone-all, en`."""
    change: str
    """Lines that begin with - and +."""
    run: str = ""


def compare(run: str, expected: Mapping[str, Any] | None, actual: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the differences of one run."""
    if "error" in actual:
        last = actual["error"].strip().splitlines()[-MOST_LINES:]
        yield Difference(NOT_JUDGED, "\n".join(last), run)
        return
    if not expected:
        yield Difference("nothing is expected of this run", "+ see --update", run)
        return
    expected, actual = comparable(expected, actual)
    if expected["exit"] != actual["exit"]:
        yield Difference("exit code", _changed(expected["exit"], actual["exit"]), run)
    for kind, change in (
        *_plans(expected["plans"], actual["plans"]),
        *_ids(expected["order"], actual["order"]),
        *_verdicts(expected["verdicts"], actual["verdicts"]),
        *_root_causes(expected.get("root_causes", []), actual.get("root_causes", [])),
        *_causes(expected.get("causes", []), actual.get("causes", [])),
        *_markers(expected["markers"], actual["markers"]),
    ):
        yield Difference(kind, change, run)
    for id_ in actual.get("suite_failed", ()):
        yield Difference(SUITE_FAILED, f"+ {id_}", run)
    for text in actual.get("unfilled", ()):
        yield Difference(UNFILLED, f"+ {text}", run)


def compare_catalogue(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the differences that concern no run: edges of known conditions, and changed lines of --plan."""
    old, new = (Counter(map(tuple, side["edges"])) for side in (expected, actual))
    known = {id_ for edge in old for id_ in edge[:2]}
    new = Counter({edge: n for edge, n in new.items() if known.issuperset(edge[:2])})
    for sign, edges in (("-", old - new), ("+", new - old)):
        for condition, cause, relation in sorted(edges.elements()):
            yield Difference("edges (condition, cause, relation)", f"{sign} {condition} {cause} {relation}")
    for inventory in sorted({*expected["plan"], *actual["plan"]}):
        texts = (side["plan"].get(inventory) or {} for side in (expected, actual))
        for language, before, after in _languages(*texts):
            change = _text(before, after)
            if any(line.startswith("-") for line in change.splitlines()):
                yield Difference(f"text of --plan, {language}", change, inventory)


def difference_class(kind: str) -> str:
    """Return the class of a kind of difference."""
    for name, beginnings in CLASSES:
        if kind.startswith(beginnings) or (name == "other fields of causes" and " of the cause " in kind):
            return name
    return OTHER


def totals(differences: Iterable[Difference]) -> list[str]:
    """Return one line for each class with differences, the most serious class first."""
    classes: dict[str, list[Difference]] = {}
    for difference in differences:
        classes.setdefault(difference_class(difference.kind), []).append(difference)
    lines = []
    for name in (*(name for name, _ in CLASSES), OTHER):
        if group := classes.get(name):
            runs, kinds = ({getattr(one, field) for one in group} for field in ("run", "kind"))
            lines.append(f"  {len(group):6} {name} ({len(kinds)} kinds, {len(runs)} runs)")
    return ["differences by class:", *lines] if lines else []


def report(differences: Iterable[Difference]) -> list[str]:
    """Return the lines for a reader: a paragraph for each kind, the most frequent first."""
    kinds: dict[str, list[Difference]] = {}
    for difference in differences:
        kinds.setdefault(difference.kind, []).append(difference)
    lines: list[str] = []
    for kind, group in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0])):
        changes = Counter(difference.change for difference in group)
        runs = list(dict.fromkeys(difference.run for difference in group if difference.run))
        lines += ["", f"{kind}: {len(group)} x" + (f" in {len(runs)} runs" if runs else "")]
        if runs:
            more = f" ... (+{len(runs) - MOST_RUNS})" if len(runs) > MOST_RUNS else ""
            lines.append(f"  in {' '.join(runs[:MOST_RUNS])}{more}")
        for change, number in changes.most_common(MOST_SHOWN):
            shown = change.splitlines()
            cut = [f"... (+{len(shown) - MOST_LINES} lines)"] if len(shown) > MOST_LINES else []
            lines += [f"  {number} x", *(f"    {line}" for line in shown[:MOST_LINES] + cut)]
        if len(changes) > MOST_SHOWN:
            lines.append(f"  ... (+{len(changes) - MOST_SHOWN} other changes of this kind)")
    return lines


def _plans(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for host in sorted({*expected, *actual}):
        old, new = expected.get(host) or {}, actual.get(host) or {}
        for round_ in ("1", "2"):
            before, after = old.get(round_) or {}, new.get(round_) or {}
            for part in sorted({*before, *after}):
                if before.get(part) != after.get(part):
                    yield f"plan of round {round_}: {part}", _items(before.get(part), after.get(part))


def _items(before: Any, after: Any) -> str:
    """Of lists the items that went and came, or that they are in another order."""
    if not isinstance(before, list) or not isinstance(after, list):
        return _changed(before, after)
    old, new = (Counter(map(_json, side)) for side in (before, after))
    if old == new:
        return "+ the same items in another order"
    gone, come = (sorted((one - other).elements()) for one, other in ((old, new), (new, old)))
    return "\n".join([*(f"- {item}" for item in gone), *(f"+ {item}" for item in come)])


def _ids(expected: list[str], actual: list[str]) -> Iterator[tuple[str, str]]:
    for id_ in expected:
        if id_ not in actual:
            yield f"no verdict any more: {_condition(id_)}", f"- {id_}"
    for id_ in actual:
        if id_ not in expected:
            yield f"new verdict: {_condition(id_)}", f"+ {id_}"
    before, after = (
        [id_ for id_ in side if id_ in expected and id_ in actual] for side in (expected, actual)
    )
    if before != after:
        yield "order of the verdicts", _text("\n".join(before), "\n".join(after))


def _verdicts(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for id_, before in expected.items():
        after = actual.get(id_)
        if after is None:
            continue
        for name in sorted({*before, *after}):
            if before.get(name) == after.get(name):
                continue
            if name in TEXTS:
                for language, old, new in _languages(before.get(name) or {}, after.get(name) or {}):
                    yield f"{name} of {_condition(id_)}, {language}", _text(old, new)
            else:
                change = _changed(before.get(name), after.get(name))
                yield f"{name} of {_condition(id_)}", f"{id_}\n{change}"


def _root_causes(expected: list[str], actual: list[str]) -> Iterator[tuple[str, str]]:
    if expected != actual:
        same = sorted(expected) == sorted(actual)
        yield f"root causes{', order only' if same else ''}", _changed(" ".join(expected), " ".join(actual))


def _causes(expected: list[Any], actual: list[Any]) -> Iterator[tuple[str, str]]:
    """Yield what differs in the groups of root causes, field by field where the groups are the same."""
    old, new = (["+".join(group["ids"]) for group in side] for side in (expected, actual))
    if old != new:
        yield "groups of root causes", _changed(" ".join(old), " ".join(new))
        return
    for before, after in zip(expected, actual, strict=True):
        condition = _condition(before["ids"][0])
        for name in sorted({*before, *after} - {"headline"}):
            if before.get(name) != after.get(name):
                yield f"{name} of the cause {condition}", _changed(before.get(name), after.get(name))
        for language, one, other in _languages(before["headline"], after["headline"]):
            yield f"headline of the cause {condition}, {language}", _text(one, other)


def _markers(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for marker in sorted({*expected, *actual}):
        before, after = expected.get(marker) or [], actual.get(marker) or []
        if before != after:
            yield f"ids that -m {marker} selects", _items(before, after)


def _languages(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for language in ("en", "zh"):
        old, new = before.get(language) or "", after.get(language) or ""
        if old != new:
            yield language, old, new


def _text(before: str, after: str) -> str:
    """Return the lines of two texts that differ."""
    return "\n".join(line for line in ndiff(before.splitlines(), after.splitlines()) if line[0] in "-+")


def _changed(before: Any, after: Any) -> str:
    return f"- {_json(before)}\n+ {_json(after)}"


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _condition(id_: str) -> str:
    return id_.partition("@")[0]
