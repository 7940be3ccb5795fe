"""Servers that misbehave, on loopback."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket, "Server"], None]
JOIN_SECONDS = 5.0
"""Limit for one connection to end, after the server was closed."""


class Server:
    """A TCP server that calls `behaviour` for each connection and keeps the bytes it received."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.received: list[bytes] = []
        self.over = threading.Event()
        """Set at the end: what misbehaves by waiting waits for this."""
        self.on_first: Callable[[], None] = lambda: None
        """Called at the first connection."""
        self._behaviour = behaviour
        self._threads: list[threading.Thread] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/healthz/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        first = True
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if first:
                self.on_first()
            first = False
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            thread.start()  # before it is listed: the end of the server joins every listed thread
            self._threads.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self._behaviour(connection, self)

    def close(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._socket.close()
        for thread in list(self._threads):  # after this `received` is complete
            thread.join(JOIN_SECONDS)


@contextlib.contextmanager
def serving(behaviour: Behaviour) -> Iterator[Server]:
    server = Server(behaviour)
    try:
        yield server
    finally:
        server.close()


def answering(*pieces: bytes) -> Behaviour:
    """Read a request, answer these bytes, close."""

    def behave(connection: socket.socket, server: Server) -> None:
        server.received.append(connection.recv(65536))
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)

    return behave


def keeping(*pieces: bytes) -> Behaviour:
    """Answers these bytes and keeps the connection open."""

    def behave(connection: socket.socket, server: Server) -> None:
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)
        server.over.wait()

    return behave


def speaking(words: bytes) -> Behaviour:
    """Says something first, as a database does."""

    def behave(connection: socket.socket, server: Server) -> None:
        connection.sendall(words)
        connection.recv(65536)

    return behave


def silent(connection: socket.socket, server: Server) -> None:
    server.over.wait()


def dripping(start: bytes) -> Behaviour:
    """`start`, then a byte now and then, without end."""

    def behave(connection: socket.socket, server: Server) -> None:
        connection.sendall(start)
        while not server.over.wait(0.05):
            connection.sendall(b"x")

    return behave


def endless(connection: socket.socket, server: Server) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(1526):
        connection.sendall(b"x" * 65536)


def closing(connection: socket.socket, server: Server) -> None:
    connection.recv(65536)


def resetting(connection: socket.socket, server: Server) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """An address on which nothing listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@contextlib.contextmanager
def never_accepting() -> Iterator[str]:
    """An address whose queue is full: connections to it are neither accepted nor refused."""
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}/"
