"""Turn the outcome of a test into a verdict, in addition to pytest's passed, failed, skipped."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import pytest

from bkpaas.catalogue.model import Text
from bkpaas.catalogue.registry import CUSTOM_CONDITIONS, get_condition
from bkpaas.checks.case import CaseMessage
from bkpaas.checks.finding import Finding
from bkpaas.errors import NoData, NotApplicable, SuiteError, message_of
from bkpaas.facts.secrets import Secrets
from bkpaas.language import get_language
from bkpaas.messages import Message, lines, msg, redacted, to_text
from bkpaas.plugin.fixtures import FINDING
from bkpaas.plugin.options import DEPLOYMENT
from bkpaas.plugin.outcome import Outcome
from bkpaas.plugin.selection import identity
from bkpaas.plugin.waivers import waive
from bkpaas.record import Word
from bkpaas.text import visible

_ERROR_PREFIX = 200
"""Characters of what a broken test says."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    report.sections = [(title, Secrets().redact(text)) for title, text in report.sections]
    id_ = identity(item)
    decides = call.when == "call" or (call.when == "setup" and call.excinfo is not None)
    if id_ is None and call.excinfo is not None and report.failed:
        report.__dict__["bkpaas_plain"] = _plain(call)
    if id_ is None or not decides:
        if id_ is not None and call.when == "teardown" and call.excinfo is not None:
            report.outcome = "failed"
        return report
    judged_report(report, waive(_outcome(id_, item, call), item.config.stash[DEPLOYMENT]), str(item.path))
    return report


def judged_report(report: pytest.TestReport, outcome: Outcome, path: str) -> None:
    """Give the report of a check its outcome, and what pytest makes of that."""
    report.__dict__["bkpaas"] = outcome
    report.outcome = _PYTEST[outcome.word]
    if report.outcome == "failed":
        report.longrepr = f"{outcome.word}: {_rendered(outcome.evidence or outcome.reason)}"
    elif report.outcome == "skipped":
        reason = f"{outcome.word}: {_rendered(outcome.reason)}"
        report.longrepr = (path, 0, reason)
    else:
        report.longrepr = None


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable(
    report: pytest.CollectReport | pytest.TestReport,
) -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """Write the outcome of a report as plain data, for xdist."""
    data = yield
    if data is not None and "bkpaas" in data:
        data["bkpaas"] = msgspec.to_builtins(data["bkpaas"])
    return data


@pytest.hookimpl(wrapper=True)
def pytest_report_from_serializable(
    data: dict[str, Any],
) -> Generator[
    None, pytest.CollectReport | pytest.TestReport | None, pytest.CollectReport | pytest.TestReport | None
]:
    """Read the outcome of a report that a worker of xdist sent."""
    report = yield
    if report is not None and "bkpaas" in report.__dict__:
        report.__dict__["bkpaas"] = msgspec.convert(report.__dict__["bkpaas"], Outcome)
    return report


def _plain(call: pytest.CallInfo[None]) -> str:
    """Return why a test that judges no condition failed: its message, and the line that raised it."""
    assert call.excinfo is not None
    if isinstance(call.excinfo.value, SuiteError):
        return Secrets().redact(_rendered(call.excinfo.value.message()))
    message = _rendered(message_of(call.excinfo.value)) or str(call.excinfo.traceback[-1].statement).strip()
    return f"{call.excinfo.typename}: {Secrets().redact(message)} ({_location(call)})"


_PYTEST: dict[Word, Any] = {
    "pass": "passed",
    "warn": "passed",
    "fail": "failed",
    "no_data": "failed",
    "not_applicable": "skipped",
    "waived": "skipped",
}


def _outcome(id_: str, item: pytest.Item, call: pytest.CallInfo[None]) -> Outcome:
    if call.excinfo is None:
        return outcome_of(id_, item.stash.get(FINDING, None), None)
    sentence = getattr(getattr(item, "function", None), "__doc__", None) or item.name
    return outcome_of(id_, item.stash.get(FINDING, None), call.excinfo.value, sentence, _location(call))


def outcome_of(
    id_: str, finding: Finding | None, error: BaseException | None, sentence: str = "", location: str = ""
) -> Outcome:
    """Return the outcome of a check.

    Args:
        id_: condition@subject.
        finding: what the check added to its verdict.
        error: what it raised; None: it passed.
        sentence: what must be true, for an assertion without a message.
        place: file:line where the error was raised.
    """
    condition = get_condition(id_.partition("@")[0])
    services = tuple(sorted(finding.services)) if finding and finding.services else condition.services
    missed = tuple(sorted(finding.unreachable_hosts)) if finding else ()
    outcome = Outcome(
        id_,
        "pass",
        services=services,
        unreachable_hosts=missed,
        remedy_values=finding.remedy_values if finding else {},
    )
    outcome.depends_on_hosts = tuple(sorted(finding.hosts)) if finding else ()
    if finding:
        named = finding.components | {f"service:{name}" for name in finding.services}
        outcome.components = tuple(sorted(named))
    if error is None:
        outcome.evidence = lines(finding.evidence) if finding and finding.evidence else None
    elif isinstance(error, NoData):
        outcome.word, outcome.reason = "no_data", _text_of(error, outcome)
    elif isinstance(error, NotApplicable):
        outcome.word, outcome.reason = "not_applicable", error.message()
    elif isinstance(error, AssertionError):
        outcome.word = condition.severity
        outcome.evidence = _text_of(error, outcome) or msg(
            "not true: {docstring} ({location})", docstring=sentence.strip(), location=location
        )
    else:
        outcome.word, outcome.reason = (
            "no_data",
            _broken(error, location, of_site=condition.id in CUSTOM_CONDITIONS),
        )
    if condition.id in CUSTOM_CONDITIONS:
        _redact(outcome)
    return outcome


def _text_of(error: BaseException, outcome: Outcome) -> Message | str:
    """Return the text that a check raised, and take over the case and its parameters if it names one."""
    message = error.args[0] if error.args else None
    if not isinstance(message, CaseMessage):
        return message_of(error)
    outcome.case, outcome.parts = message.case, message.parts
    outcome.parameters = {
        name: value if isinstance(value, Message) else str(value)
        for name, value in message.parameters.items()
    }
    return message.evidence


def _redact(outcome: Outcome) -> None:
    """Hide the secrets in what a site's own test reports: it may have read them itself."""
    secrets = Secrets()
    outcome.evidence = outcome.evidence and redacted(outcome.evidence, secrets.redact)
    outcome.reason = outcome.reason and redacted(outcome.reason, secrets.redact)
    outcome.remedy_values = {
        name: redacted(value, secrets.redact) for name, value in outcome.remedy_values.items()
    }
    outcome.parameters = {name: redacted(value, secrets.redact) for name, value in outcome.parameters.items()}


def _broken(error: BaseException, location: str, *, of_site: bool) -> Message | str:
    if isinstance(error, SuiteError):
        return error.message()
    where = f"{type(error).__name__} ({location})"
    if of_site:
        return msg("the site's own test is broken: {what}", what=f"{where}{_error_text(error)}")
    return msg("the suite itself failed here, please report it: {where}", where=where)


def _error_text(error: BaseException) -> str:
    """Return an exception of a site's own test on one line, without the secrets that the test may have read itself."""
    try:
        text = " ".join(_rendered(message_of(error)).split())
    except Exception:  # an exception that cannot even be told
        return ""
    return f": {visible(Secrets().truncate(text, _ERROR_PREFIX))}" if text else ""


def _rendered(text: Message | str | None) -> str:
    """Return the text in the language of the run."""
    return to_text(text or "")


def _location(call: pytest.CallInfo[None]) -> str:
    """Return the location of an exception: file:line."""
    assert call.excinfo is not None
    trace = call.excinfo.tb
    while trace.tb_next is not None:
        trace = trace.tb_next
    return place(trace)


def place(trace: TracebackType | None) -> str:
    """Return the place of one entry of a traceback: file:line."""
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""


_LETTERS: dict[str, tuple[Text, str, str]] = {
    "pass": (Text(en="passed", zh="passed"), ".", "PASS"),
    "warn": (Text(en="warned", zh="警告"), "W", "WARN"),
    "fail": (Text(en="failed", zh="failed"), "F", "FAIL"),
    "no_data": (Text(en="no data", zh="无数据"), "N", "NO DATA"),
    "not_applicable": (Text(en="not applicable", zh="不适用"), "-", "N/A"),
    "waived": (Text(en="waived", zh="已豁免"), "w", "WAIVED"),
}
"""passed and failed are pytest's own words: by them it knows the colour of its last line."""


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    outcome = getattr(report, "bkpaas", None)
    if outcome is None:
        return None
    category, letter, word = _LETTERS[outcome.word]
    return category.in_(get_language()), letter, word
