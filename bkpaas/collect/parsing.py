"""Parse answers in a worker process, so that a costly answer affects its own host only.

The worker is `python -m bkpaas.collect.parsing`; it is replaced when a host exceeds a limit. Messages are msgpack
with a length prefix. The worker receives the key and the secrets of the run, which stay in memory.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from bkpaas.collect import errors, program
from bkpaas.collect.host_answers import HostAnswers
from bkpaas.errors import CollectError, message_of
from bkpaas.facts import raw
from bkpaas.facts.build import host_facts
from bkpaas.facts.host import HostFacts
from bkpaas.facts.password_sources import password_sources
from bkpaas.facts.query import PasswordSource
from bkpaas.facts.secret_names import may_be_a_name
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Host
from bkpaas.libraries import MESSAGES, capture
from bkpaas.messages import Message, msg, set_redactor

CPU_SECONDS = 5
"""Limit of CPU time for one answer of one host; a usual one takes 0.1 s."""
WALL_SECONDS = 120.0
"""Limit of time for the start of the worker and one answer."""
END_SECONDS = 5.0
"""Limit of time for a worker to end after its output has ended."""
WORKER_BYTES = 1 << 30
"""Limit of the address space of the worker."""
SECTION_BYTES = 16 << 20
"""Limit of the JSON text of one section."""
SECTION_VALUES = 1_000_000
"""Limit of values in one section, counted by commas and brackets."""
FACTS_BYTES = 4 << 20
"""Limit of the facts of one host, which stay in memory; those of a usual host take 20 kB."""
SHARED_SECRETS = 500
"""Limit of the secrets of one host that are also redacted in the texts of other hosts."""
PASSWORD_LENGTH = 4096
"""Limit of the characters of a password with which round 2 logs in."""
_COLLECTED_OBJECTS = 300_000
"""New objects after which the worker looks for cycles. A usual host has fewer, and looking takes a fifth of the time."""
_LENGTH = struct.Struct(">Q")


class _Setup(Struct, array_like=True):
    """Hold the first message to a worker."""

    key: bytes
    secrets: list[str]
    cpu_seconds: int


class _Request(Struct, array_like=True):
    host: Host
    answers: HostAnswers


class _Reply(Struct, array_like=True):
    """Hold the facts and the secrets of a host, or the error."""

    facts: HostFacts | None
    secrets: list[str]
    error: Message | str
    digests: list[str] = []
    """Of all secrets in the answer of this host."""
    sources: dict[str, PasswordSource] = {}
    """Where the host has the passwords that round 2 may use, by their digests; of round 1."""
    messages: dict[str, int] = {}
    """Messages of libraries with their counts (bkpaas.libraries)."""
    further_messages: int = 0


class Parser:
    """Parse answers into facts; one thread calls `facts`, any thread may call `close`."""

    def __init__(self, secrets: Secrets, cpu_seconds: int = CPU_SECONDS) -> None:
        self._secrets, self._cpu_seconds = secrets, cpu_seconds
        self._passwords: dict[str, dict[str, str]] = {}
        """By host and digest, what may be a password in the answers of the host."""
        self._closed = False
        self.sources: dict[str, dict[str, PasswordSource]] = {}
        """By host and digest, where the host has a password."""
        self._worker = self._start()

    def facts(self, host: Host, answers: HostAnswers) -> HostFacts:
        """Return the facts of a host from its compressed answers. Raises CollectError."""
        if self._worker.poll() is not None and not self._closed:
            self._worker = self._start()
        worker, where = self._worker, errors.host_label(host)
        assert worker.stdin and worker.stdout
        timer = threading.Timer(WALL_SECONDS, worker.kill)
        timer.start()
        try:
            _write(worker.stdin, msgspec.msgpack.encode(_Request(host, answers)))
            data = _read(worker.stdout, FACTS_BYTES)
        except OSError:
            data = None
        except ValueError:
            _end(worker)
            raise errors.too_costly(where, msg("more facts than allowed")) from None
        finally:
            timer.cancel()
        if data is None:
            raise self._death_error(where, worker)
        reply = msgspec.msgpack.decode(data, type=_Reply)
        passwords, digests = self._passwords.setdefault(host.name, {}), set(reply.digests)
        for value in reply.secrets:
            digest = self._secrets.digest(value)
            if digest in digests and len(value) <= PASSWORD_LENGTH and len(passwords) < 2 * SHARED_SECRETS:
                passwords[digest] = value
        MESSAGES.merge(reply.messages, reply.further_messages)
        if reply.facts is None:
            raise errors.garbage(where, reply.error)
        self.sources[host.name] = reply.sources
        return reply.facts

    def secret(self, host: str, digest: str) -> str | None:
        """Return the secret of a digest, if the answer of this host contained it.

        A host may send a text that looks like the digest of another one's secret, which reports show.
        """
        return self._passwords.get(host, {}).get(digest)

    def _death_error(self, where: str, worker: subprocess.Popen[bytes]) -> CollectError:
        """Describe the end of a worker by its exit status."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(END_SECONDS)
        _end(worker)
        if worker.returncode == -signal.SIGXCPU:
            limit = self._cpu_seconds
            cause = msg("more than {limit} s of CPU time", limit=limit)
        elif worker.returncode == -signal.SIGKILL:
            limit = int(WALL_SECONDS)
            cause = msg("killed, or more than {limit} s", limit=limit)
        else:
            return errors.suite(where, msg("parser: exit status {status}", status=worker.returncode))
        return errors.too_costly(where, cause)

    def _start(self) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [sys.executable, "-m", "bkpaas.collect.parsing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])},
            start_new_session=True,
        )
        assert worker.stdin
        shared = [value for value in self._secrets.remembered() if not may_be_a_name(value)]
        setup = _Setup(self._secrets.key, shared, self._cpu_seconds)
        with contextlib.suppress(OSError):
            _write(worker.stdin, msgspec.msgpack.encode(setup))
        return worker

    def close(self) -> None:
        """End the worker, also in the middle of its work."""
        self._closed = True
        _end(self._worker)


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()


def _write(file: BinaryIO | Any, data: bytes) -> None:
    file.write(_LENGTH.pack(len(data)) + data)
    file.flush()


def _read(file: BinaryIO | Any, limit: int | None = None) -> bytes | None:
    """Return a message, None at the end. Raises ValueError if it is longer than `most`."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    if limit is not None and size > limit:
        raise ValueError(size)
    data: bytes = file.read(size)
    return data if len(data) == size else None


def decode_bounded(packed: bytes) -> tuple[raw.Decoded, dict[str, Message]]:
    """Return a decoded answer, and the reasons for its sections that are too large.

    Raises program.TooMuch, program.Garbage.
    """
    answer, rejected = raw.Decoded(), dict[str, Message]()
    for section, text in program.sections(packed).items():
        values = text.count(b",") + text.count(b"[") + text.count(b"{")
        if len(text) > SECTION_BYTES:
            rejected[section] = msg(
                "not read: {text_count} bytes, more than {section_bytes}",
                text_count=len(text),
                section_bytes=SECTION_BYTES,
            )
        elif values > SECTION_VALUES:
            rejected[section] = msg(
                "not read: {values} values, more than {section_values}",
                values=values,
                section_values=SECTION_VALUES,
            )
        else:
            answer.add(section, program.decode_json(text), text)
    return answer, rejected


def _parse(request: _Request, secrets: Secrets) -> _Reply:
    """Parse with a copy of the secrets, so that a host with many of them does not slow down the others.

    What may be a name is not redacted in the texts of other hosts: a host could hide an error or an address there.
    """
    answers, host_secrets = request.answers, secrets.for_host()
    try:
        if isinstance(answers.round_1, bytes):
            answers.round_1, answers.rejected[1] = decode_bounded(answers.round_1)
        if isinstance(answers.round_2, bytes):
            answers.round_2, answers.rejected[2] = decode_bounded(answers.round_2)
    except program.AnswerTooLarge:
        return _Reply(None, [], msg("it unpacks to more than is allowed"))
    except program.InvalidAnswer as error:
        return _Reply(None, [], message_of(error))
    facts = host_facts(request.host, answers, host_secrets)
    sources = {} if answers.round_2 else password_sources(answers.round_1, facts, host_secrets)
    known_values = set(secrets.remembered())
    new_values = [value for value in host_secrets.remembered() if value not in known_values][:SHARED_SECRETS]
    for value in new_values:
        if not may_be_a_name(value):
            secrets.digest(value)
    used = [value for value in known_values if secrets.conceal(value) in host_secrets.made]
    return _Reply(facts, [*new_values, *used[:SHARED_SECRETS]], "", list(host_secrets.made), sources)


def _allow_cpu(seconds: int) -> None:
    """Set the CPU limit (SIGXCPU) of this process to its present use plus `seconds`."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    resource.setrlimit(
        resource.RLIMIT_CPU, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
    )


def _work() -> None:
    """Answer requests on standard input; messages of libraries are counted or discarded."""
    capture()
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (WORKER_BYTES, WORKER_BYTES))
    setup = msgspec.msgpack.decode(_read(sys.stdin.buffer) or b"", type=_Setup)
    secrets = Secrets(setup.key)
    for value in setup.secrets:
        secrets.digest(value)
    set_redactor(secrets.redact)
    gc.freeze()
    gc.set_threshold(_COLLECTED_OBJECTS)
    while data := _read(sys.stdin.buffer):
        _allow_cpu(setup.cpu_seconds)
        try:
            reply = _parse(msgspec.msgpack.decode(data, type=_Request), secrets)
        except Exception as error:
            reply = _Reply(None, [], msg("suite error: {error}", error=type(error).__name__))
        reply.messages, reply.further_messages = MESSAGES.take()
        _write(output, msgspec.msgpack.encode(reply))


if __name__ == "__main__":
    _work()
