"""mypy reports what a message refuses, so that no branch has to run for it to be found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from selftests.messages.source import ROOT

HEAD = "from bkpaas.messages import Message, msg\n\n\ndef use(message: Message, either: Message | str) -> None:\n"
REFUSED = (
    'f"{message}"',
    'f"{either:>5} x"',
    '"{} x".format(either)',
    '"a" + message',
    'either + "a"',
    '", ".join([message])',
    "bool(1 if message else 0)",
)
ALLOWED = (
    "str(message)",
    'f"{message!s} {either!r}"',
    'msg("{a}", a=message)',
    "message.render('zh')",
    "message is None",
)


def test_mypy_reports_a_message_that_is_used_as_a_string(tmp_path: Path) -> None:
    file = tmp_path / "use.py"
    file.write_text(HEAD + "".join(f"    print({line})\n" for line in (*REFUSED, *ALLOWED)), "utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        str(file),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    reported = {int(line) for line in re.findall(r"use\.py:(\d+): error", done.stdout)}
    first = HEAD.count("\n") + 1
    assert reported == set(range(first, first + len(REFUSED))), done.stdout + done.stderr
