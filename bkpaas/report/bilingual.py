"""A record whose texts carry both languages, so that one page serves readers of either."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from bkpaas.lang import Language, both, in_language
from bkpaas.report.record import Results, Verdict
from bkpaas.report.text import cut, whole_lines

Shorten = Callable[[str, int], str]


def pair(own: str | None, other: str | None, language: Language) -> str | None:
    """One text that carries both; `other` is None where it is the same."""
    if own is None or other is None:
        return own
    return both(en=own, zh=other) if language == "en" else both(en=other, zh=own)


def bilingual(results: Results, limit: int) -> Results:
    """A copy of the record: what is told of hosts and of what did not pass carries both languages.

    Each text is made visible and at most `limit` characters long first, and so is what waivers and a baseline hold.
    Call it within in_both().
    """

    @cache
    def told(own: str | None, other: str | None, shorten: Shorten = cut) -> str | None:
        own, other = (text if text is None else shorten(text, limit) for text in (own, other))
        return pair(own, other, results.run.language)

    def verdict(one: Verdict) -> Verdict:
        if one.verdict == "pass":
            return one
        other = one.translated
        return replace(
            one,
            title=told(one.title, other.title) or "",
            reason=told(one.reason, other.reason),
            evidence=told(one.evidence, other.evidence),
            remedy=told(one.remedy, other.remedy, whole_lines),
        )

    beside = results.comparison
    return replace(
        results,
        comparison=beside and replace(beside, facts=[_shortened(fact, limit) for fact in beside.facts]),
        waivers=[_shortened(waiver, limit) for waiver in results.waivers],
        hosts=[replace(host, error=told(host.error, host.translated)) for host in results.hosts],
        verdicts=[verdict(one) for one in results.verdicts],
    )


Part = TypeVar("Part", bound=Struct)


def _shortened(part: Part, limit: int) -> Part:
    """The same with each of its texts cut."""
    texts = {name: cut(text, limit) for name, text in asdict(part).items() if isinstance(text, str)}
    return replace(part, **texts)


def languages(text: str) -> tuple[str, str]:
    """What a text that may carry both says in English and in Chinese."""
    return in_language(text, "en"), in_language(text, "zh")


def section_titles(results: Results) -> dict[str, str]:
    """The sections of the FAQ by key, in the record's order; each title carries both languages."""
    known = {
        section.key: pair(section.title, section.translated, results.run.language) or ""
        for section in results.sections
    }
    return {**known, **{key: key for key in _faqs(results) if key not in known}}


def _faqs(results: Results) -> Iterable[str]:
    return dict.fromkeys(verdict.faq for verdict in results.verdicts)
