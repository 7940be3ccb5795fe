"""The settings files of a service, read as the service itself reads them: executed, the last definition wins."""

from __future__ import annotations

import marshal
import os
import re
import struct
import sys
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from types import CodeType, ModuleType, SimpleNamespace

PYTHON_2_EXCEPT = re.compile(r"^(\s*except\s+[\w., ()]+?)\s*,\s*(\w+)\s*:", re.MULTILINE)


def load(project: Path, *files: str) -> SimpleNamespace:
    """All UPPERCASE names of the files, in order. A missing file or a syntax error ends the start of the service."""
    values: dict[str, object] = {}
    for name in files:
        path = project / name
        source = PYTHON_2_EXCEPT.sub(r"\1 as \2:", path.read_text(encoding="utf-8"))
        module = ModuleType(path.stem)
        module.__file__ = str(path)
        sys.modules[path.stem] = module  # settings may look themselves up there
        code = compile(source, str(path), "exec")
        keep_compiled(path, code)
        exec(code, vars(module))
        values.update({key: value for key, value in vars(module).items() if key.isupper()})
    return SimpleNamespace(**values)


def keep_compiled(path: Path, code: CodeType) -> None:
    """Write the compiled file as an import of it does: with the time and the size of its source."""
    status, compiled = path.stat(), Path(cache_from_source(str(path)))
    header = MAGIC_NUMBER + struct.pack("<III", 0, int(status.st_mtime), status.st_size)
    compiled.parent.mkdir(exist_ok=True)
    fresh = compiled.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(header + marshal.dumps(code))
    fresh.replace(compiled)


def missing(settings: SimpleNamespace, *names: str) -> list[str]:
    """The names that are not defined, or defined empty."""
    return [name for name in names if not getattr(settings, name, None)]
