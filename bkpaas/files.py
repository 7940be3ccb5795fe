"""Read a file from an untrusted source: only a regular one, up to a limit, without blocking."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bkpaas.errors import SuiteError
from bkpaas.messages import Message, msg

MIB = 1 << 20


def read_bounded(path: Path, most: int) -> bytes:
    """Return the content of a regular file.

    Args:
        most: limit of its size, in bytes.

    Raises:
        SuiteError: with the file, the reason and the fix.
    """
    try:
        # O_NONBLOCK: opening a FIFO would wait for its writer.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise refused(path, msg("is not a regular file"))
            content = stream.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refused(path, msg("cannot be read: {reason}", reason=reason)) from None
    if len(content) > most:
        size = most // MIB
        raise refused(path, msg("is larger than {size} MiB", size=size))
    return content


def refused(path: Path, reason: Message | str) -> SuiteError:
    """Return the error for a file that cannot be used."""
    fix = msg("give a file that this suite wrote, and that this user may read")
    return SuiteError(msg("{path}: {reason}\n  fix: {fix}", path=path, reason=reason, fix=fix))
