"""Stand-ins for programs that cannot be had, each running under the very command line of the original.

`ps` shows a program's first words, so a Python script will not do: it would be `python3 /path/of/script`. Instead
/path/of/program is a link to the interpreter inside a virtual environment of its own, whose only package runs the
stand-in before the interpreter looks at its arguments.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path

CODE = Path(__file__).parents[2]  # the directory that holds this code as the package `lab`
LIBRARIES = "/usr/lib/python3/dist-packages"  # not yet on the path of the interpreter when it runs us
RUN = "import sys; sys.path += {path!r}; from lab.programs import run; run({program!r}, {module!r})\n"


def install(path: Path, module: str) -> None:
    """Make `path` a program that runs `main()` of that module of this package."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = path.parents[1] / "lib" / version / "site-packages"
    for directory in (path.parent, site):
        directory.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to("/usr/bin/python3")
    (path.parent / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = true\n")
    text = RUN.format(path=[str(CODE), LIBRARIES], program=path.name, module=module)
    (site / f"{path.name}.pth").write_text(text)


def run(program: str, module: str) -> None:
    """Run the stand-in to its end, if it is the one that was called; the interpreter never gets its turn."""
    if Path(sys.orig_argv[0]).name != program:
        return
    status = 1
    try:
        importlib.import_module(f"{__name__}.{module}").main()
        status = 0
    except SystemExit as end:
        say(str(end))
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def argument(flag: str) -> Path:
    """The path that follows `flag` on our command line."""
    return Path(sys.orig_argv[sys.orig_argv.index(flag) + 1])


def say(message: str) -> None:
    """A line for the program's own log."""
    print(message, flush=True)
