"""Hosts that are neither down nor well: dead workers, clocks that follow themselves, serious lines of nginx."""

from datetime import timedelta, timezone

import pytest

from bkpaas.facts.logs import logs
from bkpaas.facts.secrets import Secrets
from bkpaas.facts.timedaemon import time_daemon
from bkpaas.facts.workers import full_queues, worker_deaths

UTC = timezone(timedelta(0))
NOON = 1795953600.0  # 2026-11-29 12:00:00 UTC


def log(text, mtime=NOON, path="/l/login_uwsgi.log"):
    return {"path": path, "type": "file", "mode": 0o644, "mtime": mtime, "text": text}


@pytest.mark.parametrize(
    ("line", "time", "signal"),
    [
        (
            "Sun Nov 29 11:59:00 2026 - DAMN ! worker 1 (pid: 5) died, killed by signal 9 :( trying respawn ...",
            -60,
            9,
        ),
        (
            "Sun Nov 29 19:59:00 2026 - DAMN ! worker 1 (pid: 5) died, killed by signal 11 :( trying respawn ...",
            -60,
            11,
        ),
        ("DAMN ! worker 2 (pid: 5) died, killed by signal 9 :( trying respawn ...", None, 9),
        ("DAMN ! worker 2 (pid: 5) died :( trying respawn ...", None, None),
        ("[2026-11-29 19:59:00 +0800] [3] [CRITICAL] WORKER TIMEOUT (pid:5)", -60, None),
        (
            "[2026-11-29 11:59:00 +0000] [3] [WARNING] Worker with pid 5 was terminated due to signal 9",
            -60,
            9,
        ),
        (
            "[2026-11-29 11:59:00 +0000] [3] [ERROR] Worker (pid:5) was sent SIGKILL! Perhaps out of memory?",
            -60,
            None,
        ),
    ],
)
def test_dead_workers(line, time, signal):
    [death] = worker_deaths({"uwsgi-log-login": [log(line + "\n")]}, UTC)
    assert (death.service, death.signal) == ("login", signal)
    assert death.time == (None if time is None else NOON + time)


@pytest.mark.parametrize(
    "line",
    ["worker 1 killed successfully (pid: 5)", "...The work of process 5 is done. Seeya!", "[1] DAMN"],
)
def test_workers_that_end_by_themselves(line):
    assert worker_deaths({"uwsgi-log-login": [log(line + "\n")]}, UTC) == ()


NTPQ = """     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
{mark}{remote} {refid} 3 u 33 64 377 0.4 0.01 0.02
"""


@pytest.mark.parametrize(
    ("remote", "refid", "expected"),
    [
        ("10.0.0.1", "10.0.0.9", True),
        ("127.127.1.0", ".LOCL.", False),
        ("LOCAL(0)", ".LOCL.", False),
        ("127.127.20.0", ".GPS.", True),
    ],
)
def test_ntpd_that_follows_its_own_clock(remote, refid, expected):
    out = NTPQ.format(mark="*", remote=remote, refid=refid)
    assert time_daemon({"ntpd": 5, "ntpq": {"out": out}}, Secrets()).synchronised is expected


@pytest.mark.parametrize(
    ("reference", "leap", "expected"),
    [
        ("0A000001 (10.0.0.1)", "Normal", True),
        ("7F7F0101 ()", "Normal", False),
        ("00000000 ()", "Not synchronised", False),
    ],
)
def test_chronyd_that_follows_its_own_clock(reference, leap, expected):
    out = f"Reference ID    : {reference}\nStratum         : 3\nLeap status     : {leap}\n"
    assert time_daemon({"chronyd": 5, "chronyc": {"out": out}}, Secrets()).synchronised is expected


def nginx(*texts):
    lines = "".join(f"2026/11/29 11:59:00 {text}\n" for text in texts)
    return logs({"nginx-error-log": [log(lines, path="/l/error.log")]}, 0, Secrets()).nginx_errors


def test_serious_lines_of_nginx_count_for_every_subject():
    hits = nginx(
        "[alert] 1#1: 1024 worker_connections are not enough", "[emerg] 1#1: bind() to 0.0.0.0:80 failed"
    )
    assert [hit.level for hit in hits] == ["alert", "emerg"]


def test_a_refused_upload_is_kept_next_to_many_errors():
    other = '[error] 1#1: *1 connect() failed while connecting to upstream, server: a, upstream: "http://1.1.1.1:1/"'
    hits = nginx(
        "[error] 1#1: *1 client intended to send too large body: 3145728 bytes, server: a", *[other] * 100
    )
    assert sum("too large body" in hit.text for hit in hits) == 1


def test_lines_that_clients_cause_do_not_count():
    assert (
        nginx(
            "[crit] 1#1: *1 SSL_do_handshake() failed (SSL: error) while SSL handshaking, client: 1.1.1.1, server: a",
            '[error] 1#1: *1 open() "/favicon.ico" failed (2: No such file or directory), server: a',
        )
        == ()
    )


def test_the_lines_of_a_server_block_are_kept_next_to_many_of_another():
    other = '[error] 1#1: *1 connect() failed while connecting to upstream, server: other, upstream: "http://1.1.1.1:1/"'
    hits = nginx(other.replace("server: other", "server: ours"), *[other] * 100)
    assert {hit.server for hit in hits} == {"ours", "other"}


@pytest.mark.parametrize("prefix", ["Sun Nov 29 11:59:00 2026 - ", "Sun Nov 29 19:59:00 2026 - "])
def test_full_queues(prefix):
    """uwsgi writes the time of the host, or of the zone that Django has set."""
    line = f'{prefix}*** uWSGI listen queue of socket ":8003" (fd: 3) full !!! (101/100) ***\n'
    [full] = full_queues({"uwsgi-log-login": [log(line)]}, UTC)
    assert (full.service, full.used, full.size, full.time) == ("login", 101, 100, NOON - 60)


def test_other_lines_are_no_full_queue():
    text = "*** uWSGI is running in multiple interpreter mode ***\nyour server socket listen backlog is limited to 100\n"
    assert full_queues({"uwsgi-log-login": [log(text)]}, UTC) == ()
