"""A server with the login part of MySQL's protocol; it refuses every statement."""

from __future__ import annotations

import hashlib
import socket
import ssl
import struct
from dataclasses import dataclass

from collect.servers import Behaviour, Server

NATIVE, SHA2 = "mysql_native_password", "caching_sha2_password"
NONCE, OTHER_NONCE = b"0123456789abcdefghij", b"ABCDEFGHIJabcdefghij"
FLAGS = 0x0008A209
SSL = 0x800
OK = b"\0\0\0\2\0\0\0"
DENIED = b"\xff\x15\x04#28000Access denied for user 'op'@'10.0.1.3' (using password: YES)"
TOO_MANY = b"\xff\x10\x04Too many connections"
NO_RIGHT = b"\xff\x76\x04#42000SELECT command denied to user 'op'@'10.0.1.3'"
QUERY = b"\3"
QUIT = b"\1\0\0\0\1"


def packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


def greeting(plugin: str = NATIVE, flags: int = FLAGS, nonce: bytes = NONCE) -> bytes:
    head = b"\n8.0.36\0" + struct.pack("<I", 7) + nonce[:8] + b"\0"
    middle = struct.pack("<HBHHB", flags & 0xFFFF, 255, 2, flags >> 16, len(nonce) + 1)
    return head + middle + b"\0" * 10 + nonce[8:] + b"\0" + plugin.encode() + b"\0"


def proof(plugin: str, password: str, nonce: bytes) -> bytes:
    """Return the answer of a client with the right password, by MySQL's description of both plugins."""
    if not password:
        return b""
    word = password.encode()
    if plugin == NATIVE:
        stored = hashlib.sha1(hashlib.sha1(word).digest()).digest()
        mask, first = hashlib.sha1(nonce + stored).digest(), hashlib.sha1(word).digest()
    else:
        stored = hashlib.sha256(hashlib.sha256(word).digest()).digest()
        mask, first = hashlib.sha256(stored + nonce).digest(), hashlib.sha256(word).digest()
    return bytes(left ^ right for left, right in zip(first, mask, strict=True))


@dataclass
class Database:
    """An account, its authentication, and what the server offers."""

    password: str = "pä ss'\"1"
    default: str = NATIVE
    """The plugin in the greeting."""
    plugin: str = NATIVE
    """That of the account; another one than the default is asked for."""
    cached: bool = True
    """True: the digest of the account is cached; False: the server asks for the password itself."""
    tls: ssl.SSLContext | None = None
    refusal: bytes = DENIED

    def __call__(self, connection: socket.socket, server: Server) -> None:
        connection.sendall(packet(0, greeting(self.default, FLAGS | (SSL if self.tls else 0))))
        data = self._read(connection, server)
        if self.tls and struct.unpack("<I", data[4:8])[0] & SSL:
            connection = self.tls.wrap_socket(connection, server_side=True)
            data = self._read(connection, server)
        with connection:
            self._judge(connection, server, data)

    def _judge(self, connection: socket.socket, server: Server, data: bytes) -> None:
        rest = data[36:]
        _, rest = rest.split(b"\0", 1)
        answer, number = rest[1 : 1 + rest[0]], data[3] + 1
        nonce, requested = NONCE, rest[1 + rest[0] :].split(b"\0")[-2].decode()
        if requested != self.plugin:
            nonce = OTHER_NONCE
            switch = b"\xfe" + self.plugin.encode() + b"\0" + nonce + b"\0"
            connection.sendall(packet(number, switch))
            answer = self._read(connection, server)[4:]
            number += 2
        good = answer == proof(self.plugin, self.password, nonce)
        if self.plugin == SHA2 and self.password and good:
            connection.sendall(packet(number, b"\1\3" if self.cached else b"\1\4"))
            number += 1
            if not self.cached:
                word = self._read(connection, server)[4:]
                good, number = word == self.password.encode() + b"\0", number + 1
        connection.sendall(packet(number, OK if good else self.refusal))
        while self._read(connection, server)[4:5] == QUERY:
            connection.sendall(packet(1, NO_RIGHT))

    @staticmethod
    def _read(connection: socket.socket, server: Server) -> bytes:
        data = connection.recv(4)
        while 0 < len(data) < 4:
            data += connection.recv(4 - len(data))
        size = struct.unpack("<I", data[:3] + b"\0")[0] if data else 0
        while len(data) < 4 + size and data:
            data += connection.recv(4 + size - len(data))
        server.received.append(data)
        return data


def saying(*packets: bytes) -> Behaviour:
    """Greets, then answers each packet of the client with the next of these."""

    def behave(connection: socket.socket, server: Server) -> None:
        connection.sendall(packet(0, greeting()))
        for one in packets:
            server.received.append(connection.recv(65536))
            connection.sendall(one)
        server.received.append(connection.recv(65536))

    return behave
