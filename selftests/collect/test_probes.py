"""Requests of the controller through the domain: a slow server or a bad redirect costs only its own answer."""

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs

from bkpaas.collect.probes import probe
from bkpaas.inventory import load
from selftests.collect.servers import answering, serving

ROOT = Path(__file__).parents[2]


@pytest.fixture
def domain():
    """domain(port) -> a deployment whose domain is a port of this machine, with little patience."""
    known = load(ROOT / "inventory/lab")
    limits = structs.replace(known.limits, request_seconds=0.1, healthz_seconds=0.3)
    return lambda port: structs.replace(known, domain="localhost", port=port, scheme="http", limits=limits)


def dribble(connection, server):
    """A byte now and then: each comes in time, the answer never ends."""
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while not server.over.wait(0.05):
        connection.sendall(b"x")


def test_an_answer_that_never_ends_is_silence(domain):
    with serving(dribble) as server:
        answers = probe(domain(server.port))["http"]
    assert {answer["error"]["kind"] for answer in answers.values()} == {"silent"}


@pytest.mark.parametrize("place", ["http://localhost:99999/", "http://localhost:0/", "gopher://x/"])
def test_a_redirect_to_nowhere_ends_there(domain, place):
    head = f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with serving(answering(head.encode())) as server:
        answers = probe(domain(server.port))["http"]
    assert answers["redirect-1"]["status"] == 302 and "redirect-2" not in answers


def test_a_redirect_that_cannot_be_read_is_an_answer_that_is_not_http(domain):
    behaviour = answering(b"HTTP/1.1 302 Found\r\nLocation: http://[/\r\nContent-Length: 0\r\n\r\n")
    with serving(behaviour) as server:
        answers = probe(domain(server.port))["http"]
    assert {answer["error"]["kind"] for answer in answers.values()} == {"protocol"}


def test_a_request_under_way_does_not_hold_up_the_end_of_the_program(domain):
    program = f"""
import pathlib, threading
from bkpaas.collect.probes import probe
from bkpaas.inventory import load
from msgspec import structs
from selftests.collect.servers import Server
asked, server = threading.Event(), Server(lambda connection, server: server.over.wait())
server.on_first = asked.set
known = load(pathlib.Path({str(ROOT / "inventory/lab")!r}))
limits = structs.replace(known.limits, request_seconds=3600, healthz_seconds=3600)
known = structs.replace(known, domain="localhost", port=server.port, scheme="http", limits=limits)
threading.Thread(target=probe, args=(known,), daemon=True).start()
assert asked.wait(240)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
