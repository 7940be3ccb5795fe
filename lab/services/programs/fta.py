"""Fault self-healing: the one interface that esb's healthz calls."""

from __future__ import annotations

import sys
from pathlib import Path

from .portal import configuration
from .server import as_json, server

STATUS = {"result": True, "code": 0, "message": "", "data": {"status": "ok"}}


def main() -> None:
    config = configuration(Path(sys.orig_argv[0]).parents[1] / "conf/fta.conf")
    address, port = config["server"]["address"], config.getint("server", "api_port")
    server(address, port, lambda question: as_json(STATUS)).serve_forever()
