"""Make the shell command that starts the collector, and parse the lines that it prints."""

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
from typing import Any, NamedTuple

import msgspec

from bkpaas.inventory.deployment import Connection
from bkpaas.inventory.platform import INSTALL_ROOTS
from bkpaas.messages import msg

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
"""Limit of the JSON text of one answer; a host of 30,000 processes has 15 MB."""
JSON_VALUES = 1_500_000
"""Limit of values in one answer, counted by commas and brackets; each takes about 60 bytes decoded."""
LATEST_TIME = 1e11
"""Limit of a host's time in epoch seconds."""
_DIGEST = "secret:"
"""A name of a query with a digest in it has another one in the next run."""
_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


@functools.cache
def source() -> bytes:
    return Path(__file__).with_name("collector.py").read_bytes()


@functools.cache
def packed() -> bytes:
    return zlib.compress(source(), 9)


def digest() -> str:
    """Return the SHA-256 of the collector, for the record of a run."""
    return hashlib.sha256(source()).hexdigest()


def boot(plan: dict[str, Any] | None = None, *, pinned: bool = False) -> str:
    """Return the argument of `python -c` that starts the collector.

    Args:
        plan: with it, the argument contains program and plan, and answers once. Without it, the argument reads the
            program (`packed()`), then plans, from standard input.
        pinned: refuse any program but this one, so that a sudo rule for the command permits the collector only.
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
        code, packed_plan = (_base64_literal(data) for data in (packed(), zlib.compress(_json(plan), 9)))
        head = "import binascii,zlib,json;"
        names = f'"PLAN":json.loads(zlib.decompress({packed_plan}).decode("utf-8"))'
    pages = f'[eval(compile(page,"{MARK}","exec"),G) for page in zlib.decompress({code}).split(b"\\f")]'
    return f'{head}G={{"__name__":"{MARK}",{names}}};{pages}'


def _base64_literal(data: bytes) -> str:
    return f'binascii.a2b_base64("{base64.b64encode(data).decode()}")'


def command(
    connection: Connection,
    homes: Sequence[str] = (),
    plan: dict[str, Any] | None = None,
    *,
    pinned: bool = False,
) -> str:
    """Return the command for the shell of the host that finds an interpreter and runs `boot(plan)`.

    Args:
        pinned: refuse any program but this one, without sudo too.
    """
    shell = f"/bin/sh -c {shlex.quote(script(connection, homes, plan, pinned=pinned))}"
    if not connection.sudo:
        return f"exec {shell}"
    user = f"-u {shlex.quote(connection.sudo_user)} " if connection.sudo_user else ""
    return f"exec env LC_ALL=C sudo -n {user}{shell}"


class Public(NamedTuple):
    """Hold a plan that others may see, and what its answer then lacks."""

    plan: dict[str, Any]
    answers: dict[str, dict[str, Any]]
    """By section and name, the answers to queries that were left out."""
    names: dict[str, dict[str, str]]
    """By section and the name in this plan, the original names, which contain digests of this run."""

    def complete(self, data: bytes) -> bytes:
        """Return a compressed answer to the original plan; an invalid answer stays unchanged."""
        if not self.answers and not self.names:
            return data
        try:
            answer = decode(data)
        except (AnswerTooLarge, InvalidAnswer):
            return data
        for section in {*self.answers, *self.names}:
            names, existing = self.names.get(section, {}), answer.get(section)
            items = existing if isinstance(existing, dict) else {}
            restored = {names.get(name, name): item for name, item in items.items()}
            answer[section] = {**restored, **self.answers.get(section, {})}
        errors = answer.get("errors")
        if isinstance(errors, dict):
            keys = {
                f"{section}:{alias}": f"{section}:{name}"
                for section, names in self.names.items()
                for alias, name in names.items()
            }
            answer["errors"] = {keys.get(key, key): text for key, text in errors.items()}
        return zlib.compress(msgspec.json.encode(answer))


def without_secrets(plan: dict[str, Any]) -> Public:
    """Return the plan without passwords.

    A plan that is an argument is visible in the process lists of the controller and the host, and one for an engine is
    a file. It names the place where the host has the password; a query whose password has none is left out.
    """
    public = Public(dict(plan), {}, {})
    for section in ("http", "tcp"):
        if section not in plan:
            continue
        queries = public.plan[section] = list[dict[str, Any]]()
        for query in plan[section]:
            referring = _by_reference(query) if query.get("secret") else query
            if referring is None:
                reason = {"kind": "withheld", "text": ""}
                public.answers.setdefault(section, {})[query["name"]] = {"error": reason}
                continue
            if _DIGEST in query["name"]:
                names = public.names.setdefault(section, {})
                referring = {**referring, "name": f"login-{len(names) + 1}"}
                names[referring["name"]] = query["name"]
            queries.append(referring)
    return public


def _by_reference(query: dict[str, Any]) -> dict[str, Any] | None:
    """Return a query with the places of its passwords instead of these; None if that is not possible."""
    public = {name: value for name, value in query.items() if name != "secret"}
    passwords = list[Any]()

    def convert(value: Any) -> Any:
        if not isinstance(value, dict) or "text" not in value:
            return value
        passwords.append(value.get("source"))
        return {"source": value.get("source")}

    for name in ("login", "mysql"):
        if name in query:
            public[name] = {part: convert(value) for part, value in query[name].items()}
    if "auth" in query:
        public["auth"] = convert(query["auth"])
    return public if (passwords or "mysql" in query) and None not in passwords else None


def script(
    connection: Connection,
    homes: Sequence[str] = (),
    plan: dict[str, Any] | None = None,
    *,
    pinned: bool = False,
) -> str:
    """Return the script for /bin/sh that finds an interpreter and runs the collector.

    Python imports from the working directory first, which is the home of an account: the script leaves it. Root runs
    no interpreter of another account: neither the file nor a directory above it may belong to one.
    """
    interpreters = [
        f"{shlex.quote(root)}/.envs/*/bin/python" for root in dict.fromkeys((*homes, *INSTALL_ROOTS))
    ]
    # An interpreter that cannot start exits with one of these codes before it reads anything.
    return (
        f"LC_ALL=C; export LC_ALL; cd /; for p in {' '.join([*INTERPRETERS, *interpreters])}; do "
        'd=`command -v "$p" 2>/dev/null` || continue; if [ -O / ]; then case $d in /*) ;; *) continue; esac; while [ "$d" ]; do [ -O "$d" ] || continue 2; d=${d%/*}; done; fi; '
        f'"$p" -E -s -S -B -c {shlex.quote(boot(plan, pinned=pinned or connection.sudo))}; '
        f"case $? in 1|126|127) ;; *) exit 0;; esac; done; echo '{MARK} nopython'"
    )


def plan_lines(plan: dict[str, Any]) -> bytes:
    data = _json(plan)
    return b"plan %d\n" % len(data) + data


def _json(plan: dict[str, Any]) -> bytes:
    return json.dumps(plan).encode("ascii")


class AnswerTooLarge(Exception):
    """Signal an answer of more bytes than allowed."""


class InvalidAnswer(Exception):
    """Signal data that is not an answer of the collector."""


class AnswerParser:
    """Parse what the collector prints as it arrives; does no I/O.

    Args:
        limit: bytes that may arrive in total, from the collector or other programs.
        decode: False returns answers compressed, for the function `decode`.
    """

    def __init__(self, limit: int, *, decode: bool = True) -> None:
        self._limit, self._decode = limit, decode
        self._rest = b""
        self._received = 0
        self._announced = 0
        self._lines: list[bytes] | None = None
        self.noise = b""
        """The last output of other programs."""

    def feed(self, data: bytes) -> Iterator[tuple[str, Any]]:
        """Yield the events in this data.

        Yields: ("ready", python version), ("clock", (key, epoch seconds)), ("answer", dict or bytes),
            ("failed", text), ("plan", id) or ("nopython", None).

        Raises: AnswerTooLarge, InvalidAnswer.
        """
        self.count(len(data))
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            event = self._line(line.rstrip(b"\r"))
            if event:
                yield event

    def count(self, size: int) -> None:
        """Count received bytes. Raises AnswerTooLarge."""
        self._received += size
        if self._received > self._limit:
            raise AnswerTooLarge

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
            raise InvalidAnswer(str(error)) from None

    def _word(self, word: str, values: list[str]) -> tuple[str, Any] | None:
        if word == "ready":
            if values[0] != str(VERSION):
                raise InvalidAnswer(f"version {values[0]}")
            return "ready", values[1]
        if word == "clock":
            time = float(values[1])
            if not 0 < time < LATEST_TIME:
                raise InvalidAnswer(msg("the time {values}", values=values[1][:20]))
            return "clock", (values[0], time)
        if word == "answer":
            self._lines, self._announced = [], int(values[0])
            if self._announced > self._limit:
                raise AnswerTooLarge
            return None
        if word == "end" and self._lines is not None:
            lines, self._lines = self._lines, None
            data = base64.b64decode(b"".join(lines), validate=True)
            if len(data) != self._announced:
                announced, received = self._announced, len(data)
                raise InvalidAnswer(
                    msg("{received} bytes instead of {announced}", received=received, announced=announced)
                )
            return "answer", decode(data) if self._decode else data
        if word in ("failed", "plan"):
            return word, " ".join(values)
        if word == "nopython":
            return "nopython", None
        if word == "beat":  # the collector works; that something arrived is enough
            return None
        raise InvalidAnswer(msg("unknown word {word!r}", word=word[:20]))


def decode(data: bytes) -> dict[str, Any]:
    """Decode a compressed answer. Raises AnswerTooLarge, InvalidAnswer."""
    return {section: decode_json(text) for section, text in sections(data).items()}


def sections(data: bytes) -> dict[str, bytes]:
    """Return the JSON text of each section of a compressed answer. Raises AnswerTooLarge, InvalidAnswer."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(data, PLAIN_BYTES)
    except zlib.error as error:
        raise InvalidAnswer(str(error)) from None
    if unpacker.unconsumed_tail or plain.count(b",") + plain.count(b"[") + plain.count(b"{") > JSON_VALUES:
        raise AnswerTooLarge
    answer = decode_json(plain, dict[str, msgspec.Raw])
    if decode_json(bytes(answer.get("version", b"null"))) != VERSION:
        raise InvalidAnswer(msg("not a document of this version"))
    return {section: bytes(text) for section, text in answer.items()}


def decode_json(text: bytes, kind: Any = Any) -> Any:
    """Decode JSON from a host. Raises InvalidAnswer."""
    try:
        return msgspec.json.decode(text, type=kind)
    except RecursionError:
        raise InvalidAnswer(msg("nested too deeply")) from None
    except msgspec.DecodeError:
        pass
    try:  # Python 2 sends lone surrogates of binary files
        return msgspec.json.decode(_SURROGATES.sub(rb"\\ufffd", text), type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidAnswer(str(error)) from None
