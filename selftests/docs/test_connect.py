"""docs/connect.md is true: its settings are those that are shipped, its sudo rule is the one that is printed, old sshd answers."""

from __future__ import annotations

import re
import subprocess
import textwrap
from pathlib import Path

import pytest
from collect.sshd import deployment, needs_sshd, running
from msgspec.structs import asdict

from bkpaas import inventory
from bkpaas.collect import authorized_keys, program, sudoers
from bkpaas.collect.rounds import CHILDREN, collect_hosts
from bkpaas.inventory import Limits, Thresholds
from docs.pages import ROOT, page, pages

PAGES = [ROOT / "docs" / name for name in ("connect.md", "connect.zh-CN.md")]
SHIPPED = asdict(Limits()) | asdict(Thresholds())


def test_every_figure_of_a_setting_is_the_shipped_one() -> None:
    """Pages that give `disk_free_percent` (1) give the same value."""
    found = 0
    for one in pages():
        for name, value in re.findall(r"`([a-z_]+)` ?[(（]([0-9.]+)[)）]", one.path.read_text("utf-8")):
            if name in SHIPPED:
                assert float(value) == SHIPPED[name], f"{one.name}: {name}"
                found += 1
    assert found > 16


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_limit_of_time_is_explained(path: Path) -> None:
    named = set(page(path).inline)
    assert {name for name in SHIPPED if name.endswith("_seconds") and name in asdict(Limits())} <= named


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_interpreters_are_those_that_are_tried(path: Path) -> None:
    inline = page(path).inline
    order = [word for word in inline if word in program.INTERPRETERS]
    assert tuple(dict.fromkeys(order[order.index("python3") :])) == program.INTERPRETERS


def test_children_in_parallel() -> None:
    assert CHILDREN == 8 and "eight hosts at a time" in PAGES[0].read_text("utf-8")


def test_sudo_rule_is_as_shown(tmp_path: Path) -> None:
    (tmp_path / "deployment.yaml").write_text(
        "generation: 5.x\ndomain: paas.bk.com\nconnect: {user: bkcheck, sudo: true}\n"
        "hosts: [{address: 10.0.1.3, roles: [paas]}]\n"
    )
    _, *lines = sudoers.rules(inventory.load(tmp_path)).splitlines()
    for path in PAGES:
        (shown,) = [block for block in page(path).code if "Cmnd_Alias" in block]
        for line, beginning in zip(lines, shown.splitlines(), strict=True):
            assert line.startswith(beginning.removesuffix("..."))


def test_sudo_line_is_as_shown() -> None:
    line = program.command(inventory.Connection("ssh://bkcheck@10.0.1.3", sudo=True))
    for path in PAGES:
        (shown,) = [block for block in page(path).code if block.startswith("sudo -n")]
        pieces = re.escape(shown.strip()).split(r"\.\.\.")
        assert re.search(".*".join(pieces), line.replace("'\"'\"'", '"')), shown


def test_line_of_authorized_keys_is_as_shown() -> None:
    one = deployment(inventory.Connection("ssh://root@10.0.1.3"))
    line = authorized_keys.lines(one, "ssh-ed25519 AAAA... bkpaas-acceptance").splitlines()[-1]
    for path in PAGES:
        (shown,) = [block for block in page(path).code if "command=" in block]
        beginning, end = shown.strip().split(' ..."')
        assert line.startswith(beginning) and line.endswith(end), shown


def test_sudoers_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "deployment.yaml"
    start = "generation: 5.x\ndomain: paas.bk.com\nhosts: [{address: 10.0.1.3, roles: [paas]}]\n"
    for more, word in (("", "sudo: true"), ("connect: {sudo: true}\n", "user:"), ("odd: 1\n", "odd")):
        file.write_text(start + more)
        assert sudoers.main([str(tmp_path)]) == 1
        printed = capsys.readouterr()
        assert word in printed.err and printed.out == ""


@needs_sshd
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_an_sshd_of_centos_6_lets_us_in(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    client = tmp_path / "client"
    client.mkdir()
    for place in (client / "id", tmp_path / "rsa"):
        command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", str(place)]
        subprocess.run(command, check=True)
    (block,) = [block for block in page(PAGES[0]).code if "KexAlgorithms" in block]
    config = tmp_path / "ssh_config"
    config.write_text(textwrap.dedent(block).replace("10.0.1.*", "127.0.0.1"))
    old = ("KexAlgorithms diffie-hellman-group14-sha1", "HostKeyAlgorithms ssh-rsa", "MACs hmac-sha1")
    with running(tmp_path / "sshd", client, f"HostKey {tmp_path}/rsa", "Ciphers aes128-ctr", *old) as sshd:
        key = " ".join((tmp_path / "rsa.pub").read_text().split()[:2])
        sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {key}\n")

        def visits(transport: str, **more: object) -> bool:
            one = deployment(sshd.connection(**more))
            plan = {"visit": 1, "disks": ["/"]}
            found = collect_hosts(one, lambda host: plan, lambda host, all: None, transport=transport)  # type: ignore[arg-type]
            return found["a"].round_1 is not None

        assert visits("asyncssh")
        assert visits("openssh", ssh_config=str(config)) and not visits("openssh")
