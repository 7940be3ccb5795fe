"""Signals that end a run early: Ctrl-C, SIGTERM, SIGHUP. What one of them does depends on what the run is doing.

While nothing is open yet, the process ends with one line. While hosts are collected, the collection is cancelled. While
conditions are checked, KeyboardInterrupt is raised. While outputs are written, nothing happens.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from bkpaas.messages import msg, to_text

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAME_SECONDS = 1.0
"""Signals this close to each other are one: `timeout` and a shell that ends send theirs twice."""
EXIT_CODE = 2


class _State:
    def __init__(self) -> None:
        self.action: Callable[[], None] | None = None
        """What the next signal does. None: the signals are not handled here."""
        self.stderr = 2
        """The error output of the process, also while pytest captures what is written to 2."""
        self.last = float("-inf")
        self.received: str | None = None
        self.pending = False
        self.raised = False


def install() -> None:
    """Handle the signals from now on, except those that the caller of the process ignores (nohup)."""
    _STATE.action = _leave
    with suppress(OSError):  # there may be no error output
        _STATE.stderr = os.dup(2)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _receive)


def received() -> str | None:
    """Return the name of the first signal."""
    return _STATE.received


def raised() -> bool:
    """Return whether KeyboardInterrupt was raised; a library may have suppressed it."""
    return _STATE.raised


def hold() -> None:
    """Keep a signal for the next calling(), take() or raise_from_now_on()."""
    _set(_hold)


def take() -> bool:
    """Return whether a signal was kept, and forget it."""
    pending, _STATE.pending = _STATE.pending, False
    return pending


def ignore() -> None:
    """Ignore signals from now on: the outputs are written, or the process ends."""
    _set(_ignore)


def raise_from_now_on() -> None:
    """Raise KeyboardInterrupt at the next signal, immediately for one that was kept; ignore those after it."""
    _set(_raise)
    if take():
        _raise()


@contextmanager
def calling(action: Callable[[], object]) -> Iterator[None]:
    """Call the action at the first signal within the block, immediately for one that was kept; ignore those after it."""
    before = _STATE.action

    def call() -> None:
        _set(_ignore)
        action()

    _set(call)
    try:
        if take():
            call()
        yield
    finally:
        _set(before)


def raising() -> AbstractContextManager[None]:
    """Raise KeyboardInterrupt at the first signal within the block."""
    return calling(_interrupt)


def _set(action: Callable[[], None] | None) -> None:
    if _STATE.action is not None:
        _STATE.action = action


def _receive(number: int, frame: object) -> None:
    now = time.monotonic()
    if now - _STATE.last < SAME_SECONDS:
        return
    _STATE.last = now
    _STATE.received = _STATE.received or signal.Signals(number).name
    if _STATE.action is not None:
        _STATE.action()


def _leave() -> None:
    """End the process, which has opened nothing yet, with one line."""
    text = to_text(msg("interrupted ({name}): no host was contacted, nothing is written", name=received()))
    with suppress(OSError):
        os.write(_STATE.stderr, f"\n{text}\n".encode("utf-8", "replace"))
    os._exit(EXIT_CODE)


def _hold() -> None:
    _STATE.pending = True


def _ignore() -> None:
    pass


def _raise() -> None:
    _set(_ignore)
    _STATE.raised = True
    raise KeyboardInterrupt


def _interrupt() -> None:
    raise KeyboardInterrupt


_STATE = _State()
