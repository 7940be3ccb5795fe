"""Files in __pycache__ for what is costly to compute from files of the suite, like Python's bytecode.

They are written under the same conditions as bytecode, and nothing depends on whether they can be written. A caller that
uses one checks that it was made from the content of today.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from importlib.util import cache_from_source
from pathlib import Path


def path(source: Path, suffix: str) -> Path:
    """Return the file of a cache: in __pycache__ next to its source, or below PYTHONPYCACHEPREFIX."""
    return Path(cache_from_source(f"{source}.py")).with_suffix(suffix)


def write(path: Path, data: bytes) -> None:
    """Replace a file as a whole, if Python would write bytecode; an error is ignored."""
    if sys.dont_write_bytecode:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
