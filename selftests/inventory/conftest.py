"""Inventories written for one test, and what reading them says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bkpaas.errors import InventoryError
from bkpaas.inventory import Deployment, InventoryErrors, load

Site = Callable[..., Path]
Refusals = Callable[[Path], list[str]]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """site({"install.config": text or bytes, ...}) writes the files and gives their directory."""

    def write(files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


@pytest.fixture
def config(site: Site) -> Callable[..., Deployment]:
    """config(text) loads a single install.config; generation: the one it is read as."""

    def read(content: str | bytes, generation: str = "5.x") -> Deployment:
        overlay = f'generation: "{generation}"\n'
        return load(site({"install.config": content, "deployment.yaml": overlay}))

    return read


@pytest.fixture
def refusals() -> Refusals:
    """refusals(path): what loading it is refused for, each as FILE:LINE: REASON | FIX."""

    def collect(path: Path) -> list[str]:
        with pytest.raises(InventoryError) as caught:
            load(path)
        error = caught.value
        errors = error.errors if isinstance(error, InventoryErrors) else (error,)
        assert all(e.reason and e.fix for e in errors)
        return [
            f"{Path(e.file).name}{'' if e.line is None else f':{e.line}'}: {e.reason!s} | {e.fix!s}"
            for e in errors
        ]

    return collect
