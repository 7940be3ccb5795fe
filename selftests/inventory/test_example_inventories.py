"""The inventories that come with the project are read without complaint, and say what their pages say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import asdict

from bkpaas.inventory import Limits, Thresholds, load
from bkpaas.inventory.overlay import Overlay
from bkpaas.language import set_language
from bkpaas.messages import to_text

INVENTORIES = Path(__file__).parents[2] / "inventory"
LABS = {"a": "lab", "b": "lab-b", "c": "lab-c", "d": "lab-d", "e": "lab-e", "f": "lab-f"}
EXAMPLES = [*LABS.values(), "example-5.x", "example-6.x", "example-standalone", "example-install.config"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_read(name: str) -> None:
    deployment = load(INVENTORIES / name)
    assert deployment.hosts_with("paas")
    assert deployment.hosts_with("nginx")
    assert "not-a-real" not in repr(deployment)


def test_the_directory_has_no_other_file() -> None:
    found = {path.name for path in INVENTORIES.iterdir()}
    assert found == {*EXAMPLES, "README.md", "README.zh-CN.md"}


def test_5x_example_shows_the_traps() -> None:
    deployment = load(INVENTORIES / "example-5.x")
    assert deployment.host("bk-app").roles == (
        *("appo", "beanstalk", "consul", "es", "kafka", "mongodb", "mysql", "zk"),
    )
    assert deployment.host("bk-paas-2").roles == ("paas",)
    assert deployment.generation == "5.x"


def test_6x_example() -> None:
    deployment = load(INVENTORIES / "example-6.x")
    assert deployment.generation == "6.x"
    assert (deployment.domain, deployment.port) == ("paas.bk.example.com", 80)


@pytest.mark.parametrize(("name", "directory"), LABS.items())
def test_lab(name: str, directory: str) -> None:
    layout = pytest.importorskip("lab.layouts").load(name)
    assert layout.inventory == directory
    deployment = load(INVENTORIES / directory)
    assert {(host.name, host.address, host.roles) for host in deployment.hosts} == {
        (host.name, host.address, tuple(sorted(host.roles))) for host in layout.hosts
    }
    assert {deployment.domain, *deployment.fqdns.values()} == set(layout.names)
    assert (deployment.install_root, deployment.generation) == (layout.home, layout.generation)
    assert (deployment.scheme, deployment.port) == (layout.scheme, layout.ports[layout.scheme])
    assert deployment.service_port("paas_agent") == layout.ports["agent"]
    for service in ("agent_nginx", "redis", "rabbitmq", "mysql", "es"):
        assert deployment.service_port(service) == layout.ports[service]
    own = {address for host in layout.hosts for address in host.more_addresses}
    assert set(deployment.virtual_addresses) == own
    for path in filter(None, [deployment.hosts[0].connection.key, deployment.ca_file]):
        assert Path(path).relative_to(INVENTORIES.parent).parts[:2] == (".lab", "default")


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_page_explains_every_key(page: str) -> None:
    text = (INVENTORIES / page).read_text("utf-8")
    explained = set(re.findall(r"`([a-z_]+):?`", text))
    keys = set(Overlay.__struct_encode_fields__) - {"file"}
    keys |= set(Limits.__struct_fields__) | set(Thresholds.__struct_fields__)
    keys |= {"spec", "user", "port", "key", "known_hosts", "ssh_config", "bastion", "sudo", "sudo_user"}
    keys |= {"name", "address", "roles", "add_roles", "condition", "reason", "owner", "expires", "evidence"}
    assert keys <= explained


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_page_has_the_shipped_figures(page: str) -> None:
    described = dict(
        re.findall(r"^\| `([a-z_]+)` \| ([0-9]+) \|", (INVENTORIES / page).read_text("utf-8"), re.MULTILINE)
    )
    shipped = asdict(Limits()) | asdict(Thresholds())
    assert {key: float(value) for key, value in described.items()} == shipped


def test_notes_and_refusals_are_translated(tmp_path: Path) -> None:
    set_language("zh")
    try:
        notes = list(map(to_text, load(INVENTORIES / "example-5.x").notes))
        assert any("全角标点已按半角读取" in note for note in notes)
        (tmp_path / "install.config").write_text("10.0.1 paas\n")
        with pytest.raises(Exception, match="不是主机的 IPv4 地址\n  解决办法：请写四段"):
            load(tmp_path)
    finally:
        set_language("en")
