"""Save a snapshot of each recorded run of one fault: python -m selftests.recordings.snapshots DIR"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from lab.faults import FAULTS
from selftests.recordings import judging
from selftests.recordings.pool import judge_all
from selftests.recordings.store import PACKED, SUFFIX, Recording, packed_layouts, read_lines


def recorded() -> Iterator[Recording]:
    """Yield the recorded runs of one fault."""
    for layout in packed_layouts(PACKED):
        for recording in read_lines(PACKED / f"{layout}{SUFFIX}"):
            if recording["name"] in FAULTS:
                yield recording


def save(target: Path, recording: Recording, directory: Path) -> dict[str, Any]:
    """Judge a recording, and save what it was judged on."""
    words = [*recording["words"], "--save-snapshot", str(target / f"{recording['name']}.json")]
    return {"exit": judging.judge({**recording, "words": words}, directory)["exit"]}


def main() -> int:
    target = Path(sys.argv[1]).resolve()
    target.mkdir(parents=True, exist_ok=True)
    failed = [name for name, end in judge_all(partial(save, target), recorded(), 2) if "error" in end]
    print(f"{len(list(target.glob('*.json')))} snapshots in {target}, failed: {' '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
