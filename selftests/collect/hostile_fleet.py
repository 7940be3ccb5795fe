"""A fleet of fake hosts in two processes, one for those that misbehave: most answer as they should, some misbehave in every way that is known.

`python -m collect.hostile_fleet FOLDER COUNT HOSTILE` serves ssh on COUNT loopback addresses, writes the inventory to
FOLDER and prints a line when it is ready. HOSTILE: how many of them misbehave, 0 for none.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import json
import os
import socket
import sys
import time
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncssh
from facts.recorded import process

from bkpaas.collect import program

HOME = "/data/bkce"
LIMITS = {
    "connect_seconds": 20.0,
    "host_seconds": 25.0,
    "silent_seconds": 8.0,
    "run_seconds": 600.0,
    "request_seconds": 2.0,
}
LIMITS |= {"healthz_seconds": 2.0, "resolve_seconds": 2.0, "concurrent_hosts": 16}
ROLES = ("appo", "appt", "cmdb", "job", "nginx")
"""All of them are asked in round 2 too."""
DRIP_SECONDS = 0.05
PIECE = 65_536


def address(number: int) -> str:
    return f"127.77.{number // 200}.{number % 200 + 1}"


def roles(number: int) -> list[str]:
    """Two paas hosts, the others in turn."""
    return ["paas"] if number < 2 else [ROLES[number % len(ROLES)]]


def name(number: int) -> str:
    return f"{roles(number)[0]}-{number}"


def misbehaving(count: int, hostile: int) -> dict[int, str]:
    """The behaviour of each hostile host by its number, spread over the fleet; the first is a paas host."""
    kinds = [*BEFORE_LOGIN, *BEHAVIOURS]
    return {1 + place * (count - 2) // max(1, hostile): kinds[place % len(kinds)] for place in range(hostile)}


class Conversation:
    """The collector's side of the protocol."""

    def __init__(self, channel: asyncssh.SSHServerProcess[bytes]) -> None:
        self.channel = channel
        peer: tuple[str, int] = channel.channel.get_extra_info("sockname")
        self.address = peer[0]
        self.clock: Callable[[], str] = lambda: repr(time.time())

    async def start(self) -> None:
        await self.channel.stdin.readexactly(len(program.packed()))
        await self.tell("ready 1 3.9.2")

    async def plan(self) -> dict[str, Any]:
        """Answer the clock until a plan comes."""
        while line := (await self.channel.stdin.readline()).split():
            if line[0] == b"plan":
                return dict(json.loads(await self.channel.stdin.readexactly(int(line[1]))))
            await self.tell(f"clock {line[1].decode()} {self.clock()}")
        raise BrokenPipeError

    async def tell(self, words: str) -> None:
        await self.send(f"@@bkpaas {words}\n".encode())

    async def send(self, data: bytes) -> None:
        if self.channel.is_closing():
            raise BrokenPipeError
        self.channel.stdout.write(data)
        await self.channel.stdout.drain()
        await asyncio.sleep(0)

    async def answer(self, text: bytes) -> None:
        await self.compressed(zlib.compress(text))

    async def compressed(self, data: bytes) -> None:
        await self.send(b"@@bkpaas answer %d\n%s\n@@bkpaas end\n" % (len(data), base64.b64encode(data)))

    async def flood(self, piece: bytes) -> None:
        while True:
            await self.send(piece)

    async def hang(self) -> None:
        await self.channel.wait_closed()


def healthy_answer(plan: dict[str, Any], own: str) -> dict[str, Any]:
    """Return the collector's answer to this plan on a host where nothing is installed."""

    def entries(section: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for ask in plan.get(section) or ():
            path = ask["path"].replace("{home}", HOME)
            fixed = [] if "*" in path or "[" in path else [{"path": path, "type": "missing"}]
            found.setdefault(ask["name"], []).extend(fixed)
        return found

    now = time.time()
    answer: dict[str, Any] = {
        "version": 1, "visit": plan["visit"], "python": "3.9.2", "uid": 0, "home": HOME, "errors": {},
        "seconds": 0.1, "cost": {"cpu_seconds": 0.1, "seconds": 0.1},
        "system": {"hostname": own, "kernel": "5.10.0", "boot_time": now - 1e6, "time": now, "utc_offset": 28800,
                   "zone": ["CST", "CST"], "localtime": "/usr/share/zoneinfo/Asia/Shanghai", "timezone_file": None},
        "files": entries("files"), "tails": entries("tails"),
        "resolve": {ask["name"]: {"addresses": ["127.0.0.1"], "seconds": 0.01, "error": None}
                    for ask in plan.get("resolve") or ()},
        "http": {ask["name"]: {"url": ask["url"], "status": 200, "headers": [], "body": "{}", "truncated": False,
                               "seconds": 0.1, "peer": "127.0.0.1:80", "error": None} for ask in plan.get("http") or ()},
        "tcp": {ask["name"]: {"seconds": 0.1, "data": "", "peer": "127.0.0.1:80", "error": None}
                for ask in plan.get("tcp") or ()},
        "supervisor": {ask["name"]: {"conf": ask["conf"].replace("{home}", HOME), "argv": [], "rc": 0, "out": "", "err": "",
                                     "seconds": 0.1, "error": None} for ask in plan.get("supervisor") or ()},
    }  # fmt: skip
    if plan["visit"] == 1:
        disk = {"bytes": 10**11, "bytes_available": 5 * 10**10, "inodes": 10**6, "inodes_available": 10**5}
        answer |= {
            "addresses": [["127.0.0.1", "lo"], [own, "eth0"]],
            "processes": [
                process(1, 0, "/sbin/init", start=now - 1e6),
                process(70, 1, "/usr/sbin/sshd", start=now - 1e6),
            ],
            "listeners": [
                {"family": 4, "address": "0.0.0.0", "port": 22, "queue": 0, "inode": 700, "pids": [70]}
            ],
            "unix": [],
            "time_daemon": {"chronyd": None, "ntpd": None, "chronyc": None, "ntpq": None},
            "disks": [
                {"path": path.replace("{home}", HOME), "readonly": False, **disk} for path in plan["disks"]
            ],
        }
        if plan.get("nginx"):
            answer["nginx"] = {"main": [], "files": [], "error": None}
    return answer


async def healthy(host: Conversation) -> None:
    await host.start()
    while True:
        await host.answer(json.dumps(healthy_answer(await host.plan(), host.address)).encode())


def first_round(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Behaviour:
    """Answer with something changed, in both rounds."""

    async def behave(host: Conversation) -> None:
        await host.start()
        while True:
            plan = await host.plan()
            await host.answer(json.dumps(change(healthy_answer(plan, host.address))).encode())

    return behave


PREPARED: list[Callable[[], bytes]] = []
"""Answers that are slow to build, built before the first connection."""


def raw_answer(make: Callable[[], bytes]) -> Behaviour:
    prepared = functools.cache(lambda: zlib.compress(make(), 1))
    PREPARED.append(prepared)

    async def behave(host: Conversation) -> None:
        await host.start()
        await host.plan()
        await host.compressed(prepared())
        await host.hang()

    return behave


def after_plan(action: Callable[[Conversation], Awaitable[None]]) -> Behaviour:
    async def behave(host: Conversation) -> None:
        await host.start()
        await host.plan()
        await action(host)

    return behave


def between_rounds(action: Callable[[Conversation], Awaitable[None]]) -> Behaviour:
    async def behave(host: Conversation) -> None:
        await host.start()
        await host.answer(json.dumps(healthy_answer(await host.plan(), host.address)).encode())
        await action(host)

    return behave


async def half_an_answer(host: Conversation) -> None:
    await host.send(b"@@bkpaas answer 5000\n" + base64.b64encode(b"x" * 999) + b"\n")
    host.channel.exit(0)


async def drip(host: Conversation) -> None:
    await host.send(b"@@bkpaas answer 5000\n")
    while True:
        await host.send(b"A")
        await asyncio.sleep(DRIP_SECONDS)


async def complaints(host: Conversation) -> None:
    while not host.channel.is_closing():
        host.channel.stderr.write(b"password=hunter2 " * 4000)
        await host.channel.stderr.drain()
        await asyncio.sleep(0)


async def debug_messages(host: Conversation) -> None:
    """Bytes that belong to no channel."""
    connection = host.channel.channel.get_connection()
    while not host.channel.is_closing():
        connection.send_debug("x" * 30_000)
        await asyncio.sleep(0)


async def reset(host: Conversation) -> None:
    host.channel.channel.get_connection().abort()


async def no_program(host: Conversation) -> None:
    host.channel.stderr.write(b"sh: fork: Cannot allocate memory\n")
    host.channel.exit(254)


async def answer_before_the_question(host: Conversation) -> None:
    await host.start()
    await host.answer(b'{"version": 1, "visit": 1}')
    await host.plan()
    await host.hang()


def with_clock(text: str) -> Behaviour:
    async def behave(host: Conversation) -> None:
        host.clock = lambda: text
        await healthy(host)

    return behave


def bodies(answer: dict[str, Any]) -> dict[str, Any]:
    """30 bodies of 16 kB that begin many shapes of secrets and end none."""
    starts = (
        "-----BEGIN PRIVATE KEY-----\n",
        "密码 是 ",
        "eyJ",
        "Set-Cookie:",
        "a.b-",
        "://a:",
        "token[",
        '\\"',
        "%3D",
    )
    body = {
        "status": 200,
        "headers": [],
        "truncated": False,
        "seconds": 0.1,
        "peer": "127.0.0.1:80",
        "error": None,
    }
    for number in range(30):
        start = starts[number % len(starts)]
        made = {"url": "http://127.0.0.1/", "body": (start * (16_384 // len(start) + 1))[:16_384]}
        answer["http"][f"domain-{number}"] = {**body, **made}
    return answer


def many_processes(answer: dict[str, Any]) -> dict[str, Any]:
    argv = ("/usr/bin/java", "-Dpassword=x1Y2z3", *(f"-Doption{number}=value" for number in range(20)))
    return answer | {"processes": [process(pid, 1, *argv) for pid in range(1, 30_001)]}


def many_secrets(answer: dict[str, Any]) -> dict[str, Any]:
    text = "\n".join(f"token=Secret{number:09d}x" for number in range(10_000))
    entry = {
        "path": "/var/log/x.log",
        "type": "file",
        "mode": 420,
        "uid": 0,
        "gid": 0,
        "mtime": 1.0,
        "inode": 7,
    }
    return answer | {"tails": {"nginx-error-log": [{**entry, "size": len(text), "text": text}]}}


def wrong_shapes(answer: dict[str, Any]) -> dict[str, Any]:
    wrong = {"processes": [1, "x", None], "files": [], "tails": 7, "listeners": {"a": 1}, "addresses": "all"}
    return answer | wrong | {"http": {"x": 1}, "disks": [[]], "errors": [1], "system": None}


def of_another_host(answer: dict[str, Any]) -> dict[str, Any]:
    return healthy_answer({"visit": 2, "disks": []}, "10.9.9.9") | {"visit": 3 - answer["visit"]}


def deep() -> bytes:
    return b'{"version": 1, "visit": 1, "files": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}"


def bomb() -> bytes:
    return b'{"version": 1, "visit": 1, "files": "' + b"0" * 200_000_000 + b'"}'


def list_bomb() -> bytes:
    return b'{"version": 1, "visit": 1, "files": [' + b"[]," * 5_000_000 + b"0]}"


Behaviour = Callable[[Conversation], Awaitable[None]]

LINES = b"@@bkpaas clock 0 1500000000.0\n" * 2000

BEHAVIOURS: dict[str, Behaviour] = {
    "hang-in-round-1": after_plan(Conversation.hang),
    "hang-in-round-2": between_rounds(Conversation.hang),
    "lines-in-round-1": after_plan(lambda host: host.flood(LINES)),
    "lines-between-rounds": between_rounds(lambda host: host.flood(LINES)),
    "noise-between-rounds": between_rounds(lambda host: host.flood(b"x\n" * 30_000)),
    "endless-line": after_plan(lambda host: host.flood(b"x" * PIECE)),
    "debug-messages-between-rounds": between_rounds(debug_messages),
    "error-output": after_plan(complaints),
    "zip-bomb": raw_answer(bomb),
    "list-bomb": raw_answer(list_bomb),
    "garbage-json": raw_answer(lambda: b'{"version": 1, "files": {'),
    "deep-nesting": raw_answer(deep),
    "wrong-shapes": first_round(wrong_shapes),
    "bodies-for-redaction": first_round(bodies),
    "many-processes": first_round(many_processes),
    "many-secrets": first_round(many_secrets),
    "drip": after_plan(drip),
    "half-an-answer": after_plan(half_an_answer),
    "of-another-host": first_round(of_another_host),
    "answer-before-the-question": answer_before_the_question,
    "no-program": no_program,
    "negative-clock": with_clock("-1500000000.0"),
    "clock-is-nan": with_clock("nan"),
    "reset-between-rounds": between_rounds(reset),
}


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def endless_greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while not writer.is_closing():
            writer.write(b"welcome\r\n" * 1000)
            await writer.drain()


async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


BEFORE_LOGIN: dict[str, Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None] = {
    "hang-at-greeting": silent,
    "hang-at-login": None,
    "endless-greeting": endless_greeting,
    "closed-at-once": closed,
}


class Server(asyncssh.SSHServer):
    """Let the one key in; a host that hangs at the login never answers."""

    def __init__(self, hanging: bool) -> None:
        self.hanging = hanging

    async def begin_auth(self, username: str) -> bool:
        if self.hanging:
            await asyncio.Event().wait()
        return True


def key(path: Path) -> asyncssh.SSHKey:
    made = asyncssh.generate_private_key("ssh-ed25519")
    made.write_private_key(str(path))
    path.chmod(0o600)
    made.write_public_key(f"{path}.pub")
    return made


async def serve(folder: Path, port: int, hosts: dict[int, str], ready: Callable[[], object]) -> None:
    """Serve hosts, each with the behaviour of that name."""

    def factory(kind: str) -> Callable[[asyncssh.SSHServerProcess[bytes]], Awaitable[None]]:
        async def run(channel: asyncssh.SSHServerProcess[bytes]) -> None:
            with contextlib.suppress(OSError, asyncssh.Error, asyncio.IncompleteReadError):
                await BEHAVIOURS.get(kind, healthy)(Conversation(channel))
            channel.exit(0)

        return run

    def greeting(kind: str) -> Callable[[], Server]:
        return lambda: Server(kind == "hang-at-login")

    servers: list[object] = []
    for number, kind in hosts.items():
        if raw := BEFORE_LOGIN.get(kind):
            servers.append(await asyncio.start_server(raw, address(number), port))
            continue
        server = await asyncssh.listen(
            address(number),
            port,
            server_host_keys=[str(folder / "host")],
            server_factory=greeting(kind),
            authorized_client_keys=str(folder / "id.pub"),
            process_factory=factory(kind),
            encoding=None,
            kex_algs=["curve25519-sha256"],
        )
        servers.append(server)
    ready()
    await asyncio.Event().wait()


def main(folder: Path, count: int, hostile: int) -> None:
    with socket.create_server((address(0), 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "known_hosts").write_text(f"* {key(folder / 'host').export_public_key().decode()}")
    key(folder / "id")
    (folder / "deployment.yaml").write_text(json.dumps(inventory(folder, count, port)))
    kinds = misbehaving(count, hostile)
    for make in PREPARED:
        make()
    healthy_ones = {number: "" for number in range(count) if number not in kinds}
    read, write = os.pipe()
    if not os.fork():
        asyncio.run(serve(folder, port, kinds, functools.partial(os.write, write, b"x")))
    os.read(read, 1)
    asyncio.run(serve(folder, port, healthy_ones, lambda: print("ready", flush=True)))


def inventory(folder: Path, count: int, port: int) -> dict[str, Any]:
    return {
        "generation": "5.x",
        "domain": "localhost.localdomain",
        "home": HOME,
        "connect": {"user": "root", "port": port, "key": str(folder / "id"), "known_hosts": str(folder / "known_hosts")},
        "limits": LIMITS,
        "hosts": [
            {"name": name(number), "address": address(number), "roles": roles(number)} for number in range(count)
        ],
    }  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
