"""Layouts are data that fits together."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from bkpaas import inventory
from lab import generated, layouts
from lab.errors import LabError
from lab.layouts import Layout


@pytest.mark.parametrize("name", [*layouts.available(), *(f"random:{seed}" for seed in range(40))])
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
    assert Layout.from_json(layout.to_json()) == layout == layouts.load(name)


def test_the_resolver_has_hosts_domains_and_roles() -> None:
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


def test_layouts_made_at_random_differ_and_are_usable(tmp_path: Path) -> None:
    made = [layouts.load(f"random:{seed}") for seed in range(150)]
    assert {len(layout.hosts) for layout in made} == set(range(2, 10))
    assert {layout.scheme for layout in made} == {"http", "https"}
    assert {layout.plugins for layout in made} == {layout.loopback for layout in made} == {True, False}
    for layout in made:
        roles = {role for host in layout.hosts for role in host.roles}
        assert {"paas", "nginx", "appo", "mysql", "cmdb", "fta"} <= roles
        assert {"redis", "es"} <= roles or not layout.plugins
        assert not any({"appo", "appt"} <= set(host.roles) for host in layout.hosts)
        for name, text in generated.inventory(layout, str(tmp_path)).items():
            (tmp_path / name).write_text(text)
        deployment = inventory.load(tmp_path)
        assert [(host.name, host.address) for host in deployment.hosts] == [
            (host.name, host.address) for host in layout.hosts
        ]
        assert (deployment.scheme, deployment.install_root) == (layout.scheme, layout.home)
        assert deployment.port == layout.ports[layout.scheme]


def test_a_seed_is_a_number() -> None:
    with pytest.raises(LabError, match="SEED is a number"):
        layouts.load("random:x")
