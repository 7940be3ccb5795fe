"""Importing the transports: no process is started by it."""

from __future__ import annotations

import ctypes.util
import subprocess
import sys

from bkpaas.collect.libraries import without_library_search

STARTS = """
import sys
started = []
events = ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.system")
sys.addaudithook(lambda event, args: started.append((event, args[:1])) if event in events else None)
import bkpaas.collect.deployment, asyncssh
assert not started, started
"""


def test_collecting_is_imported_without_a_process() -> None:
    """asyncssh runs ldconfig, gcc and ld at its import, where liboqs or nettle is not installed."""
    subprocess.run([sys.executable, "-c", STARTS], check=True, timeout=240)


def test_search_works_again_afterwards() -> None:
    search = ctypes.util.find_library
    with without_library_search():
        assert ctypes.util.find_library("c") is None
    assert ctypes.util.find_library is search
