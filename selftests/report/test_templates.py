"""The cache of compiled templates: used only for the templates and the set-up of jinja2 that it was made from."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from bkpaas import python_cache
from bkpaas.report import templates


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(python_cache, "path", lambda source, suffix: tmp_path / f"{source.name}{suffix}")


def render(text: str) -> str:
    environment = Environment(loader=DictLoader({"page": text}), bytecode_cache=templates.TemplateCache())
    return environment.get_template("page").render()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_stored_template_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert render("{{ 1 + 1 }}") == "2" and len(files(tmp_path)) == 1
    monkeypatch.setattr(Environment, "_generate", lambda *_, **__: pytest.fail("compiled again"))
    assert render("{{ 1 + 1 }}") == "2"


def test_a_template_that_differs_is_compiled_again(tmp_path: Path) -> None:
    assert (render("{{ 1 + 1 }}"), render("{{ 1 + 2 }}")) == ("2", "3")
    assert len(files(tmp_path)) == 1


def test_another_set_up_of_jinja2_is_another_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render("{{ 1 + 1 }}")
    before = files(tmp_path)
    monkeypatch.setattr(templates, "_digest", lambda: b"\1" * 32)
    assert render("{{ 1 + 1 }}") == "2" and files(tmp_path) != before


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    render("{{ 1 + 1 }}")
    ((name, whole),) = files(tmp_path).items()
    for content in (b"", whole[:32], whole[:40], b"\0" * 100):
        (tmp_path / name).write_bytes(content)
        assert render("{{ 1 + 1 }}") == "2" and files(tmp_path) == {name: whole}


def test_nothing_is_written_where_python_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert render("{{ 1 + 1 }}") == "2" and files(tmp_path) == {}
