"""--limit: names, addresses and roles; the others stay known but are not judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bkpaas.errors import InventoryError
from bkpaas.inventory import load

Site = Callable[..., Path]

FILES = {
    "install.config": "10.0.1.1 paas\n10.0.1.2 paas\n10.0.1.3 nginx,es\n10.0.1.4 cmdb\n",
    "deployment.yaml": "hosts:\n- {address: 10.0.1.1, name: paas-1}\n- {address: 10.0.1.3, name: cmdb}\n",
}
ALL = ["10.0.1.2", "10.0.1.4", "cmdb", "paas-1"]

CHOSEN = {
    "name": ("paas-1", ["paas-1"]),
    "name-in-upper-case": ("PAAS-1", ["paas-1"]),
    "address": ("10.0.1.1", ["paas-1"]),
    "role": ("paas", ["10.0.1.2", "paas-1"]),
    "role-by-its-other-word": ("es7", ["cmdb"]),
    "several": ("paas-1, nginx", ["cmdb", "paas-1"]),
    "full-width-comma": ("paas-1，nginx", ["cmdb", "paas-1"]),
    "trailing-comma": ("paas-1,", ["paas-1"]),
    "same-twice": ("paas-1,paas", ["10.0.1.2", "paas-1"]),
    "name-that-is-a-role-too": ("cmdb", ["10.0.1.4", "cmdb"]),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_chosen(site: Site, name: str) -> None:
    limit, names = CHOSEN[name]
    deployment = load(site(FILES), limit=limit)
    assert [host.name for host in deployment.hosts] == ALL
    assert [host.name for host in deployment.selected()] == names


def test_without_limit_all_are_judged(site: Site) -> None:
    assert [host.name for host in load(site(FILES)).selected()] == ALL


@pytest.mark.parametrize(
    "limit", ["paas-9", "appt", "paas-1,nope", "10.0.1.", "paa", "paas-*", "", " , "], ids=ascii
)
def test_a_word_that_nothing_answers_to_lists_what_there_is(site: Site, limit: str) -> None:
    with pytest.raises(InventoryError) as caught:
        load(site(FILES), limit=limit)
    error = caught.value
    assert error.file == "--limit"
    assert str(error.fix) == (
        "hosts: 10.0.1.2, 10.0.1.4, cmdb (10.0.1.3), paas-1 (10.0.1.1); roles: cmdb, es, nginx, paas"
    )
    word = limit.split(",")[-1].strip()
    assert (repr(word) if word else "is empty") in str(error.reason)
