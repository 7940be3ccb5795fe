"""Python environments of the engines, each of its own below .lab/engines, never the one of the suite."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from lab.control import HOME

FOLDER = HOME / "engines"
INSTALL_SECONDS = 900


def environment(name: str, requirement: str) -> Path:
    """Return the environment of an engine; install it where it is not there yet."""
    place = FOLDER / name
    mark = place / "installed"
    if mark.exists() and mark.read_text() == requirement:
        return place
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([python(), "-m", "venv", str(place)], check=True)
    command = [str(place / "bin/python"), "-m", "pip", "install", "--quiet", requirement]
    subprocess.run(command, check=True, timeout=INSTALL_SECONDS)
    mark.write_text(requirement)
    return place


def python() -> str:
    """Return the Python that this environment was made of."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")
