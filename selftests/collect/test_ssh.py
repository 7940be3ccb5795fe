"""Visits over ssh to a real sshd, and every way in which they fail: its kind, and a sentence in both languages."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import program
from bkpaas.collect.host_answers import HostAnswers
from bkpaas.collect.rounds import collect_hosts
from bkpaas.inventory.deployment import Connection
from bkpaas.messages import Message
from collect.servers import Behaviour, closing, never_accepting, refusing, serving, silent, speaking
from collect.sshd import Sshd, deployment, key, needs_sshd, running

pytestmark = needs_sshd
PLAN = {"visit": 1, "disks": ["/"]}

FAKE = """
# Speaks like the collector until the plan comes; then does what argv says.
import os, sys
print("@@bkpaas ready 1 3.9.2", flush=True)
sys.stdin.buffer.read(int(sys.argv[1]))
for line in sys.stdin.buffer:
    word, value = line.split()
    if word == b"plan":
        os.execvp("sh", ["sh", "-c", sys.argv[2]])
    print("@@bkpaas clock", value.decode(), "1.5", flush=True)
"""


def once(connection: Connection, transport: str = "asyncssh", **limits: object) -> HostAnswers:
    options: Any = {"transport": transport}
    return collect_hosts(
        deployment(connection, **limits), lambda host: PLAN, lambda host, all: None, **options
    )["a"]


def failure(connection: Connection, **limits: object) -> tuple[str, str]:
    """Return the kind and the English sentence; the Chinese one must differ."""
    visit = once(connection, **limits)
    assert visit.round_1 is None and visit.error is not None
    reason = visit.error.reason
    assert isinstance(reason, Message)
    english, chinese = reason.render("en"), reason.render("zh")
    assert re.search("[\u4e00-\u9fff]", chinese) and not re.search("[\u4e00-\u9fff]", english)
    assert "a (127.0.0.1)" in english
    return visit.error.kind, english


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    key(folder / "id")
    return folder


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory, client: Path) -> Iterator[Sshd]:
    with running(tmp_path_factory.mktemp("sshd") / "x", client) as server:
        yield server


@pytest.fixture
def forced(tmp_path: Path, client: Path) -> Iterator[Any]:
    """An sshd that runs another command than what is asked for."""
    started: list[Sshd] = []

    def start(command: str, *settings: str) -> Connection:
        script = tmp_path / "forced"
        script.write_text(command if command.startswith("#!") else f"#!/bin/sh\n{command}\n")
        script.chmod(0o755)
        started.append(Sshd(tmp_path / "sshd", client, f"ForceCommand {script}", *settings))
        return started[-1].connection()

    yield start
    for server in started:
        server.close()


@pytest.fixture
def fake(forced: Any, tmp_path: Path) -> Any:
    def start(then: str) -> Connection:
        (tmp_path / "fake.py").write_text(FAKE)
        size = len(program.packed())
        connection: Connection = forced(f"exec python3 {tmp_path}/fake.py {size} '{then}; cat >/dev/null'")
        return connection

    return start


def test_both_visits_over_one_connection(sshd: Sshd) -> None:
    before = sshd.logins()
    seconds = []
    visit = collect_hosts(
        deployment(sshd.connection()),
        lambda host: PLAN,
        lambda host, visits: seconds.append(visits) or {"visit": 2, "disks": ["/"]},
    )["a"]
    assert visit.error is None and visit.round_1 and visit.round_2
    assert (visit.round_1["visit"], visit.round_2["visit"]) == (1, 2)
    assert [disk["path"] for disk in visit.round_2["disks"]] == ["/"]
    assert seconds[0]["a"].round_1 == visit.round_1
    assert visit.clock and visit.clock.samples == 3
    assert abs(visit.clock.offset_seconds) <= visit.clock.uncertainty_seconds + 0.05
    assert sshd.logins() == before + 1


def test_noise_before_the_program_is_skipped(forced: Any) -> None:
    assert once(forced('cat /etc/services; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"')).round_1


def test_refused() -> None:
    with refusing() as url:
        kind, reason = failure(Connection(f"ssh://root@{url[7:-1]}"))
    assert kind == "refused" and "nothing listens" in reason


def test_no_route() -> None:
    kind, reason = failure(Connection("ssh://root@255.255.255.255"))  # connect() fails, nothing is sent
    assert kind == "unreachable" and "Network is unreachable" in reason


def test_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    kind, reason = failure(Connection("ssh://root@paas-7.bk.com"))
    assert kind == "unreachable" and "paas-7.bk.com does not resolve" in reason


def test_no_connection_in_time() -> None:
    with never_accepting() as url:
        kind, reason = failure(Connection(f"ssh://root@{url[7:-1]}"), connect_seconds=0.5)
    assert kind == "unreachable" and "no TCP connection to port" in reason and "0.5 s" in reason


@pytest.mark.parametrize(
    ("behaviour", "kind", "words"),
    [
        pytest.param(
            silent, "login_hung", "sshd's greeting did not come within 0.5 s", id="banner-never-comes"
        ),
        pytest.param(
            speaking(b"SSH-2.0-x\r\n"), "closed", "in the middle of the login", id="closes-after-banner"
        ),
        pytest.param(closing, "closed", "in the middle of the login", id="closes-at-once"),
        pytest.param(speaking(b"HTTP/1.1 400 Bad\r\n" * 2000), "garbage", "ssh server", id="no-ssh-server"),
        pytest.param(speaking(b"SSH-1.5-old\r\n"), "garbage", "ssh server", id="other-version"),
    ],
)
def test_what_is_no_sshd(behaviour: Behaviour, kind: str, words: str) -> None:
    seconds = 0.5 if behaviour is silent else 60
    with serving(behaviour) as server:
        actual, reason = failure(Connection(f"ssh://root@127.0.0.1:{server.port}"), connect_seconds=seconds)
    assert (actual, words in reason) == (kind, True), reason


def test_closed_once_then_silent() -> None:
    """The time runs out in the second connection; that the first was closed is what is known of the host."""
    connections: list[object] = []

    def behave(connection: socket.socket, server: Any) -> None:
        connections.append(connection)
        if len(connections) > 1:
            server.over.wait()

    with serving(behave) as server:
        kind, reason = failure(Connection(f"ssh://root@127.0.0.1:{server.port}"), connect_seconds=2)
    assert len(connections) > 1 and kind == "closed" and "in the middle of the login" in reason


def test_login_that_never_ends(sshd: Sshd) -> None:
    """The real sshd's greeting, then nothing."""
    with serving(lambda c, server: c.sendall(b"SSH-2.0-OpenSSH_9.2\r\n") or server.over.wait()) as server:
        kind, reason = failure(Connection(f"ssh://root@127.0.0.1:{server.port}"), connect_seconds=5)
    assert kind == "login_hung" and "the end of the login" in reason


def test_key_refused(sshd: Sshd, tmp_path: Path) -> None:
    kind, reason = failure(sshd.connection(key=str(key(tmp_path / "other"))))
    assert kind == "login_refused" and "refuses the login of root: no key was accepted" in reason


def test_host_key_changed(sshd: Sshd, tmp_path: Path) -> None:
    key(tmp_path / "another")
    line = f"[127.0.0.1]:{sshd.port} {(tmp_path / 'another.pub').read_text()}"
    (tmp_path / "known").write_text(line)
    kind, reason = failure(sshd.connection(known_hosts=str(tmp_path / "known")))
    print_ = subprocess.run(
        ["ssh-keygen", "-lf", str(sshd.folder / "host.pub")], capture_output=True, text=True
    )
    assert kind == "host_key_changed" and print_.stdout.split()[1] in reason


def test_host_key_of_another_type(sshd: Sshd, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(tmp_path / "k")], check=True)
    (tmp_path / "known").write_text(f"[127.0.0.1]:{sshd.port} {(tmp_path / 'k.pub').read_text()}")
    assert failure(sshd.connection(known_hosts=str(tmp_path / "known")))[0] == "host_key_changed"


def test_host_key_unknown(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "known").write_text("")
    for path in (tmp_path / "known", tmp_path / "not-there"):
        kind, reason = failure(sshd.connection(known_hosts=str(path)))
        assert kind == "host_key_unknown" and "ssh-ed25519 SHA256:" in reason


def test_host_key_is_verified_even_if_the_config_says_not_to(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "config"
    for setting in ("none", "/dev/null", f"{tmp_path}/empty"):
        config.write_text(f"Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile {setting}\n")
        kind, _ = failure(sshd.connection(known_hosts=None, ssh_config=str(config)))
        assert kind == "host_key_unknown"


def test_settings_from_ssh_config(sshd: Sshd, client: Path, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        f"Host paas-7\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User root\n  IdentityFile {client}/id\n"
        f"  UserKnownHostsFile {sshd.known_hosts}\n"
    )
    assert once(Connection("ssh://paas-7", ssh_config=str(config))).round_1


def test_config_that_cannot_be_read(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host *\n  Port many\n")
    kind, reason = failure(sshd.connection(ssh_config=str(tmp_path / "config")))
    assert kind == "config" and "--transport openssh" in reason
    kind, reason = failure(sshd.connection(key=str(tmp_path / "not-there")))
    assert kind == "config" and "not-there" in reason


def test_key_with_a_passphrase_comes_from_the_agent(
    sshd: Sshd, client: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = tmp_path / "locked"
    locked.write_bytes((client / "id").read_bytes())
    locked.chmod(0o600)
    (tmp_path / "locked.pub").write_bytes((client / "id.pub").read_bytes())
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(locked)], check=True)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    kind, reason = failure(sshd.connection(key=str(locked)))
    assert kind == "config" and "ssh-add" in reason
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        while subprocess.run(["ssh-add", "-q", str(client / "id")], capture_output=True).returncode == 2:
            assert agent.poll() is None
        assert once(sshd.connection(key=str(locked))).round_1
        assert once(sshd.connection(key=None)).round_1
    finally:
        agent.terminate()
        agent.wait()


def test_through_a_bastion(sshd: Sshd, client: Path, tmp_path: Path) -> None:
    with running(tmp_path / "bastion", client) as bastion:
        both = tmp_path / "both"
        both.write_text(sshd.known_hosts.read_text() + bastion.known_hosts.read_text())
        jump = f"root@127.0.0.1:{bastion.port}"
        connection = sshd.connection(bastion=jump, known_hosts=str(both))
        visits = collect_hosts(deployment(*[connection] * 3), lambda host: PLAN, lambda host, all: None)
        assert all(visit.round_1 for visit in visits.values())
        assert bastion.logins() == 1
        kind, reason = failure(sshd.connection(bastion=jump))
    assert kind == "host_key_unknown" and reason.startswith(f"a (127.0.0.1) by way of {jump}: ")


def test_proxy_jump_of_the_config(sshd: Sshd, client: Path, tmp_path: Path) -> None:
    with running(tmp_path / "bastion", client) as bastion:
        both, config = tmp_path / "both", tmp_path / "config"
        both.write_text(f"{sshd.known_hosts.read_text()}jump {bastion.public_key()}\n")
        config.write_text(
            f"Host jump\n  HostName 127.0.0.1\n  HostKeyAlias jump\n  Port {bastion.port}\n  User root\n"
            f"Host target\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User root\n  ProxyJump jump\n"
        )
        connection = sshd.connection(spec="ssh://target", ssh_config=str(config), known_hosts=str(both))
        assert once(connection).round_1
        assert bastion.logins() == 1


def test_bastion_that_does_not_let_through(sshd: Sshd, client: Path, tmp_path: Path) -> None:
    with running(tmp_path / "bastion", client, "AllowTcpForwarding no") as bastion:
        both = tmp_path / "both"
        both.write_text(sshd.known_hosts.read_text() + bastion.known_hosts.read_text())
        jump = f"root@127.0.0.1:{bastion.port}"
        kind, reason = failure(sshd.connection(bastion=jump, known_hosts=str(both)))
    assert kind == "unreachable" and "message of the bastion" in reason


def test_hangs_after_the_login(forced: Any) -> None:
    kind, reason = failure(forced("exec cat >/dev/null"), connect_seconds=5)
    assert kind == "login_hung" and "the start of a program" in reason


def test_hangs_in_the_middle(fake: Any) -> None:
    kind, reason = failure(fake("cat >/dev/null"), host_seconds=1.0)
    assert kind == "hung" and "did not answer within" in reason


def test_closes_in_the_middle(fake: Any) -> None:
    kind, reason = failure(fake("exit 7"))
    assert kind == "closed" and "exit status 7" in reason


def test_account_without_a_shell(forced: Any) -> None:
    kind, reason = failure(forced("echo 'This account is currently not available.'; exit 1"))
    assert kind == "closed" and "This account is currently not available." in reason


@pytest.mark.parametrize(
    "then",
    [
        pytest.param("echo @@bkpaas answer 9; echo no base64; echo @@bkpaas end", id="no-answer"),
        pytest.param("echo @@bkpaas dance", id="unknown-word"),
    ],
)
def test_garbage_instead_of_an_answer(fake: Any, then: str) -> None:
    assert failure(fake(then))[0] == "garbage"


def test_garbage_instead_of_the_program(forced: Any) -> None:
    kind, reason = failure(forced("echo 'password=hunter2'; exit 0"))
    assert kind == "garbage" and "hunter2" not in reason


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("exec head -c 10485760 /dev/zero", id="noise"),
        pytest.param(
            "echo '@@bkpaas ready 1 3.9'; echo '@@bkpaas answer 10485760'; exec cat /dev/zero", id="answer"
        ),
        pytest.param("exec cat /dev/zero >&2", id="error-output"),
    ],
)
def test_ten_megabytes(forced: Any, command: str) -> None:
    kind, reason = failure(forced(command), answer_bytes=1_000_000)
    assert kind == "too_much" and "1000000 bytes" in reason


def test_protocol_lines_without_end_are_cut_at_the_first(forced: Any) -> None:
    """Events that nothing asked for are not kept, however many bytes are allowed."""
    kind, _ = failure(forced("exec yes '@@bkpaas ready 1 3.9'"), answer_bytes=1_000_000_000)
    assert kind == "garbage"


def test_no_python(client: Path, tmp_path: Path) -> None:
    with running(tmp_path / "sshd", client, "SetEnv PATH=/nowhere") as sshd:
        kind, reason = failure(sshd.connection())
    assert kind == "no_python" and "Install python3" in reason


def sudo(tmp_path: Path, script: str) -> str:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sudo").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bin/sudo").chmod(0o755)
    return f"SetEnv PATH={tmp_path}/bin:/usr/bin:/bin"


@pytest.mark.parametrize(
    "message", ["sudo: a password is required", "sudo: sorry, you must have a tty to run sudo"]
)
def test_sudo_denied(client: Path, tmp_path: Path, message: str) -> None:
    with running(tmp_path / "sshd", client, sudo(tmp_path, f"echo '{message}' >&2; exit 1")) as sshd:
        kind, reason = failure(sshd.connection(sudo=True))
    assert kind == "sudo_denied" and message in reason and "NOPASSWD" in reason


def test_sudo_granted(client: Path, tmp_path: Path) -> None:
    script = f'echo "$1 $2 $3" > {tmp_path}/said; shift 3; exec "$@"'
    with running(tmp_path / "sshd", client, sudo(tmp_path, script)) as sshd:
        assert once(sshd.connection(sudo=True, sudo_user="blueking")).round_1
    assert (tmp_path / "said").read_text() == "-n -u blueking\n"


def test_fast_key_exchange_is_preferred_unless_the_config_chooses(client: Path, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host *\n  KexAlgorithms ecdh-sha2-nistp256\n")
    with running(tmp_path / "sshd", client, "LogLevel DEBUG1") as sshd:
        for config, expected in (
            (None, "curve25519-sha256"),
            (str(tmp_path / "config"), "ecdh-sha2-nistp256"),
        ):
            assert once(sshd.connection(ssh_config=config)).round_1
            assert re.findall(r"kex: algorithm: (\S+)", sshd.log.read_text())[-1] == expected


def test_host_that_sends_nothing_costs_its_own_limit(fake: Any) -> None:
    kind, reason = failure(fake("sleep 30"), silent_seconds=1.0)
    assert kind == "hung" and "limits.silent_seconds" in reason


def test_heartbeat_lets_a_slow_request_end(sshd: Sshd) -> None:
    """A healthz may take longer than the limit of a visit in which nothing moves."""
    with serving(silent) as server:
        plan = {"visit": 1, "http": [{"name": "slow", "url": server.url, "seconds": 4, "bytes": 10}]}
        visit = collect_hosts(
            deployment(sshd.connection(), silent_seconds=2.5), lambda host: plan, lambda host, all: None
        )["a"]
    assert visit.error is None and visit.round_1
    assert visit.round_1["http"]["slow"]["error"]["kind"] == "silent"
