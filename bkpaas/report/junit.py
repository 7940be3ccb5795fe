"""junit.xml for GitLab, Jenkins and GitHub: a suite for each symptom, a case for each verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from bkpaas.language import Language
from bkpaas.messages import Message, msg
from bkpaas.record import Results, Verdict, write_private
from bkpaas.report.change_lines import since, waiver_line
from bkpaas.report.findings import label
from bkpaas.report.text import cut, whole_lines

TEXT_LIMIT = 8_000
"""Characters of one evidence or remedy; results.json holds the whole."""
MESSAGE_LIMIT = 300
"""Characters of the message that a list of failed tests shows."""

_OUTCOMES = {"fail": "failure", "no_data": "error", "not_applicable": "skipped", "waived": "skipped"}


def write(results: Results, path: Path, *, causes_only: bool = False) -> None:
    """Write the record as JUnit XML, private, replacing the file as a whole.

    causes_only: each root cause is one failure; its consequences and its equal findings are skipped.
    """
    outcomes = _Outcomes(results, causes_only=causes_only)
    write_private(path, "".join(_document(results, outcomes)).encode("utf-8"))


class _Outcomes:
    """What each verdict becomes in JUnit."""

    def __init__(self, results: Results, *, causes_only: bool) -> None:
        self._results, self._causes_only = results, causes_only
        self._first = {id_: cause.ids[0] for cause in results.causes for id_ in cause.ids}

    def belongs_to(self, verdict: Verdict) -> str | None:
        """Return the id of the root cause that stands for a failure; None: it counts itself."""
        if not self._causes_only or verdict.verdict not in ("fail", "no_data"):
            return None
        if verdict.explained_by:
            return ", ".join(verdict.explained_by)
        first = self._first.get(verdict.id, verdict.id)
        return first if first != verdict.id else None

    def tag(self, verdict: Verdict) -> str | None:
        """Return the element of a verdict, None if it passed."""
        return "skipped" if self.belongs_to(verdict) else _OUTCOMES.get(verdict.verdict)

    def seconds(self, verdicts: list[Verdict]) -> str:
        """Return how long the checks took."""
        return f"{sum(self._results.durations.get(one.id, 0.0) for one in verdicts):.6f}"


def _document(results: Results, outcomes: _Outcomes) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    language = results.run.language
    totals = {
        "name": cut(results.run.inventory, MESSAGE_LIMIT, language),
        **_numbers(results.verdicts, outcomes),
    }
    del totals["skipped"]  # the element of all suites has no such attribute
    yield _opening("testsuites", {**totals, "time": f"{results.run.seconds:.3f}"})
    waivers = {id_: waiver_line(waiver) for waiver in results.waivers for id_ in waiver.verdicts}
    headlines = {id_: cause.headline for cause in results.causes for id_ in cause.ids}
    symptoms: dict[str, list[Verdict]] = {}
    for verdict in results.verdicts:
        symptoms.setdefault(verdict.faq, []).append(verdict)
    for key, verdicts in symptoms.items():
        # Case by case, since a whole tree of a large run costs ten times the memory of its text.
        yield _opening("testsuite", _suite(results, key, verdicts, outcomes))
        for verdict in verdicts:
            more = {"since": since(results, verdict.id), "waiver": waivers.get(verdict.id)}
            case = _case(verdict, more, headlines.get(verdict.id), language, outcomes)
            yield ET.tostring(case, encoding="unicode") + "\n"
        yield "</testsuite>\n"
    yield "</testsuites>\n"


def _opening(tag: str, attributes: dict[str, str]) -> str:
    return ET.tostring(ET.Element(tag, attributes), encoding="unicode").replace(" />", ">") + "\n"


def _suite(results: Results, key: str, verdicts: list[Verdict], outcomes: _Outcomes) -> dict[str, str]:
    name = next((section.title for section in results.sections if section.key == key), key)
    return {
        "name": cut(name, MESSAGE_LIMIT, results.run.language),
        **_numbers(verdicts, outcomes),
        "time": outcomes.seconds(verdicts),
        "timestamp": results.run.started,
    }


def _numbers(verdicts: list[Verdict], outcomes: _Outcomes) -> dict[str, str]:
    numbers = Counter(outcomes.tag(verdict) for verdict in verdicts)
    return {
        "tests": str(len(verdicts)),
        "failures": str(numbers["failure"]),
        "errors": str(numbers["error"]),
        "skipped": str(numbers["skipped"]),
    }


def _case(
    verdict: Verdict,
    more: dict[str, Message | str | None],
    headline: str | None,
    language: Language,
    outcomes: _Outcomes,
) -> ET.Element:
    name = cut(verdict.id, MESSAGE_LIMIT, language)
    case = ET.Element(
        "testcase", {"classname": verdict.faq, "name": name, "time": outcomes.seconds([verdict])}
    )
    properties = ET.SubElement(case, "properties")
    for name, value in {**_properties(verdict), **more}.items():
        if value is None:
            continue
        text = value.render(language) if isinstance(value, Message) else value
        ET.SubElement(
            properties, "property", {"name": name, "value": whole_lines(text, TEXT_LIMIT, language)}
        )
    tag, cause = outcomes.tag(verdict), outcomes.belongs_to(verdict)
    if tag:
        text = _message(verdict, headline, language)
        if cause:
            text = msg("explained by {cause}; {text}", cause=cause, text=text).render(language)
        attributes = {"message": cut(text, MESSAGE_LIMIT, language)}
        if tag != "skipped":
            attributes["type"] = verdict.verdict
        ET.SubElement(case, tag, attributes).text = _body(verdict, language)
    elif verdict.verdict == "warn":
        ET.SubElement(case, "system-out").text = _body(verdict, language)
    return case


def _properties(verdict: Verdict) -> dict[str, str]:
    parts = {
        "id": verdict.id,
        "host": ", ".join(verdict.hosts) or verdict.subject,
        "faq": verdict.faq,
        "severity": verdict.severity,
        "verdict": verdict.verdict,
    }
    if verdict.explained_by:
        parts["explained_by"] = ", ".join(verdict.explained_by)
    return {**parts, "remedy": verdict.remedy} if verdict.remedy else parts


def _message(verdict: Verdict, headline: str | None, language: Language) -> str:
    """Return the headline of a root cause; of anything else its reason or evidence."""
    text = headline or verdict.reason or verdict.evidence or verdict.title
    if headline and verdict.reason and verdict.case is None:
        text = msg("{headline}: {reason}", headline=headline, reason=verdict.reason).render(language)
    return f"{label(verdict.verdict).render(language)}: {text}".split("\n", 1)[0]


def _body(verdict: Verdict, language: Language) -> str:
    parts = (
        (msg("condition"), verdict.title),
        (msg("reason"), verdict.reason),
        (msg("evidence"), verdict.evidence),
        (msg("explained by"), ", ".join(verdict.explained_by)),
        (msg("remedy"), whole_lines(verdict.remedy or "", TEXT_LIMIT, language)),
    )
    return "\n".join(
        f"{name.render(language)}: {cut(text, TEXT_LIMIT, language)}" for name, text in parts if text
    )
