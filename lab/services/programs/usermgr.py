"""usermgr, port 8009: the users, their passwords and the list of domains, as ESB asks for them."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

from . import argument
from .portal import configuration
from .server import Answer, Question, as_json, server

WRONG = 3210010


def main() -> None:
    config = configuration(argument("-c"))
    passwords = dict(config["users"])
    hold_seconds = config.getfloat("server", "hold_seconds", fallback=0.0)

    def reply(question: Question) -> Answer:
        url = urlsplit(question.path)
        if hold_seconds and "/profile_list" in url.path:  # waits for its own database, and gives up
            time.sleep(hold_seconds)
            raise TimeoutError
        parameters = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.rstrip("/").endswith("login/check"):
            good = passwords.get(parameters.get("username", "")) == parameters.get("password")
            return as_json(
                {
                    "result": good,
                    "code": 0 if good else WRONG,
                    "message": "" if good else "账户或者密码错误",
                    "data": {},
                }
            )
        return as_json(
            {"result": True, "code": 0, "message": "", "data": [{"id": 1, "domain": "default.local"}]}
        )

    address, port = config["server"]["address"], config.getint("server", "api_port")
    server(address, port, reply, ("GET", "HEAD", "POST")).serve_forever()
