"""What a run writes and sends. An output that cannot be written costs that output only; the run is then not green."""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bkpaas import libraries
from bkpaas.libraries import MESSAGES
from bkpaas.messages import msg, to_text
from bkpaas.record import Results, write_json, write_private
from bkpaas.report import bkmonitor, code_quality, html, junit, posting, summary, webhook


class Outputs:
    """The outputs of one run; notices: one line for each that could not be written or sent."""

    def __init__(
        self, option: argparse.Namespace, hook: webhook.Hook | None, monitor: bkmonitor.Channel | None = None
    ) -> None:
        self._option, self._hook, self._monitor = option, hook, monitor
        self._report = Path(option.report)
        self._lost: set[Path] = set()
        self.notices: list[str] = []

    def write(self, results: Results) -> None:
        """Write every file that is made from the record; the record first, since the others can be made from it.

        Called again when the exit code has changed since. details.html is pytest-html's own.
        """
        self.attempt(self._report / "results.json", lambda path: write_json(results, path))
        self.attempt(self._report / "report.html", lambda path: html.write(results, path))
        self.attempt(
            self._report / "junit.xml",
            lambda path: junit.write(results, path, causes_only=self._option.junit_causes_only),
        )
        if (file := self._option.summary) and file != "-":
            text = summary.written(results, file)
            self.attempt(Path(file), lambda path: write_private(path, text.encode("utf-8", "replace")))
        if file := self._option.code_quality:
            self.attempt(Path(file), lambda path: code_quality.write(results, path))
        if file := self._option.prometheus:
            from bkpaas.report import prometheus  # its library is slow to import

            self.attempt(Path(file), lambda path: prometheus.write(results, path))
        self._write_messages()

    def _write_messages(self) -> None:
        file = self._report / libraries.FILE
        if MESSAGES.total:
            text = "\n".join(MESSAGES.lines()) + "\n"
            self.attempt(file, lambda path: write_private(path, text.encode("utf-8", "replace")))
        else:
            self.attempt(file, lambda path: path.unlink(missing_ok=True))  # of the run before

    def send(self, results: Results) -> None:
        """Send the message of --webhook-kind, and the events of --bkmonitor-file."""
        if self._hook is not None:
            message = webhook.body(results, self._hook.kind, self._option.report_url)
            self._send(self._hook.kind, partial(webhook.send, self._hook, message))
        if self._monitor is not None:
            self._send("bkmonitor", partial(bkmonitor.send, results, self._monitor))

    def _send(self, kind: str, send: Callable[[], None]) -> None:
        try:
            send()
        except posting.NotSent as error:
            self.notices.append(
                to_text(msg("the message to {kind} was not sent: {error}", kind=kind, error=error))
            )

    def attempt(self, path: Path, write: Callable[[Path], object]) -> bool:
        """Write one output; return whether that worked. A notice, one for each file, says which is missing and why."""
        try:
            write(path)
            return True
        except Exception as error:  # whatever goes wrong in one writer, the others still write
            if path not in self._lost:
                self._lost.add(path)
                self.notices.append(not_written(str(path), error))
            return False


def not_written(what: str, error: Exception) -> str:
    """Return one line: the output, the reason, what to do."""
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
    else:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        line = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
        reason = f"{type(error).__name__}{line}"
    fix = _fix(error)
    return to_text(msg("{what}: not written: {reason}; fix: {fix}", what=what, reason=reason, fix=fix))


def disk_is_full(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _fix(error: Exception) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if disk_is_full(error):
        return to_text(msg("free space on its file system, or choose another path"))
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return to_text(msg("choose a path that this account can write, or another account"))
    if code in (errno.EISDIR, errno.ENOTDIR, errno.ENOENT):
        return to_text(msg("name a file in an existing directory"))
    if code == errno.EFBIG:
        return to_text(msg("raise the limit of file sizes (ulimit -f)"))
    if code in (errno.EPIPE, errno.EBADF):
        return to_text(msg("read report.html, or write the output to a file"))
    if code is None:
        return to_text(msg("this is an error of the suite, please report it"))
    return to_text(msg("choose another path"))


def free_directory() -> str:
    """Return the remedy for a temporary directory that cannot be used."""
    return to_text(
        msg("free space in {get}, or set TMPDIR to another directory", get=os.environ.get("TMPDIR", "/tmp"))
    )
