"""Read a file that somebody else may have put there: regular, bounded, and never waited for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bkpaas.errors import SuiteError
from bkpaas.lang import say

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
                raise refused(path, say(en="is not a regular file", zh="不是普通文件"))
            content = stream.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise refused(path, say(en=f"cannot be read: {reason}", zh=f"无法读取：{reason}")) from None
    if len(content) > most:
        size = most // MIB
        raise refused(path, say(en=f"is larger than {size} MiB", zh=f"超过 {size} MiB"))
    return content


def refused(path: Path, reason: str) -> SuiteError:
    """Return the error for a file that cannot be used."""
    fix = say(
        en="give a file that this suite wrote, and that this user may read",
        zh="请给出由本套件写入且当前用户可读的文件",
    )
    return SuiteError(f"{path}: {reason}\n  {say(en='fix: ', zh='解决办法：')}{fix}")
