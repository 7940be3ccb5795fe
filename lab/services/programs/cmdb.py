"""The configuration platform: the interface that esb's healthz calls, and the web side."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from .portal import configuration, portal
from .server import as_json, server

BUSINESS = {"result": True, "code": 0, "message": "success", "data": {"count": 1, "info": [{"bk_biz_id": 2}]}}


def main() -> None:
    config = configuration(Path(sys.orig_argv[0]).parents[1] / "conf/webserver.conf")
    address, port = config["server"]["address"], config.getint("server", "api_port")
    interface = server(address, port, lambda question: as_json(BUSINESS))
    threading.Thread(target=interface.serve_forever, daemon=True).start()
    portal(config).serve_forever()
