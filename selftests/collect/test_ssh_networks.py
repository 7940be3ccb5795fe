"""Networks as they are: servers that limit sessions and logins, banners, noise, slow logins, old algorithms, delay."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bkpaas.collect.host_answers import HostAnswers
from bkpaas.collect.rounds import collect_hosts
from bkpaas.inventory.deployment import Connection
from bkpaas.messages import Message
from collect.servers import closing, serving
from collect.sshd import Sshd, deployment, key, needs_sshd, running

pytestmark = needs_sshd
OLD = (
    "KexAlgorithms diffie-hellman-group1-sha1",
    "Ciphers aes128-cbc",
    "MACs hmac-sha1",
    "HostKeyAlgorithms ssh-rsa",
)
"""Of CentOS 6, at its most restrictive."""
PERMITTED = """
Host *
  KexAlgorithms +diffie-hellman-group1-sha1
  Ciphers +aes128-cbc
  HostKeyAlgorithms +ssh-rsa
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    key(folder / "id")
    return folder


def both_rounds(*connections: Connection, **limits: object) -> dict[str, HostAnswers]:
    return collect_hosts(
        deployment(*connections, names="abcdefghijklmnop", **limits),
        lambda host: {"visit": 1, "disks": ["/"]},
        lambda host, visits: {"visit": 2, "disks": ["/"]},
    )


def errors(visits: dict[str, HostAnswers]) -> list[str]:
    reasons = [visit.error.reason for visit in visits.values() if visit.error]
    return [reason.render("en") if isinstance(reason, Message) else reason for reason in reasons]


def test_one_session_for_each_connection(client: Path, tmp_path: Path) -> None:
    with running(tmp_path / "sshd", client, "MaxSessions 1") as sshd:
        visits = both_rounds(sshd.connection())
    assert not errors(visits) and visits["a"].round_2


def test_connections_that_a_server_drops_are_made_again(client: Path, tmp_path: Path) -> None:
    """OpenSSH closes connections above MaxStartups that have not logged in yet, with a line of text."""
    with running(tmp_path / "sshd", client, "MaxStartups 1:100:2") as sshd:
        visits = both_rounds(*[sshd.connection()] * 12, connect_attempts=30, connect_seconds=60.0)
        assert "past MaxStartups" in sshd.log.read_text()
        assert sshd.logins() == 12
    assert not errors(visits)


def test_attempts_are_limited() -> None:
    attempts: list[int] = []
    with serving(lambda connection, server: attempts.append(1)) as server:
        visits = both_rounds(Connection(f"ssh://root@127.0.0.1:{server.port}"), connect_attempts=3)
    assert len(attempts) == 3
    assert "in the middle of the login" in errors(visits)[0]


def test_refused_login_is_not_tried_again(client: Path, tmp_path: Path) -> None:
    with running(tmp_path / "sshd", client) as sshd:
        visits = both_rounds(sshd.connection(key=str(key(tmp_path / "other"))))
        assert sshd.log.read_text().count("Connection from") <= 1
    assert "refuses the login" in errors(visits)[0]


def test_banner_noise_and_a_slow_login(client: Path, tmp_path: Path) -> None:
    banner, shell = tmp_path / "banner", tmp_path / "shell"
    banner.write_text("Authorized use only.\n" * 200)
    shell.write_text(
        "#!/bin/sh\nprintf 'Welcome\\033[0m\\n@@ \\n'; echo 'stty: no tty' >&2; sleep 2\n"
        'exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    shell.chmod(0o755)
    with running(tmp_path / "sshd", client, f"Banner {banner}", f"ForceCommand {shell}") as sshd:
        visits = both_rounds(sshd.connection())
    assert not errors(visits) and visits["a"].round_2


@pytest.fixture
def old(client: Path, tmp_path: Path) -> Iterator[Sshd]:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(tmp_path / "rsa")], check=True
    )
    settings = (*OLD, f"HostKey {tmp_path}/rsa", f"AuthorizedKeysFile {tmp_path}/rsa.pub")
    with running(tmp_path / "sshd", client, *settings) as sshd:
        public = " ".join((tmp_path / "rsa.pub").read_text().split()[:2])
        sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {public}\n")
        yield sshd


def test_old_algorithms_are_refused(old: Sshd, tmp_path: Path) -> None:
    [reason] = errors(both_rounds(old.connection(key=str(tmp_path / "rsa"))))
    assert "KexAlgorithms" in reason and "ssh_config" in reason


def test_old_algorithms_that_the_ssh_config_permits(old: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(PERMITTED)
    visits = both_rounds(old.connection(key=str(tmp_path / "rsa"), ssh_config=str(config)))
    assert not errors(visits) and visits["a"].round_2


@pytest.mark.parametrize("seconds", [0.03, 0.2])
def test_delay(client: Path, tmp_path: Path, seconds: float) -> None:
    with running(tmp_path / "sshd", client) as sshd, serving(closing) as unused:
        unused.close()
        words = [sys.executable, "-m", "bench.relay", str(unused.port), str(sshd.port), str(seconds)]
        relay = subprocess.Popen(words, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE)
        try:
            assert relay.stdout and relay.stdout.readline() == b"ready\n"
            known = sshd.known_hosts
            known.write_text(known.read_text().replace(str(sshd.port), str(unused.port)))
            visits = both_rounds(sshd.connection(spec=f"ssh://root@127.0.0.1:{unused.port}"))
        finally:
            relay.kill()
            relay.wait()
    assert not errors(visits) and visits["a"].round_2
    clock = visits["a"].clock
    assert clock and seconds / 2 <= clock.uncertainty_seconds < 1
