"""Judge a snapshot in this process, condition by condition, without pytest: some milliseconds instead of a second."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from bkpaas.catalogue.model import Condition
from bkpaas.catalogue.registry import get_condition
from bkpaas.catalogue.scope import Subject
from bkpaas.checks import Finding
from bkpaas.errors import NoData, NotApplicable
from bkpaas.facts import ControllerView, HostView, Snapshot

from .judges import ROOT, room


class Verdict(NamedTuple):
    word: str
    text: str
    """Evidence or reason; for `broken` the exception that the test raised."""
    hosts: tuple[str, ...]


@cache
def judges() -> tuple[tuple[Condition, Callable[..., None]], ...]:
    """Return the test of every condition of the suite."""
    found = []
    for folder in ("tests_paas", "tests_appengine", "tests_logging"):
        for path in sorted((ROOT / folder).glob("test_*.py")):
            for test in vars(room(str(path.relative_to(ROOT)))).values():
                marks = getattr(test, "pytestmark", ())
                found += [(get_condition(mark.args[0]), test) for mark in marks if mark.name == "condition"]
    return tuple(found)


def verdicts(snapshot: Snapshot, only: Collection[str] | None = None) -> dict[str, Verdict]:
    """Return the verdicts by id, all of them or those of some ids."""
    return dict(_judged(snapshot, only))


def _judged(snapshot: Snapshot, only: Collection[str] | None) -> Iterator[tuple[str, Verdict]]:
    for condition, test in judges():
        for subject in condition.subjects(snapshot.deployment):
            if only is not None and f"{condition.id}@{subject.id}" not in only:
                continue
            yield f"{condition.id}@{subject.id}", _verdict(snapshot, condition, test, subject)


def _verdict(
    snapshot: Snapshot, condition: Condition, test: Callable[..., None], subject: Subject
) -> Verdict:
    try:
        test(**{name: _fixture(name, snapshot, subject) for name in inspect.signature(test).parameters})
    except NoData as error:
        return Verdict("no_data", str(error.args[0]), subject.hosts)
    except NotApplicable as error:
        return Verdict("not_applicable", str(error), subject.hosts)
    except AssertionError as error:
        return Verdict(condition.severity, str(error), subject.hosts)
    except Exception as error:
        last = inspect.getinnerframes(error.__traceback__)[-1] if error.__traceback__ else None
        place = f"{Path(last.filename).name}:{last.lineno}" if last else ""
        return Verdict("broken", f"{type(error).__name__}: {error} ({place})", subject.hosts)
    return Verdict("pass", "", subject.hosts)


def _fixture(name: str, snapshot: Snapshot, subject: Subject) -> Any:
    views = lambda host: HostView(snapshot.hosts[host])  # noqa: E731
    match name:
        case "host" | "source":
            return views(subject.hosts[0])
        case "pair":
            return views(subject.hosts[0]), views(subject.hosts[1])
        case "target":
            return snapshot.deployment.host(subject.hosts[1])
        case "controller":
            return ControllerView(snapshot.controller)
        case "vantage":
            return views(subject.hosts[0]) if subject.hosts else ControllerView(snapshot.controller)
        case "host_facts":
            return views
        case "finding":
            return Finding()
        case "snapshot" | "deployment" | "subject":
            return {"snapshot": snapshot, "deployment": snapshot.deployment, "subject": subject}[name]
    raise LookupError(name)
