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
from bkpaas.inventory.platform import INSTALL_ROOTS
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
PLAIN_BYTES = 24 << 20
"""What the JSON text of one answer may have, unpacked: a host of 30,000 processes has 15 MB."""
JSON_VALUES = 1_500_000
"""Values in one answer, counted by commas and brackets before it is decoded: each takes some 60 bytes then."""
LATEST_TIME = 1e11
"""Epoch seconds: no clock of a host says more."""
_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


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
    found = [f"{shlex.quote(home)}/.envs/*/bin/python" for home in dict.fromkeys((*homes, *INSTALL_ROOTS))]
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
    """Parse what the collector prints as it arrives; does no I/O.

    Args:
        most: bytes that may come in all, the collector's or anything else's.
        decode: False gives answers as they came, compressed, for `decoded`.
    """

    def __init__(self, most: int, *, decode: bool = True) -> None:
        self._most, self._decode = most, decode
        self._rest = b""
        self._seen = 0
        self._announced = 0
        self._lines: list[bytes] | None = None
        self.noise = b""
        """The last of what others printed."""

    def feed(self, data: bytes) -> Iterator[tuple[str, Any]]:
        """("ready", python version) | ("clock", (key, time)) | ("answer", dict or bytes) | ("failed", text) |
        ("nopython", None); raises TooMuch, Garbage."""
        self.count(len(data))
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            event = self._line(line.rstrip(b"\r"))
            if event:
                yield event

    def count(self, size: int) -> None:
        """Take so many bytes from what may come. Raises TooMuch."""
        self._seen += size
        if self._seen > self._most:
            raise TooMuch

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
            time = float(values[1])
            if not 0 < time < LATEST_TIME:
                raise Garbage(say(en=f"the time {values[1][:20]}", zh=f"时间 {values[1][:20]}"))
            return "clock", (values[0], time)
        if word == "answer":
            self._lines, self._announced = [], int(values[0])
            if self._announced > self._most:
                raise TooMuch
            return None
        if word == "end" and self._lines is not None:
            lines, self._lines = self._lines, None
            data = base64.b64decode(b"".join(lines), validate=True)
            if len(data) != self._announced:
                said, here = self._announced, len(data)
                raise Garbage(say(en=f"{here} bytes instead of {said}", zh=f"{here} 字节，应为 {said}"))
            return "answer", decoded(data) if self._decode else data
        if word == "failed":
            return "failed", " ".join(values)
        if word == "nopython":
            return "nopython", None
        raise Garbage(say(en=f"unknown word {word[:20]!r}", zh=f"无法识别 {word[:20]!r}"))


def decoded(data: bytes) -> dict[str, Any]:
    """Return the answer in these compressed bytes. Raises TooMuch, Garbage."""
    return {section: json_decoded(text) for section, text in sections(data).items()}


def sections(data: bytes) -> dict[str, bytes]:
    """Return the JSON text of each section of a compressed answer. Raises TooMuch, Garbage."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(data, PLAIN_BYTES)
    except zlib.error as error:
        raise Garbage(str(error)) from None
    if unpacker.unconsumed_tail or plain.count(b",") + plain.count(b"[") + plain.count(b"{") > JSON_VALUES:
        raise TooMuch
    answer = json_decoded(plain, dict[str, msgspec.Raw])
    if json_decoded(bytes(answer.get("version", b"null"))) != VERSION:
        raise Garbage(say(en="not a document of this version", zh="不是本版本的文档"))
    return {section: bytes(text) for section, text in answer.items()}


def with_answers(data: bytes, answers: dict[str, dict[str, Any]]) -> bytes:
    """Add {section: {name: answer}} to a compressed answer; one that cannot be decoded stays as it is."""
    try:
        answer = decoded(data)
    except (TooMuch, Garbage):
        return data
    for section, items in answers.items():
        before = answer.get(section)
        answer[section] = {**(before if isinstance(before, dict) else {}), **items}
    return zlib.compress(msgspec.json.encode(answer))


def json_decoded(text: bytes, kind: Any = Any) -> Any:
    """Decode JSON that a host sent. Raises Garbage."""
    try:
        return msgspec.json.decode(text, type=kind)
    except RecursionError:
        raise Garbage(say(en="nested too deeply", zh="嵌套过深")) from None
    except msgspec.DecodeError:
        pass
    try:  # Python 2 lets half characters (lone surrogates) of a binary file through
        return msgspec.json.decode(_SURROGATES.sub(rb"\\ufffd", text), type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Garbage(str(error)) from None
