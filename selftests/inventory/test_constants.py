"""Values of the platform that several modules use are defined once."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from bkpaas.inventory.deployment import DEFAULT_PORTS
from bkpaas.inventory.platform import INSTALL_ROOTS

PACKAGE = Path(__file__).parents[2] / "bkpaas"
OTHER_MEANING = {("facts/uwsgi.py", 8000), ("report/junit.py", 8000)}
"""The default port of uwsgi, and a limit of characters."""


@cache
def constants(kind: type) -> list[tuple[str, object]]:
    """Return each module of the package, as a path below it, with its constants of this kind."""
    return [
        (str(file.relative_to(PACKAGE)), node.value)
        for file in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and type(node.value) is kind
    ]


@pytest.mark.parametrize("root", INSTALL_ROOTS)
def test_an_install_root_is_in_one_module(root: str) -> None:
    assert {file for file, value in constants(str) if value == root} == {"inventory/platform.py"}


@pytest.mark.parametrize("name", DEFAULT_PORTS)
def test_a_default_port_is_in_one_module(name: str) -> None:
    port = DEFAULT_PORTS[name]
    found = {file for file, value in constants(int) if value == port and (file, port) not in OTHER_MEANING}
    assert found == {"inventory/deployment.py"}


def test_the_collector_is_read_in_one_module() -> None:
    assert {file for file, value in constants(str) if value == "collector.py"} == {"collect/program.py"}
