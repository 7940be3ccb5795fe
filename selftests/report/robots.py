"""A local HTTP server in place of a chat's robot."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET_PATH = "/send?key=Pl4nted-4nd-s3cret"


class Robot:
    """answers: (status, body) of each request in turn, the last one repeatedly; None: no answer at all."""

    def __init__(self, *answers: tuple[int, str] | None) -> None:
        self.answers = list(answers)
        self.bodies: list[Any] = []
        self.paths: list[str] = []
        self.url = ""
        self.released = threading.Event()


@contextmanager
def robot(*answers: tuple[int, str] | None) -> Iterator[Robot]:
    one = Robot(*answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            one.paths.append(self.path)
            one.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = one.answers.pop(0) if len(one.answers) > 1 else one.answers[0]
            if answer is None:
                one.released.wait()
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1].encode())))
            self.end_headers()
            self.wfile.write(answer[1].encode())

        def log_message(self, *words: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        one.url = f"http://127.0.0.1:{server.server_port}{SECRET_PATH}"
        try:
            yield one
        finally:
            one.released.set()
            server.shutdown()
