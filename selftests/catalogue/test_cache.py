"""The cache of the catalogue: equal to its files, never that of other files, and never needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bkpaas.catalogue import cache
from bkpaas.catalogue.load import Catalogue, load_catalogue


@pytest.fixture(scope="module")
def loaded() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: Catalogue) -> Iterator[Path]:
    """Return where the cache is written in this test."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(cache, "cache_path", lambda: tmp_path / "cache" / "catalogue.msgpack")
    monkeypatch.setattr(cache, "load_catalogue", lambda: loaded)
    return tmp_path / "cache" / "catalogue.msgpack"


def test_the_cache_is_equal_to_the_files(
    path: Path, loaded: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache.checked_catalogue() is loaded
    monkeypatch.setattr(cache, "load_catalogue", lambda: pytest.fail("the cache is not used"))
    cached = cache.checked_catalogue()
    assert cached == loaded and list(cached.conditions) == list(loaded.conditions)
    assert path.stat().st_mode & 0o777 == 0o644 and [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_cache_of_other_files_is_replaced(
    path: Path, loaded: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.checked_catalogue()
    before = path.read_bytes()
    monkeypatch.setattr(cache, "_digest", lambda: b"\1" * 32)
    assert cache.checked_catalogue() is loaded
    assert path.read_bytes() == b"\1" * 32 + before[32:]


@pytest.mark.parametrize("rest", [b"", b"\xc1", b"\x80", b"\x93\x00"])
def test_a_damaged_cache_is_replaced(path: Path, loaded: Catalogue, rest: bytes) -> None:
    cache.checked_catalogue()
    whole = path.read_bytes()
    path.write_bytes(whole[:32] + rest)
    assert cache.checked_catalogue() is loaded
    assert path.read_bytes() == whole


def test_every_file_of_the_catalogue_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {file.parent for file in cache.FOLDER.rglob("*.toml")} <= set(cache._FOLDERS)
    folders = (tmp_path / "catalogue", tmp_path / "catalogue" / "conditions")
    folders[1].mkdir(parents=True)
    monkeypatch.setattr(cache, "_FOLDERS", folders)
    digests = [cache._digest()]
    for file in ("topology.toml", "conditions/a.toml", "conditions/b.toml", "load.py"):
        for content in (b"", b"x = 1"):
            (tmp_path / "catalogue" / file).write_bytes(content)
            digests.append(cache._digest())
    assert len(set(digests)) == len(digests)


def test_no_cache_is_written_where_python_writes_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    cache.checked_catalogue()
    assert not path.exists()


def test_a_directory_that_cannot_be_written_is_no_failure(path: Path, loaded: Catalogue) -> None:
    path.parent.write_text("a file")
    assert cache.checked_catalogue() is loaded
