"""Import of libraries that look for optional shared objects."""

from __future__ import annotations

import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["asyncssh", "without_library_search"]


@contextmanager
def without_library_search() -> Iterator[None]:
    """Make ctypes.util.find_library find nothing, and start nothing, within the block.

    On Linux it runs ldconfig, gcc and ld. asyncssh calls it when it is imported, for liboqs (sntrup761) and nettle
    (umac), and works without them: every server that offers these offers others too.
    """
    search = ctypes.util.find_library
    ctypes.util.find_library = lambda name: None
    try:
        yield
    finally:
        ctypes.util.find_library = search


with without_library_search():
    import asyncssh
