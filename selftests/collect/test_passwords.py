"""No output has a password: they are planted in every configuration, and the services ask for them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import program
from collect.certificates import server_context
from collect.databases import QUIT, SHA2, Database
from collect.servers import Server, serving
from collect.sshd import Sshd, key, needs_sshd, running
from selftests.suite.forks import FORKS

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
    every = ["-m", "pytest", "-p", "no:cacheprovider", "--lang=en", "-m", "no_logs", "-ra"]
    every += [f"--inventory={inventory}", f"--report={report}", f"--save-snapshot={report}/snapshot.json"]
    environment = {**os.environ, "HOME": str(inventory.parent)}
    done = subprocess.run(
        [sys.executable, *every, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    return results(report, done.stdout + done.stderr)


def judge(inventory: Path, exchange: Path) -> dict[str, Any]:
    """Return the verdicts by id from the answers of an engine."""
    report = inventory.parent / "report"
    words = ["-p", "no:cacheprovider", "-m", "no_logs", f"--inventory={inventory}", f"--report={report}"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(inventory.parent)}
    _, output = FORKS.run([*words, f"--from-answers={exchange}"], environment, 240)
    return results(report, output)[0]


def results(report: Path, output: str) -> tuple[dict[str, Any], str]:
    """Return the verdicts of a run by id, and everything that it printed and wrote."""
    written = [path.read_text(errors="replace") for path in report.rglob("*") if path.is_file()]
    assert len(written) >= 4, output
    verdicts = json.loads((report / "results.json").read_text())["verdicts"]
    return {one["id"]: one for one in verdicts}, "\n".join([output, *written])


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


@contextlib.contextmanager
def services(wanted: str) -> Iterator[tuple[Server, Server, Database]]:
    """Run a redis, an Elasticsearch and a database; the database has this password."""
    data = Database(password=wanted, default=SHA2, plugin=SHA2, cached=False, tls=server_context()[1])
    with serving(redis) as queue, serving(search) as store, serving(data) as base:
        yield queue, store, base


def planted(data: bytes) -> list[str]:
    """Return the parts of passwords in some data."""
    return [part for part in PLANTED if part.encode() in data]


def test_where_a_plan_is_an_argument_no_password_is_in_it(tmp_path: Path) -> None:
    """The collector takes the passwords from the files in which they stand."""
    with services(MYSQL) as (queue, store, base):
        inventory = site(tmp_path, queue.port, store.port, base.port, REDIS, '{spec: "local://"}')
        verdicts, shown = run(inventory)
    for id_ in ("es-health@all", "log-redis-reachable@all"):
        assert verdicts[id_]["verdict"] == "pass", verdicts[id_]
    assert base.received[-1] == QUIT and '"state":"accepted"' in shown
    assert any(REDIS.encode() in line for line in queue.received if not line.startswith(b"SEEN ")), (
        "it is used"
    )
    assert not planted(shown.encode())
    seen = b"\n".join(line for line in queue.received if line.startswith(b"SEEN "))
    assert b"binascii" in seen and not planted(seen)


def plan_of(script: Path) -> bytes:
    """Return the plan in a script, as the collector reads it."""
    plan = re.search(
        rb'"PLAN":json.loads\(zlib.decompress\(binascii.a2b_base64\("([^"]+)"', script.read_bytes()
    )
    assert plan
    return zlib.decompress(base64.b64decode(plan[1]))


def answer_of(output: Path) -> bytes:
    """Return an answer as text, with the data of connections decoded."""
    text = output.read_text()
    packed = base64.b64decode(text.partition("answer ")[2].partition("\n")[2].partition("@@bkpaas end")[0])
    answer = json.loads(zlib.decompress(packed))
    data = [base64.b64decode(one["data"]) for one in answer.get("tcp", {}).values()]
    return json.dumps(answer, ensure_ascii=False).encode() + b"".join(data)


def engine(inventory: Path, exchange: Path, between: Callable[[], None] = lambda: None) -> None:
    """Plan and run both rounds, as an engine does."""
    for number in (1, 2):
        words = [f"--inventory={inventory}", f"--collect-plan={exchange}", "-p", "no:cacheprovider"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(inventory.parent)}
        _, output = FORKS.run(words, environment, 240)
        script = exchange / f"round-{number}" / "all.sh"
        assert script.exists(), output
        if number == 2:
            between()
        done = subprocess.run(["/bin/sh", "-s"], stdin=script.open("rb"), stdout=subprocess.PIPE, timeout=120)
        script.with_suffix(".out").write_bytes(done.stdout)


def test_through_an_engine_no_password_is_in_a_plan(tmp_path: Path) -> None:
    """Plans of both rounds and the answer of round 2 have none, although a peer repeats one; all are used."""
    exchange = tmp_path / "exchange"
    with services(MYSQL) as (queue, store, base):
        inventory = site(tmp_path, queue.port, store.port, base.port, WRONG, '{spec: "local://"}')
        engine(inventory, exchange)
    received = b"\n".join(line for line in queue.received if not line.startswith(b"SEEN "))
    assert REDIS.encode() in received and WRONG.encode() in received and base.received[-1] == QUIT
    assert base64.b64encode(f"elastic:{SEARCH}".encode()) in b"".join(store.received)
    for number in (1, 2):
        assert not planted(plan_of(exchange / f"round-{number}/all.sh"))
        assert not planted((exchange / f"round-{number}/all.sh").read_bytes())
    assert b"settings_production.py" in plan_of(exchange / "round-2/all.sh")
    answer = answer_of(exchange / "round-2/all.out")
    assert b"WRONGPASS invalid password ****" in answer and not planted(answer)
    assert not planted(
        b"".join((exchange / name).read_bytes() for name in ("exchange.json", "controller.json"))
    )
    verdicts, shown = run(inventory, f"--from-answers={exchange}")
    assert not planted(shown.encode())
    assert verdicts["es-health@all"]["verdict"] == "pass", verdicts["es-health@all"]
    assert "WRONGPASS" in verdicts["log-redis-reachable@all"]["evidence"]


@pytest.mark.parametrize("how", ["environment", "changed", "gone", "computed"])
def test_a_password_that_no_file_has_as_it_is(tmp_path: Path, how: str) -> None:
    """Nothing is sent, and the verdict is no_data."""
    exchange = tmp_path / "exchange"
    with services(MYSQL) as (queue, store, base):
        inventory = site(tmp_path, queue.port, store.port, base.port, REDIS, '{spec: "local://"}')
        settings = tmp_path / "home/open_paas/paas/conf/settings_production.py"
        parts = {"environment": "os.environ['SEARCH']", "computed": f"{SEARCH[:7]!r} + {SEARCH[7:]!r}"}
        if how in parts:
            text = settings.read_text().replace(f"'elastic:{SEARCH}@", f"'elastic:' + {parts[how]} + '@")
            settings.write_text(f"import os\n{text}")

        def between() -> None:
            if how == "changed":
                settings.write_text(settings.read_text() + "\n")
            elif how == "gone":
                settings.unlink()

        engine(inventory, exchange, between)
        verdicts = judge(inventory, exchange)
    assert store.received == [], "not even connected"
    assert verdicts["es-health@all"]["verdict"] == "no_data", verdicts["es-health@all"]
    if how != "environment":  # of the environment not even the setting is known
        assert "ssh://" in verdicts["es-health@all"]["reason"]


def test_what_is_withheld() -> None:
    place = {"path": "/a", "line": 1}
    open_, secret = {"name": "a", "url": "http://x/"}, {"name": "b", "url": "http://x/", "secret": True}
    unknown = {"name": "c", "auth": {"text": "Pl4nted", "source": None}, "secret": True}
    known = {"name": "d", "auth": {"text": "Pl4nted", "source": place}, "secret": True}
    plan, answers, _ = program.without_secrets({"visit": 2, "http": [open_, secret], "tcp": [unknown, known]})
    assert plan == {"visit": 2, "http": [open_], "tcp": [{"name": "d", "auth": {"source": place}}]}
    assert answers["http"]["b"]["error"]["kind"] == answers["tcp"]["c"]["error"]["kind"] == "withheld"
    assert program.without_secrets({"visit": 2}) == ({"visit": 2}, {}, {})
    login = {"name": "e", "mysql": {"user": "root", "password": "", "database": "x"}, "secret": True}
    assert program.without_secrets({"tcp": [login]})[1] == {}, "an empty password is not secret"
