"""New recordings take the place of old ones; what was not recorded anew stays."""

from __future__ import annotations

from pathlib import Path

from selftests.recordings.packing import pack
from selftests.recordings.store import names, read_lines, stored


def raw(directory: Path, **marks: int) -> dict[str, Path]:
    files = {name: directory / f"{name}.json" for name in marks}
    for name, file in files.items():
        file.write_text(stored({"mark": marks[name]}))
    return files


def packed(directory: Path) -> dict[str, int]:
    return {one["name"]: one["mark"] for one in read_lines(directory / "a.jsonl.xz")}


def test_recordings_are_merged(tmp_path: Path) -> None:
    wanted = ["zone", "healthy-1", "abc", "gone"]
    first = raw(tmp_path, zone=1, gone=1) | {"healthy-1": raw(tmp_path, healthy=1)["healthy"]}
    assert pack("a", wanted, first, tmp_path) == ["abc"]
    assert pack("a", wanted[:3], raw(tmp_path, abc=2, zone=2), tmp_path) == []
    assert packed(tmp_path) == {"healthy-1": 1, "abc": 2, "zone": 2}
    assert names("a", tmp_path) == ["healthy-1", "abc", "zone"] == list(packed(tmp_path))


def test_nothing_recorded_writes_nothing(tmp_path: Path) -> None:
    assert pack("a", ["abc"], {}, tmp_path) == ["abc"] and list(tmp_path.iterdir()) == []
