"""Merge the verdicts of two recorded faults, explain them together, and say if both are named. Pure.

Two faults are merged where they are independent: the verdict that names one of them is good while the other one is
there alone. What both make fail is one verdict with the evidence of both.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from bkpaas.catalogue.explain import BAD, explain
from bkpaas.catalogue.registry import find_condition
from bkpaas.record import Part, Verdict
from lab.faults import FAULTS

Outcome = Literal["named", "possibly", "hidden"]
"""named: a root cause. possibly: a root cause that another one may explain. hidden: folded under another one."""


class Run(NamedTuple):
    """One recorded fault: what was bad, what the checks said about it, and the verdicts that name the fault."""

    fault: str
    layout: str
    bad: dict[str, Verdict]
    services: dict[str, frozenset[str]]
    missed: dict[str, Sequence[str]]
    needs: dict[str, frozenset[str]]
    named: frozenset[str]


class Pair(NamedTuple):
    """What a pair of faults is judged as."""

    faults: tuple[str, str]
    outcomes: tuple[Outcome, Outcome]
    components: tuple[bool, bool]
    """Whether the evidence of each names a component."""
    under: tuple[str, ...]
    """Ids that explain, or may explain, what is not named."""

    @property
    def good(self) -> bool:
        """Tell if both are named, or one is visible whose evidence names no component."""
        return all(
            outcome == "named" or (outcome == "possibly" and not names)
            for outcome, names in zip(self.outcomes, self.components, strict=True)
        )


def run(output: Mapping[str, Any], layout: str) -> Run:
    """Return the run that an expectation describes."""
    verdicts = {
        id_: _verdict(id_, output["verdicts"][id_])
        for id_ in output["order"]
        if output["verdicts"][id_]["word"] in BAD
    }
    one = Run(
        output["name"],
        layout,
        verdicts,
        {id_: frozenset(output["verdicts"][id_]["services"]) for id_ in verdicts},
        {id_: output["verdicts"][id_]["missed"] for id_ in verdicts},
        {id_: frozenset(output["verdicts"][id_]["needs"]) for id_ in verdicts},
        frozenset(),
    )
    roots = set(_explained(one))
    expected = FAULTS[one.fault].condition
    return one._replace(named=frozenset(id_ for id_ in roots if verdicts[id_].condition == expected))


def _verdict(id_: str, fields: Mapping[str, Any]) -> Verdict:
    name, _, subject = id_.partition("@")
    condition = find_condition(name)
    assert condition is not None, name
    hosts = [] if subject in ("controller", "deployment") or "virtual" in name else subject.split("+")
    parts: list[Part] = []
    if fields["case"] and fields["word"] != "no_data":
        kinds = condition.case(fields["case"]).evidence
        services = set(fields["services"])
        named = services and services != set(condition.services)
        parts = [Part(f"service:{one}", kinds) for one in sorted(services)] if named else [Part("", kinds)]
    evidence = (fields["evidence"] or fields["reason"] or {}).get("en")
    verdict = Verdict(
        id_,
        condition.id,
        subject,
        hosts,
        "",
        fields["severity"],
        fields["word"],
        "",
        None,
        evidence,
        None,
        [],
    )
    return msgspec.structs.replace(verdict, case=fields["case"], parts=parts)


def _explained(one: Run) -> list[str]:
    return explain(list(one.bad.values()), one.services, one.missed, one.needs)


def independent(one: Run, other: Run) -> bool:
    """Tell if neither makes the verdict fail that names the other one."""
    return (
        one.layout == other.layout
        and bool(one.named and other.named)
        and not one.named & other.bad.keys()
        and not other.named & one.bad.keys()
    )


def merged(one: Run, other: Run) -> Run:
    """Return both at the same time: of a verdict that is bad in both the worse, of equally bad ones all evidence."""
    bad = {id_: msgspec.structs.replace(verdict) for id_, verdict in one.bad.items()}
    services, missed, needs = dict(one.services), dict(one.missed), dict(one.needs)
    for id_, verdict in other.bad.items():
        mine = bad.get(id_)
        if mine is None or (mine.verdict != "fail" and verdict.verdict == "fail"):
            bad[id_] = msgspec.structs.replace(verdict)
            services[id_], missed[id_], needs[id_] = other.services[id_], other.missed[id_], other.needs[id_]
        elif mine.verdict == verdict.verdict:
            mine.parts = list(dict.fromkeys([*mine.parts, *verdict.parts]))
            both = services[id_], other.services[id_]
            services[id_] = both[0] | both[1] if all(both) else frozenset()
            needs[id_] |= other.needs[id_]
    return Run(
        f"{one.fault}+{other.fault}", one.layout, bad, services, missed, needs, one.named | other.named
    )


def judge(one: Run, other: Run) -> Pair:
    """Say if both faults are named when both are there."""
    both = merged(one, other)
    roots = set(_explained(both))
    outcomes: list[Outcome] = []
    under: list[str] = []
    for single in (one, other):
        visible = [both.bad[id_] for id_ in single.named & roots]
        if any(not verdict.may_be_explained_by for verdict in visible):
            outcomes.append("named")
            continue
        outcomes.append("possibly" if visible else "hidden")
        hidden = visible or [both.bad[id_] for id_ in single.named]
        under += [id_ for verdict in hidden for id_ in (*verdict.explained_by, *verdict.may_be_explained_by)]
    names = tuple(
        any(part.component for id_ in single.named for part in both.bad[id_].parts) for single in (one, other)
    )
    return Pair(
        (one.fault, other.fault),
        (outcomes[0], outcomes[1]),
        (names[0], names[1]),
        tuple(dict.fromkeys(under)),
    )


def pairs(runs: Sequence[Run], number: int | None = None) -> list[tuple[Run, Run]]:
    """Return independent pairs, spread evenly over the pairs of sections: each occurs before one occurs twice."""
    by_sections: dict[tuple[str, ...], list[tuple[Run, Run]]] = {}
    for one, other in itertools.combinations(sorted(runs), 2):
        if independent(one, other):
            sections = tuple(sorted((FAULTS[one.fault].faq, FAULTS[other.fault].faq)))
            by_sections.setdefault(sections, []).append((one, other))
    for found in by_sections.values():
        found.sort(key=lambda pair: _spread(f"{pair[0].fault}+{pair[1].fault}"))
    return list(itertools.islice(_in_turn(list(by_sections.values())), number))


def _in_turn(groups: list[list[tuple[Run, Run]]]) -> Iterator[tuple[Run, Run]]:
    for row in itertools.zip_longest(*groups):
        yield from (pair for pair in row if pair is not None)


def _spread(text: str) -> int:
    """Return a number that orders texts in a way that is fixed and has nothing to do with the alphabet."""
    value = 0
    for character in text:
        value = (value * 131 + ord(character)) % 1_000_003
    return value
