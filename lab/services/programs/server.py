"""A small HTTP server for the stand-ins that speak HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MOST_BODY_BYTES = 10_000_000
"""Longest body of a request that is read."""


@dataclass
class Answer:
    body: str
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Question:
    path: str
    headers: dict[str, str]  # names in lower case
    method: str = "GET"
    body: bytes = b""

    @property
    def cookies(self) -> dict[str, str]:
        cookies = SimpleCookie(self.headers.get("cookie", ""))
        return {name: morsel.value for name, morsel in cookies.items()}


Reply = Callable[[Question], Answer]


def as_json(content: dict[str, Any], status: int = 200) -> Answer:
    return Answer(json.dumps(content), status, "application/json; charset=utf-8")


def server(
    address: str, port: int, reply: Reply, methods: tuple[str, ...] = ("GET", "HEAD")
) -> ThreadingHTTPServer:
    """Return a listening server that answers these methods with reply(); serve_forever() runs it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _reply(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            if length > MOST_BODY_BYTES:
                self.close_connection = True
                self.send_error(413)
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = reply(Question(self.path, headers, self.command, self.rfile.read(length)))
            body = answer.body.encode()
            self.send_response_only(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Date", self.date_time_string())
            self.send_header("Content-Length", str(len(body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """No access log: the originals keep theirs elsewhere."""

    for method in methods:
        setattr(Handler, f"do_{method}", Handler._reply)
    ThreadingHTTPServer.daemon_threads = True
    return ThreadingHTTPServer((address, port), Handler)
