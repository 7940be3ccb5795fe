"""The names of the public API before 0.2: they work for one minor version, and every use is listed after the run."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

KEPT = 20
"""The most uses that are listed."""
USES: dict[str, None] = {}
"""file:line and the new name, of each use in this process and its workers, in order."""


def warn_former_name(text: str) -> None:
    """Warn the author of the code that called the caller of this function, and keep the line for the report."""
    frame = sys._getframe(2)
    if "importlib" in frame.f_code.co_filename:
        return  # the import system looks each name up before the import statement does
    warnings.warn(text, DeprecationWarning, stacklevel=3)
    file = Path(frame.f_code.co_filename)
    add_uses([f"{'/'.join(file.parts[-2:])}:{frame.f_lineno}: {text}"])


def add_uses(uses: list[str]) -> None:
    """Add the uses of this or another process, each once."""
    USES.update((use, None) for use in uses[: max(0, KEPT - len(USES))])
