"""Standard output and error of the suite: text is never refused, and a broken stream does not end the run."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any

from bkpaas.language import Language

_SAMPLE = {"en": "", "zh": "中文"}
"""Text that an encoding must be able to express to be kept."""
_NUMBERS = {"stdout": 1, "stderr": 2}


class _Descriptor(io.FileIO):
    """A file descriptor that remembers its first failed write and drops what follows."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        if self.failure is None:
            try:
                return super().write(data)
            except OSError as error:
                self.failure = error
        return memoryview(data).nbytes


_descriptors: dict[str, _Descriptor] = {}


def protect(language: Language) -> None:
    """Replace sys.stdout and sys.stderr by streams that raise neither on a character nor on a failed write.

    A stream keeps its encoding if that can express the language of the run, else it becomes UTF-8. A closed one
    leads to /dev/null.
    """
    for name, number in _NUMBERS.items():
        stream = getattr(sys, name)
        if stream is None:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, number)
            protected = protected_stream(number, "utf-8")
        elif isinstance(stream, io.TextIOWrapper) and stream is getattr(sys, f"__{name}__"):
            with suppress(OSError):
                stream.flush()
            protected = protected_stream(stream.fileno(), _encoding(stream, language), stream)
        else:
            continue
        _descriptors[name] = _descriptor(protected)
        if stream is None:
            _descriptors[name].failure = OSError(errno.EBADF, os.strerror(errno.EBADF))
        setattr(sys, name, protected)


def protected_stream(
    number: int, encoding: str, like: io.TextIOWrapper | None = None, *, closefd: bool = False
) -> io.TextIOWrapper:
    """Return a text stream over a descriptor; what it cannot express is spelled out (\\u4e2d). like: its buffering."""
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(number, "wb", closefd=closefd)),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=bool(like and like.line_buffering),
        write_through=bool(like and like.write_through),
    )


def failure(name: str) -> OSError | None:
    """Return why a write to "stdout" or "stderr" failed, after flushing it."""
    if name not in _descriptors:
        return None
    with suppress(OSError, ValueError):
        getattr(sys, name).flush()
    return _descriptors[name].failure


def _descriptor(stream: io.TextIOWrapper) -> _Descriptor:
    raw = stream.buffer.raw  # type: ignore[attr-defined]
    assert isinstance(raw, _Descriptor)
    return raw


def _encoding(stream: io.TextIOWrapper, language: Language) -> str:
    try:
        _SAMPLE[language].encode(stream.encoding)
    except (UnicodeEncodeError, LookupError):
        return "utf-8"
    return stream.encoding
