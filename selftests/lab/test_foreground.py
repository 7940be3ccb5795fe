"""`lab exec`: signals reach the command, and its exit status comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUTER = """
import sys
from lab import foreground
sys.exit(foreground.run(["unshare", "--fork", "--pid", *foreground.with_default_signals(*sys.argv[1:])]))
"""
COMMAND = """
trap 'count=$((count + 1))' INT TERM HUP
count=0; echo ready; i=0
while [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.05; [ $count -eq 0 ] || break; done
sleep 0.3; echo "signals: $count"; exit 7
"""
needs_namespaces = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a PID namespace")


@needs_namespaces
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_for_it_alone_is_passed_on_once(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OUTER, "sh", "-c", COMMAND],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.read() == "signals: 1\n"
    assert process.returncode == 7
