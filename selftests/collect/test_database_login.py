"""The login to a database: what the server is sent, and what each of its answers means."""

from __future__ import annotations

import base64
import socket
import struct
from typing import Any

import pytest

from bkpaas.collect import collector
from collect.certificates import server_context
from collect.databases import (
    DENIED,
    NATIVE,
    OK,
    QUIT,
    SHA2,
    SSL,
    TOO_MANY,
    Database,
    greeting,
    packet,
    saying,
)
from collect.running import WANTED, collect, interpreters
from collect.servers import (
    Behaviour,
    Server,
    dripping,
    refusing,
    serving,
    silent,
    speaking,
)

PASSWORD = Database().password
ENDLESS = b"\xff\xff\xff\0"


def plan(
    port: int, password: str = PASSWORD, seconds: float = 9, database: str = "open_paas"
) -> dict[str, Any]:
    login = {"user": "op", "password": password, "database": database}
    ask = {"name": "database", "host": "127.0.0.1", "port": port, "seconds": seconds, "mysql": login}
    return {"visit": 2, "seconds": 20, "tcp": [ask]}


def log_in(
    visit: Any, behaviour: Behaviour, *words: Any, **options: Any
) -> tuple[dict[str, Any], list[bytes]]:
    """Return the answer of the collector, and what the server received."""
    with serving(behaviour) as server:
        answer = visit(plan(server.port, *words, **options))["tcp"]["database"]
    return answer, server.received


@pytest.mark.parametrize("default", [NATIVE, SHA2, "sha256_password"])
@pytest.mark.parametrize("plugin", [NATIVE, SHA2])
@pytest.mark.parametrize("password", [PASSWORD, ""])
@pytest.mark.parametrize("encrypted", [False, True])
def test_the_right_password_is_accepted(
    visit: Any, default: str, plugin: str, password: str, encrypted: bool
) -> None:
    tls = server_context()[1] if encrypted else None
    server = Database(password=password, default=default, plugin=plugin, tls=tls)
    answer, received = log_in(visit, server, password)
    assert answer["login"] == {"state": "accepted"} and answer["error"] is None
    assert base64.b64decode(answer["data"])[4:].startswith(b"\n8.0.36\0")
    assert received[-1] == QUIT
    assert not password or not any(password.encode() in data for data in received)


@pytest.mark.parametrize("python", WANTED)
@pytest.mark.parametrize("plugin", [NATIVE, SHA2])
def test_every_python_can_log_in(python: str, plugin: str) -> None:
    if python not in interpreters():
        pytest.skip(f"no Python {python} on this machine: not proved here")
    for tls in (None, server_context()[1]):
        with serving(Database(default=SHA2, plugin=plugin, cached=tls is None, tls=tls)) as server:
            answer = collect(plan(server.port), interpreters()[python])["tcp"]["database"]
        assert answer["login"] == {"state": "accepted"}


@pytest.mark.parametrize("plugin", [NATIVE, SHA2])
def test_a_wrong_password_is_refused(visit: Any, plugin: str) -> None:
    answer, received = log_in(visit, Database(plugin=plugin), "another")
    assert (answer["login"]["state"], answer["login"]["code"]) == ("refused", 1045)
    assert answer["login"]["text"].startswith("Access denied for user") and answer["error"] is None
    assert received[-1] == b""  # the refusal ends the connection


def test_the_password_itself_is_sent_over_tls_only(visit: Any) -> None:
    encrypted = Database(default=SHA2, plugin=SHA2, cached=False, tls=server_context()[1])
    answer, received = log_in(visit, encrypted)
    assert answer["login"] == {"state": "accepted"}
    assert received[-2][4:] == PASSWORD.encode() + b"\0" and received[-1] == QUIT
    answer, received = log_in(visit, Database(default=SHA2, plugin=SHA2, cached=False))
    assert answer["login"] == {"state": "needs-tls", "plugin": SHA2}
    assert not any(PASSWORD.encode() in data for data in received)


@pytest.mark.parametrize(
    ("plugin", "size"),
    [("client_ed25519", 64), ("dialog", 1), ("mysql_clear_password", 1), ("mysql_old_password", 9)],
)
def test_another_authentication_is_declined(visit: Any, plugin: str, size: int) -> None:
    answer, received = log_in(visit, Database(plugin=plugin))
    assert answer["login"] == {"state": "unsupported", "plugin": plugin}
    assert received[1] == packet(3, b"\0" * size) and received[2] == b""


def test_the_request_for_the_old_authentication_has_no_name(visit: Any) -> None:
    answer, _ = log_in(visit, saying(packet(2, b"\xfe"), packet(4, DENIED)))
    assert answer["login"] == {"state": "unsupported", "plugin": "mysql_old_password"}


def test_without_a_database_none_is_named(visit: Any) -> None:
    for name in ("open_paas", ""):
        answer, received = log_in(visit, saying(packet(2, OK)), database=name)
        assert answer["login"] == {"state": "accepted"}
        assert bool(struct.unpack("<I", received[0][4:8])[0] & 8) is bool(name)
        assert (b"open_paas\0" in received[0]) is bool(name)


def test_too_many_connections_are_reported_instead_of_a_greeting(visit: Any) -> None:
    answer, _ = log_in(visit, speaking(packet(0, TOO_MANY)))
    assert answer["login"] == {"state": "refused", "code": 1040, "text": "Too many connections"}
    assert answer["error"] is None


def closes(connection: socket.socket, server: Server) -> None:
    """Close without a word."""


@pytest.mark.parametrize(("behaviour", "kind"), [(silent, "silent"), (closes, "empty")])
def test_without_a_greeting_the_connection_failed(visit: Any, behaviour: Behaviour, kind: str) -> None:
    answer, _ = log_in(visit, behaviour, seconds=2)
    assert answer["error"]["kind"] == kind and "login" not in answer and answer["data"] == ""


def test_refused_connections_are_refused(visit: Any) -> None:
    with refusing() as closed:
        answer = visit(plan(int(closed.rsplit(":", 1)[1].strip("/"))))["tcp"]["database"]
    assert answer["error"] == {"kind": "refused", "text": "Connection refused"} and "login" not in answer


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        pytest.param(speaking(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol", id="ssh"),
        pytest.param(speaking(packet(0, b"\n5.7")), "protocol", id="half-a-greeting"),
        pytest.param(speaking(packet(0, b"\x09" + greeting()[1:])), "protocol", id="protocol-9"),
        pytest.param(speaking(packet(0, greeting(flags=0x0008A209 & ~0x8000))), "protocol", id="before-4.1"),
        pytest.param(
            speaking(packet(0, greeting(nonce=b"0123456789abcdefghijklmn"))), "empty", id="long-nonce"
        ),
        pytest.param(speaking(packet(0, b"\xff")), "protocol", id="half-an-error"),
        pytest.param(speaking(packet(0, b"")), "protocol", id="nothing-in-it"),
        pytest.param(speaking(ENDLESS + b"\n" + b"8" * 70000), "protocol", id="huge-greeting"),
        pytest.param(dripping(b"\x00\x30\0\0\n"), "silent", id="drips"),
        pytest.param(saying(b""), "silent", id="silent-after-the-login"),
        pytest.param(saying(packet(2, b"\x05what")), "protocol", id="garbage-after-the-login"),
        pytest.param(saying(packet(2, b"\1\4")), "protocol", id="wants-the-password-without-a-reason"),
        pytest.param(saying(packet(2, b"\xfe" + SHA2.encode() + b"\0short")), "protocol", id="short-nonce"),
        pytest.param(saying(ENDLESS + b"\0" * 70000), "protocol", id="huge-answer"),
        pytest.param(saying(packet(2, b"\1\3") * 20), "protocol", id="never-decides"),
    ],
)
def test_after_the_read_start_it_is_the_login_that_failed(
    visit: Any, behaviour: Behaviour, kind: str
) -> None:
    answer, received = log_in(visit, behaviour, seconds=2)
    assert answer["error"] is None and answer["data"]
    assert answer["login"]["state"] == "error" and answer["login"]["kind"] == kind and answer["login"]["text"]
    assert PASSWORD not in repr(answer) and not any(PASSWORD.encode() in data for data in received)


def test_a_server_that_offers_tls_and_has_none(visit: Any) -> None:
    answer, received = log_in(visit, speaking(packet(0, greeting(flags=0x0008A209 | SSL))), seconds=2)
    assert answer["login"]["state"] == "error" and answer["login"]["kind"] in ("tls", "reset", "silent")
    assert received == []


def test_words_before_the_encryption_are_not_taken_for_encrypted_ones(visit: Any) -> None:
    answer, _ = log_in(visit, speaking(packet(0, greeting(flags=0x0008A209 | SSL)) + packet(2, OK)))
    assert answer["login"] == {"state": "error", "kind": "protocol", "text": "more than a greeting"}


def test_a_server_that_stays_after_the_end_costs_little(visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "QUIT_SECONDS", 0.05)
    answer, _ = log_in(visit, keeping_open, seconds=9)
    assert answer["login"] == {"state": "accepted"} and answer["seconds"] < 8


def keeping_open(connection: socket.socket, server: Server) -> None:
    saying(packet(2, OK))(connection, server)
    server.over.wait()


COLUMN = b"\3def\0\0\0\1x\0\x0c\x21\0\x40\0\0\0\xfd\0\0\0\0\0"
END = b"\xfe\0\0\2\0"


def numbered(*payloads: bytes) -> bytes:
    return b"".join(packet(number, payload) for number, payload in enumerate(payloads, 1))


def results_of(visit: Any, *answers: bytes, names: tuple[str, ...] = ("status",)) -> tuple[Any, list[bytes]]:
    ask = plan(0)
    ask["tcp"][0]["statements"] = names
    with serving(saying(packet(2, OK), *answers)) as server:
        ask["tcp"][0]["port"] = server.port
        answer = visit(ask)["tcp"]["database"]
    return answer["login"], server.received


def test_a_statement_of_the_list_is_sent_and_its_rows_are_returned(visit: Any) -> None:
    long = b"\xfc" + struct.pack("<H", 300) + b"x" * 300
    rows = [b"\x04name\x03151", b"\x01n\xfb", b"\x01l" + long]
    login, received = results_of(visit, numbered(b"\2", COLUMN, COLUMN, END, *rows, END))
    assert login["results"] == {"status": {"rows": [["name", "151"], ["n", None], ["l", "x" * 300]]}}
    assert received[1][4:5] == b"\3" and received[1][5:].decode() == collector.DATABASE_STATEMENTS["status"]
    assert received[-1] == QUIT


def test_an_error_of_a_statement_does_not_end_the_others(visit: Any) -> None:
    error = b"\xff\x7a\x04#42S02Table 'open_paas.login_bklog' doesn't exist"
    login, received = results_of(
        visit, packet(1, error), numbered(b"\1", COLUMN, END, END), names=("login_bklog", "django_session")
    )
    assert login["results"]["login_bklog"] == {
        "code": 1146,
        "text": "Table 'open_paas.login_bklog' doesn't exist",
    }
    assert login["results"]["django_session"] == {"rows": []} and received[-1] == QUIT


@pytest.mark.parametrize(
    "answer",
    [
        packet(1, b"\xfb/etc/passwd"),  # a request for a local file
        packet(1, b"\0\0\0\2\0\0\0"),
        numbered(b"\1", COLUMN, END, b"\x7fshort"),
        numbered(b"\1", *[COLUMN] * 240),
        ENDLESS,
    ],
)
def test_another_answer_ends_the_connection(visit: Any, answer: bytes) -> None:
    login, received = results_of(visit, answer, names=("status", "grants"))
    assert login["state"] == "accepted"
    assert login["results"]["status"]["kind"] == "protocol" and "grants" not in login["results"]
    assert received[-1] != QUIT


def test_a_statement_that_is_not_in_the_list_is_not_sent(visit: Any) -> None:
    login, received = results_of(visit, names=("DROP TABLE x",))
    assert "kind" in login["results"]["DROP TABLE x"] and not any(b"DROP" in data for data in received)
