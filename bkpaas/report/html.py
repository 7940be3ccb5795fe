"""report.html: the whole record in one file that opens anywhere, offline, with nothing fetched."""

from __future__ import annotations

from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bkpaas.faq.catalogue import symptom_title
from bkpaas.lang import say, spoken
from bkpaas.report.findings import causes, label, sentence, tone, unjudged, unseen
from bkpaas.report.record import Results, Verdict, write_private
from bkpaas.report.text import cut, visible, whole_lines

TEXT_LIMIT = 4_000
"""Characters of one evidence or remedy on the page; results.json holds the whole."""
CARDS = 25
"""Root causes with a card of their own; all of them are in the table."""

IDS_SHOWN = 8
"""Consequences named on one card."""

_HERE = Path(__file__).parent
MARKS = {"fail": "×", "no_data": "?", "warn": "!", "waived": "w", "not_applicable": "–", "pass": "·"}
"""A sign for each word, so that nothing rests on colour alone; in the order of urgency."""


def write(results: Results, path: Path) -> None:
    """Write the record as one self-contained page, private, replacing the file as a whole."""
    write_private(path, page(results).encode("utf-8"))


def page(results: Results) -> str:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    style, script = ((_HERE / name).read_text("utf-8") for name in ("page.css", "page.js"))
    environment.filters["address"] = lambda text: quote(visible(text), safe="@")
    found = causes(results)
    return environment.get_template("page.html.j2").render(
        say=say,
        language={"en": "en", "zh": "zh-CN"}[spoken()],
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        results=results,
        sentence=sentence(results),
        tone=tone(results),
        unjudged=unjudged(results),
        words=[(word, mark, label(word), results.counts[word]) for word, mark in MARKS.items()],
        causes=found[:CARDS],
        ids=IDS_SHOWN,
        further=len(found) - len(found[:CARDS]),
        unseen=unseen(results),
        cut=lambda text: cut(text, TEXT_LIMIT),
        steps=_steps,
        exit=_exit(results.run.exit),
        data=_embedded({**_columns(results, [cause.verdict for cause in found]), "ui": _ui()}),
    )


def _policy(style: str, script: str) -> str:
    """Nothing may be fetched, and no script or style may run but the page's own."""
    own = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (style, script)]
    return f"default-src 'none'; img-src data:; style-src {own[0]}; script-src {own[1]}; base-uri 'none'"


def _steps(remedy: str | None) -> Iterator[tuple[str, list[str]]]:
    """The remedy as paragraphs and runs of commands: ("text" | "commands", lines)."""
    kind, lines = "", list[str]()
    for line in whole_lines(remedy or "", TEXT_LIMIT).splitlines():
        command = line.removeprefix("$ ")
        current = "commands" if command != line else "text"
        if current != kind and lines:
            yield kind, lines
            lines = []
        kind = current
        lines.append(command)
    if lines:
        yield kind, lines


def _columns(results: Results, roots: list[Verdict]) -> dict[str, Any]:
    """The verdicts as three columns of numbers into tables of what repeats; 100,000 of them fit in a megabyte."""
    texts, kinds, places, outcomes = (_table() for _ in range(4))
    words = list(MARKS)

    @cache
    def told(text: str | None) -> int:
        return texts[cut(text or "", TEXT_LIMIT)]

    @cache
    def repaired(remedy: str | None) -> int:
        return texts[whole_lines(remedy or "", TEXT_LIMIT)]

    rows = [
        (
            kinds[told(v.condition), told(v.faq), told(v.title)],
            places[told(v.subject), tuple(map(told, v.hosts))],
            outcomes[
                words.index(v.verdict),
                told(v.reason),
                told(v.evidence),
                repaired(None if v.verdict == "pass" else v.remedy),
                tuple(map(told, v.explained_by)),
            ],
        )
        for v in results.verdicts
    ]
    kind, place, outcome = zip(*rows, strict=True) if rows else ((), (), ())
    number = {verdict.id: row for row, verdict in enumerate(results.verdicts)}
    return {
        "kind": kind,
        "place": place,
        "outcome": outcome,
        "kinds": list(kinds),
        "places": list(places),
        "outcomes": list(outcomes),
        "texts": list(texts),
        "roots": [number[verdict.id] for verdict in roots],
        "hosts": [[visible(host.name), visible(host.address), host.roles] for host in results.hosts],
        "symptoms": {
            visible(key): visible(symptom_title(key))
            for key in dict.fromkeys(verdict.faq for verdict in results.verdicts)
        },
        "words": [[word, mark, label(word)] for word, mark in MARKS.items()],
    }


def _table() -> defaultdict[Any, int]:
    """Numbers its keys in the order in which they are asked for."""
    table: defaultdict[Any, int] = defaultdict(int)
    table.default_factory = table.__len__
    return table


def _embedded(data: dict[str, Any]) -> Markup:
    """JSON that cannot end the script element it stands in."""
    return Markup(msgspec.json.encode(data).decode().replace("<", "\\u003c"))


def _exit(code: int) -> str:
    meaning = {
        0: say(en="green", zh="通过"),
        1: say(en="not green", zh="未通过"),
        2: say(en="interrupted", zh="被中断"),
        3: say(en="the suite broke", zh="套件出错"),
        4: say(en="bad options or inventory", zh="选项或清单有误"),
        5: say(en="nothing selected", zh="没有选中任何条件"),
    }
    return f"{code} ({meaning.get(code, '')})"


def _ui() -> dict[str, str]:
    """The words that the page's script needs."""
    return {
        "all_hosts": say(en="all hosts", zh="全部主机"),
        "all_symptoms": say(en="all sections", zh="全部章节"),
        "cause": say(en="cause", zh="根因"),
        "because": say(en="because of", zh="归因于"),
        "explains": say(en="Explains", zh="导致"),
        "probably": say(en="probably because of", zh="可能归因于"),
        "more": say(en="and {n} more", zh="另有 {n} 项"),
        "shown": say(en="{n} of {all}", zh="{n} / {all}"),
        "none": say(en="No verdict matches.", zh="没有符合条件的判定。"),
        "only": say(en="only", zh="仅"),
        "under": say(en="Explained by", zh="归因于"),
        "evidence": say(en="Evidence", zh="证据"),
        "reason": say(en="Reason", zh="原因"),
        "remedy": say(en="Remedy", zh="处理办法"),
        "copy": say(en="Copy", zh="复制"),
        "copied": say(en="Copied", zh="已复制"),
        "selected": say(en="Selected", zh="已选中"),
        "link": say(en="Link to this verdict", zh="此判定的链接"),
        "verdicts": say(en="{n} verdicts", zh="{n} 项判定"),
        "findings_first": say(en="Hosts with findings come first.", zh="有问题的主机排在前面。"),
    }
