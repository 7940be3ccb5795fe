"""Parsing in a worker: a host that costs too much loses its own facts and nothing else."""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from facts.recorded import first, host, process, second, visit

from bkpaas.collect import parsing
from bkpaas.collect.parsing import Parser
from bkpaas.errors import CollectError
from bkpaas.facts import Missing
from bkpaas.facts.build import host_facts
from bkpaas.facts.secrets import Secrets
from bkpaas.messages import Message

Open = Callable[..., Parser]


@pytest.fixture
def open_parser() -> Iterator[Open]:
    parsers = []

    def start(**more: Any) -> Parser:
        parsers.append(Parser(Secrets(b"key"), **more))
        return parsers[-1]

    yield start
    for parser in parsers:
        parser.close()


def packed(answer: Any) -> bytes:
    return zlib.compress(msgspec.json.encode(answer))


def visited(one: dict[str, Any] | None = None, two: dict[str, Any] | None = None) -> Any:
    found = visit(one or first(), two)
    found.round_1, found.round_2 = packed(found.round_1), packed(two) if two else None
    return found


def costly() -> dict[str, Any]:
    """More text than can be redacted in a second of CPU time, within all limits of size."""
    texts = [f"--n{number} x=1 y:2 z%3D3 " * 25 for number in range(10)]
    differing = [
        process(pid, 1, "/bin/sh", f"{pid}", *(f"{pid} {text}" for text in texts)) for pid in range(1, 2500)
    ]
    return first() | {"processes": differing}


def test_facts_are_those_of_the_same_process(open_parser: Open) -> None:
    facts = open_parser().facts(host(), visited(two=second()))
    assert facts == host_facts(host(), visit(first(), second()), Secrets(b"key"))


def test_reasons_are_messages_in_both_languages(open_parser: Open) -> None:
    missing = open_parser().facts(host(), visited()).connections
    assert isinstance(missing, Missing) and isinstance(missing.reason, Message)
    assert missing.reason.render("en") != missing.reason.render("zh")


def test_an_error_of_the_worker_has_its_chinese(open_parser: Open) -> None:
    parser = open_parser()
    parser._worker.kill()
    error = parser._death_error(
        "paas-1", subprocess.Popen(["false"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    )
    assert isinstance(error.reason, Message)
    assert "parser: exit status 1" in error.reason.render("en")
    assert "解析进程：退出码 1" in error.reason.render("zh")


def test_secrets_are_known_to_the_controller(open_parser: Open) -> None:
    secrets = Secrets(b"key")
    parser = Parser(secrets)
    try:
        parser.facts(host(), visited())
    finally:
        parser.close()
    assert secrets.resolve_digest(Secrets(b"key").digest("Pl4nted-db-pass")) == "Pl4nted-db-pass"


def test_costly_host_costs_itself_only(open_parser: Open) -> None:
    parser = open_parser(cpu_seconds=1)
    with pytest.raises(CollectError, match="more than 1 s of CPU time") as caught:
        parser.facts(host(), visited(costly()))
    assert caught.value.kind == "too_costly"
    assert parser.facts(host(), visited()).collected


def test_worker_that_dies_is_replaced(open_parser: Open) -> None:
    parser = open_parser()
    parser._worker.kill()
    parser._worker.wait()
    assert parser.facts(host(), visited()).collected


@pytest.mark.parametrize(
    ("limit", "processes"),
    [
        pytest.param("values", [0] * (parsing.SECTION_VALUES + 2), id="entries"),
        pytest.param("bytes", ["x" * parsing.SECTION_BYTES], id="bytes"),
    ],
)
def test_section_beyond_a_limit_is_missing(open_parser: Open, limit: str, processes: list[Any]) -> None:
    """A part that was not read is reported, and is never an empty list."""
    facts = open_parser().facts(host(), visited(first() | {"processes": processes}))
    assert isinstance(facts.processes, Missing) and isinstance(facts.processes.reason, Message)
    assert limit in facts.processes.reason.render("en")
    assert not isinstance(facts.addresses, Missing) and not isinstance(facts.settings, Missing)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"x", id="no-zlib"),
        pytest.param(packed([1]), id="no-object"),
        pytest.param(packed({"version": 2}), id="other-version"),
        pytest.param(zlib.compress(b"0" * 100_000_000), id="bomb"),
    ],
)
def test_answers_that_are_none(open_parser: Open, answer: bytes) -> None:
    parser = open_parser()
    with pytest.raises(CollectError):
        parser.facts(host(), visit(answer))
    assert parser.facts(host(), visited()).collected


def test_facts_are_bounded(open_parser: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "FACTS_BYTES", 1000)
    with pytest.raises(CollectError, match="more facts than allowed"):
        open_parser().facts(host(), visited())


def test_a_secret_is_resolved_for_its_own_host_only(open_parser: Open) -> None:
    """Reports show digests: a host that sends one of them must not receive the secret of another."""
    parser = open_parser()
    parser.facts(host(), visited())
    digest = Secrets(b"key").digest("Pl4nted-db-pass")
    other = first()
    for entries in other["files"].values():
        for entry in entries:
            entry["text"] = (entry.get("text") or "").replace("Pl4nted-db-pass", digest)
    thief = msgspec.structs.replace(host(), name="paas-2")
    assert parser.facts(thief, visited(other)).collected
    assert parser.secret("paas-1", digest) == "Pl4nted-db-pass"
    assert parser.secret("paas-2", digest) is None


def test_many_secrets_of_other_hosts(open_parser: Open) -> None:
    """The log in of a host is tried, and its secrets hidden, however many secrets other hosts have sent."""
    parser, evil = open_parser(), first()
    (settings,) = evil["files"]["settings-login-2"]
    text = settings["text"]
    for number in range(11):
        lines = (f"X{at}_PASSWORD = 'Zk7mQ9xw+{number:02}-{at}'" for at in range(600))
        settings["text"] = "\n".join([text.replace("Pl4nted-db-pass", f"Oth3r-pass-{number}"), *lines])
        parser.facts(msgspec.structs.replace(host(), name=f"evil-{number}"), visited(evil))
    one = first()
    one["processes"] += [process(77, 1, "/bin/x", "Pl4nted-db-pass")]
    digest = Secrets(b"key").digest("Pl4nted-db-pass")
    for name in ("paas-1", "paas-2"):
        facts = parser.facts(msgspec.structs.replace(host(), name=name), visited(one))
        assert parser.secret(name, digest) == "Pl4nted-db-pass"
        assert [p.argv[1] for p in facts.processes.items if p.pid == 77] == [digest]
    assert parser.secret("evil-1", digest) is None


@pytest.mark.parametrize(
    "value", ["Login validity is illegal 1", "paas1.bk.com", "nginx/1.24.0", "bk-node-01"]
)
def test_a_host_cannot_hide_names_and_errors_of_another(open_parser: Open, value: str) -> None:
    """A password of one host is also redacted elsewhere, but not a text that a check may look for."""
    parser = open_parser()
    evil = first()
    evil["files"]["settings-login-2"][0]["text"] += f"\nX_PASSWORD = '{value}'\nY_PASSWORD = 'Zk7mQ9xw+4'\n"
    parser.facts(host(), visited(evil))
    one = first()
    one["processes"] += [process(77, 1, "/bin/x", value, "Zk7mQ9xw+4")]
    (last,) = [p for p in parser.facts(host(), visited(one)).processes.items if p.pid == 77]
    assert last.argv[1] == value and last.argv[2].startswith("secret:")
