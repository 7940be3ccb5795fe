"""Messages of libraries: warnings, log records, stray output. They are redacted and counted instead of printed.

A library may quote what it reads, and what it reads here are files of hosts. Of each message the first line is kept,
without quoted text; a message that occurs again is counted only.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from bkpaas.streams import protected_stream
from bkpaas.text import visible

if TYPE_CHECKING:
    from bkpaas.facts.secrets import Secrets

KINDS_KEPT = 200
"""Distinct messages that are kept; more are counted."""
TEXT_LENGTH = 300
"""Characters of a message that are looked at."""
FILE = "libraries.log"
"""In the report directory; it exists only if a library printed something."""
_IGNORED = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""Python itself does not print these; they are for developers of the libraries."""
_QUOTED = re.compile(r"\"[^\"\n]*(?:\"|$)|'[^'\n]*(?:'|$)|`[^`\n]*(?:`|$)|<[^>\n]*(?:>|$)")
_READ_BYTES = 65_536


@cache
def _secrets() -> Secrets:
    """Return what hides secrets. The import takes longer than the start of --plan, and few runs have a message."""
    from bkpaas.facts.secrets import Secrets

    return Secrets()


def redacted(text: str) -> str:
    """Return the first line without what is quoted in it and without secrets."""
    first = text.lstrip()[:TEXT_LENGTH].split("\n", 1)[0].rstrip()
    return visible(_secrets().redact(_QUOTED.sub("...", first)))


class Messages:
    """Counted messages; add() may be called from any thread."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.further = 0
        """Messages that were counted only, since KINDS_KEPT others are kept."""
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        return sum(self.counts.values()) + self.further

    def add(self, origin: str, text: str) -> None:
        """Count a message. origin: the category and the place in the library's own code."""
        line = f"{origin}: {redacted(text)}"
        with self._lock:
            self._count(line, 1)

    def merge(self, counts: dict[str, int], further: int) -> None:
        """Add what another process counted."""
        with self._lock:
            self.further += further
            for line, number in counts.items():
                self._count(line, number)

    def take(self) -> tuple[dict[str, int], int]:
        """Return what was counted and forget it, for another process to merge."""
        with self._lock:
            counts, self.counts = self.counts, {}
            further, self.further = self.further, 0
        return counts, further

    def _count(self, line: str, number: int) -> None:
        if line in self.counts or len(self.counts) < KINDS_KEPT:
            self.counts[line] = self.counts.get(line, 0) + number
        else:
            self.further += number

    def lines(self) -> Iterable[str]:
        """Return the distinct messages, the number of occurrences first."""
        yield from (f"{number}x {line}" for line, number in self.counts.items())
        if self.further:
            yield f"{self.further}x ..."


MESSAGES = Messages()


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        MESSAGES.add(f"{record.name} {record.levelname}", str(record.msg))


def _record(*args: Any, **settings: Any) -> logging.LogRecord:
    """Make a log record without its arguments, whichever handler prints it (--log-cli-level, --log-file).

    The format is text of the library, the arguments may be data of a host.
    """
    record = logging.LogRecord(*args, **settings)
    text = redacted(str(record.msg))
    if record.exc_info and record.exc_info[0] is not None:
        text = f"{text} ({where(record.exc_info[0], record.exc_info[2])})"
    record.msg, record.args = text, None
    record.exc_info = record.exc_text = record.stack_info = None
    return record


def capture() -> None:
    """Count what libraries would print in this process, until it ends; pytest.ini disables pytest's own hooks."""
    warnings.resetwarnings()  # not what PYTHONWARNINGS or -W say: a warning of a library changes no verdict
    for category in _IGNORED:
        warnings.simplefilter("ignore", category)
    warnings.showwarning = _warned
    logging.setLogRecordFactory(_record)
    logging.raiseExceptions = False
    root = logging.getLogger()
    if not any(isinstance(handler, _Handler) for handler in root.handlers):
        root.addHandler(_Handler(logging.WARNING))
    threading.excepthook = lambda failed: _raised(failed.exc_type, failed.exc_traceback)
    sys.unraisablehook = lambda failed: _raised(failed.exc_type, failed.exc_traceback)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    MESSAGES.add(f"{category.__name__} {short(filename)}:{lineno}", str(message))


def _raised(kind: type[BaseException], traceback: TracebackType | None) -> None:
    MESSAGES.add("exception", where(kind, traceback))


def where(kind: type[BaseException], traceback: TracebackType | None) -> str:
    """Return the type of an exception and its line; its text may quote what was read."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return kind.__name__
    return f"{kind.__name__} {short(traceback.tb_frame.f_code.co_filename)}:{traceback.tb_lineno}"


def short(filename: str) -> str:
    return "/".join(Path(filename).parts[-2:])


@contextmanager
def captured_output() -> Iterator[TextIO]:
    """Count what this process and its children write to descriptors 1 and 2; yield the real standard error."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    reading, writing = os.pipe()
    reader = threading.Thread(target=_read, args=(reading,), daemon=True)
    reader.start()
    with protected_stream(os.dup(2), sys.stderr.encoding, closefd=True) as terminal:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.close(writing)
        try:
            yield terminal
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in zip((1, 2), saved, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)
            reader.join(_DRAIN_SECONDS)


_DRAIN_SECONDS = 2.0
"""How long to wait for the end of output; a child that outlives the collecting may hold the pipe open."""


def _read(descriptor: int) -> None:
    with open(descriptor, "rb", buffering=0) as stream:
        while data := stream.read(_READ_BYTES):
            for line in data.decode("utf-8", "replace").splitlines():
                if line.strip():
                    MESSAGES.add("output", "a line whose text is not kept")
