"""Draw the request flow: which component calls which, each step as its conditions were judged.

The stations, the steps, their conditions and their state come from the record, their place in the picture from here. A
record of an earlier version has no request flow: there is no picture of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from bkpaas.messages import Message, both, joined, plural
from bkpaas.record import FlowPart, Results, Verdict, Word

BROWSER = "browser"
"""The station that no condition is about."""
_URGENCY: tuple[Word, ...] = ("fail", "no_data", "warn", "waived", "pass", "not_applicable")


class Part(NamedTuple):
    """A station or a step: the conditions that judge it on hosts of these roles, and those that do so anywhere."""

    conditions: tuple[str, ...]
    roles: tuple[str, ...] = ()
    anywhere: tuple[str, ...] = ()


class PartState(NamedTuple):
    """A part as this run found it."""

    key: str
    word: Word | None
    """The worst of what was judged; None: nothing was."""
    folded: bool
    """What failed has its cause elsewhere."""
    verdicts: int
    bad: list[str]
    """Ids of what is not as it should be, the worst first."""


class Box(NamedTuple):
    """A station in the picture; measures in pixels."""

    part: PartState
    name: Message
    hosts: Message | str
    x: int
    y: int
    width: int
    height: int
    frame: bool = False
    """It stands around others."""


class Line(NamedTuple):
    """A step in the picture."""

    part: PartState
    name: Message
    d: str
    """The way of an SVG path."""
    tip: str
    """The points of its arrow head."""
    mark: tuple[float, float]


class Picture(NamedTuple):
    width: int
    height: int
    boxes: list[Box]
    lines: list[Line]


# x, y, width, height; side by side on a wide page, one below the other on a narrow one.
WIDE = {
    "browser": (0, 8, 150, 50),
    "agents": (0, 92, 150, 50),
    "cmdb": (0, 176, 150, 50),
    "job": (0, 260, 150, 50),
    "nginx": (330, 92, 150, 84),
    "open_paas": (660, 8, 270, 158),
    "login": (674, 66, 115, 38),
    "paas": (801, 66, 115, 38),
    "esb": (674, 114, 115, 38),
    "appengine": (801, 114, 115, 38),
    "appo": (660, 210, 270, 44),
    "appt": (660, 268, 270, 44),
    "mysql": (1030, 8, 150, 50),
    "redis": (1030, 72, 150, 50),
    "es": (1030, 136, 150, 50),
}
NARROW = {
    "browser": (0, 0, 82, 46),
    "agents": (92, 0, 82, 46),
    "cmdb": (184, 0, 82, 46),
    "job": (276, 0, 82, 46),
    "nginx": (60, 100, 238, 46),
    "open_paas": (34, 190, 290, 154),
    "login": (46, 246, 128, 38),
    "paas": (184, 246, 128, 38),
    "esb": (46, 294, 128, 38),
    "appengine": (184, 294, 128, 38),
    "mysql": (34, 388, 90, 46),
    "redis": (134, 388, 90, 46),
    "es": (234, 388, 90, 46),
    "appo": (0, 482, 170, 46),
    "appt": (188, 482, 170, 46),
}


def flow_parts(results: Results) -> dict[str, Part]:
    """Return the stations and steps of the record by key, without the browser."""
    return {
        one.key: Part(tuple(one.conditions), tuple(one.roles), tuple(one.anywhere))
        for one in results.flow
        if one.key != BROWSER
    }


def parts(results: Results) -> dict[str, PartState]:
    """Return every station and step by its key."""
    parts_by_name = flow_parts(results)
    roles = {host.name: set(host.roles) for host in results.hosts}
    by_key: dict[str, list[Verdict]] = defaultdict(list)
    conditions_of_keys: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for key, part in parts_by_name.items():
        for condition in part.conditions:
            conditions_of_keys[condition].append((key, part.roles))
        for condition in part.anywhere:
            conditions_of_keys[condition].append((key, ()))
    for verdict in results.verdicts:
        for key, wanted in conditions_of_keys.get(verdict.condition, ()):
            if not wanted or any(roles.get(host, set()) & set(wanted) for host in verdict.hosts):
                by_key[key].append(verdict)
    return {key: _worst(key, by_key[key]) for key in parts_by_name}


def _worst(key: str, verdicts: list[Verdict]) -> PartState:
    by_urgency = sorted(
        verdicts, key=lambda verdict: (_URGENCY.index(verdict.verdict), bool(verdict.explained_by))
    )
    bad = [verdict for verdict in by_urgency if verdict.verdict in ("fail", "no_data", "warn")]
    relevant = [verdict for verdict in by_urgency if verdict.verdict != "not_applicable"]
    worst = relevant[0] if relevant else None
    return PartState(
        key=key,
        word=worst.verdict if worst else None,
        folded=bool(worst and bad and worst.explained_by),
        verdicts=len(relevant),
        bad=[verdict.id for verdict in bad],
    )


def pictures(results: Results) -> list[Picture]:
    """Return the picture for a wide page and for a narrow one; none where there is neither nginx nor paas."""
    stations = {one.key: one for one in results.flow if not _is_step(one)}
    hosts = {
        key: [host.name for host in results.hosts if set(host.roles) & set(one.roles)]
        for key, one in stations.items()
        if one.roles
    }
    if not hosts.get("nginx") or not hosts.get("open_paas"):
        return []
    by_part, called = parts(results), names(results)
    shown = [name for name in WIDE if name in stations and (name not in hosts or hosts[name])]
    steps = {key: part for key, part in by_part.items() if ">" in key and set(key.split(">")) <= set(shown)}
    return [
        _picture(boxes, shown, steps, by_part, hosts, called, wide)
        for boxes, wide in ((WIDE, True), (NARROW, False))
    ]


def ways(drawn: list[Picture]) -> list[tuple[Word | None, bool]]:
    """Return the styles of stations and steps in a picture: (word, explained), the worst first."""
    parts = [line.part for picture in drawn for line in picture.lines]
    parts += [box.part for picture in drawn for box in picture.boxes if box.part.verdicts]
    appearances = {(part.word, part.folded) for part in parts}
    return sorted(
        appearances,
        key=lambda appearance: (
            _URGENCY.index(appearance[0]) if appearance[0] else len(_URGENCY),
            appearance[1],
        ),
    )


def _picture(
    boxes: dict[str, tuple[int, int, int, int]],
    shown: list[str],
    steps: dict[str, PartState],
    by_part: dict[str, PartState],
    hosts: dict[str, list[str]],
    called: Mapping[str, Message],
    wide: bool,
) -> Picture:
    browser = PartState(BROWSER, None, False, 0, [])
    placed = [
        Box(
            by_part.get(name, browser), called[name], _names_text(hosts.get(name, []), boxes[name][2]), *boxes[name],
            frame=name == "open_paas",
        )
        for name in shown
    ]  # fmt: skip
    draw = _across if wide else _down
    callers = [step for step in steps if step.endswith(">nginx")]
    lines = [draw(step, called[step.key], boxes, callers) for step in steps.values()]
    width = 1180 if wide else 358
    return Picture(
        width, max(y + height for _, y, _, height in (boxes[name] for name in shown)) + 4, placed, lines
    )


def _names_text(names: list[str], width: int) -> Message | str:
    """Return the hosts of a station by name where that fits, else their number."""
    text = ", ".join(names)
    if len(text) * 7 <= width - 16:
        return text
    return plural("{count} host", "{count} hosts", count=len(names))


_QUARTERS = {"open_paas": 1, "appo": 2, "appt": 3, "mysql": 1, "redis": 2, "es": 3}
"""How far down the side of its box the arrow to a station begins; that to another one in the middle."""


def _across(
    step: PartState, name: Message, boxes: dict[str, tuple[int, int, int, int]], callers: list[str]
) -> Line:
    """Draw from the right of one box to the left of the next; to the agents also from below the platform."""
    source, target = step.key.split(">")
    x, y, width, height = boxes[source]
    to_x, to_y, _, to_height = boxes[target]
    if step.key == "open_paas>appo":
        middle = x + width // 2
        return _straight_down(step, name, middle, y + height, to_y)
    if step.key == "open_paas>appt":  # around appo, on its right
        right, middle = x + width, to_y + to_height // 2
        below, out = y + height, right + 46
        curve = (
            f"M{right - 30},{below} C{right - 30},{below + 30} {out},{below} {out},{below + 60}"
            f" S{out},{middle} {right + 6},{middle}"
        )
        tip = f"{right + 1},{middle} {right + 9},{middle - 4} {right + 9},{middle + 4}"
        return Line(step, name, curve, tip, (out, below + 58))
    start, end = y + height / 2, to_y + to_height / 2
    if target == "nginx":  # each caller its own place on nginx's side
        end = to_y + to_height * (callers.index(step.key) + 1) / (len(callers) + 1)
    if source == "nginx":
        start = y + height * _QUARTERS.get(target, 2) / 4
    if source == "open_paas":
        start = y + height * _QUARTERS.get(target, 2) / 4
    begin, stop = x + width, to_x - 6
    bend = (stop - begin) / 2
    curve = f"M{begin},{start:g} C{begin + bend:g},{start:g} {stop - bend:g},{end:g} {stop},{end:g}"
    tip = f"{to_x - 1},{end:g} {to_x - 9},{end - 4:g} {to_x - 9},{end + 4:g}"
    return Line(step, name, curve, tip, ((begin + stop) / 2, (start + end) / 2))


def _down(
    step: PartState, name: Message, boxes: dict[str, tuple[int, int, int, int]], callers: list[str]
) -> Line:
    """Draw from below one box to the top of the next; to the agents along the margins."""
    source, target = step.key.split(">")
    x, y, width, height = boxes[source]
    to_x, to_y, to_width, _ = boxes[target]
    if step.key in ("nginx>appo", "nginx>appt"):
        side, begin = (10, x) if target == "appo" else (348, x + width)
        start = y + height / 2
        curve = (
            f"M{begin},{start:g} C{side},{start:g} {side},{start:g} {side},{start + 50:g} L{side},{to_y - 6}"
        )
        return Line(step, name, curve, _tip_down(side, to_y), (side, (start + to_y) / 2))
    if step.key in ("open_paas>appo", "open_paas>appt"):
        side = 26 if target == "appo" else 332
        begin = x if target == "appo" else x + width
        start = y + height - 24
        curve = f"M{begin},{start} C{side},{start} {side},{start} {side},{start + 14} L{side},{to_y - 6}"
        return Line(step, name, curve, _tip_down(side, to_y), (side, to_y - 24))
    start_x, end_x = x + width / 2, to_x + to_width / 2
    if target == "nginx":
        end_x = to_x + to_width * (callers.index(step.key) + 1) / (len(callers) + 1)
    if source == "open_paas":
        start_x = end_x
    begin, stop = y + height, to_y - 6
    bend = (stop - begin) / 2
    curve = f"M{start_x:g},{begin} C{start_x:g},{begin + bend:g} {end_x:g},{stop - bend:g} {end_x:g},{stop}"
    return Line(step, name, curve, _tip_down(end_x, to_y), ((start_x + end_x) / 2, (begin + stop) / 2))


def _straight_down(step: PartState, name: Message, x: int, y: int, to_y: int) -> Line:
    return Line(step, name, f"M{x},{y} L{x},{to_y - 6}", _tip_down(x, to_y), (x, (y + to_y) / 2))


def _tip_down(x: float, y: float) -> str:
    return f"{x:g},{y - 1:g} {x - 4:g},{y - 9:g} {x + 4:g},{y - 9:g}"


def _is_step(part: FlowPart) -> bool:
    return ">" in part.key


def names(results: Results) -> dict[str, Message]:
    """Return what a person calls each station and step of the record."""
    english = results.run.language == "en"
    stations = {
        one.key: both(en=one.title, zh=one.translated) if english else both(en=one.translated, zh=one.title)
        for one in results.flow
        if not _is_step(one)
    }
    steps = {
        one.key: joined(" → ", [stations[station] for station in one.key.split(">")])
        for one in results.flow
        if _is_step(one) and set(one.key.split(">")) <= stations.keys()
    }
    return stations | steps
