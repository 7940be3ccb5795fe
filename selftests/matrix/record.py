"""report/matrix.json: what is known so far about how well the suite names each fault."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct, field

from bkpaas.record import write_private


class Row(Struct):
    """One fault: injected, judged, healed, judged again."""

    name: str
    condition: str
    """The expected root cause."""
    detected: bool
    cause_first: bool
    cause_rank: int
    """From 1; 0: the expected cause is not among the root causes."""
    unexplained: list[str]
    unrelated: list[str]
    healed: bool
    """Everything was green again after healing."""
    seconds: float
    same_from_snapshot: bool = True
    """The snapshot of the run, judged again offline, has the same verdicts and causes."""
    remedied: bool | None = None
    """The remedy of the first root cause repaired it; None: not tried, or only a person can repair it."""

    @property
    def perfect(self) -> bool:
        named = self.detected and self.cause_first and not (self.unexplained or self.unrelated)
        return named and self.healed and self.same_from_snapshot and self.remedied is not False


class Pair(Struct):
    """Two faults together."""

    names: list[str]
    conditions: list[str]
    both_named: bool
    """Both expected conditions are among the root causes, as often as they were broken."""
    strangers: list[str]
    """Ids of root causes that are neither."""
    healed: bool

    @property
    def perfect(self) -> bool:
        return self.both_named and self.healed and not self.strangers


class Lookalike(Struct):
    """Something that only looks like a fault, and what turned red although nothing should."""

    name: str
    red: list[str]

    @property
    def perfect(self) -> bool:
        return not self.red


class Marked(Struct):
    """A section of the FAQ: one of its own faults, judged with its marker alone, once in each language."""

    symptom: str
    fault: str
    condition: str
    """The expected root cause."""
    first: dict[str, bool]
    """By language: it is the first root cause, and it was printed in that language."""

    @property
    def perfect(self) -> bool:
        return bool(self.first) and all(self.first.values())


Found = Row | Pair | Lookalike | Marked


class Matrix(Struct):
    faults: list[Row] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    lookalikes: list[Lookalike] = field(default_factory=list)
    symptoms: list[Marked] = field(default_factory=list)
    healthy_runs: int = 0
    false_alarms: int = 0
    """Ids that were not green in a healthy run, over all healthy runs."""

    @classmethod
    def read(cls, file: Path) -> Matrix:
        """Return an empty one if the file is missing or unreadable."""
        try:
            return msgspec.json.decode(file.read_bytes(), type=cls)
        except (OSError, msgspec.DecodeError):
            return cls()

    def write(self, file: Path) -> None:
        write_private(file, msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    def put(self, found: Found) -> None:
        """Add a result; a new one replaces the old one of the same name."""
        if isinstance(found, Row):
            self.faults = [one for one in self.faults if one.name != found.name] + [found]
        elif isinstance(found, Pair):
            self.pairs = [one for one in self.pairs if one.names != found.names] + [found]
        elif isinstance(found, Lookalike):
            self.lookalikes = [one for one in self.lookalikes if one.name != found.name] + [found]
        else:
            self.symptoms = [one for one in self.symptoms if one.symptom != found.symptom] + [found]

    def sort(self, order: Iterable[str]) -> None:
        """Faults in the order of their catalogue."""
        places = {name: place for place, name in enumerate(order)}
        self.faults.sort(key=lambda row: places.get(row.name, len(places)))

    @property
    def perfect(self) -> bool:
        """Nothing in it is less than it should be."""
        found: tuple[Found, ...] = (*self.faults, *self.pairs, *self.lookalikes, *self.symptoms)
        return not self.false_alarms and all(one.perfect for one in found)
