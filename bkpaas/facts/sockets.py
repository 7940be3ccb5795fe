"""What listens on a host: TCP ports and unix sockets, with their owners."""

from __future__ import annotations

from bkpaas.facts.missing import Fact, Record


class Listener(Record, frozen=True):
    """One listening TCP socket."""

    family: int
    """4 or 6."""
    address: str
    port: int
    queue: int | None = None
    """Connections that wait to be accepted."""
    inode: int | None = None
    pids: tuple[int, ...] | None = None
    """The owners; None: not readable."""

    def covers(self, address: str) -> bool | None:
        """Whether a connection to this address arrives here; None: an IPv6 wildcard, asked for IPv4."""
        raise NotImplementedError


class UnixSocket(Record, frozen=True):
    """One unix socket that has a path."""

    path: str
    inode: int | None = None
    listening: bool = False
    pids: tuple[int, ...] | None = None
    """The owners; None: not readable."""


class Sockets(Fact, frozen=True):
    """All listening sockets of a host."""

    listeners: tuple[Listener, ...]
    unix: tuple[UnixSocket, ...]
    owners_known: bool
    """Whether the owner of every socket could be read."""

    def on(self, port: int) -> tuple[Listener, ...]:
        return tuple(listener for listener in self.listeners if listener.port == port)

    def unix_at(self, path: str) -> tuple[UnixSocket, ...]:
        return tuple(socket for socket in self.unix if socket.path == path)
