"""The verdicts as columns of numbers into tables of what repeats: 100,000 of them fit in a page."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections import defaultdict
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec

from bkpaas.record import Results, Verdict, Word
from bkpaas.report.bilingual import Shorten
from bkpaas.report.text import cut, visible, whole_lines

BYTES = 2_700_000
"""What the embedded data may take; when it would take more, texts are cut shorter."""
PLAIN_BYTES = 400_000
"""Data up to this size is embedded as it is, so that any browser can read it."""


class Limits(NamedTuple):
    """How many characters of a text are embedded."""

    told: int
    passed: int
    """The same for what passed."""


STEPS = (Limits(4_000, 4_000), Limits(4_000, 120), Limits(1_000, 0), Limits(200, 0), Limits(0, 0))


class Embedded(NamedTuple):
    kind: Literal["json", "packed"]
    text: str
    """json: as it is; packed: base64 of raw deflate of it."""


def embed(results: Results, roots: list[Verdict], order: tuple[Word, ...], more: dict[str, Any]) -> Embedded:
    """The columns and whatever else the page's script needs, in the form that fits."""
    embedded = Embedded("json", "")
    for limits in STEPS:
        data = msgspec.json.encode({**columns(results, roots, order, limits), **more})
        embedded = _embedded(data)
        if len(embedded.text) <= BYTES:
            break
    return embedded


def _embedded(data: bytes) -> Embedded:
    if len(data) <= PLAIN_BYTES:
        return Embedded("json", data.decode().replace("<", "\\u003c"))  # cannot end the script element
    packer = zlib.compressobj(6, wbits=-15)  # 9 takes six times as long and gains nothing here
    return Embedded("packed", b64encode(packer.compress(data) + packer.flush()).decode())


def columns(
    results: Results, roots: list[Verdict], order: tuple[Word, ...], limits: Limits = STEPS[0]
) -> dict[str, Any]:
    """The record for the page's script.

    kind, place, outcome: by verdict its row in the table of the same name. kinds: condition, section, title.
    places: subject, hosts. outcomes: place of the word in `order`, reason, evidence, remedy, ids that explain it.
    Texts are numbers into `texts`, in which a text that differs by language is [English, Chinese].
    """
    texts, kinds, places, outcomes = (_table() for _ in range(4))
    english = results.run.language == "en"
    urgency = {word: place for place, word in enumerate(order)}

    @cache
    def told(own: str | None, other: str | None = None, limit: int = limits.told) -> int:
        return both(own, other, limit, cut)

    @cache
    def repaired(own: str | None, other: str | None) -> int:
        return both(own, other, limits.told, whole_lines)

    def both(own: str | None, other: str | None, limit: int, shorten: Shorten) -> int:
        own = own or ""
        en, zh = (own, other or own) if english else (other or own, own)
        en, zh = shorten(en, limit, "en"), shorten(zh, limit, "zh")  # what was cut off says so in both
        return texts[en if en == zh else (en, zh)]

    def outcome(one: Verdict) -> tuple[Any, ...]:
        passed, other = one.verdict == "pass", one.translated
        limit = limits.passed if passed else limits.told
        return (
            urgency[one.verdict],
            told(one.reason, other.reason),
            told(one.evidence, other.evidence, limit) if limit else told(None),
            told(None) if passed else repaired(one.remedy, other.remedy),
            tuple(map(told, one.explained_by)),
        )

    rows = [
        (
            kinds[told(one.condition), told(one.faq), told(one.title, one.translated.title)],
            places[told(one.subject), tuple(map(told, one.hosts))],
            outcomes[outcome(one)],
        )
        for one in results.verdicts
    ]
    kind, place, out = zip(*rows, strict=True) if rows else ((), (), ())
    number = {verdict.id: row for row, verdict in enumerate(results.verdicts)}
    return {
        "kind": kind,
        "place": place,
        "outcome": out,
        "kinds": list(kinds),
        "places": list(places),
        "outcomes": list(outcomes),
        "texts": list(texts),
        "roots": [number[verdict.id] for verdict in roots],
        "hosts": [
            [visible(host.name), visible(host.address), list(map(visible, host.roles))]
            for host in results.hosts
        ],
    }


def _table() -> defaultdict[Any, int]:
    """Numbers its keys in the order in which they are asked for."""
    table: defaultdict[Any, int] = defaultdict(int)
    table.default_factory = table.__len__
    return table
