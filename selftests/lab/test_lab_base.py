"""The hosts' base: a whole one or none, and a new one for a new recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import base
from lab.errors import LabError

DEB822 = "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: trixie trixie-updates\nComponents: main\nSigned-By: /k.gpg\n"


def machine_with(root: Path, release: str, **files: str) -> Path:
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    (root / "etc/os-release").write_text(release)
    for name, text in files.items():
        (root / "etc/apt" / name.replace("__", "/").replace("_", ".")).write_text(text)
    return root


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Instead of mmdebstrap a shell script, with the target as $0."""
    script = ["true"]
    monkeypatch.setattr(
        base, "_mmdebstrap", lambda release, sources, target, *_: ["sh", "-c", script[0], str(target)]
    )
    return script


def test_debian_uses_the_machines_own_sources(tmp_path: Path) -> None:
    root = machine_with(
        tmp_path, "ID=debian\nVERSION_CODENAME=trixie\n",
        sources_list="# deb http://deb.debian.org/debian bookworm main\n",
        sources_list_d__debian_sources=DEB822,
        sources_list_d__docker_list="deb https://download.docker.com/linux/debian trixie stable\n",
        sources_list_d__old_list="deb http://deb.debian.org/debian bookworm main\n",
    )  # fmt: skip
    assert base.suite(root) == ("trixie", [str(root / "etc/apt/sources.list.d/debian.sources")])


def test_debian_with_one_line_sources(tmp_path: Path) -> None:
    root = machine_with(
        tmp_path, "ID=debian\nVERSION_CODENAME=bookworm\n",
        sources_list="deb https://mirror.example/debian/ bookworm main contrib\n",
    )  # fmt: skip
    assert base.suite(root) == ("bookworm", [str(root / "etc/apt/sources.list")])


def test_ubuntu_takes_bookworm_with_debians_keys(tmp_path: Path) -> None:
    root = machine_with(tmp_path, "ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n")
    with pytest.raises(LabError, match=r"recommends debian-archive-keyring$"):
        base.suite(root)
    keyring = root / "usr/share/keyrings/debian-archive-keyring.gpg"
    keyring.parent.mkdir(parents=True)
    keyring.write_bytes(b"")
    assert base.suite(root) == (
        "bookworm",
        [f"deb [signed-by={keyring}] http://deb.debian.org/debian bookworm main"],
    )


def test_another_recipe_is_another_base(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = base.directory(tmp_path)
    assert base.directory(tmp_path) == before
    monkeypatch.setattr(base, "PACKAGES", [*base.PACKAGES, "vim"])
    assert base.directory(tmp_path) != before


@pytest.mark.lab
def test_a_build_that_fails_leaves_no_base_and_shows_why(tmp_path: Path, scripted: list[str]) -> None:
    scripted[0] = 'mkdir "$0"; echo "E: mirror is away"; exit 3'
    with pytest.raises(LabError, match=r"(?s)could not be built.*E: mirror is away"):
        base.ensure(tmp_path, print)
    assert [item.name for item in tmp_path.iterdir()] == ["base.log"]


@pytest.mark.lab
def test_what_a_killed_build_left_is_no_base(
    tmp_path: Path, scripted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    target = base.directory(tmp_path)
    partial = target.with_suffix(base.PARTIAL)
    partial.mkdir()
    (partial / "half").touch()
    scripted[0] = 'echo "I: installing"; mkdir "$0"; touch "$0/whole"'
    assert base.ensure(tmp_path, print) == target
    assert [item.name for item in target.iterdir()] == ["whole"]
    assert not partial.exists()
    assert "  installing\n" in capsys.readouterr().out
    scripted[0] = "exit 1"
    assert base.ensure(tmp_path, print) == target, "built once"
    base.remove(target)
    assert not target.exists()
