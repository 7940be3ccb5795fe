"""Counts of packets that were sent again, by peer."""

from typing import Any

import pytest

from bkpaas.facts.retransmits import Link, retransmits

HTTP = {"url": "http://10.0.0.1:80/", "peer": "10.0.0.1:80", "error": None}


def test_counts_are_added_by_peer() -> None:
    answers = [
        HTTP | {"retransmits": [0]},
        HTTP | {"retransmits": [1, 0, 2]},
        HTTP | {"retransmits": [5], "error": {"kind": "silent", "text": ""}},
        HTTP | {"peer": "[::1]:80", "retransmits": [0]},
    ]
    assert retransmits(answers).by_peer == {
        "10.0.0.1:80": Link(connections=3, lossy=2, heavy=1, repeats=2, lossy_repeats=1, packets=8),
        "[::1]:80": Link(connections=1),
    }


@pytest.mark.parametrize("change", [{"peer": None}, {"retransmits": []}, {}])
def test_what_was_not_connected_or_counted_is_left_out(change: dict[str, Any]) -> None:
    assert retransmits([HTTP | change]).by_peer == {}
