"""Run a command in the lab's namespaces in the foreground: its terminal, signals and exit status are those of the caller.

nsenter forks into the PID namespace and would end at Ctrl-C before the command does, which then goes on unwatched, and
a signal for nsenter alone would not reach the command. So nsenter ignores the signals, the command does not, and what
was sent to this process alone is passed on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def with_default_signals(*command: str) -> tuple[str, ...]:
    """Return the command line that gives the command those signals back that nsenter ignores."""
    names = ",".join(one.name.removeprefix("SIG") for one in _handled())
    return ("env", f"--default-signal={names}", *command) if names else command


def run(command: list[str]) -> int:
    """Run a command line whose first process forks; return the exit status of a shell."""
    handled = _handled()
    signal.pthread_sigmask(signal.SIG_BLOCK, {*handled, signal.SIGCHLD})

    def prepare() -> None:
        for number in handled:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())

    child = subprocess.Popen(command, preexec_fn=prepare)
    while child.poll() is None:
        received = signal.sigwaitinfo({*handled, signal.SIGCHLD})
        # si_code: positive if the kernel sent it, which is Ctrl-C of the terminal, to the command as well.
        if received.si_signo in handled and received.si_code <= 0:
            _pass_on(child.pid, received.si_signo)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _handled() -> list[signal.Signals]:
    """Return the signals that the caller does not ignore."""
    return [number for number in PASSED_ON if signal.getsignal(number) is not signal.SIG_IGN]


def _pass_on(parent: int, number: int) -> None:
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            os.kill(int(child), number)
