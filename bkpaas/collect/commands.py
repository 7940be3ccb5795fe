"""Run commands on the controller, bounded in time and output, for testinfra's backends."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from typing import Any

PIECE_BYTES = 65_536


class TooMuchOutput(Exception):
    """Signal that a command printed more than allowed, both streams together."""


def run_bounded(line: bytes, seconds: float, most: int, *, session: bool = True) -> tuple[int, bytes, bytes]:
    """Run a line of shell without input; return exit status, output and error output.

    Args:
        most: bytes of output and error output together.
        session: run it in its own session, and kill all processes of it at the limit. False leaves that to the
            caller, which kills the session that contains both.

    Raises:
        subprocess.TimeoutExpired, TooMuchOutput: the command was killed.
    """
    ends = time.monotonic() + seconds
    child = subprocess.Popen(
        line,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=session,
    )
    try:
        out, err = _read(child, ends, most)
        child.wait(max(0.0, ends - time.monotonic()))
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if session else os.kill)(child.pid, signal.SIGKILL)
        child.wait()
        if isinstance(error, TimeoutError):
            raise subprocess.TimeoutExpired(line, seconds) from None
        raise
    finally:
        for pipe in (child.stdout, child.stderr):
            if pipe:
                pipe.close()
    return child.returncode, out, err


def _read(child: subprocess.Popen[bytes], ends: float, most: int) -> tuple[bytes, bytes]:
    read = {pipe: bytearray() for pipe in (child.stdout, child.stderr)}
    with selectors.DefaultSelector() as selector:
        for pipe in read:
            assert pipe
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, ends - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                file: Any = key.fileobj
                piece = os.read(file.fileno(), PIECE_BYTES)
                if not piece:
                    selector.unregister(file)
                read[file] += piece
            if sum(map(len, read.values())) > most:
                raise TooMuchOutput
    out, err = read.values()
    return bytes(out), bytes(err)
