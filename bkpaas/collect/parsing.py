"""Parsing in one worker process: what the answers of a host cost is taken from the budget of that host alone.

The worker is `python -m bkpaas.collect.parsing`; it is replaced when a host exceeds a limit. Messages are msgpack
behind their length. It is given the key and the secrets of the run, which stay in memory.
"""

from __future__ import annotations

import contextlib
import copy
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
from bkpaas.collect.rounds import HostAnswers
from bkpaas.errors import CollectError
from bkpaas.facts.build import host_facts
from bkpaas.facts.host import HostFacts
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Host
from bkpaas.lang import Language, in_both, say, speak, spoken
from bkpaas.libraries import MESSAGES, capture
from bkpaas.messages import set_redactor

CPU_SECONDS = 5
"""CPU time for one answer of one host; that of a usual host takes 0.1 s."""
WALL_SECONDS = 120.0
"""Time for the same and the start of the worker, for one that waits instead of working."""
END_SECONDS = 5.0
"""Time for a worker to end whose output has ended."""
WORKER_BYTES = 1 << 30
"""Address space of the worker."""
SECTION_BYTES = 16 << 20
"""JSON text of one section of an answer."""
SECTION_VALUES = 1_000_000
"""Values in one section, counted by commas and brackets."""
FACTS_BYTES = 4 << 20
"""Facts of one host, which are kept to the end of the run; those of a usual host have 20 kB."""
SHARED_SECRETS = 500
"""Secrets of one host that are looked for in the texts of all others too."""
_LENGTH = struct.Struct(">Q")


class _Setup(Struct, array_like=True):
    """What a worker is given first."""

    key: bytes
    known: list[str]
    language: Language
    both: bool
    cpu_seconds: int


class _Request(Struct, array_like=True):
    host: Host
    visit: HostAnswers


class _Reply(Struct, array_like=True):
    """Facts and the secrets that were learned with them, or why there are none."""

    facts: HostFacts | None
    learned: list[str]
    error: str
    messages: dict[str, int] = {}
    """What libraries would have printed, counted (bkpaas.libraries)."""
    further_messages: int = 0


class Parser:
    """Make facts of answers; to be used by one thread, and closed by any."""

    def __init__(self, secrets: Secrets, cpu_seconds: int = CPU_SECONDS) -> None:
        self._secrets, self._cpu_seconds = secrets, cpu_seconds
        self._closed = False
        self._worker = self._start()

    def facts(self, host: Host, visit: HostAnswers) -> HostFacts:
        """Return the facts of a visit whose answers are compressed. Raises CollectError."""
        if self._worker.poll() is not None and not self._closed:
            self._worker = self._start()
        worker, where = self._worker, errors.place(host)
        assert worker.stdin and worker.stdout
        timer = threading.Timer(WALL_SECONDS, worker.kill)
        timer.start()
        try:
            _write(worker.stdin, msgspec.msgpack.encode(_Request(host, visit)))
            data = _read(worker.stdout, FACTS_BYTES)
        except OSError:
            data = None
        except ValueError:
            _end(worker)
            raise errors.too_costly(where, say(en="more facts than allowed", zh="事实数据过多")) from None
        finally:
            timer.cancel()
        if data is None:
            raise self._died(where, worker)
        reply = msgspec.msgpack.decode(data, type=_Reply)
        for value in reply.learned:
            self._secrets.digest(value)
        MESSAGES.merge(reply.messages, reply.further_messages)
        if reply.facts is None:
            raise errors.garbage(where, reply.error)
        return reply.facts

    def _died(self, where: str, worker: subprocess.Popen[bytes]) -> CollectError:
        """Describe the end of a worker by its exit status."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(END_SECONDS)
        _end(worker)
        if worker.returncode == -signal.SIGXCPU:
            most = self._cpu_seconds
            cause = say(en=f"more than {most} s of CPU time", zh=f"CPU 时间超过 {most} 秒")
        elif worker.returncode == -signal.SIGKILL:
            most = int(WALL_SECONDS)
            cause = say(en=f"killed, or more than {most} s", zh=f"被终止，或超过 {most} 秒")
        else:
            return errors.suite(where, f"parser: exit status {worker.returncode}")
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
        both = say(en="e", zh="z") not in ("e", "z")
        setup = _Setup(self._secrets.key, list(self._secrets.remembered()), spoken(), both, self._cpu_seconds)
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


def _read(file: BinaryIO | Any, most: int | None = None) -> bytes | None:
    """Return a message, None at the end. Raises ValueError if it is longer than `most`."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    if most is not None and size > most:
        raise ValueError(size)
    data: bytes = file.read(size)
    return data if len(data) == size else None


def bounded(packed: bytes) -> dict[str, Any]:
    """Decode an answer without the sections that are too large; those are among its errors.

    Raises program.TooMuch, program.Garbage.
    """
    answer, refused = dict[str, Any](), dict[str, str]()
    for section, text in program.sections(packed).items():
        values = text.count(b",") + text.count(b"[") + text.count(b"{")
        if len(text) > SECTION_BYTES:
            refused[section] = say(
                en=f"not read: {len(text)} bytes, more than {SECTION_BYTES}",
                zh=f"未读取：{len(text)} 字节，超过 {SECTION_BYTES}",
            )
        elif values > SECTION_VALUES:
            refused[section] = say(
                en=f"not read: {values} values, more than {SECTION_VALUES}",
                zh=f"未读取：{values} 个值，超过 {SECTION_VALUES}",
            )
        else:
            answer[section] = program.json_decoded(text)
    if refused:
        before = answer.get("errors")
        answer["errors"] = {**(before if isinstance(before, dict) else {}), **refused}
    return answer


def _parsed(request: _Request, secrets: Secrets) -> _Reply:
    """Parse with a copy of the secrets, so that a host with very many of them does not slow down the others."""
    visit, own = request.visit, copy.deepcopy(secrets)
    try:
        visit.round_1, visit.round_2 = (
            bounded(answer) if isinstance(answer, bytes) else answer
            for answer in (visit.round_1, visit.round_2)
        )
    except program.TooMuch:
        return _Reply(None, [], say(en="it unpacks to more than is allowed", zh="解压后超过上限"))
    except program.Garbage as error:
        return _Reply(None, [], str(error))
    facts = host_facts(request.host, visit, own)
    before = set(secrets.remembered())
    learned = [value for value in own.remembered() if value not in before][:SHARED_SECRETS]
    for value in learned:
        secrets.digest(value)
    return _Reply(facts, learned, "")


def _allow_cpu(seconds: int) -> None:
    """Let this process be killed (SIGXCPU) after so many more seconds of CPU time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    resource.setrlimit(
        resource.RLIMIT_CPU, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
    )


def _work() -> None:
    """Answer requests on standard input; what libraries print is counted, or goes nowhere."""
    capture()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (WORKER_BYTES, WORKER_BYTES))
    setup = msgspec.msgpack.decode(_read(sys.stdin.buffer) or b"", type=_Setup)
    secrets = Secrets(setup.key)
    for value in setup.known:
        secrets.digest(value)
    set_redactor(secrets.scrub)
    speak(setup.language)
    with in_both() if setup.both else contextlib.nullcontext():
        while data := _read(sys.stdin.buffer):
            _allow_cpu(setup.cpu_seconds)
            try:
                reply = _parsed(msgspec.msgpack.decode(data, type=_Request), secrets)
            except Exception as error:
                reply = _Reply(None, [], f"suite error: {type(error).__name__}")
            reply.messages, reply.further_messages = MESSAGES.take()
            _write(answers, msgspec.msgpack.encode(reply))


if __name__ == "__main__":
    _work()
