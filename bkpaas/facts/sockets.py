"""Parse the listening TCP ports and unix sockets of a host, with their owners."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, Query, Section
from bkpaas.inventory.deployment import Deployment, Host


class Listener(Record, frozen=True):
    """Represent one listening TCP socket."""

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
        """Return whether the listener accepts connections to this address; None if that is unknown."""
        mine, theirs = _address(self.address), _address(address)
        if mine is None:
            return False
        if theirs is None:
            return None
        if mine == theirs:
            return True
        if not mine.is_unspecified:
            return False
        if mine.version == theirs.version:
            return True
        return None if mine.version == 6 else False


class UnixSocket(Record, frozen=True):
    """Represent one unix socket that has a path."""

    path: str
    inode: int | None = None
    listening: bool = False
    pids: tuple[int, ...] | None = None
    """The owners; None: not readable."""


class Sockets(Fact, frozen=True):
    """Hold all listening sockets of a host."""

    listeners: tuple[Listener, ...]
    unix: tuple[UnixSocket, ...]
    owners_known: bool
    """Whether the owner of every socket could be read."""

    def on(self, port: int) -> tuple[Listener, ...]:
        return tuple(listener for listener in self.listeners if listener.port == port)

    def unix_at(self, path: str) -> tuple[UnixSocket, ...]:
        return tuple(socket for socket in self.unix if socket.path == path)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address; an IPv4-mapped IPv6 address becomes IPv4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def sockets(listeners: list[dict[str, Any]], unix: list[dict[str, Any]]) -> Sockets:
    """Parse the raw lists of TCP listeners and unix sockets."""
    tcp = tuple(map(_listener, listeners))
    at_paths = tuple(
        UnixSocket(
            path=item["path"][:300],
            inode=item["inode"],
            listening=item["listening"],
            pids=_owners(item["pids"]),
        )
        for item in unix
    )
    owners = [*(listener.pids for listener in tcp), *(socket.pids for socket in at_paths)]
    return Sockets(listeners=tcp, unix=at_paths, owners_known=None not in owners)


def _listener(item: dict[str, Any]) -> Listener:
    return Listener(
        family=6 if ":" in item["address"] else 4,
        address=item["address"],
        port=item["port"],
        queue=item["queue"],
        inode=item["inode"],
        pids=_owners(item["pids"]),
    )


def _owners(pids: list[int] | None) -> tuple[int, ...] | None:
    return None if pids is None else tuple(pids)


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return the query for all listening sockets."""
    if earlier is None:
        yield Section("sockets", True)
