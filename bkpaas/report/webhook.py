"""A message to a group chat: the outcome, the root causes, the link. Off unless asked for.

The address is a secret, since it allows to write there: it is never printed, logged or stored.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

from msgspec import Struct

from bkpaas.language import Language
from bkpaas.messages import Message, msg
from bkpaas.record import Results
from bkpaas.report import posting
from bkpaas.report.change_lines import change_lines, since
from bkpaas.report.findings import causes, headline, label, overall_verdict
from bkpaas.report.posting import Json
from bkpaas.report.text import cut, visible

Kind = Literal["wecom", "feishu", "dingtalk", "slack", "json"]
KINDS: tuple[Kind, ...] = get_args(Kind)

CAUSES_SHOWN = 10
EVIDENCE_LIMIT = 200
"""Characters of the one line of evidence that stands under a cause."""
LIMITS: dict[Kind, int] = {
    "wecom": 4_000,
    "feishu": 15_000,
    "dingtalk": 15_000,
    "slack": 2_800,
    "json": 200_000,
}
"""Bytes of text, below what each service takes: 4096 bytes, 20 KB of request, 20,000 bytes, 3000 characters of a block."""


class Hook(Struct, frozen=True):
    """Where to send to and in which form."""

    kind: Kind
    url: str

    def __repr__(self) -> str:
        return f"Hook({self.kind})"


def body(results: Results, kind: Kind, link: str | None) -> Json:
    """Return the message, within the limits of the service, with hostile text escaped."""
    return _BODIES[kind](results, link)


def _title(results: Results) -> str:
    title = msg("BlueKing PaaS acceptance: {verdict}", verdict=label(overall_verdict(results)))
    return title.render(results.run.language)


def _headline(results: Results) -> str:
    return headline(results).render(results.run.language)


def _text(results: Results, link: str | None, limit: int, shape: _Shape) -> str:
    """Return the outcome, the link, as many whole causes as fit, and the number of the others."""
    language = results.run.language
    head = [
        shape.bold(_title(results)),
        shape.plain(_headline(results)),
        shape.plain(results.run.inventory + "  " + results.run.started),
    ]
    head += [
        shape.plain(cut(line.render(language), EVIDENCE_LIMIT, language)) for line in change_lines(results)
    ]
    if link:
        head.append(shape.link(msg("the whole report").render(language), link, language))
    root_causes, lines = causes(results), []
    for number, cause in enumerate(root_causes, 1):
        verdict = cause.verdict
        evidence = (verdict.evidence or verdict.reason or "").split("\n", 1)[0]
        notes = _notes(cause.folded, since(results, verdict.id), language)
        problem = shape.bold(cut(_rendered(cause.headline, language), EVIDENCE_LIMIT, language))
        first = f"{number}. {problem} {shape.plain(f'({notes})' if notes else '')}".rstrip()
        lines.append(
            "\n".join(
                [
                    first,
                    shape.plain(verdict.id),
                    shape.seen(cut(evidence, EVIDENCE_LIMIT, language)),
                ]
            )
        )
    return _fitted(head, lines, limit, language)


def _rendered(text: Message | str, language: Language) -> str:
    return text.render(language) if isinstance(text, Message) else text


def _notes(explained: int, began: Message | str | None, language: Language) -> str:
    """Return what a cause explains and since when it is there, separated by commas."""
    notes = [msg("explains {folded}", folded=explained)] if explained else []
    if began is not None:
        notes.append(msg("since {began}", began=began))
    return ", ".join(note.render(language) for note in notes)


def _fitted(head: list[str], causes_: list[str], limit: int, language: Language) -> str:
    for shown in range(min(len(causes_), CAUSES_SHOWN), -1, -1):
        rest = len(causes_) - shown
        more = [msg("and {rest} more causes", rest=rest).render(language)] if rest else []
        text = "\n\n".join(["\n".join(head), *causes_[:shown], *more])
        if len(text.encode()) <= limit:
            return text
    return text.encode()[:limit].decode("utf-8", "ignore")


class _Shape(Struct, frozen=True):
    """How one service wants its text."""

    plain: Callable[[str], str]
    """What the suite says."""
    seen: Callable[[str], str]
    """What a host said."""
    bold: Callable[[str], str]
    link: Callable[[str, str, Language], str]


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _unmarked(text: str) -> str:
    """Replace markup by full-width characters, for dialects of markdown without an escape."""
    return _one_line(text).translate(_LOOKALIKES)


_LOOKALIKES = str.maketrans("<>[]*`#", "＜＞［］＊｀＃")


def _entities(text: str) -> str:
    """Escape Slack's three special characters."""
    return _one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _slack_code(text: str) -> str:
    """Return a code span, in which asterisks and underscores stay as they are."""
    return "`" + _entities(text).replace("`", "'") + "`" if text else ""


_MARKDOWN = _Shape(
    plain=_unmarked,
    seen=_unmarked,
    bold=lambda text: f"**{_unmarked(text)}**",
    link=lambda name, url, _: f"[{name}]({_address(url)})",
)
_PLAIN = _Shape(
    plain=_one_line,
    seen=_one_line,
    bold=_one_line,
    link=lambda name, url, language: f"{name}{msg(': ').render(language)}{_address(url)}",
)
_SLACK = _Shape(
    plain=_entities,
    bold=_slack_code,
    seen=_slack_code,
    link=lambda name, url, _: f"<{_address(url)}|{name}>",
)


def _address(url: str) -> str:
    """Return the link of --report-url, escaped so that it cannot end markup."""
    return re.sub(r"[\s()<>|\"'\\]", lambda match: f"%{ord(match[0]):02X}", visible(url))


def _wecom(results: Results, link: str | None) -> Json:
    return {"msgtype": "markdown", "markdown": {"content": _text(results, link, LIMITS["wecom"], _MARKDOWN)}}


def _dingtalk(results: Results, link: str | None) -> Json:
    # DingTalk's markdown ignores a single line end
    text = _text(results, link, LIMITS["dingtalk"], _MARKDOWN).replace("\n", "\n\n")
    return {"msgtype": "markdown", "markdown": {"title": _title(results), "text": text}}


def _feishu(results: Results, link: str | None) -> Json:
    text = _text(results, link, LIMITS["feishu"], _PLAIN)
    colour = {"pass": "green", "fail": "red"}.get(overall_verdict(results), "orange")
    return {
        "msg_type": "interactive",
        "card": {
            "header": {"template": colour, "title": {"tag": "plain_text", "content": _title(results)}},
            "elements": [{"tag": "div", "text": {"tag": "plain_text", "content": text}}],
        },
    }


def _slack(results: Results, link: str | None) -> Json:
    text = _text(results, link, LIMITS["slack"], _SLACK)
    return {
        "text": _entities(f"{_title(results)}{msg(': ').render(results.run.language)}{_headline(results)}"),
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}],
    }


def _json(results: Results, link: str | None) -> Json:
    run = results.run
    return {
        "schema": 1,
        "run": {
            "id": run.id,
            "started": run.started,
            "seconds": run.seconds,
            "inventory": run.inventory,
            "exit": run.exit,
        },
        "sentence": _headline(results),
        "counts": results.counts,
        "root_causes": [
            {
                "id": cause.verdict.id,
                "condition": cause.verdict.condition,
                "subject": cause.verdict.subject,
                "severity": cause.verdict.severity,
                "verdict": cause.verdict.verdict,
                "headline": cut(_rendered(cause.headline, run.language), EVIDENCE_LIMIT, run.language),
                "title": cause.verdict.title,
                "evidence": cut(
                    cause.verdict.evidence or cause.verdict.reason or "", 10 * EVIDENCE_LIMIT, run.language
                ),
                "explains": cause.folded,
            }
            for cause in causes(results)[:CAUSES_SHOWN]
        ],
        "causes": len(causes(results)),
        "report": link,
    }


_BODIES: dict[Kind, Callable[[Results, str | None], Json]] = {
    "wecom": _wecom,
    "feishu": _feishu,
    "dingtalk": _dingtalk,
    "slack": _slack,
    "json": _json,
}


def send(hook: Hook, message: Json, pause: Callable[[float], None] = time.sleep) -> None:
    """Post the message. Raises NotSent."""
    posting.send(hook.url, message, partial(_verdict, hook.kind), pause)


def _verdict(kind: Kind, status: int, answer: bytes) -> posting.Failure | None:
    """Raise NotSent if the body of a 200 answer says that the robot refused the message."""
    if not 200 <= status < 300:
        return f"HTTP {status}", status == 429 or status >= 500
    name = {"wecom": "errcode", "dingtalk": "errcode", "feishu": "code"}.get(kind)
    if name is None:
        return None
    try:
        code = json.loads(answer)[name]
    except (ValueError, KeyError, TypeError):
        return msg("the answer is not that of such a robot"), False
    busy = code in (-1, 45009, 130101, 11232, 9499)
    return None if code == 0 else (f"{name} {str(code)[:20]}", busy)
