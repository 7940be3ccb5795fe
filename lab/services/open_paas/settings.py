"""The settings files of a service, read as the service itself reads them: executed, the last definition wins."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

PYTHON_2_EXCEPT = re.compile(r"^(\s*except\s+[\w., ()]+?)\s*,\s*(\w+)\s*:", re.MULTILINE)


def load(project: Path, *files: str) -> SimpleNamespace:
    """All UPPERCASE names of the files, in order. A missing file or a syntax error ends the start of the service."""
    found: dict[str, object] = {}
    for name in files:
        path = project / name
        source = PYTHON_2_EXCEPT.sub(r"\1 as \2:", path.read_text(encoding="utf-8"))
        scope: dict[str, object] = {"__file__": str(path), "__name__": path.stem}
        exec(compile(source, str(path), "exec"), scope)
        found.update({key: value for key, value in scope.items() if key.isupper()})
    return SimpleNamespace(**found)


def missing(settings: SimpleNamespace, *names: str) -> list[str]:
    """The names that are not defined, or defined empty."""
    return [name for name in names if not getattr(settings, name, None)]
