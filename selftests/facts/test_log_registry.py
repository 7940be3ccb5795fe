"""The registry of filebeat, versions 5 to 7."""

from __future__ import annotations

import json

import pytest
from recorded import entry, missing

from bkpaas.facts.file import FileFact
from bkpaas.facts.log_registry import read_registry

STATE = {"source": "/logs/a/a.log", "offset": 120, "FileStateOS": {"inode": 7, "device": 1}, "ttl": -1}
OLD = {"source": "/logs/a/a.log", "offset": 900, "FileStateOS": {"inode": 3, "device": 1}, "ttl": -1}
VERSION_5 = json.dumps([STATE, OLD])
VERSION_7 = "\n".join(
    (json.dumps({"op": "set", "id": 1}), json.dumps({"k": "filebeat::logs::native::7-1", "v": STATE}))
)
LOG = FileFact("/logs/a/a.log", "file", inode=7, size=120)


@pytest.mark.parametrize("text", [VERSION_5, VERSION_7, json.dumps([{"_key": "filebeat::logs::x", **STATE}])])
def test_offset(text: str) -> None:
    registry = read_registry([missing("/x"), entry("/registry", text)])
    assert registry is not None and registry.path == "/registry"
    assert registry.offset(LOG) == 120
    assert registry.offset(FileFact("/logs/b/b.log", "file", inode=8)) is None


def test_a_renamed_file_is_found_by_its_inode() -> None:
    registry = read_registry([entry("/registry", VERSION_5)])
    assert registry is not None
    assert registry.offset(FileFact("/logs/a/a.log.1", "file", inode=3)) == 900


@pytest.mark.parametrize("text", ["", "garbage", '{"a": 1}', "[1, 2]\nx"])
def test_what_is_no_registry(text: str) -> None:
    assert read_registry([entry("/registry", text)]) is None
    assert read_registry([missing("/registry")]) is None
