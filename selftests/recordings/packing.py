"""Merge new recordings into the packed files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from selftests.recordings.sample import SAMPLE
from selftests.recordings.store import NAMES, SUFFIX, Recording, names, read_lines, stored, write_lines


def pack(layout: str, wanted: Sequence[str], raw: Mapping[str, Path], directory: Path) -> list[str]:
    """Replace packed recordings by raw ones of the same name, add new ones, drop those that are not wanted.

    raw: by name, the files of new recordings. Return the names that are in neither.
    """
    packed = [name for name in names(layout, directory) if name in wanted]
    recorded = sorted({*packed, *(name for name in raw if name in wanted)}, key=_place)
    if recorded and (set(recorded) & set(raw) or recorded != names(layout, directory)):
        write_lines(directory / f"{layout}{SUFFIX}", _merged(layout, recorded, raw, directory))
        (directory / f"{layout}{NAMES}").write_text("\n".join(recorded) + "\n", "ascii")
    return [name for name in wanted if name not in recorded]


def _merged(
    layout: str, recorded: Sequence[str], raw: Mapping[str, Path], directory: Path
) -> Iterator[Recording]:
    """Yield the recordings in order, which need not be that of the packed file."""
    file = directory / f"{layout}{SUFFIX}"
    packed = {one["name"]: stored(one) for one in read_lines(file)} if file.exists() else {}
    for name in recorded:
        if name in raw:
            yield {"name": name, "layout": layout, **json.loads(raw[name].read_text("ascii"))}
        else:
            yield json.loads(packed[name])


def _place(name: str) -> tuple[int, bool, str]:
    """Order by this: the sample first, since a replay stops reading behind the last run that it wants."""
    place = SAMPLE.index(name) if name in SAMPLE else len(SAMPLE)
    return place, not name.startswith("healthy"), name
