"""The collector as a thing to send: the shell line that starts it, and the meaning of the lines it answers."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import json
import re
import shlex
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bkpaas.inventory.deployment import Connection
from bkpaas.lang import say

MARK = "@@bkpaas"
VERSION = 1
INTERPRETERS = (
    "python3",
    "/usr/libexec/platform-python",
    "python2.7",
    "python2",
    "python",
    "/opt/py36/bin/python",
    "/opt/py27/bin/python",
)
HOMES = ("/data/bkce", "/data/bkee")
INFLATED = 16
"""How many times larger than on the wire an answer may get."""


@functools.cache
def source() -> bytes:
    return Path(__file__).with_name("collector.py").read_bytes()


@functools.cache
def packed() -> bytes:
    return zlib.compress(source(), 9)


def digest() -> str:
    """SHA-256 of the collector, for the record of a run."""
    return hashlib.sha256(source()).hexdigest()


def boot(plan: dict[str, Any] | None = None, *, pinned: bool = False) -> str:
    """The argument of `python -c`.

    Without a plan it reads the program (`packed()`), then plans, from standard input; with one, it contains both
    and answers once.  Pinned, it runs no other program than this one, whatever standard input brings: a sudo rule
    for that line is a rule for the collector.
    """
    if plan is None:
        head, code, names = (
            'import os,zlib,json;I=os.fdopen(0,"rb");',
            f"I.read({len(packed())})",
            '"SOURCE":I',
        )
        if pinned:
            expected = hashlib.sha256(packed()).hexdigest()
            head += f'import hashlib;P={code};hashlib.sha256(P).hexdigest()=="{expected}" or os._exit(3);'
            code = "P"
    else:
        code, asked = (_unbase64(data) for data in (packed(), zlib.compress(_json(plan), 9)))
        head = "import binascii,zlib,json;"
        names = f'"PLAN":json.loads(zlib.decompress({asked}).decode("utf-8"))'
    pages = f'[eval(compile(page,"{MARK}","exec"),G) for page in zlib.decompress({code}).split(b"\\f")]'
    return f'{head}G={{"__name__":"{MARK}",{names}}};{pages}'


def _unbase64(data: bytes) -> str:
    return f'binascii.a2b_base64("{base64.b64encode(data).decode()}")'


def command(connection: Connection, homes: Sequence[str] = (), plan: dict[str, Any] | None = None) -> str:
    """The line for the host's shell that finds an interpreter and gives it `boot(plan)`."""
    shell = f"/bin/sh -c {shlex.quote(script(connection, homes, plan))}"
    if not connection.sudo:
        return f"exec {shell}"
    user = f"-u {shlex.quote(connection.sudo_user)} " if connection.sudo_user else ""
    return f"exec env LC_ALL=C sudo -n {user}{shell}"


def withheld(plan: dict[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A plan for all to see: without the asks that are marked `secret`, and {section: {name: answer}} for those.

    A plan that is an argument can be seen in the list of processes, here and on the host.
    """
    kept, answers = dict(plan), {}
    for section in ("http", "tcp"):
        asks = plan.get(section) or ()
        hidden = [ask["name"] for ask in asks if ask.get("secret")]
        if hidden:
            reason = {"kind": "withheld", "text": ""}
            kept[section] = [ask for ask in asks if not ask.get("secret")]
            answers[section] = {name: {"error": reason} for name in hidden}
    return kept, answers


def script(connection: Connection, homes: Sequence[str] = (), plan: dict[str, Any] | None = None) -> str:
    """What /bin/sh is given, as root where `command` says sudo."""
    found = [f"{shlex.quote(home)}/.envs/*/bin/python" for home in dict.fromkeys((*homes, *HOMES))]
    # An interpreter that cannot even start ends with one of these codes before it has read anything.
    return (
        f"LC_ALL=C; export LC_ALL; for p in {' '.join([*INTERPRETERS, *found])}; do "
        f'command -v "$p" >/dev/null 2>&1 || continue; "$p" -E -s -S -B -c {shlex.quote(boot(plan, pinned=connection.sudo))}; '
        f"case $? in 1|126|127) ;; *) exit 0;; esac; done; echo '{MARK} nopython'"
    )


def plan_lines(plan: dict[str, Any]) -> bytes:
    data = _json(plan)
    return b"plan %d\n" % len(data) + data


def _json(plan: dict[str, Any]) -> bytes:
    return json.dumps(plan).encode("ascii")


class TooMuch(Exception):
    """More bytes than allowed."""


class Garbage(Exception):
    """Something else than an answer."""


class Talk:
    """What the collector says, taken apart as it arrives; does no I/O.

    Between two events at most `most` bytes may come, ours or anybody's.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = b""
        self._seen = 0
        self._announced = 0
        self._lines: list[bytes] | None = None
        self.noise = b""
        """The last of what others printed."""

    def feed(self, data: bytes) -> Iterator[tuple[str, Any]]:
        """("ready", python version) | ("clock", (key, time)) | ("answer", dict) | ("failed", text) |
        ("nopython", None); raises TooMuch, Garbage."""
        self._seen += len(data)
        if self._seen > self._most:
            raise TooMuch
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            event = self._line(line.rstrip(b"\r"))
            if event:
                self._seen = 0
                yield event

    def _line(self, line: bytes) -> tuple[str, Any] | None:
        if not line.startswith(MARK.encode()):
            if self._lines is None:
                self.noise = (self.noise + line + b"\n")[-4096:]
            else:
                self._lines.append(line)
            return None
        word, *values = line.decode("utf-8", "replace").split(" ")[1:] or [""]
        try:
            return self._word(word, values)
        except (ValueError, IndexError, zlib.error, binascii.Error) as error:
            raise Garbage(str(error)) from None

    def _word(self, word: str, values: list[str]) -> tuple[str, Any] | None:
        if word == "ready":
            if values[0] != str(VERSION):
                raise Garbage(f"version {values[0]}")
            return "ready", values[1]
        if word == "clock":
            return "clock", (values[0], float(values[1]))
        if word == "answer":
            self._lines, self._announced = [], int(values[0])
            if self._announced > self._most:
                raise TooMuch
            return None
        if word == "end" and self._lines is not None:
            lines, self._lines = self._lines, None
            return "answer", self._decoded(base64.b64decode(b"".join(lines), validate=True))
        if word == "failed":
            return "failed", " ".join(values)
        if word == "nopython":
            return "nopython", None
        raise Garbage(say(en=f"unknown word {word[:20]!r}", zh=f"无法识别 {word[:20]!r}"))

    def _decoded(self, data: bytes) -> dict[str, Any]:
        if len(data) != self._announced:
            raise Garbage(
                say(
                    en=f"{len(data)} bytes instead of {self._announced}",
                    zh=f"{len(data)} 字节，应为 {self._announced}",
                )
            )
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(data, self._most * INFLATED)
        if unpacker.unconsumed_tail:
            raise TooMuch
        try:
            answer = msgspec.json.decode(plain)
        except msgspec.DecodeError:
            # Python 2 lets half characters (lone surrogates) of a binary file through.
            answer = msgspec.json.decode(re.sub(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", rb"\\ufffd", plain))
        if not isinstance(answer, dict) or answer.get("version") != VERSION:
            raise Garbage(say(en="not a document of this version", zh="不是本版本的文档"))
        return answer
