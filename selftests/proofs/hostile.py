"""Hostile hosts and input: every id keeps one verdict, nothing hangs, and other hosts lose nothing."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from collect import hostile_fleet, test_hostile_fleet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bkpaas.facts import Missing
from selftests.proofs.figures import Figures
from selftests.proofs.parsers import Parser, parsers
from selftests.suite import test_garbage
from selftests.suite.answers import ROUNDS, Answers

ANSWERS, TEXTS, GARBAGE = 10_000, 2_000, 400
"""Numbers of answers that are read, texts for each parser, and changes for the rule of garbage."""
EACH_JUDGED = 20
"""Of so many answers one is judged too."""
HOSTS = 200
TEXT_SECONDS = 5.0
"""Limit of one text of some kilobytes, on a machine that does other work."""
ODD = (
    "",
    "\0",
    "\ufeff",
    "é",
    "中文",
    "{",
    "}",
    "[",
    "(",
    '"',
    "'",
    "\\",
    "%",
    "$",
    "#",
    ";",
    "\r\n",
    "\t",
    "-1",
    "1e400",
    "NaN",
    "9" * 400,
    "=" * 50,
)


def options(examples: int) -> Any:
    """Return settings of hypothesis: so many examples, the same in each run, no clock."""
    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


def texts(example: str) -> st.SearchStrategy[str]:
    """Return texts made of pieces of an example and of anything."""
    lines = example.splitlines(keepends=True)
    words = example.split(" ")
    piece = st.one_of(
        st.sampled_from(lines or [""]), st.sampled_from(words), st.sampled_from(ODD), st.text(max_size=30)
    )
    mixed = st.lists(piece, max_size=30).map("".join)
    cut = st.tuples(st.integers(0, len(example)), st.integers(0, len(example)), mixed)
    changed = cut.map(lambda it: example[: min(it[:2])] + it[2] + example[max(it[:2]) :])
    deep = st.tuples(st.sampled_from("{[(\"'"), st.integers(1, 3000)).map(
        lambda it: example[:40] + it[0] * it[1]
    )
    return st.one_of(changed, mixed, deep, st.text(max_size=200))


def try_parser(parser: Parser, count: int) -> tuple[int, float, list[str]]:
    """Feed a parser; return the texts it got, the seconds of the slowest, and what it raised."""
    tried, slowest, wrong = 0, 0.0, []

    @options(count)
    @given(texts(parser.example))
    def feed(text: str) -> None:
        nonlocal tried, slowest
        tried += 1
        begun = time.perf_counter()
        try:
            parser.parse(text)
        except parser.refusals:
            pass
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {str(error)[:80]} for {text[:80]!r}")
        slowest = max(slowest, time.perf_counter() - begun)

    feed()
    return tried, slowest, wrong


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(ODD)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


class Mutations:
    """Answers of a healthy lab with one to three values replaced."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.places = [
            (host, name, path)
            for host, visit in self.answers.visits.items()
            for name in ROUNDS.values()
            for path in test_garbage.places(visit[name])
        ]
        self.read, self.judged_answers = 0, 0
        self.wrong: list[str] = []

    def run(self, count: int, facts: Callable[..., Any] | None = None) -> None:
        """Read so many answers; judge some."""
        read = facts or self.answers.facts

        @options(count)
        @given(st.lists(st.tuples(st.integers(0, len(self.places) - 1), JSON), min_size=1, max_size=3))
        def feed(changes: list[tuple[int, Any]]) -> None:
            host, name, _ = self.places[changes[0][0]]
            answer = self.answers.visits[host][name]
            for number, value in changes:
                path = self.places[number][2]
                try:
                    answer = test_garbage.put(answer, path, value)
                except (KeyError, IndexError, TypeError):
                    continue  # a place of another answer
            self._read(host, name, answer, read)

        feed()

    def _read(self, host: str, name: str, answer: Any, read: Callable[..., Any]) -> None:
        self.read += 1
        try:
            found = read(host, **{name: answer})
            text = msgspec.json.encode(found).decode()
            if "suite error" in text:
                self.wrong.append(f"{host}: {name}: {[str(one.reason) for one in _missing(found)][:2]}")
            if self.read % EACH_JUDGED == 0:
                self.judged_answers += 1
                verdicts = self.answers.verdicts(host, **{name: answer})
                self.wrong += [f"{id_}: {one.text}" for id_, one in verdicts.items() if one.word == "broken"]
        except Exception as error:
            self.wrong.append(f"{host}: {name}: {type(error).__name__}: {str(error)[:100]}")


def _missing(facts: Any) -> list[Missing]:
    values = [getattr(facts, field) for field in facts.__struct_fields__]
    return [value for value in values if isinstance(value, Missing) and "suite error" in str(value.reason)]


def prove(figures: Figures) -> None:
    """Prove the law: parsers, answers, garbage, and a fleet with hostile hosts."""
    _parsers(figures)
    _answers(figures)
    _garbage(figures)
    _fleet(figures)


def _parsers(figures: Figures) -> None:
    known = parsers()
    figures.step(f"{len(known)} parsers, {TEXTS} texts each")
    total, slowest = 0, ("", 0.0)
    for name, parser in known.items():
        tried, seconds, wrong = try_parser(parser, TEXTS)
        total += tried
        slowest = max(slowest, (name, seconds), key=lambda one: one[1])
        if wrong:
            figures.none(f"parser {name}: exceptions", wrong)
    goal = len(known) * TEXTS * 9 // 10
    figures.add(f"texts fed to {len(known)} parsers", total, f"at least {goal}", total >= goal)
    figures.add(
        "slowest text, its parser and seconds",
        [slowest[0], round(slowest[1], 2)],
        f"less than {TEXT_SECONDS} s",
        slowest[1] < TEXT_SECONDS,
    )
    figures.caught("a parser that raises is noticed", try_parser(Parser(lambda text: text[100], "x"), 50)[2])


def _answers(figures: Figures) -> None:
    figures.step(f"{ANSWERS} changed answers")
    mutations = Mutations()
    mutations.run(ANSWERS)
    figures.add(
        "changed answers read, and judged",
        [mutations.read, mutations.judged_answers],
        f"at least {ANSWERS * 9 // 10}",
        mutations.read >= ANSWERS * 9 // 10,
    )
    figures.none("exceptions while an answer was read or judged", mutations.wrong)
    control = Mutations()
    control.run(20, lambda host, **answers: 1 / 0)
    figures.caught("a reader that raises is noticed", control.wrong)


def _garbage(figures: Figures) -> None:
    changes = test_garbage.spread(len(test_garbage.changes()))
    chosen = [*test_garbage.spread(GARBAGE // 2), *random.Random(15).sample(changes, GARBAGE // 2)]
    figures.step(f"{len(chosen)} changes that are garbage, each judged")
    wrong = [
        f"{change[:4]}: {bad}" for change in chosen if (bad := test_garbage.wrong(*change[:3], change[4]))
    ]
    figures.none(f"passes out of garbage in {len(chosen)} changes", wrong)
    passed = [
        id_ for id_, verdict in test_garbage.answers().verdicts("paas-1").items() if verdict.word == "pass"
    ]
    figures.caught("an answer without garbage passes", passed)


def _fleet(figures: Figures) -> None:
    hostile = test_hostile_fleet.HOSTILE
    figures.step(
        f"{HOSTS} hosts, {hostile} of them hostile; first all of them healthy, whose verdicts are expected again"
    )
    with tempfile.TemporaryDirectory() as folder:
        before, after = test_hostile_fleet.runs(Path(folder), HOSTS)
    limit = hostile_fleet.LIMITS["run_seconds"]
    behaviours = set(hostile_fleet.misbehaving(HOSTS, hostile).values())
    figures.add("behaviours of hostile hosts", len(behaviours), "at least 23", len(behaviours) >= 23)
    figures.add(
        "seconds of the run, all healthy and with hostile hosts",
        [round(before.seconds), round(after.seconds)],
        f"less than {limit:.0f}",
        after.seconds < limit,
    )
    limit_bytes = test_hostile_fleet.RESIDENT_BYTES
    figures.add(
        "memory of the largest process, MB",
        round(after.resident_bytes / 1e6),
        f"less than {limit_bytes / 1e6:.0f}",
        after.resident_bytes < limit_bytes,
    )
    figures.add(
        "verdicts of one host, before and after",
        [len(before.verdicts), len(after.verdicts)],
        "equal",
        before.verdicts.keys() == after.verdicts.keys(),
    )
    figures.none(
        "verdicts of healthy hosts that changed",
        list(test_hostile_fleet.differences(before, after, HOSTS).items()),
    )
    healthy = next(
        id_
        for id_, word in before.verdicts.items()
        if word == "pass" and id_.startswith("host-reachable@paas-0")
    )
    after.verdicts[healthy] = "fail"
    figures.caught("a verdict that changed is noticed", test_hostile_fleet.differences(before, after, HOSTS))
