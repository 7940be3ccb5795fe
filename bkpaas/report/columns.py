"""The verdicts as columns of numbers into tables of what repeats: 100,000 of them fit in a page."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections import defaultdict
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

    text: int
    passed: int
    """The same for what passed."""


STEPS = (Limits(4_000, 4_000), Limits(4_000, 120), Limits(1_000, 0), Limits(200, 0), Limits(0, 0))


class Embedded(NamedTuple):
    kind: Literal["json", "packed"]
    text: str
    """json: as it is; packed: base64 of raw deflate of it."""


def embed(results: Results, roots: list[Verdict], order: tuple[Word, ...], more: dict[str, Any]) -> Embedded:
    """Return the columns and the other data of the page's script, in the form that fits."""
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
    """Return the record for the page's script.

    kind, place, outcome: by verdict its row in the table of the same name. kinds: condition, section, title.
    subjects: subject, hosts. outcomes: place of the word in `order`, reason, evidence, remedy, ids that explain it.
    Texts are numbers into `texts`, in which a text that differs by language is [English, Chinese].
    """
    texts = _Texts(results.run.language == "en", limits)
    kinds, subjects, outcomes = (_table() for _ in range(3))
    urgency = {word: position for position, word in enumerate(order)}
    number_of = texts.number
    rows = [
        (
            kinds[number_of(one.condition), number_of(one.faq), number_of(one.title, one.translated.title)],
            subjects[number_of(one.subject), tuple(map(number_of, one.hosts))],
            outcomes[(urgency[one.verdict], *texts.outcome(one))],
        )
        for one in results.verdicts
    ]
    kind, position, out = zip(*rows, strict=True) if rows else ((), (), ())
    number = {verdict.id: row for row, verdict in enumerate(results.verdicts)}
    return {
        "kind": kind,
        "place": position,
        "outcome": out,
        "kinds": list(kinds),
        "places": list(subjects),
        "outcomes": list(outcomes),
        "texts": list(texts.table),
        "roots": [number[verdict.id] for verdict in roots],
        "hosts": [
            [visible(host.name), visible(host.address), list(map(visible, host.roles))]
            for host in results.hosts
        ],
    }


class _Texts:
    """Number texts in both languages, each once."""

    def __init__(self, english: bool, limits: Limits) -> None:
        self.table = _table()
        self._english, self._limits = english, limits
        self._numbers: dict[tuple[str | None, str | None, int, Shorten], int] = {}

    def number(self, own: str | None, other: str | None = None, limit: int | None = None) -> int:
        """Return the number of a text; other: the text in the other language of the record."""
        return self._both(own, other, self._limits.text if limit is None else limit, cut)

    def outcome(self, one: Verdict) -> tuple[Any, ...]:
        """Return the numbers of reason, evidence and remedy, and of the ids that explain the verdict."""
        passed, other = one.verdict == "pass", one.translated
        limit = self._limits.passed if passed else self._limits.text
        return (
            self.number(one.reason, other.reason),
            self.number(one.evidence, other.evidence, limit) if limit else self.number(None),
            self.number(None)
            if passed
            else self._both(one.remedy, other.remedy, self._limits.text, whole_lines),
            tuple(map(self.number, one.explained_by)),
        )

    def _both(self, own: str | None, other: str | None, limit: int, shorten: Shorten) -> int:
        key = own, other, limit, shorten
        if key not in self._numbers:
            text = own or ""
            en, zh = (text, other or text) if self._english else (other or text, text)
            en, zh = shorten(en, limit, "en"), shorten(zh, limit, "zh")  # what was cut off says so in both
            self._numbers[key] = self.table[en if en == zh else (en, zh)]
        return self._numbers[key]


def _table() -> defaultdict[Any, int]:
    """Return a table that numbers its keys in the order in which they are first used."""
    table: defaultdict[Any, int] = defaultdict(int)
    table.default_factory = table.__len__
    return table
