"""Write which nouns of facts the check of each condition reads: `python -m selftests.docs.nouns`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bkpaas.catalogue.registry import CONDITIONS
from bkpaas.catalogue.sources import NOUNS
from bkpaas.checks import Finding
from bkpaas.facts import Snapshot
from selftests.suite import in_process

SNAPSHOTS = ("healthy.json", "healthy-b.json")
_FOLDER = Path(__file__).parents[1] / "snapshots"


def read_nouns() -> dict[str, set[str]]:
    """Run every check on the recorded healthy deployments, and return the nouns that it reads."""
    nouns: dict[str, set[str]] = {id_: set() for id_ in CONDITIONS}
    for name in SNAPSHOTS:
        recorded = Snapshot.load(_FOLDER / name)
        for condition, test in in_process.suite_checks():
            for subject in condition.subjects(recorded.deployment):
                again = msgspec.structs.replace(recorded)
                in_process.run_check(again, test, subject, Finding())
                nouns[condition.id] |= {noun for view in again.views.values() for noun in view.reads}
    return nouns


def written() -> str:
    """Return the file as it is today."""
    head = "# The nouns of facts that the check of each condition reads. Written by script/docs.\n[nouns]\n"
    lines = (
        f"{id_} = [{', '.join(f'{chr(34)}{noun}{chr(34)}' for noun in sorted(nouns))}]\n"
        for id_, nouns in sorted(read_nouns().items())
        if nouns
    )
    return head + "".join(lines)


if __name__ == "__main__":
    NOUNS.write_text(written(), "utf-8")
