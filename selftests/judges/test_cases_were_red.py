"""Each case of each condition has been red once: in a recorded run, or on edited facts of selftests/judges."""

from __future__ import annotations

import os
from pathlib import Path

from bkpaas.catalogue.registry import CONDITIONS, current_id
from selftests.judges import cases
from selftests.recordings.store import EXPECTED, LAYOUTS, SUFFIX, read_lines

NOT_YET = Path(__file__).with_name("not_yet_red.txt")
"""Cases without such proof, one `condition case` a line. Add none: write a fault, or a test in selftests/judges.

With BKPAAS_CASES=1 the test writes the list again, for example after new recordings.
"""


def recorded() -> set[str]:
    """Return the cases of the failures in recorded runs."""
    files = [path for layout in LAYOUTS if (path := EXPECTED / f"{layout}{SUFFIX}").exists()]
    return {
        f"{current_id(id_).partition('@')[0]} {verdict['case']}"
        for path in files
        for line in read_lines(path)
        for id_, verdict in line["verdicts"].items()
        if verdict.get("case")
    }


def test_every_case_has_been_red() -> None:
    every = {f"{one.id} {case.name}" for one in CONDITIONS.values() for case in one.cases}
    seen = recorded() | cases.read()
    if os.environ.get("BKPAAS_CASES"):
        NOT_YET.write_text("\n".join(sorted(every - seen)) + "\n", "ascii")
    listed = set(NOT_YET.read_text("ascii").splitlines())
    assert sorted(every - seen - listed) == [], "never red: inject it, or edit facts in selftests/judges"
    assert sorted(listed & seen) == [], "has been red: remove it from the list"
    assert sorted((listed | cases.read()) - every) == [], "there is no such case"
