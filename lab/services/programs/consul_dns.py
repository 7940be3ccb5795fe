"""The DNS of a consul agent: NAME.service.consul from its services, everything else from the resolver behind it."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

RECURSOR_TIMEOUT = 3.0
MOST_BYTES = 4096
A, IN = 1, 1
SUFFIX = ".service.consul"
NXDOMAIN, SERVFAIL = 3, 2


class Names:
    """Answer questions over UDP.

    addresses: the addresses of the passing instances of a service, None for an unknown one.
    recursors: addresses of the resolvers for all other names.
    """

    def __init__(self, addresses: Callable[[str], list[str] | None], recursors: list[str]) -> None:
        self.addresses, self.recursors = addresses, recursors

    def serve(self, port: int) -> None:
        inlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        inlet.bind(("127.0.0.1", port))
        while True:
            data, peer = inlet.recvfrom(MOST_BYTES)
            threading.Thread(target=self._reply, args=(inlet, data, peer), daemon=True).start()

    def _reply(self, inlet: socket.socket, data: bytes, peer: tuple[str, int]) -> None:
        with suppress(OSError, IndexError, struct.error, UnicodeDecodeError):
            name, kind, end = question(data)
            if name.endswith(".consul"):
                inlet.sendto(self._own(data, name, kind, end), peer)
            else:
                inlet.sendto(self._forward(data, end), peer)

    def _own(self, data: bytes, name: str, kind: int, end: int) -> bytes:
        answer = self.addresses(name.removesuffix(SUFFIX)) if name.endswith(SUFFIX) else None
        if not answer:
            return header(data, NXDOMAIN, 0) + data[12:end]
        rows = [
            b"\xc0\x0c" + struct.pack(">HHIH", A, IN, 0, 4) + socket.inet_aton(address)
            for address in random.sample(answer, len(answer))
            if kind == A
        ]
        return header(data, 0, len(rows)) + data[12:end] + b"".join(rows)

    def _forward(self, data: bytes, end: int) -> bytes:
        for recursor in self.recursors:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.settimeout(RECURSOR_TIMEOUT)
                try:
                    out.sendto(data, (recursor, 53))
                    return out.recv(MOST_BYTES)
                except OSError:
                    continue
        return header(data, SERVFAIL, 0) + data[12:end]


def question(data: bytes) -> tuple[str, int, int]:
    """Return the name, the type and the end of the one question of a message."""
    labels, at = [], 12
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]].decode("ascii").lower())
        at += 1 + data[at]
    kind, _ = struct.unpack(">HH", data[at + 1 : at + 5])
    return ".".join(labels), kind, at + 5


def header(data: bytes, code: int, answers: int) -> bytes:
    return data[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, answers, 0, 0)
