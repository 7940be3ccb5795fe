"""Sockets: which listener a connection reaches."""

import pytest

from bkpaas.facts.sockets import Listener, sockets


@pytest.mark.parametrize(
    ("bound", "address", "covered"),
    [
        ("0.0.0.0", "10.0.1.3", True),
        ("10.0.1.3", "10.0.1.3", True),
        ("10.0.1.3", "127.0.0.1", False),
        ("127.0.0.1", "10.0.1.3", False),
        ("::", "fe80::1", True),
        ("::", "10.0.1.3", None),
        ("0.0.0.0", "::1", False),
        ("::1", "127.0.0.1", False),
        ("::ffff:10.0.1.3", "10.0.1.3", True),
        ("::ffff:0.0.0.0", "10.0.1.3", True),
        ("fe80::1%eth0", "fe80::1", True),
        ("10.0.1.3", "paas.bk.com", None),
        ("garbage", "10.0.1.3", False),
    ],
)
def test_covers(bound, address, covered):
    assert Listener(family=4, address=bound, port=80).covers(address) is covered


def test_owners_are_known_or_not():
    tcp = {"family": 4, "address": "0.0.0.0", "port": 8003, "queue": 2, "inode": 5, "pids": [7, 8]}
    unix = {"path": "/x.sock", "inode": 6, "listening": True, "pids": [9]}
    found = sockets([tcp], [unix])
    assert found.owners_known
    assert found.on(8003)[0].pids == (7, 8) and found.on(8003)[0].queue == 2 and found.on(80) == ()
    assert found.unix_at("/x.sock")[0].listening and found.unix_at("/y") == ()
    assert not sockets([tcp | {"pids": None}], [unix]).owners_known
    assert not sockets([tcp], [unix | {"pids": None}]).owners_known
