"""No output has a password: they are planted in every configuration, and the services ask for them."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import program
from collect.certificates import server_context
from collect.databases import QUIT, SHA2, Database
from collect.servers import Server, serving
from collect.sshd import Sshd, key, needs_sshd, running

ROOT = Path(__file__).parents[2]
REDIS, SEARCH = "Pl4nted/redis s3cret", "Pl4nted@se/arch"
MYSQL = "Pl4nted 'my\"sql"
WRONG = "Pl4nted-but-wr0ng"
PLANTED = ("Pl4nted", 'my"sql', "s3cret", "se/arch", "wr0ng")


def redis(connection: socket.socket, server: Server) -> None:
    """Accept one password, and record which processes show it."""
    received, let_in = b"", False
    while data := connection.recv(65536):
        received += data
        server.received.append(data)
        server.received += command_lines()
        answers = []
        for command in re.findall(r"\*\d+\r\n((?:\$\d+\r\n[^\r]*\r\n)+)", data.decode()):
            words = command.split("\r\n")[1::2]
            if words[0] == "AUTH":
                let_in = words[1] == REDIS
                answers.append("+OK" if let_in else f"-WRONGPASS invalid password {words[1]}")
            else:
                good = {"SELECT": "+OK", "PING": "+PONG", "TYPE": "+list", "LLEN": ":0"}.get(
                    words[0], "-ERR unknown command"
                )
                answers.append(good if let_in else "-NOAUTH Authentication required.")
        connection.sendall("".join(f"{answer}\r\n" for answer in answers).encode())


def command_lines() -> list[bytes]:
    """Return the command lines and environments of all processes, each with a mark."""
    found = []
    for path in [*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")]:
        try:
            found.append(b"SEEN " + path.read_bytes())
        except OSError:
            continue
    return found


def search(connection: socket.socket, server: Server) -> None:
    """Refuses without the right login, and repeats it, as no server should."""
    request = connection.recv(65536)
    server.received.append(request)
    login = base64.b64encode(f"elastic:{SEARCH}".encode())
    good = b"Authorization: Basic " + login in request
    body = json.dumps({"version": {"number": "7.16.1"}, "status": "green", "you": f"elastic:{SEARCH}@x"})
    status = b"200 OK" if good else b"401 Unauthorized"
    connection.sendall(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n\r\n" + body.encode())


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    (tmp_path / "client").mkdir()
    key(tmp_path / "client/id")
    with running(tmp_path / "sshd", tmp_path / "client") as server:
        yield server


def site(
    folder: Path, redis_port: int, search_port: int, mysql_port: int, parser_password: str, connect: str
) -> Path:
    """A home with all configurations, and an inventory of the one host that has it."""
    home = folder / "home"
    files = {
        "open_paas/paas/conf/settings_production.py": f"ELASTICSEARCH_URLS = 'elastic:{SEARCH}@127.0.0.1:{search_port}'\n"
        f"DATABASES = {{'default': {{'ENGINE': 'django.db.backends.mysql', 'HOST': '127.0.0.1', 'PORT': {mysql_port}, "
        f"'NAME': 'open_paas', 'USER': 'paas', 'PASSWORD': {MYSQL!r}}}}}\n",
        "paas_plugins/log_agent/conf/django.yml": "output.redis:\n"
        f'  hosts: ["127.0.0.1:{redis_port}"]\n  password: "{REDIS}"\n  key: logs\n',
        "paas_plugins/log_parser/conf/paas_app_log.conf": 'input { redis { host => "127.0.0.1" '
        f'port => {redis_port} password => "{parser_password}" key => "logs" }} }}\n',
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    (folder / "inventory").mkdir()
    (folder / "inventory/deployment.yaml").write_text(
        f"generation: 5.x\ndomain: paas.bk.test\nhome: {home}\n"
        "limits: {request_seconds: 5, healthz_seconds: 5, resolve_seconds: 2}\n"
        f"hosts:\n  - name: all\n    address: 127.0.0.1\n    roles: [paas, appo]\n    connect: {connect}\n"
    )
    return folder / "inventory"


def run(inventory: Path, *words: str) -> tuple[dict[str, Any], str]:
    """The verdicts by id, and everything that the run printed and wrote."""
    report = inventory.parent / "report"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--lang",
        "en",
        "-m",
        "no_logs",
        "-ra",
    ]
    command += [f"--inventory={inventory}", f"--report={report}", f"--save-snapshot={report}/snapshot.json"]
    environment = {**os.environ, "HOME": str(inventory.parent)}
    done = subprocess.run(
        [*command, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240
    )
    written = [path.read_text(errors="replace") for path in report.rglob("*") if path.is_file()]
    assert len(written) >= 4, done.stdout + done.stderr
    verdicts = json.loads((report / "results.json").read_text())["verdicts"]
    return {one["id"]: one for one in verdicts}, "\n".join([done.stdout, done.stderr, *written])


def forms(secret: str) -> set[str]:
    """Return the spellings of a secret that an output could have."""
    encoded = {secret, base64.b64encode(secret.encode()).decode(), json.dumps(secret)[1:-1]}
    return encoded | {base64.b64encode(f"elastic:{secret}".encode()).decode()}


@needs_sshd
def test_over_ssh_passwords_are_used_and_seen_nowhere(tmp_path: Path, sshd: Sshd) -> None:
    login = f'{{spec: "{sshd.spec}", key: {sshd.client}/id, known_hosts: {sshd.known_hosts}}}'
    data = Database(password=MYSQL, default=SHA2, plugin=SHA2, cached=False, tls=server_context()[1])
    with serving(redis) as queue, serving(search) as store, serving(data) as base:
        verdicts, shown = run(site(tmp_path, queue.port, store.port, base.port, WRONG, login))
    assert verdicts["es-health@all"]["verdict"] == "pass", verdicts["es-health@all"]
    assert verdicts["log-redis-reachable@all"]["verdict"] == "fail"
    assert "WRONGPASS" in verdicts["log-redis-reachable@all"]["evidence"]
    assert (
        any(message[4:] == MYSQL.encode() + b"\0" for message in base.received) and base.received[-1] == QUIT
    )
    assert len([data for data in base.received if data == QUIT]) == 1 and '"state":"accepted"' in shown
    for password in (REDIS, SEARCH, WRONG, MYSQL):
        assert not [form for form in forms(password) if form in shown]
    assert not [part for part in PLANTED if part in shown]
    seen = b"\n".join(line for line in queue.received if line.startswith(b"SEEN "))
    assert b"sshd" in seen and not [part for part in PLANTED if part.encode() in seen]
    assert any(REDIS.encode() in line for line in queue.received), "it is used"


def test_where_a_plan_is_an_argument_no_password_is_in_it(tmp_path: Path) -> None:
    with serving(redis) as queue, serving(search) as store, serving(Database(password=MYSQL)) as base:
        inventory = site(tmp_path, queue.port, store.port, base.port, REDIS, '{spec: "local://"}')
        verdicts, shown = run(inventory)
    assert base.received == [], "not even connected"
    for id_ in ("es-health@all", "log-redis-reachable@all", "log-queue-depth@all"):
        assert verdicts[id_]["verdict"] == "no_data" and "ssh://" in verdicts[id_]["reason"]
    assert not [part for part in PLANTED if part in shown]
    assert not [line for line in (*queue.received, *store.received) if b"Pl4nted" in line or b"Basic" in line]


def test_what_is_withheld() -> None:
    open_, secret = {"name": "a", "url": "http://x/"}, {"name": "b", "url": "http://x/", "secret": True}
    plan, answers = program.without_secrets({"visit": 2, "http": [open_, secret], "tcp": [secret]})
    assert plan == {"visit": 2, "http": [open_], "tcp": []}
    assert answers["http"]["b"]["error"]["kind"] == answers["tcp"]["b"]["error"]["kind"] == "withheld"
    assert program.without_secrets({"visit": 2}) == ({"visit": 2}, {})
