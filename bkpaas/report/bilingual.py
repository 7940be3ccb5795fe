"""A record whose texts carry both languages, so that one page serves readers of either."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from bkpaas.language import Language
from bkpaas.messages import Message
from bkpaas.record import Results, Verdict
from bkpaas.report.text import cut, whole_lines

Shorten = Callable[[str, int, Language], str]


class Bilingual(str):
    """A text of a record in both languages: the string itself is the English one."""

    chinese: str


def bilingual_text(english: str, chinese: str) -> str:
    """Return the text; a Bilingual if the languages differ."""
    if english == chinese:
        return english
    text = Bilingual(english)
    text.chinese = chinese
    return text


def pair(own: str | None, other: str | None, language: Language) -> str | None:
    """Return one text that carries both; `own` is in `language`, `other` is None where it is the same."""
    if own is None or other is None:
        return own
    return bilingual_text(own, other) if language == "en" else bilingual_text(other, own)


def bilingual(results: Results, limit: int) -> Results:
    """Return a copy of the record in which the texts of hosts, causes and of what did not pass carry both languages.

    Each text is made visible and at most `limit` characters long, and so is what waivers and a baseline hold.
    """
    language = results.run.language

    @cache
    def shortened(own: str | None, other: str | None, shorten: Shorten = cut) -> str | None:
        return _shortened_text(pair(own, other, language), limit, shorten)

    def verdict(one: Verdict) -> Verdict:
        if one.verdict == "pass":
            return one
        other = one.translated
        return replace(
            one,
            title=shortened(one.title, other.title) or "",
            reason=shortened(one.reason, other.reason),
            evidence=shortened(one.evidence, other.evidence),
            remedy=shortened(one.remedy, other.remedy, whole_lines),
        )

    comparison = results.comparison
    if comparison is not None:
        comparison = replace(comparison, facts=[_shortened(fact, limit) for fact in comparison.facts])
    return replace(
        results,
        comparison=comparison,
        waivers=[_shortened(waiver, limit) for waiver in results.waivers],
        hosts=[replace(host, error=shortened(host.error, host.translated)) for host in results.hosts],
        verdicts=[verdict(one) for one in results.verdicts],
        causes=[
            replace(cause, headline=shortened(cause.headline, cause.translated) or "")
            for cause in results.causes
        ],
        versions=results.versions
        and replace(
            results.versions, text=shortened(results.versions.text, results.versions.translated) or ""
        ),
    )


Part = TypeVar("Part", bound=Struct)


def _shortened(part: Part, limit: int) -> Part:
    """Return the verdict with each of its texts truncated."""
    texts = {
        name: _shortened_text(text, limit, cut)
        for name, text in asdict(part).items()
        if isinstance(text, str)
    }
    return replace(part, **texts)


def _shortened_text(text: str | None, limit: int, shorten: Shorten) -> str | None:
    if text is None:
        return None
    english, chinese = languages(text)
    return bilingual_text(shorten(english, limit, "en"), shorten(chinese, limit, "zh"))


def languages(text: Message | str) -> tuple[str, str]:
    """Return a text in English and in Chinese."""
    if isinstance(text, Message):
        return text.render("en"), text.render("zh")
    if isinstance(text, Bilingual):
        return str(text), text.chinese
    return text, text


def section_titles(results: Results) -> dict[str, str]:
    """Return the sections of the FAQ by key, in the record's order; each title carries both languages."""
    titles = {
        section.key: pair(section.title, section.translated, results.run.language) or ""
        for section in results.sections
    }
    return {**titles, **{key: key for key in _faqs(results) if key not in titles}}


def _faqs(results: Results) -> Iterable[str]:
    return dict.fromkeys(verdict.faq for verdict in results.verdicts)
