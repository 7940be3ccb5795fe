"""Servers that misbehave: every failure has its kind and costs only its own limit."""

from __future__ import annotations

import base64
import contextlib
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import collector
from collect.running import SYSTEM, collect, needs_root
from collect.servers import (
    Behaviour,
    Server,
    answering,
    closing,
    dripping,
    endless,
    keeping,
    never_accepting,
    refusing,
    resetting,
    serving,
    silent,
    speaking,
)

OK = b"HTTP/1.1 200 OK\r\n"


def get(visit: Any, url: str, seconds: float = 9, **ask: Any) -> dict[str, Any]:
    answer = visit({"http": [{"name": "it", "url": url, "seconds": seconds, "bytes": 1000, **ask}]})
    one: dict[str, Any] = answer["http"]["it"]
    return one


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        pytest.param(silent, "silent", id="never-answers"),
        pytest.param(dripping(b""), "protocol", id="drips-garbage"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\nX: "), "silent", id="drips-head"),
        pytest.param(dripping(OK + b"Content-Length: 9000\r\n\r\n"), "silent", id="drips-body"),
        pytest.param(dripping(OK + b"\r\n"), "silent", id="drips-body-without-length"),
        pytest.param(closing, "empty", id="closes-at-once"),
        pytest.param(resetting, "reset", id="resets"),
        pytest.param(answering(b"SSH-2.0-OpenSSH_9.2\r\n"), "protocol", id="other-protocol"),
        pytest.param(answering(b"HTTP/1.1 abc\r\n\r\n"), "protocol", id="no-status"),
        pytest.param(answering(OK + b"X: " + b"y" * 70000 + b"\r\n\r\n"), "protocol", id="endless-head"),
        pytest.param(answering(OK + b"Content-Length: 10\r\n\r\nhalf"), "protocol", id="half-a-body"),
        pytest.param(
            answering(OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
            "protocol",
            id="half-the-chunks",
        ),
    ],
)
def test_failures(visit: Any, behaviour: Behaviour, kind: str) -> None:
    with serving(behaviour) as server:
        one = get(visit, server.url, seconds=2)
    assert one["error"]["kind"] == kind and one["error"]["text"]
    assert one["peer"] == f"127.0.0.1:{server.port}"


def test_what_came_before_the_end_of_time_is_kept(visit: Any) -> None:
    with serving(dripping(OK + b"Server: slow\r\nContent-Length: 9000\r\n\r\nbegin ")) as server:
        one = get(visit, server.url, seconds=2)
    assert (one["status"], one["headers"][0]) == (200, ["Server", "slow"])
    assert one["body"].startswith("begin ") and one["error"]["kind"] == "silent"


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        pytest.param(OK + b"Content-Length: 5\r\n\r\nhello and more", 200, "hello and more", id="length"),
        pytest.param(OK + b"\r\nhello", 200, "hello", id="until-closed"),
        pytest.param(b"HTTP/1.0 502 Bad Gateway\r\n\r\n", 502, "", id="http-1-0"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"\r\nlate", 200, "late", id="continue-first"),
        pytest.param(b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", 204, "", id="no-content"),
        pytest.param(OK + b"\r\n\xe4\xbd\xa0\xff", 200, "你\ufffd", id="binary"),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 302, "", id="redirect"
        ),
    ],
)
def test_answers(visit: Any, raw: bytes, status: int, body: str) -> None:
    with serving(answering(raw)) as server:
        one = get(visit, server.url)
    assert (one["status"], one["body"], one["error"], one["truncated"]) == (status, body, None, False)
    assert len(server.received) == 1  # a redirect is reported, not followed


def test_pieces_that_come_one_by_one(visit: Any) -> None:
    raw = OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"3\r\nabc\r\n" * 4 + b"0\r\n\r\n"
    with serving(answering(*[raw[at : at + 1] for at in range(len(raw))])) as server:
        assert get(visit, server.url)["body"] == "abc" * 4


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        pytest.param(b"Content-Length: 5\r\n\r\nhello", "hello", id="length"),
        pytest.param(b"Content-Length: 0\r\n\r\n", "", id="nothing"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", id="chunks"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\n\r\n3\r\n0\r\n\r\n3;x\r\nabc\r\n0\r\nT: v\r\n\r\n",
            "0\r\nabc",
            id="chunk-that-looks-like-the-end",
        ),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 1500, "x" * 1000, id="long-chunk"),
    ],
)
def test_the_end_is_seen_though_the_connection_stays(visit: Any, raw: bytes, body: str) -> None:
    for pieces in ([OK + raw], [OK, raw]):
        with serving(keeping(*pieces)) as server:
            one = get(visit, server.url, seconds=2 if "x" in body else 9)
        assert (one["status"], one["body"]) == (200, body)
        assert bool(one["error"]) == ("x" in body)


def test_a_hundred_megabytes_are_cut(visit: Any) -> None:
    with serving(endless) as server:
        one = get(visit, server.url)
    assert (one["body"], one["truncated"], one["error"]) == ("x" * 1000, True, None)


def test_request_is_one_get_with_the_headers_of_the_plan(visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    with serving(answering(OK + b"\r\n")) as server:
        get(visit, server.url + "?a=b", headers={"Host": "paas.bk.com", "X-Bad": "a\r\nPOST / HTTP/1.1"})
    (sent,) = server.received
    assert sent.split(b"\r\n") == [
        b"GET /healthz/?a=b HTTP/1.1",
        b"Accept: */*",
        b"Connection: close",
        b"Host: paas.bk.com",
        b"User-Agent: bkpaas-acceptance",
        b"X-Bad: a  POST / HTTP/1.1",
        b"",
        b"",
    ]


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "http://127.0.0.1/a b", "http://[::1", ""])
def test_invalid_urls(visit: Any, url: str) -> None:
    assert get(visit, url)["error"] == {"kind": "other", "text": "ValueError: not a URL"}


def test_refused_and_never_accepted(visit: Any) -> None:
    with refusing() as closed, never_accepting() as full:
        asks = [
            {"name": name, "url": url, "seconds": 0.7} for name, url in (("refused", closed), ("full", full))
        ]
        answer = visit({"http": asks})["http"]
    assert answer["refused"]["error"] == {"kind": "refused", "text": "Connection refused"}
    assert answer["full"]["error"] == {"kind": "timeout", "text": "no connection in time"}


def test_first_words_of_a_database(visit: Any) -> None:
    with serving(speaking(b"J\0\0\0\n5.7.40\0")) as good, serving(silent) as mute, serving(closing) as shut:
        asks = [
            {"name": name, "host": "127.0.0.1", "port": server.port, "seconds": 0.7, "read": 64}
            for name, server in (("good", good), ("mute", mute))
        ]
        asks.append({"name": "open", "host": "127.0.0.1", "port": shut.port, "seconds": 5, "read": 0})
        answer = visit({"tcp": asks})["tcp"]
    assert base64.b64decode(answer["good"]["data"]) == b"J\0\0\0\n5.7.40\0"
    assert answer["mute"]["error"]["kind"] == "silent" and answer["mute"]["peer"]
    assert answer["open"]["error"] is None and answer["open"]["data"] == ""


def conversing(*rounds: bytes) -> Behaviour:
    """Read some bytes before each of these answers, then close."""

    def behave(connection: socket.socket, server: Server) -> None:
        for answer in rounds:
            server.received.append(connection.recv(65536))
            connection.sendall(answer)
        connection.recv(65536)

    return behave


def converse(visit: Any, server: Server, **ask: Any) -> dict[str, Any]:
    one = {"name": "it", "host": "127.0.0.1", "port": server.port, "seconds": 5, "read": 1000, **ask}
    answer: dict[str, Any] = visit({"tcp": [one]})["tcp"]["it"]
    return answer | {"data": base64.b64decode(answer["data"])}


def test_only_the_requested_lines_are_read(visit: Any) -> None:
    with serving(conversing(b"+OK\r\n+PO", b"never")) as server:
        one = converse(visit, server, send="PING\r\n\u4f60", lines=2, seconds=2)
        assert server.received[0] == b"PING\r\n\xe4\xbd\xa0"
    assert one["data"] == b"+OK\r\n+PO" and one["error"]["kind"] == "silent"
    with serving(conversing(b"+OK\r\n+PONG\r\n", b"never")) as server:
        one = converse(visit, server, send="PING\r\n", lines=2)
    assert one["data"] == b"+OK\r\n+PONG\r\n" and one["error"] is None
    assert [data for data in server.received if data] == [b"PING\r\n"]


def test_a_reply_that_ends_early_is_reported(visit: Any) -> None:
    with serving(answering(b"-DENIED\r\n")) as server:
        one = converse(visit, server, send="PING\r\n", lines=2)
    assert one["data"] == b"-DENIED\r\n" and one["error"] == {"kind": "empty", "text": "closed in the middle"}


def test_no_more_is_read_than_requested(visit: Any) -> None:
    with serving(answering(b"x" * 5000)) as server:
        one = converse(visit, server, send="PING\r\n", lines=2)
    assert len(one["data"]) == 1000 and one["error"] is None


@pytest.mark.parametrize(("first", "sent"), [(b":999\r\n", 1), (b":1000\r\n", 2)])
def test_a_request_is_repeated_only_on_a_match(visit: Any, first: bytes, sent: int) -> None:
    with serving(conversing(first, b":1001\r\n", b":1002\r\n")) as server:
        again = {"when": ":[0-9]{4,}\r", "seconds": 0.01}
        one = converse(visit, server, send="LLEN x\r\n", lines=1, again=again)
    assert server.received[:sent] == [b"LLEN x\r\n"] * sent
    assert one["data"] == (first + b":1001\r\n" if sent == 2 else first) and one["error"] is None


@needs_root
def test_network_without_a_route(tmp_path: Path) -> None:
    """In a network of its own: no route, names that do not resolve, and a resolver that never answers."""
    hole = tmp_path / "hole.py"
    hole.write_text(
        "import os, socket, sys\n"
        "hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "hole.bind(('127.0.0.1', 53))\n"
        "os.set_inheritable(hole.fileno(), True)\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    inside = f"mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && ip link set lo up && "
    around = ("unshare", "-mn", "sh", "-c", inside + f'exec {SYSTEM} {hole} "$@"', "sh")
    if subprocess.run(["unshare", "-mn", "true"], capture_output=True).returncode:
        pytest.skip("no namespaces on this machine")
    answer = collect(
        {
            "seconds": 20,
            "http": [
                {"name": "route", "url": "http://10.1.2.3/", "seconds": 3},
                {"name": "name", "url": "http://paas.bk.com/", "seconds": 1},
            ],
            "resolve": [{"name": "cmdb.bk.com", "seconds": 1}],
            "tcp": [{"name": "route", "host": "10.1.2.3", "port": 3306, "seconds": 3, "read": 1}],
        },
        SYSTEM,
        around=around,
    )
    assert answer["http"]["route"]["error"] == {"kind": "unreachable", "text": "Network is unreachable"}
    assert answer["tcp"]["route"]["error"]["kind"] == "unreachable"
    assert answer["http"]["name"]["error"]["kind"] == "resolve"
    assert answer["resolve"]["cmdb.bk.com"]["error"] == "no answer from the resolver in time"


def test_a_peer_that_never_stops_sending(visit: Any) -> None:
    """Each piece arrives within the smallest time-out: the limit of the whole request ends it."""

    def drip(connection: socket.socket, _: Any) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with serving(drip) as web:
        job = collector.Request(0.2, {"body": "", "headers": []}, collector.http, {"url": web.url})
        job.set_limit()
        job.until = job.begin  # over already
        job.run()
        assert job.failure == ("silent", "no complete answer in time")


def test_an_answer_of_tiny_chunks_that_has_no_end_is_not_complete(visit: Any) -> None:
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20000
    with serving(answering(data)) as web:
        (answer,) = visit({"http": [{"name": "x", "url": web.url, "seconds": 9, "bytes": 20000}]})[
            "http"
        ].values()
    assert answer["status"] == 200 and answer["truncated"] and len(answer["body"]) < 20000


ANSWER = b"\x85\x80\0\1\0\2\0\0\0\0"
"""Flags of an answer without error, and its numbers of questions and records."""


def test_the_addresses_of_a_dns_answer() -> None:
    """Skip the names of records, compressed or not, and other records than IPv4 addresses."""
    question = b"\4paas\2bk\3com\0\0\1\0\1"
    alias = b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\7\4vip1\xc0\x11"
    plain = b"\4vip1\2bk\3com\0\0\1\0\1\0\0\0\x3c\0\4\x0a\0\1\x09"
    data = b"ab" + ANSWER + question + alias + plain
    assert collector.dns_addresses(data, 12 + len(question), 2) == ["10.0.1.9"]
    assert collector.dns_addresses(data[:-3], 12 + len(question), 2) == []
    assert collector.dns_addresses(data[:12], 12, 9) == []


def test_routes_and_accounts(visit: Any) -> None:
    queries = [
        {"name": "routes", "seconds": 5, "routes": ["127.0.0.1", "255.255.255.255"]},
        {"name": "account-root", "seconds": 5, "account": "root"},
        {"name": "account-x", "seconds": 5, "account": "no-such-account"},
    ]
    answer = visit({"resolve": queries})["resolve"]
    assert answer["routes"]["addresses"] == ["127.0.0.1"]
    assert answer["routes"]["error"] == "255.255.255.255 EACCES"  # a broadcast address: not permitted
    assert answer["account-root"]["uid"] == 0 and answer["account-root"]["error"] is None
    assert answer["account-x"]["error"] == "no such account"


@needs_root
def test_one_nameserver(visit: Any) -> None:
    """Return what this nameserver has, also after a lost packet; its code where it has no address."""
    server, lost = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), [True]
    try:
        server.bind(("127.0.0.53", 53))
    except OSError:
        pytest.skip("port 53 is taken")

    def answer() -> None:
        for _ in range(3):
            data, client = server.recvfrom(512)
            if lost and lost.pop():
                continue
            found = b"\4gone" not in data
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\1\x09"
            head = b"\x85\x80\0\1\0\1\0\0\0\0" if found else b"\x85\x83\0\1\0\0\0\0\0\0"
            server.sendto(data[:2] + head + data[12:] + (record if found else b""), client)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    with server:
        query = {"server": "127.0.0.53", "seconds": 8}
        known = visit({"resolve": [{**query, "name": "nameserver-1", "domain": "paas.bk.com"}]})
        unknown = visit({"resolve": [{**query, "name": "nameserver-1", "domain": "gone.bk.com"}]})
        thread.join(10)
    assert known["resolve"]["nameserver-1"]["addresses"] == ["10.0.1.9"]
    assert unknown["resolve"]["nameserver-1"]["error"] == "rcode 3"


def test_sent_again_is_counted_for_each_connection(visit: Any) -> None:
    """On a network that loses nothing the count is 0, and nothing is repeated."""
    with serving(answering(OK + b"Content-Length: 2\r\n\r\nok")) as server:
        one = get(visit, server.url)
    assert one["retransmits"] == [0]


@pytest.mark.parametrize(
    ("counts", "path", "expected"),
    [
        ([1, 0, 1, 0, 0, 0, 9], "/", [1, 0, 1, 0, 0, 0]),
        ([0, 1], "/", [0]),
        ([1, 1], "/healthz/", [1]),
    ],
)
def test_a_request_that_lost_packets_is_repeated(
    monkeypatch: pytest.MonkeyPatch, counts: list[int], path: str, expected: list[int]
) -> None:
    left = list(counts)

    def function(job: Any, query: Any) -> None:
        job.answer.setdefault("retransmits", []).append(left.pop(0))

    monkeypatch.setattr(collector, "REPEAT_PAUSE", 0.001)
    query = {"url": f"http://10.0.0.1{path}"}
    job = collector.Job(8, {}, lambda job: None)
    function(job, query)
    collector.repeat_if_lossy(job, query, function)
    assert job.answer["retransmits"] == expected
    assert job.answer["seconds"] < 1
