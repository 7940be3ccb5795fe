"""Count the packets that the connections of a host have sent again, by peer.

Source: Linux, struct tcp_info, tcpi_total_retrans, which counts the packets of the handshake as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import field

from bkpaas.facts.missing import Fact, Record


class Link(Record, frozen=True):
    """Hold the counts of the connections to one address and port."""

    connections: int = 0
    """Those that the plan asked for."""
    lossy: int = 0
    """Of them, those that sent a packet again."""
    heavy: int = 0
    """Of them, those that sent packets again 3 times or more: the last of three tries comes after more than a second."""
    repeats: int = 0
    """Further connections, made one after the other where a first one had sent a packet again."""
    lossy_repeats: int = 0
    packets: int = 0
    """Packets that were sent again, in all connections."""


class Retransmits(Fact, frozen=True):
    """Hold the counts by `address:port` of the peer."""

    by_peer: dict[str, Link] = field(default_factory=dict)


HEAVY = 3
_MOST_PEERS = 2000


def retransmits(answers: Iterable[dict[str, Any]]) -> Retransmits:
    """Count the connections of raw answers to HTTP requests and TCP connections."""
    by_peer: dict[str, Link] = {}
    for item in answers:
        peer, counts = item.get("peer"), item.get("retransmits")
        if not peer or not counts or (peer not in by_peer and len(by_peer) >= _MOST_PEERS):
            continue
        known = by_peer.get(peer[:100], Link())
        by_peer[peer[:100]] = Link(
            connections=known.connections + 1,
            lossy=known.lossy + bool(counts[0]),
            heavy=known.heavy + (counts[0] >= HEAVY),
            repeats=known.repeats + len(counts) - 1,
            lossy_repeats=known.lossy_repeats + sum(map(bool, counts[1:])),
            packets=known.packets + sum(counts),
        )
    return Retransmits(by_peer=by_peer)
