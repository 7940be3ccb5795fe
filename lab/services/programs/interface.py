"""The programming interface of a platform, as far as others ask whether it is there: cmdb's and fta's."""

from __future__ import annotations

from . import argument
from .portal import configuration
from .server import as_json, server

SUCCESS = {"result": True, "code": 0, "message": "success", "data": {}}


def main() -> None:
    config = configuration(argument("-c"))
    address, port = config["server"]["address"], config.getint("server", "api_port")
    server(address, port, lambda question: as_json(SUCCESS)).serve_forever()
