"""The entries of the files expand to the same edges, in the same order, as when each edge was written by hand.

edges.json was made from the catalogue before it became data. An edge that changes is changed there as well: a change
of the causes of a condition is seen in review as what it is.
"""

import json
from pathlib import Path

import pytest

from bkpaas.catalogue.registry import CONDITIONS

EDGES = json.loads(Path(__file__).with_name("edges.json").read_text("utf-8"))


def test_conditions_are_the_same_in_the_same_order():
    """The order decides between root causes that explain equally much."""
    assert list(CONDITIONS) == list(EDGES)


@pytest.mark.parametrize("id_", EDGES)
def test_edges_are_the_same_in_the_same_order(id_):
    assert [f"{cause.relation} {cause.condition}" for cause in CONDITIONS[id_].causes] == EDGES[id_]
