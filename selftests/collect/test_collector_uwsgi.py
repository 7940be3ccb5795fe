"""A GET over a unix socket, and in the protocol of uwsgi."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ANSWER = b"HTTP/1.1 302 Found\r\nLocation: /login/\r\n\r\nmoved"


@contextlib.contextmanager
def application(path: Path, answer: bytes, received: list[bytes]) -> Iterator[None]:
    """Serve one connection on a unix socket."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            received.append(connection.recv(65536))
            connection.sendall(answer)
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    listener.close()
    thread.join(5)


def ask(visit: Any, path: Path, **more: Any) -> dict[str, Any]:
    query = {
        "name": "it",
        "url": "http://paas.example/o/app/?a=1",
        "seconds": 5,
        "bytes": 1000,
        "unix": str(path),
    }
    one: dict[str, Any] = visit({"http": [{**query, "headers": {"Host": "paas.example"}, **more}]})["http"][
        "it"
    ]
    return one


def pairs(packet: bytes) -> dict[str, str]:
    modifier, size, _ = struct.unpack("<BHB", packet[:4])
    assert modifier == 30 and size == len(packet) - 4
    words, at = [], 4
    while at < len(packet):
        (length,) = struct.unpack("<H", packet[at : at + 2])
        words.append(packet[at + 2 : at + 2 + length].decode())
        at += 2 + length
    return dict(zip(words[::2], words[1::2], strict=True))


def test_uwsgi(visit: Any, tmp_path: Path) -> None:
    received: list[bytes] = []
    with application(tmp_path / "s", ANSWER, received):
        one = ask(visit, tmp_path / "s", uwsgi={"modifier": 30, "SCRIPT_NAME": "/o/app"})
    assert (one["status"], one["body"], one["error"]) == (302, "moved", None)
    sent = pairs(received[0])
    assert (
        sent["REQUEST_METHOD"] == "GET" and sent["PATH_INFO"] == "/o/app/" and sent["QUERY_STRING"] == "a=1"
    )
    assert sent["SCRIPT_NAME"] == "/o/app" and sent["HTTP_HOST"] == sent["SERVER_NAME"] == "paas.example"


def test_http_over_a_unix_socket(visit: Any, tmp_path: Path) -> None:
    received: list[bytes] = []
    with application(tmp_path / "s", ANSWER, received):
        assert ask(visit, tmp_path / "s")["status"] == 302
    assert received[0].startswith(b"GET /o/app/?a=1 HTTP/1.1\r\n")


def test_sockets_without_a_listener(visit: Any, tmp_path: Path) -> None:
    assert ask(visit, tmp_path / "none")["error"]["kind"] == "gone"
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(tmp_path / "s"))
    assert ask(visit, tmp_path / "s")["error"]["kind"] == "refused"


def test_garbage_is_no_answer(visit: Any, tmp_path: Path) -> None:
    with application(tmp_path / "s", b"hello\r\n", []):
        assert ask(visit, tmp_path / "s")["error"]["kind"] == "protocol"
