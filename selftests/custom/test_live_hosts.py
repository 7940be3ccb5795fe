"""live_host, and a plain test's host: testinfra over the inventory's connections, to a real sshd; bounded, tidy."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from collect.servers import refusing
from collect.sshd import Sshd, deployment, key, needs_sshd, running

from bkpaas.collect.live import LiveHosts
from bkpaas.errors import NoData
from bkpaas.inventory.deployment import Connection
from custom.site import DOCUMENTS, Site, documented


@pytest.fixture
def sshds(tmp_path: Path) -> Iterator[tuple[Sshd, Sshd]]:
    client = tmp_path / "client"
    client.mkdir()
    key(client / "id")
    with running(tmp_path / "first", client) as first, running(tmp_path / "second", client) as second:
        yield first, second


def inventory(folder: Path, first: Sshd, second: Sshd) -> Path:
    """Two paas hosts, one of them with nginx, each behind an sshd of its own."""
    folder.mkdir()
    (folder / "known_hosts").write_text(first.known_hosts.read_text() + second.known_hosts.read_text())
    (folder / "deployment.yaml").write_text(
        "generation: 5.x\n"
        "domain: paas.example.test\n"
        f"connect: {{user: {getpass.getuser()}, key: {first.client}/id, known_hosts: known_hosts}}\n"
        "hosts:\n"
        f"  - {{name: one, address: 127.0.0.1, roles: [paas, nginx], connect: {{port: {first.port}}}}}\n"
        f"  - {{name: two, address: 127.0.0.2, roles: [paas], connect: {{spec: 'ssh://127.0.0.1:{second.port}'}}}}\n"
    )
    return folder


@needs_sshd
@pytest.mark.parametrize("document", DOCUMENTS, ids=["en", "zh"])
def test_the_documented_live_checks_run_over_the_inventorys_connections(
    tmp_path: Path, sshds: tuple[Sshd, Sshd], document: Path
) -> None:
    site, files = Site(tmp_path / "site"), documented(document)
    for path in ("tests_site/test_live.py", "tests_site/test_plain.py"):
        site.put(path, files[path])
    words = (f"--inventory={inventory(tmp_path / 'inventory', *sshds)}", "tests_site")
    done = site.run(*words)
    assert done.of("site-hosts-file-ours") == {"one": "pass", "two": "pass"}, done.out
    assert set(done.of("site-kernel-log-quiet")) == {"one", "two"}
    assert "test_plain" not in done.out  # it passes: on both hosts, as testinfra's own tests do
    details = (done.directory / "details.html").read_text("utf-8")
    assert "test_passwd_is_safe[one]" in details and "test_passwd_is_safe[two]" in details
    assert all(sshd.logins() for sshd in sshds)
    if document is not DOCUMENTS[0]:
        return
    done = site.run(*words, "--limit", "two")
    assert done.of("site-hosts-file-ours") == {"two": "pass"}
    assert "test_passwd_is_safe[one]" not in (done.directory / "details.html").read_text("utf-8")


@needs_sshd
def test_a_host_that_was_not_visited_is_not_tried_again(tmp_path: Path, sshds: tuple[Sshd, Sshd]) -> None:
    first, second = sshds
    site = Site(tmp_path / "site")
    site.put("tests_site/test_live.py", documented(DOCUMENTS[0])["tests_site/test_live.py"])
    path = inventory(tmp_path / "inventory", first, second)
    second.close()
    done = site.run(f"--inventory={path}", "tests_site/test_live.py", "tests_paas/test_foundations.py")
    assert done.exit == 1 and done.of("host-reachable") == {"one": "pass", "two": "fail"}
    assert done.of("site-hosts-file-ours") == {"one": "pass", "two": "no_data"}
    assert done.verdicts["site-hosts-file-ours@two"]["explained_by"] == ["host-reachable@two"]


@needs_sshd
def test_a_live_host_is_testinfras_over_one_connection_that_ends_with_the_run(
    sshds: tuple[Sshd, Sshd],
) -> None:
    connected = deployment(sshds[0].connection())
    with LiveHosts(connected) as live:
        host = live.host(connected.hosts[0])
        assert host is live.host(connected.hosts[0])
        assert host.run("echo 'ü' \"$SSH_CONNECTION\"").stdout.startswith("ü 127.0.0.1")
        assert host.file("/etc/passwd").user == "root"
        assert host.run("exit 3").rc == 3
        folder = live._folder
        assert list(folder.iterdir())
    assert sshds[0].logins() == 1
    assert not folder.exists()
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in left


def test_a_command_without_end_is_no_data() -> None:
    connected = deployment(Connection("local://"), host_seconds=0.5)
    with LiveHosts(connected) as live, pytest.raises(NoData, match="a: a command did not end within"):
        live.host(connected.hosts[0]).run("sleep 3210 & sleep 3210")
    left = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 3210" not in left


def test_output_without_end_is_no_data() -> None:
    connected = deployment(Connection("local://"), answer_bytes=100_000)
    with (
        LiveHosts(connected) as live,
        pytest.raises(NoData, match="a: a command printed more than 100000 bytes"),
    ):
        live.host(connected.hosts[0]).run("cat /dev/zero")


@needs_sshd
def test_what_keeps_a_command_from_being_run_is_no_data(
    tmp_path: Path, sshds: tuple[Sshd, Sshd], monkeypatch: pytest.MonkeyPatch
) -> None:
    with refusing() as url:
        connected = deployment(sshds[0].connection(spec=f"ssh://{urlsplit(url).netloc}"))
        with LiveHosts(connected) as live, pytest.raises(NoData, match="Connection refused"):
            live.host(connected.hosts[0]).run("true")
    unknown_key = deployment(sshds[0].connection(known_hosts="/dev/null"))
    with LiveHosts(unknown_key) as live, pytest.raises(NoData, match="Host key verification failed"):
        live.host(unknown_key.hosts[0]).run("true")
    sudo = tmp_path / "bin/sudo"
    sudo.parent.mkdir()
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n")
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sudo.parent}:/usr/bin:/bin")
    asking = deployment(Connection("local://", sudo=True))
    with LiveHosts(asking) as live, pytest.raises(NoData, match="a: sudo: a password is required"):
        live.host(asking.hosts[0]).file("/etc/shadow").exists  # noqa: B018 - it asks the host
