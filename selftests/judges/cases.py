"""The cases that edited facts turned red, kept in `cases.txt`.

`BKPAAS_CASES=1 pytest -c selftests/pytest.ini selftests/judges` adds those of its run to the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from bkpaas.facts import Snapshot
from bkpaas.record import Verdict

FILE = Path(__file__).with_name("cases.txt")
SEEN: set[str] = set()
"""`condition case`, of this process."""


def note(verdicts: Iterable[Verdict]) -> None:
    """Note the cases of the failures."""
    SEEN.update(f"{one.condition} {one.case}" for one in verdicts if one.case and one.verdict != "waived")


def keep(snapshot: Snapshot) -> None:
    """Store an edited snapshot in the directory that BKPAAS_CORPUS names."""
    if directory := os.environ.get("BKPAAS_CORPUS"):
        place = Path(directory)
        place.mkdir(parents=True, exist_ok=True)
        snapshot.save(place / f"{len(list(place.iterdir())):04}.json")


def read() -> set[str]:
    """Return the cases of the file."""
    return set(FILE.read_text("ascii").splitlines()) if FILE.exists() else set()


def write() -> None:
    """Add the cases of this process to the file, if BKPAAS_CASES asks for it."""
    if os.environ.get("BKPAAS_CASES") and SEEN:
        FILE.write_text("\n".join(sorted(read() | SEEN)) + "\n", "ascii")
