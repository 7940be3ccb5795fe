"""A process that has imported what a run of the suite imports, and forks one process for each run.

Such a run has arguments, a folder, an environment, streams and an exit code of its own, as one that `python -m pytest`
starts, and takes half a second of processor time less. Started as a program, this module is that process: it reads
the runs from standard input, one a line, and prints the exit code of each.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ENVIRONMENT = frozenset({"PATH", "PYTHONPATH", "HOME"})
"""Other variables may decide how an interpreter starts."""
LIBRARIES = ("pytest", "xdist.plugin", "pytest_html.plugin", "pytest_metadata.plugin")
NOT_IMPORTED = ("__main__", "collector")


def may_fork(words: Sequence[str], environment: Mapping[str, str] | None) -> bool:
    """Return whether a run needs no interpreter of its own; xdist remembers sys.path when it is imported."""
    return environment is not None and environment.keys() <= ENVIRONMENT and "-n" not in words


class Forks:
    """Run the suite in processes that are forked from one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._owner = 0

    def run(self, words: Sequence[str], environment: Mapping[str, str], seconds: float) -> tuple[int, str]:
        """Run `python -m pytest` with these words in the folder of the suite; return the exit code and the output.

        Raises subprocess.TimeoutExpired.
        """
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err, self._lock:
            process = self._started()
            assert process.stdin and process.stdout
            streams = [f"/proc/{os.getpid()}/fd/{one.fileno()}" for one in (out, err)]
            run = {
                "words": list(words),
                "environment": dict(environment),
                "streams": streams,
                "seconds": seconds,
            }
            process.stdin.write(json.dumps(run) + "\n")
            process.stdin.flush()
            code = int(process.stdout.readline())
            texts = []
            for stream in (out, err):
                stream.seek(0)
                texts.append(stream.read())
        if code == -signal.SIGKILL:
            raise subprocess.TimeoutExpired(list(words), seconds, *texts)
        return code, "".join(texts)

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._owner != os.getpid():
            self._owner = os.getpid()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "selftests.suite.forks"],
                cwd=ROOT,
                env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self._process


FORKS = Forks()


def serve() -> None:
    """Fork a process for each run, until the end of standard input."""
    import_all()
    path = [entry for entry in sys.path if entry != str(ROOT)]
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        run = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            become(run, path)
            return
        with contextlib.suppress(OSError):
            os.setpgid(child, child)  # in both processes: the timer needs the group
        print(wait(child, run["seconds"]), flush=True)


def import_all() -> None:
    """Import what a run imports sooner or later."""
    for name in LIBRARIES:
        importlib.import_module(name)
    package = importlib.import_module("bkpaas")
    for module in pkgutil.walk_packages(package.__path__, "bkpaas."):
        if module.name.rpartition(".")[2] not in NOT_IMPORTED:
            importlib.import_module(module.name)


def wait(child: int, seconds: float) -> int:
    """Return the exit code of a child, whose group is killed at its limit: then -9."""
    timer = threading.Timer(seconds, os.killpg, (child, signal.SIGKILL))
    timer.start()
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException:
        os.killpg(child, signal.SIGKILL)
        raise
    finally:
        timer.cancel()
        timer.join()


def become(run: dict[str, Any], path: Sequence[str]) -> None:
    """Be the process of a run, as if an interpreter had been started for it."""
    null = os.open(os.devnull, os.O_RDONLY)
    files = [null, *(os.open(one, os.O_WRONLY | os.O_APPEND) for one in run["streams"])]
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(run["environment"])
    python_path = run["environment"].get("PYTHONPATH", "")
    sys.path[:] = [str(ROOT), *filter(None, python_path.split(os.pathsep)), *path]
    sys.argv[:] = ["pytest", *run["words"]]
    importlib.invalidate_caches()
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve()
