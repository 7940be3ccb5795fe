"""report.html: the whole record in one file, in both languages, that opens anywhere with nothing fetched."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bkpaas.messages import Message, lines, msg
from bkpaas.record import Results, Word, write_private
from bkpaas.report import change_lines, changes, clocks, path
from bkpaas.report.bilingual import bilingual, bilingual_text, languages, section_titles
from bkpaas.report.columns import Embedded, embed
from bkpaas.report.findings import (
    causes,
    headline,
    label,
    not_collected_hosts,
    overall_verdict,
    unchecked,
    unexplained,
    warnings,
)
from bkpaas.report.templates import TemplateCache
from bkpaas.report.text import visible

TEXT_LIMIT = 4_000
"""Characters of one evidence or remedy on the page; results.json holds the whole."""
UNFOLDED = 5
"""Root causes whose card is open; each further one is a line that opens."""
CARDS = 25
"""Root causes with a card of their own; all of them are in the table."""
CHIPS = 12
"""Hosts named on one card."""
IDS_SHOWN = 8
"""Consequences named on one card."""
HOSTS_SHOWN = 60
"""Hosts without data that are named one by one."""
REASONS = 30
"""Reasons for which something could not be judged."""
LISTED = 12
"""Ids in one list of what changed; more of them are folded under it."""
FOLDED = 500
"""Where the folded ones end."""
FACTS_SHOWN = 300

MARKS: dict[Word, str] = {
    "fail": "×",
    "no_data": "?",
    "warn": "!",
    "waived": "w",
    "not_applicable": "–",
    "pass": "·",
}
"""A sign for each word, so that nothing rests on colour alone; in the order of urgency."""

_HERE = Path(__file__).parent


def write(results: Results, target: Path) -> None:
    """Write the record as one self-contained page, private, replacing the file as a whole."""
    write_private(target, page(results, target).encode("utf-8"))


def page(results: Results, target: Path | None = None) -> str:
    """Return the page: the findings as markup, the matrix and the table drawn by its script from the embedded data."""
    return str(_template().render(_context(results, target)))


def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        bytecode_cache=TemplateCache(),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=lambda value: (
            value if isinstance(value, Markup) or not isinstance(value, (str, Message)) else _spans(value)
        ),
    )
    environment.filters |= {
        "address": lambda text: quote(visible(text), safe="@"),
        "when": change_lines.day,
        "moment": change_lines.moment,
        "breakable": _breakable,
        "english": lambda text: languages(text)[0],
        "chinese": lambda text: languages(text)[1],
    }
    return environment.get_template("page.html.j2")


def _context(results: Results, target: Path | None) -> dict[str, Any]:
    style, dark_style, script = (
        (_HERE / f"page{end}").read_text("utf-8") for end in (".css", ".dark.css", ".js")
    )
    record = bilingual(results, TEXT_LIMIT)
    root_causes = causes(record)
    dark_hosts = not_collected_hosts(record)
    pictures = path.pictures(record)
    data = _data(results, [cause.verdict.id for cause in root_causes])
    return {
        "msg": msg,
        "language": {"en": "en", "zh": "zh-CN"}[results.run.language],
        "policy": _policy([style, dark_style], script),
        "style": Markup(style),
        "dark": Markup(dark_style),
        "script": Markup(script),
        "results": record,
        "sentence": headline(record),
        "merged": list(change_lines.merged_lines(record)),
        "tone": overall_verdict(record),
        "unjudged": unchecked(record),
        "words": [(word, mark, label(word), results.counts[word]) for word, mark in MARKS.items()],
        "marks": MARKS,
        "label": label,
        "causes": root_causes[:CARDS],
        "further": len(root_causes) - len(root_causes[:CARDS]),
        "ids": IDS_SHOWN,
        "unfolded": UNFOLDED,
        "chips": CHIPS,
        "alone": [verdict for verdict in unexplained(record) if verdict.verdict == "fail"],
        "warnings": warnings(record),
        "unseen": dark_hosts[:HOSTS_SHOWN],
        "unseen_further": len(dark_hosts) - len(dark_hosts[:HOSTS_SHOWN]),
        "since": changes.since(record),
        "changed": changes.changed(record),
        "trend": changes.trend(record, target),
        "clocks": clocks.chart(record),
        "pictures": pictures,
        "ways": path.ways(pictures),
        "steps": _steps,
        "tip": _tip,
        "each": _each,
        "about": _about,
        "kind": change_lines.kind,
        "shown": LISTED,
        "most": FOLDED,
        "facts_shown": FACTS_SHOWN,
        "reasons": REASONS,
        "states": _states(),
        "seconds": _seconds,
        "signed": _signed,
        "exit": _exit(results.run.exit),
        "data": data,
        "embedded": Markup(data.text),
    }


def _spans(text: Message | str) -> Markup | str:
    """Return the text; where it differs by language, a span for each, of which the page shows one."""
    english, chinese = map(visible, languages(text))
    if english == chinese:
        return english
    return Markup('<span lang="en">{}</span><span lang="zh">{}</span>').format(english, chinese)


def _breakable(text: Message | str) -> Markup:
    """Return the text with a place for a line break before a "/" inside of a path, so that no word is broken."""
    return Markup(re.sub(r"(?<=[\w.-])/", "<wbr>/", str(escape(_spans(text)))))


def _tip(text: Message | str) -> Markup:
    """Return the attributes from which the page's script makes a tooltip in the language that is shown."""
    english, chinese = map(visible, languages(text))
    return Markup('data-en="{}" data-zh="{}"').format(english, chinese)


def _each(text: Message | str) -> list[tuple[str, str]]:
    """Yield (text, language), once where it is the same in both; for pictures, in which a span cannot stand."""
    english, chinese = map(visible, languages(text))
    both = [(english, "en"), (chinese, "zh")]
    return [(english, "")] if english == chinese else both


def _about(part: path.PartState, name: Message) -> Message:
    """Return the title of a part of the request flow, how it was judged, and its failures."""
    state = label(part.word) if part.word else msg("not checked")
    if part.verdicts:
        head = msg("{name}: {state}, {number} verdicts", name=name, state=state, number=part.verdicts)
    else:
        head = msg("{name}: {state}", name=name, state=state)
    return lines([head, *part.bad[:IDS_SHOWN], *(["..."] if len(part.bad) > IDS_SHOWN else [])])


def _seconds(number: float) -> str:
    """Format a duration with the digits that matter: 0.1 ms, 12 ms, 1.2 s, 90.0 s."""
    if number < 0.0995:
        return f"{number * 1000:.1f} ms" if number < 0.00995 else f"{number * 1000:.0f} ms"
    return f"{number:.2f} s" if number < 1 else f"{number:,.1f} s"


def _signed(number: float) -> str:
    size = _seconds(abs(number))
    return size if size == _seconds(0) else ("+" if number > 0 else "−") + size


def _states() -> dict[str, Message]:
    """Return the state of a waiver."""
    return {
        "used": msg("in use"),
        "expired": msg("expired"),
        "unneeded": msg("no longer needed"),
        "changed": msg("evidence changed"),
    }


def _policy(styles: list[str], script: str) -> str:
    """Return a policy that allows no fetch, and only the page's own script and style."""
    *own, last = [
        f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (*styles, script)
    ]
    return f"default-src 'none'; img-src data:; style-src {' '.join(own)}; script-src {last}; base-uri 'none'"


def _steps(remedy: str | None) -> Iterator[tuple[str, list[str]]]:
    """Return the remedy as paragraphs and runs of commands: ("text" | "commands", lines).

    Where the languages differ in nothing but a comment, both have the same number of lines; where they do not, each
    is told whole.
    """
    english, chinese = (half.splitlines() for half in languages(remedy or ""))
    if [line[:2] == "$ " for line in english] == [line[:2] == "$ " for line in chinese]:
        yield from _runs([_joined(*pair) for pair in zip(english, chinese, strict=True)])
    else:
        yield from _runs([_joined(line, "") for line in english])
        yield from _runs([_joined("", line) for line in chinese])


def _joined(english: str, chinese: str) -> tuple[bool, str]:
    """Return whether it is a command, and the line in both languages."""
    command = (english or chinese).startswith("$ ")
    return command, bilingual_text(english.removeprefix("$ "), chinese.removeprefix("$ "))


def _runs(lines: list[tuple[bool, str]]) -> Iterator[tuple[str, list[str]]]:
    kind, run = None, list[str]()
    for command, line in lines:
        if command != kind and run:
            yield "commands" if kind else "text", run
            run = []
        kind = command
        run.append(line)
    if run:
        yield "commands" if kind else "text", run


def _data(results: Results, root_ids: list[str]) -> Embedded:
    """Return the data of the page's script; see columns() for the verdicts."""
    by_id = {verdict.id: verdict for verdict in results.verdicts}
    listed = {section.key: section.conditions for section in results.sections}
    more = {
        "sections": [
            [visible(key), *map(visible, languages(title)), [visible(name) for name in listed.get(key, [])]]
            for key, title in section_titles(results).items()
        ],
        "words": [[word, mark, *languages(label(word))] for word, mark in MARKS.items()],
        "parts": path.flow_parts(results),
        "names": {key: languages(name) for key, name in path.names(results).items()},
        "ui": {key: languages(text) for key, text in _ui().items()},
    }
    return embed(results, [by_id[id_] for id_ in root_ids], tuple(MARKS), more)


def _exit(code: int) -> Message:
    meaning: dict[int, Message] = {
        0: msg("green", context="exit code"),
        1: msg("not green"),
        2: msg("interrupted"),
        3: msg("the suite broke"),
        4: msg("bad options or inventory"),
        5: msg("nothing selected"),
    }
    return msg("{code} ({meaning})", code=code, meaning=meaning.get(code, ""))


def _ui() -> dict[str, Message]:
    """Return the texts of the page's script."""
    return {
        "search": msg("Search id, title, evidence"),
        "host": msg("Host"),
        "faq": msg("FAQ section"),
        "condition": msg("Condition"),
        "all_hosts": msg("all hosts"),
        "all_sections": msg("all sections"),
        "all_conditions": msg("all conditions"),
        "several": msg("{{n}} conditions"),
        "cause": msg("cause"),
        "because": msg("because of"),
        "explains": msg("Explains"),
        "probably": msg("probably because of"),
        "more": msg("and {{n}} more"),
        "shown": msg("{{n}} of {{all}}"),
        "none": msg("No verdict matches."),
        "only": msg("only"),
        "step": msg("on the way"),
        "under": msg("Explained by"),
        "evidence": msg("Evidence"),
        "reason": msg("Reason"),
        "remedy": msg("Remedy"),
        "copy": msg("Copy"),
        "copied": msg("Copied"),
        "selected": msg("Selected"),
        "link": msg("Link to this verdict"),
        "verdicts": msg("{{n}} verdicts"),
        "matrix": msg("Hosts and conditions"),
        "every_column": msg("Show all {{n}} conditions"),
        "findings_only": msg("Show only conditions with findings"),
        "more_rows": msg("Show {{n}} more"),
        "all_rows": msg("Show all {{n}}"),
        "findings_first": msg("Hosts with findings come first."),
    }
