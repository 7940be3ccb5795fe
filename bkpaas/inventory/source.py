"""Read one file of an inventory: bounded, text only; every failure is an InventoryError."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from msgspec import Struct

from bkpaas.errors import InventoryError
from bkpaas.messages import Message, msg

FILE_BYTES = 524_288
"""The largest file that is read; some ten thousand hosts."""

_NEWLINE = re.compile(r"\r\n|\r|\n")


class Source(Struct, frozen=True):
    """Hold the text of one file; lines[0] is line 1, without line ends."""

    file: str
    lines: tuple[str, ...]
    crlf: bool = False
    marked: frozenset[int] = frozenset()
    """The numbers of the lines that begin with a byte order mark."""

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def read(path: Path) -> Source:
    """Read a file. Raises InventoryError: not a regular file, unreadable, too large, not UTF-8 text."""
    file = str(path)
    text = _decoded(file, _bytes(path))
    nul = text.find("\0")
    if nul >= 0:
        raise InventoryError(file, text.count("\n", 0, nul) + 1, _binary(), _text_wanted())
    # Editors and `cat a b` leave byte order marks at the start and in the middle.
    marked = frozenset(at for at, line in enumerate(_NEWLINE.split(text), 1) if line.startswith("\ufeff"))
    lines = _NEWLINE.split(text.replace("\ufeff", ""))
    return Source(file, tuple(lines), crlf="\r\n" in text, marked=marked)


def names_in(directory: Path) -> set[str]:
    """Return the names in a directory, none if it does not exist."""
    try:
        return set(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except (OSError, ValueError) as error:
        raise unreadable(str(directory), error) from None


def is_directory(path: Path) -> bool:
    """Return whether path is a directory. Raises InventoryError if it does not exist."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError) as error:
        raise unreadable(str(path), error) from None


def unreadable(file: str, error: Exception) -> InventoryError:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return InventoryError(
        file,
        None,
        msg("cannot be read: {why}", why=why),
        msg("check the path and that this user may read it"),
    )


def _bytes(path: Path) -> bytes:
    try:
        # O_NONBLOCK: opening a FIFO would wait for its writer.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise InventoryError(
                    str(path),
                    None,
                    msg("is not a regular file"),
                    msg("put a text file there"),
                )
            content = stream.read(FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise unreadable(str(path), error) from None
    if len(content) > FILE_BYTES:
        raise InventoryError(
            str(path),
            None,
            msg("is larger than {number} bytes", number=FILE_BYTES),
            msg("check that this is the right file; split a very large deployment"),
        )
    return content


def _decoded(file: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    if b"\0" in content:
        raise InventoryError(file, line, _binary(), _text_wanted())
    if (text := _with_old_comments(content)) is not None:
        return text
    raise InventoryError(
        file,
        line,
        msg("is not UTF-8 text"),
        msg("convert it: iconv -f GB18030 -t UTF-8 FILE > NEW"),
    )


def _with_old_comments(content: bytes) -> str | None:
    """Return the text of a file whose comments only are GBK, as editors on Windows write them; else None."""
    lines = []
    for line in content.split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            before, sign, comment = line.partition(b"#")
            quoted = before.count(b"'") % 2 or before.count(b'"') % 2
            if not sign or not before.isascii() or quoted:
                return None
            lines.append(f"{before.decode('ascii')}#{comment.decode('gb18030', 'replace')}")
    return "\n".join(lines)


def _binary() -> Message:
    return msg("holds NUL bytes: it is not text, or it is UTF-16")


def _text_wanted() -> Message:
    return msg("save it as UTF-8 text")
