"""The job platform: its web side."""

from __future__ import annotations

import sys
from pathlib import Path

from .portal import configuration, portal


def main() -> None:
    portal(configuration(Path(sys.orig_argv[0]).parents[2] / "etc/job.conf")).serve_forever()
