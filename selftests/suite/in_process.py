"""Judge a snapshot in this process, condition by condition, without pytest: some milliseconds instead of a second."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from bkpaas.catalogue.model import Condition
from bkpaas.catalogue.registry import CONDITIONS, get_condition
from bkpaas.catalogue.scope import DEPLOYMENT as WHOLE
from bkpaas.catalogue.scope import Subject
from bkpaas.checks import Finding
from bkpaas.errors import NoData, NotApplicable
from bkpaas.facts import Snapshot
from bkpaas.plugin.arguments import ARGUMENTS, Arguments, generations_of
from bkpaas.plugin.outcome import Outcome
from bkpaas.plugin.results import build
from bkpaas.plugin.selection import subjects
from bkpaas.plugin.verdicts import outcome_of
from bkpaas.record import Results

from .judges import ROOT, room


class Verdict(NamedTuple):
    word: str
    text: str
    """Evidence or reason; for `broken` the exception that the test raised."""
    hosts: tuple[str, ...]


@cache
def suite_checks() -> tuple[tuple[Condition, Callable[..., None]], ...]:
    """Return the test of every condition of the suite."""
    found = []
    for folder in ("tests_paas", "tests_appengine", "tests_logging"):
        for path in sorted((ROOT / folder).glob("test_*.py")):
            found += checks_of(vars(room(str(path.relative_to(ROOT)))))
    return tuple(found)


def checks_of(names: Mapping[str, Any]) -> list[tuple[Condition, Callable[..., None]]]:
    """Return the checks of a module, each with its condition."""
    return [
        (get_condition(mark.args[0]), test)
        for test in names.values()
        for mark in getattr(test, "pytestmark", ())
        if mark.name == "condition"
    ]


def verdicts(snapshot: Snapshot, only: Collection[str] | None = None) -> dict[str, Verdict]:
    """Return the verdicts by id, all of them or those of some ids."""
    return dict(_verdicts(snapshot, only))


def _verdicts(snapshot: Snapshot, only: Collection[str] | None) -> Iterator[tuple[str, Verdict]]:
    for condition, test in suite_checks():
        for subject in condition.subjects(snapshot.deployment):
            if _is_of_another_generation(condition, subject, snapshot):
                continue
            if only is not None and f"{condition.id}@{subject.id}" not in only:
                continue
            yield f"{condition.id}@{subject.id}", judge_one(snapshot, condition, test, subject)


def _is_of_another_generation(condition: Condition, subject: Subject, snapshot: Snapshot) -> bool:
    generations = generations_of(condition, subject, snapshot.deployment, snapshot)
    return generations.isdisjoint(condition.generations)


def judge_one(
    snapshot: Snapshot, condition: Condition, test: Callable[..., None], subject: Subject
) -> Verdict:
    error = run_check(snapshot, test, subject, Finding())
    match error:
        case None:
            return Verdict("pass", "", subject.hosts)
        case NoData():
            return Verdict("no_data", str(error.args[0]), subject.hosts)
        case NotApplicable():
            return Verdict("not_applicable", str(error), subject.hosts)
        case AssertionError():
            return Verdict(condition.severity, str(error), subject.hosts)
    return Verdict("broken", f"{type(error).__name__}: {error} ({_place(error)})", subject.hosts)


def run_check(
    snapshot: Snapshot, test: Callable[..., None], subject: Subject, finding: Finding
) -> Exception | None:
    """Run a check and return what it raised."""
    arguments = Arguments(snapshot.deployment, snapshot, subject, finding)
    try:
        test(**{name: ARGUMENTS[name](arguments) for name in _names(test)})
    except Exception as error:
        return error
    return None


@cache
def _names(test: Callable[..., None]) -> tuple[str, ...]:
    return tuple(inspect.signature(test).parameters)


def _place(error: Exception) -> str:
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return f"{Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last else ""


def record(snapshot: Snapshot, only: str | None = None) -> Results:
    """Return the record of a run on a snapshot, of all conditions or of one: verdicts, texts and root causes."""
    outcomes: dict[str, Outcome] = {}
    for condition, test in suite_checks():
        if only is not None and condition.id != only:
            continue
        for subject in subjects(condition, snapshot.deployment):
            id_, finding = f"{condition.id}@{subject.id}", Finding()
            if subject is WHOLE or _is_of_another_generation(condition, subject, snapshot):
                reason = condition.not_applicable_reason
                outcomes[id_] = Outcome(id_, "not_applicable", reason=reason and reason.message())
                continue
            error = run_check(snapshot, test, subject, finding)
            outcomes[id_] = outcome_of(id_, finding, error, location=_place(error) if error else "")
    order = [
        id_
        for condition in CONDITIONS.values()
        for subject in subjects(condition, snapshot.deployment)
        if (id_ := f"{condition.id}@{subject.id}") in outcomes
    ]
    return build(snapshot.deployment, snapshot, order, outcomes, interrupted=False, seconds=0.0)
