"""--explain ID: how one verdict came about, from the record of a run and the catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bkpaas.catalogue.model import Condition
from bkpaas.catalogue.registry import current_id, find_condition
from bkpaas.errors import SuiteError
from bkpaas.language import get_language
from bkpaas.messages import Message, msg, plural, to_text
from bkpaas.record import Results, Verdict, read_json, translated
from bkpaas.report.findings import label
from bkpaas.report.text import visible, wrap

_INDENT = "    "
_SHOWN = 12
_LINES = 30
"""Lines shown of one fact."""
_LIMIT_NAME = re.compile(r"`([a-z_]+)`")


def explain_record(path: Path, id_: str, width: int) -> list[str]:
    """Return the lines about a verdict of a results.json. UsageError: it cannot be read or has no such verdict."""
    try:
        results = read_json(path)
    except (SuiteError, OSError, msgspec.DecodeError, RecursionError) as error:
        raise pytest.UsageError(f"--explain: {path}: {error}") from None
    return explain(translated(results, get_language()), id_, width)


def explain(results: Results, id_: str, width: int, facts: Mapping[str, Any] | None = None) -> list[str]:
    """Return the lines about a verdict, in the language of the record. UsageError: there is no such verdict.

    facts: those that the check read, by their place in the snapshot; None: only the record is at hand.
    """
    wanted = current_id(id_)
    verdicts = [one for one in results.verdicts if wanted in (one.id, one.condition)]
    if len(verdicts) == 1:
        return [*_lines(results, verdicts[0], width), *_facts(facts)]
    if verdicts:
        ids = ", ".join(one.id for one in verdicts[:_SHOWN]) + (" ..." if len(verdicts) > _SHOWN else "")
        raise pytest.UsageError(to_text(msg("--explain {id}: which of them? {ids}", id=id_, ids=ids)))
    text = to_text(msg("--explain {id}: the record has no such verdict", id=id_))
    close = get_close_matches(wanted, [one.id for one in results.verdicts], 1)
    raise pytest.UsageError(text + (to_text(msg("; did you mean {close}?", close=close[0])) if close else ""))


def _lines(results: Results, verdict: Verdict, width: int) -> Iterator[str]:
    condition = find_condition(verdict.condition)
    language = results.run.language

    def part(title: Message, *texts: str | None) -> Iterator[str]:
        text_lines = [line for text in texts if text for line in text.strip().splitlines()]
        if text_lines:
            yield ""
            yield title.render(language)
            for line in text_lines:
                command = line.startswith("$ ")
                yield from (_INDENT + one for one in ([line] if command else wrap(visible(line), width - 4)))

    yield f"{visible(verdict.id)}: {label(verdict.verdict).render(language)}"
    yield from part(msg("What must hold"), verdict.title)
    if condition is not None:
        yield from part(msg("What was read"), _one_line(condition.inputs.in_(language)))
    yield from part(msg("From which hosts"), *_hosts(results, verdict))
    if condition is not None:
        yield from part(msg("It fails if"), _one_line(condition.rule.in_(language)))
        yield from part(msg("Limits of this run"), *_limits(results, condition))
    yield from part(msg("What was seen"), verdict.evidence, verdict.reason)
    yield from part(msg("Why this verdict"), *_why(results, verdict))
    if condition is not None and verdict.verdict != "pass":
        yield from part(msg("What follows from it"), _one_line(condition.impact.in_(language)))
    yield from part(msg("What to do"), verdict.remedy)


def _facts(facts: Mapping[str, Any] | None) -> Iterator[str]:
    if facts is None:
        yield ""
        yield to_text(
            msg("The facts themselves are in the snapshot: --save-snapshot FILE, then --from-snapshot FILE.")
        )
        return
    yield ""
    yield to_text(msg("The facts that it read, by their place in the snapshot (secrets are digests)"))
    for place, fact in facts.items():
        text = json.dumps(
            _modes_in_octal(msgspec.to_builtins(fact, str_keys=True)), indent=1, ensure_ascii=False
        )
        lines = text.splitlines()
        yield f"{_INDENT}{place}"
        yield from (f"{_INDENT}  {visible(line)}" for line in lines[:_LINES])
        if more := max(0, len(lines) - _LINES):
            yield f"{_INDENT}  " + to_text(plural("({count} more line)", "({count} more lines)", count=more))


def _modes_in_octal(fact: Any) -> Any:
    """Return a fact with the modes of its files as `ls` and `chmod` number them: "0644", not 420."""
    if isinstance(fact, dict):
        return {
            key: f"{value:04o}" if key == "mode" and isinstance(value, int) else _modes_in_octal(value)
            for key, value in fact.items()
        }
    return [_modes_in_octal(one) for one in fact] if isinstance(fact, list) else fact


def _one_line(text: str) -> str:
    return " ".join(text.split()) if get_language() == "en" else "".join(text.split("\n"))


def _hosts(results: Results, verdict: Verdict) -> Iterator[str]:
    for host in results.hosts:
        if host.name in verdict.hosts:
            state = host.error or to_text(msg("read in {seconds:.1f} s", seconds=host.seconds))
            yield f"{host.name} ({host.address}): {state}"
    if not verdict.hosts:
        yield to_text(msg("the machine that ran the suite, or all hosts together"))


def _limits(results: Results, condition: Condition) -> Iterator[str]:
    named = _LIMIT_NAME.findall(condition.rule.en + condition.inputs.en)
    for name in dict.fromkeys(named):
        if name in results.limits:
            yield f"{name} = {results.limits[name]:g}"


def _why(results: Results, verdict: Verdict) -> Iterator[str]:
    if verdict.verdict == "pass":
        yield to_text(msg("Nothing of what makes it fail was seen."))
    if verdict.verdict == "no_data":
        yield to_text(msg("Something that it needs was not read, so it is neither a pass nor a failure."))
    if verdict.case is not None:
        headline = next((cause.headline for cause in results.causes if verdict.id in cause.ids), None)
        yield to_text(msg("case {case}", case=verdict.case)) + (f": {headline}" if headline else "")
    for part in verdict.parts:
        if part.component or part.kinds:
            yield " ".join(filter(None, (part.component, ", ".join(part.kinds))))
    for id_ in verdict.explained_by:
        yield to_text(msg("It is a consequence of {id}: {title}", id=id_, title=results.verdict(id_).title))
    for id_ in verdict.may_be_explained_by:
        yield to_text(msg("It may be a consequence of {id}", id=id_))
    if verdict.id in results.root_causes:
        yield to_text(msg("It is a root cause: no other failure accounts for it."))
