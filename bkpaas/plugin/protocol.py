"""Run a check of the suite without pytest's fixtures, capture and logging: it prints nothing and sets nothing up.

pytest spends a millisecond on each test for machinery that a pure function of facts does not need. Reports go through
the same hooks, so JUnit, pytest-html, xdist and -x work as ever. Tests of a site, and all tests where another plugin
takes part in running them, are left to pytest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Literal

import pytest

from bkpaas.catalogue.registry import CONDITIONS, SECTIONS, get_condition
from bkpaas.checks.finding import Finding
from bkpaas.plugin.arguments import ARGUMENTS, Arguments, require_subject
from bkpaas.plugin.options import DEPLOYMENT, SNAPSHOT
from bkpaas.plugin.selection import identity, subject_of
from bkpaas.plugin.verdicts import judged_report, outcome_of, place
from bkpaas.plugin.waivers import waive

_HOOKS = (
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtest_call",
    "pytest_runtest_teardown",
    "pytest_runtest_makereport",
    "pytest_pyfunc_call",
    "pytest_fixture_setup",
    "pytest_fixture_post_finalizer",
)
"""The hooks with which a plugin takes part in running a test."""
_KNOWN = ("_pytest.", "bkpaas.", "testinfra.", "pytest_html.", "xdist.")
"""Where the plugins are from that have nothing to do for a check of the suite."""
_OPTIONS = ("usepdb", "trace", "setupshow", "setuponly", "setupplan")
"""The options of pytest that show or stop in the machinery."""
_OWN_FIXTURES = frozenset({*ARGUMENTS, "request", "_require_subject", "_arguments"})
_MARKERS = frozenset({"condition", "parametrize", *(section.marker for section in SECTIONS)})

_DIRECT = pytest.StashKey[bool]()
_CHECKS = pytest.StashKey[dict[Callable[..., object], bool]]()
"""Whether a test function is a check, which is the same for all its subjects."""
Location = tuple[str, int | None, str]
_LOCATIONS = pytest.StashKey[dict[tuple[object, Callable[..., object]], Location]]()
"""The file and line of a test function of a module or class, and what stands before the names of its items."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run an item that is a check of the suite; leave any other one to pytest."""
    config = item.config
    if SNAPSHOT not in config.stash or not isinstance(item, pytest.Function):
        return None
    if _DIRECT not in config.stash:
        config.stash[_DIRECT], config.stash[_CHECKS] = _runs_alone(config), {}
        config.stash[_LOCATIONS] = {}
    checks = config.stash[_CHECKS]
    if item.function not in checks:
        checks[item.function] = config.stash[_DIRECT] and _is_check(item)
    if not checks[item.function]:
        return None
    hook, location = config.hook, _location(item)
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=location)
    for report in _reports(item, location):
        hook.pytest_runtest_logreport(report=report)
    if item.session._setupstate.stack:  # a test of a site ran before and left its session or directory set up
        item.session._setupstate.teardown_exact(nextitem)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=location)
    return True


def _location(item: pytest.Function) -> Location:
    """Return the location of an item; that of a function is computed once, for its first subject."""
    locations = item.config.stash[_LOCATIONS]
    key = item.parent, item.function
    if key not in locations:
        file, line, name = item.location
        locations[key] = file, line, name.removesuffix(item.name)
    file, line, prefix = locations[key]
    return file, line, prefix + item.name


def _runs_alone(config: pytest.Config) -> bool:
    """Return whether no other plugin and no option takes part in running tests."""
    implementations = (one for name in _HOOKS for one in getattr(config.hook, name).get_hookimpls())
    foreign = (one for one in implementations if not one.function.__module__.startswith(_KNOWN))
    options = (getattr(config.option, name, False) for name in _OPTIONS)
    return not any(foreign) and not any(options)


def _is_check(item: pytest.Function) -> bool:
    """Return whether an item is a condition of the catalogue whose arguments are facts only."""
    markers = {marker.name: marker for marker in item.iter_markers()}
    return (
        markers.keys() <= _MARKERS
        and "condition" in markers
        and markers["condition"].args[0] in CONDITIONS
        and _OWN_FIXTURES.issuperset(item.fixturenames)
    )


def _reports(item: pytest.Function, location: Location) -> tuple[pytest.TestReport, pytest.TestReport]:
    """Judge, and return the report of the call and the one of the teardown, by which pytest-html ends a row."""
    id_ = identity(item)
    assert id_ is not None
    start, begin = time.time(), time.perf_counter()
    finding, error = Finding(), None
    try:
        _call(item, id_, finding)
    except (KeyboardInterrupt, pytest.exit.Exception):
        raise
    except BaseException as raised:
        error = raised
    seconds = time.perf_counter() - begin
    trace = error.__traceback__ if error is not None else None
    outcome = outcome_of(id_, finding, error, item.function.__doc__ or item.name, place(_last(trace)))
    keywords = {str(word): 1 for word in item.keywords}
    call = _report(item, location, keywords, "call", start, seconds)
    judged_report(call, waive(outcome, item.config.stash[DEPLOYMENT]), str(item.path))
    return call, _report(item, location, dict(keywords), "teardown", start + seconds, 0.0)


def _call(item: pytest.Function, id_: str, finding: Finding) -> None:
    deployment, snapshot = item.config.stash[DEPLOYMENT], item.config.stash[SNAPSHOT]
    subject = subject_of(id_, deployment)
    require_subject(get_condition(id_.partition("@")[0]), subject, deployment, snapshot)
    arguments = Arguments(deployment, snapshot, subject, finding)
    item.function(**{name: ARGUMENTS[name](arguments) for name in item._fixtureinfo.argnames})


def _last(trace: TracebackType | None) -> TracebackType | None:
    """Return the entry of a traceback where the exception was raised."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def _report(
    item: pytest.Function,
    location: Location,
    keywords: dict[str, int],
    when: Literal["call", "teardown"],
    start: float,
    seconds: float,
) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=location,
        keywords=keywords,
        outcome="passed",
        longrepr=None,
        when=when,
        duration=seconds,
        start=start,
        stop=start + seconds,
    )
