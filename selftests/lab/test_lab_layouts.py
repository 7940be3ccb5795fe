"""Layouts are data that fits together."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from lab import layouts
from lab.errors import LabError
from lab.layouts import Layout


@pytest.mark.parametrize("name", layouts.available())
def test_a_layout_fits_together(name: str) -> None:
    layout = layouts.load(name)
    assert layout.name == name
    addresses = [address for host in layout.hosts for address in (host.address, *host.more_addresses)]
    assert len({layout.controller, *addresses}) == len(addresses) + 1, "every address once"
    assert all(ip_address(address) in ip_network(layout.network) for address in addresses)
    assert set(layout.names.values()) <= set(addresses)
    names = [host.name for host in layout.hosts]
    assert len(set(names)) == len(names)
    assert all(len(f"v-{name}") <= 15 for name in names), "the kernel's limit for the name of a network card"
    assert Layout.from_json(layout.to_json()) == layout


def test_the_resolver_knows_hosts_domains_and_roles() -> None:
    known = layouts.load("a").known_names()
    assert known["paas.bklab.test"] == ["10.66.0.30"]
    assert known["paas.service.consul"] == ["10.66.0.11", "10.66.0.12"]
    assert known["data-1"] == ["10.66.0.51"]


def test_names_that_only_the_hosts_know() -> None:
    assert "paas.bksec.test" not in layouts.load("c").known_names()


def test_hosts_are_found_by_name_and_address() -> None:
    layout = layouts.load("a")
    assert layout.host("es-1") is layout.host("10.66.0.53")
    with pytest.raises(LabError, match="layout a has no host 'es-9'; it has paas-1, "):
        layout.host("es-9")


def test_an_unknown_layout() -> None:
    with pytest.raises(LabError, match="no layout 'zz'; there is a"):
        layouts.load("zz")
