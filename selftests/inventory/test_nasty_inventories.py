"""Anything in the place of an inventory gives an InventoryError within seconds, never a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bkpaas.errors import InventoryError
from bkpaas.inventory import load
from bkpaas.inventory.problems import MOST_PROBLEMS, InventoryErrors

Site = Callable[..., Path]
NAMES = ["install.config", "globals.env", "bin/04-final/paas.env", "deployment.yaml"]

CONTENT: dict[str, bytes] = {
    "binary": bytes(range(256)) * 8,
    "elf": b"\x7fELF\x02\x01\x01" + b"\0" * 64,
    "nul": b"# comment\n10.0.1.1 pa\0as\n",
    "utf-16": "10.0.1.1 paas\n".encode("utf-16"),
    "gb18030": "10.0.1.1 paas\n10.0.1.2 登录\n".encode("gb18030"),
    "broken-utf-8": b"10.0.1.1 paas\xe5\xbb",
    "surrogate": b"10.0.1.1 paas\xed\xa0\x80",
    "large": b"# 10.0.1.1 paas\n" * 40_000,
    "one-line-of-10-mb": b"x" * 10_000_000,
}


@pytest.mark.parametrize("where", NAMES)
@pytest.mark.parametrize("name", CONTENT)
def test_content_that_is_no_text(
    site: Site, refusals: Callable[[Path], list[str]], name: str, where: str
) -> None:
    config = b"10.0.1.1 paas\n"
    if where.startswith("bin/"):
        config = b"10.0.1.1 paas,es7\n"
    (refusal,) = refusals(site({"install.config": config, where: CONTENT[name]}))
    assert refusal.startswith(Path(where).name + ":")


def test_lines_of_what_is_no_text(site: Site, refusals: Callable[[Path], list[str]]) -> None:
    assert refusals(site({"install.config": CONTENT["nul"]}))[0].startswith(
        "install.config:2: holds NUL bytes"
    )
    (refusal,) = refusals(site({"install.config": b"10.0.1.1 paas\n" + CONTENT["gb18030"]}))
    assert refusal.startswith("install.config:3: is not UTF-8 text | convert it: iconv -f GB18030")
    assert "is larger than 524288 bytes" in refusals(site({"install.config": CONTENT["large"]}))[0]


HEAVY = {
    "open-brackets": "[" * 200_000,
    "open-braces": "{a: " * 60_000,
    "deep-list": "- " * 100_000,
    "one-long-word": "x" * 500_000,
    "many-words": "x " * 250_000,
    "open-quote": "'" + "x\n" * 200_000,
    "many-quotes": "'\"" * 250_000,
    "backslashes": '"' + "\\" * 400_000,
    "dollars": "A=" + "$A" * 200_000,
    "lists": "A=(" * 150_000,
    "list-with-comments": "A=(" + "x#a#b\n" * 80_000,
    "conditions": "if x; then\n" * 40_000,
    "commas": "10.0.1.1 " + "," * 500_000,
    "parentheses": "10.0.1.1 " + "(" * 500_000,
    "nearly-roles": "10.0.1.1 " + "a(b " * 120_000,
    "anchors": "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]\n" for n in range(60)),
    "control-characters": "10.0.1.1 paas\x1b[2J\x07\n",
    "line-separators": "10.0.1.1\u2028paas\u0085\x0b\x0c\x1c\n",
}


@pytest.mark.parametrize("where", NAMES)
@pytest.mark.parametrize("name", HEAVY)
def test_content_that_is_meant_to_hurt(site: Site, name: str, where: str) -> None:
    config = "10.0.1.1 paas,es7\n" if where.startswith("bin/") else "10.0.1.1 paas\n"
    path = site({"install.config": config, where: HEAVY[name]})
    try:
        deployment = load(path)
    except InventoryError as error:
        assert len(str(error)) < 10_000
        assert "\x1b" not in str(error)
    else:
        assert deployment.domain == "paas.bk.com" or where.startswith("bin/")
        assert not any("\x1b" in note for note in map(str, deployment.notes))


def refused(path: Path) -> str:
    with pytest.raises(InventoryError) as caught:
        load(path)
    assert caught.value.reason
    assert caught.value.fix
    return str(caught.value)


def test_nothing_there(tmp_path: Path) -> None:
    assert "No such file or directory" in refused(tmp_path / "absent")
    assert "No such file or directory" in refused(tmp_path / "absent" / "deployment.yaml")


def test_directory_without_an_inventory(tmp_path: Path) -> None:
    (tmp_path / "globals.env").touch()
    assert "neither install.config nor deployment.yaml" in refused(tmp_path)


@pytest.mark.parametrize("where", NAMES)
def test_directory_instead_of_a_file(site: Site, where: str) -> None:
    path = site({"install.config": "10.0.1.1 paas,es7\n" if where.startswith("bin/") else "10.0.1.1 paas\n"})
    (path / where).unlink(missing_ok=True)
    (path / where).mkdir(parents=True)
    assert where in refused(path)


@pytest.mark.parametrize("where", NAMES)
def test_link_in_a_circle(site: Site, where: str) -> None:
    path = site({"install.config": "10.0.1.1 paas,es7\n" if where.startswith("bin/") else "10.0.1.1 paas\n"})
    (path / where).unlink(missing_ok=True)
    (path / where).parent.mkdir(parents=True, exist_ok=True)
    (path / where).symlink_to(path / where)
    assert "symbolic links" in refused(path)


def test_inventory_that_is_a_link_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "symbolic links" in refused(tmp_path / "loop")
    assert "symbolic links" in refused(tmp_path / "loop" / "deployment.yaml")


def test_link_to_nothing_is_not_taken_for_absence(site: Site) -> None:
    path = site({"install.config": "10.0.1.1 paas\n"})
    (path / "globals.env").symlink_to(path / "gone")
    assert "globals.env: cannot be read: No such file" in refused(path)


@pytest.mark.parametrize("where", NAMES)
def test_pipe_instead_of_a_file(site: Site, where: str) -> None:
    path = site({"install.config": "10.0.1.1 paas,es7\n" if where.startswith("bin/") else "10.0.1.1 paas\n"})
    (path / where).unlink(missing_ok=True)
    (path / where).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path / where)
    assert "is not a regular file" in refused(path)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_device_instead_of_a_file(device: str) -> None:
    assert "is not a regular file" in refused(Path(device))


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000], ids=["nul", "long"])
def test_path_that_cannot_be(name: str) -> None:
    assert "cannot be read" in refused(Path(name))


@pytest.fixture
def ordinary_user(tmp_path: Path) -> Iterator[None]:
    """root reads everything: these tests run as an unprivileged user."""
    if os.geteuid() != 0:
        yield
        return
    above = [parent for parent in tmp_path.parents if parent.stat().st_uid == 0 and parent != Path("/tmp")]
    modes = {parent: parent.stat().st_mode for parent in above if str(parent).startswith("/tmp/")}
    for parent in modes:
        parent.chmod(0o711)
    tmp_path.chmod(0o755)
    os.seteuid(65534)
    yield
    os.seteuid(0)
    for parent, mode in modes.items():
        parent.chmod(mode)


@pytest.mark.parametrize("where", NAMES)
def test_permission_denied_to_a_file(site: Site, request: pytest.FixtureRequest, where: str) -> None:
    path = site({"install.config": "10.0.1.1 paas,es7\n" if where.startswith("bin/") else "10.0.1.1 paas\n"})
    site({where: "10.0.1.1 paas\n"})
    (path / where).chmod(0)
    request.getfixturevalue("ordinary_user")
    assert f"{where}: cannot be read: Permission denied" in refused(path)


@pytest.mark.parametrize("where", ["", "bin/04-final"])
def test_permission_denied_to_a_directory(site: Site, request: pytest.FixtureRequest, where: str) -> None:
    path = site({"s/install.config": "10.0.1.1 paas\n", "s/bin/04-final/paas.env": ""}) / "s"
    (path / where).chmod(0)
    request.getfixturevalue("ordinary_user")
    assert "cannot be read: Permission denied" in refused(path)


def test_of_many_problems_some_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    (tmp_path / "install.config").write_text("x\n" * 262_000)
    with pytest.raises(InventoryErrors) as raised:
        load(tmp_path / "install.config")
    assert len(raised.value.errors) == MOST_PROBLEMS
    assert str(raised.value).endswith(f"\nand {262_000 - 20} more")


def test_of_many_notes_some_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    hosts = "".join(f"10.0.{number // 250}.{number % 250 + 1} paas\n" for number in range(300))
    (tmp_path / "install.config").write_text(hosts * 2 + "a:b\n" * 100_000)
    notes = [str(note) for note in load(tmp_path / "install.config").notes]
    assert sum("a tag line, not read" in note for note in notes) == 100
    assert sum("again: its roles are added" in note for note in notes) == 100
    assert "and 200 more" in notes and "and 99900 more" in notes
