"""What is said while the hosts are looked at: one line that moves on a terminal, few lines elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import time

import pytest

from bkpaas.collect.rounds import ENDED, State
from bkpaas.messages import Message, msg, plural, to_text
from bkpaas.report.text import fitted

_QUIET_SECONDS = 10.0
"""Without a terminal, how long before another line is worth printing."""
_NAMED = 3
"""Hosts that are named among those waited for."""


class Progress:
    """Print how many hosts are finished and which ones are waited for."""

    def __init__(self, config: pytest.Config) -> None:
        self._stream = sys.stderr
        self._moving = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._silent = config.option.verbose < -1
        self._states: dict[str, State] = {}
        self._total = 0
        self._printed = 0.0

    def start(self, hosts: int) -> None:
        self._total = hosts
        text = plural(
            "collecting {count} host, read-only", "collecting {count} hosts, read-only", count=hosts
        )
        self._print(text, last=False)

    def __call__(self, host: str, state: State) -> None:
        self._states[host] = state
        over = sum(state in ENDED for state in self._states.values())
        waiting = sorted(host for host, state in self._states.items() if state not in ENDED)
        text = plural(
            "collected {over} of {count} host",
            "collected {over} of {count} hosts",
            count=self._total,
            over=over,
        )
        if waiting:
            names = ", ".join(waiting[:_NAMED])
            more = self._total - over - len(waiting[:_NAMED])
            names += f" (+{more})" if more > 0 else ""
            text = msg("{text}; waiting for {names}", text=text, names=names)
        if self._moving or time.monotonic() - self._printed > _QUIET_SECONDS:
            self._print(text, last=False)

    def end(self, text: Message) -> None:
        self._print(text, last=True)

    def _print(self, message: Message, *, last: bool) -> None:
        self._printed = time.monotonic()
        if self._silent:
            return
        text = to_text(message)
        if self._moving:
            width = shutil.get_terminal_size().columns - 1  # a line that wraps cannot be taken back
            self._stream.write("\r\x1b[K" + fitted(text, width) + ("\n" if last else ""))
        else:
            self._stream.write(text + "\n")
        self._stream.flush()
