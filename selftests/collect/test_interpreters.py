"""The collector gives the same answer on every Python that a host may have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import collector, program
from collect.certificates import authority
from collect.running import WANTED, collect, converse, interpreters
from collect.servers import answering, serving, speaking

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n"


@pytest.fixture(params=WANTED)
def python(request: pytest.FixtureRequest) -> str:
    if request.param not in interpreters():
        pytest.skip(f"no Python {request.param} on this machine: not proved here")
    return interpreters()[request.param]


def home_with_everything(root: Path) -> None:
    for folder in ("etc/nginx", "logs/open_paas", ".envs/open_paas/bin"):
        (root / folder).mkdir(parents=True)
    (root / "etc/supervisor-open_paas.conf").write_text("[supervisord] ; 注释\n", encoding="utf-8")
    (root / "etc/nginx/main.conf").write_text("http { include sites/*.conf; # include gone.conf;\n}")
    (root / "etc/nginx/sites").mkdir()
    (root / "etc/nginx/sites/paas.conf").write_text("upstream OPEN_PAAS { server 10.0.1.3:8001; }")
    (root / "logs/open_paas/login.log").write_bytes(b"old\n" * 1000 + b"\xff\xfe\x00 new\n")
    ctl = root / ".envs/open_paas/bin/supervisorctl"
    ctl.write_text('#!/bin/sh\necho "login RUNNING"; echo "$@" >&2; exit 3\n')
    ctl.chmod(0o755)


def test_same_answer_everywhere(python: str, tmp_path: Path) -> None:
    home_with_everything(tmp_path)
    home = str(tmp_path)
    with serving(answering(CHUNKED)) as web, serving(speaking(b"5.7.40\0")) as database:
        answer = collect(
            {
                "visit": 1,
                "homes": ["/nowhere", home],
                "processes": {"environ": ["PROXY_TEST"], "cmdline_bytes": 200},
                "sockets": True,
                "addresses": True,
                "disks": ["/", "/nowhere"],
                "files": [{"name": "conf", "path": "{home}/etc/*.conf", "read": 1000, "most": 5}],
                "tails": [{"name": "log", "path": "{home}/logs/open_paas/*login*", "bytes": 8, "most": 2}],
                "nginx": {"confs": ["{home}/etc/nginx/main.conf"], "most": 10, "bytes": 1000},
                "supervisor": [
                    {"name": "open_paas", "conf": "{home}/etc/supervisor-open_paas.conf", "seconds": 8}
                ],
                "time_daemon": {"seconds": 5},
                "resolve": [{"name": "localhost", "seconds": 5}],
                "http": [
                    {"name": "web", "url": web.url, "seconds": 9, "bytes": 99, "headers": {"Host": "paas.x"}}
                ],
                "tcp": [{"name": "db", "host": "127.0.0.1", "port": database.port, "seconds": 9, "read": 64}],
            },
            python,
        )
    assert answer["errors"] == {}
    assert answer["home"] == home
    conf = f"{home}/etc/supervisor-open_paas.conf"
    assert [(e["path"], e["type"], e["text"]) for e in answer["files"]["conf"]] == [
        (conf, "file", "[supervisord] ; 注释\n")
    ]
    (tail,) = answer["tails"]["log"]
    assert (tail["text"], tail["offset"]) == ("\ufffd\ufffd\0 new\n", tail["size"] - 8)
    assert [Path(e["path"]).name for e in answer["nginx"]["files"]] == ["main.conf", "paas.conf"]
    reported = answer["supervisor"]["open_paas"]
    assert (reported["rc"], reported["out"], reported["err"]) == (3, "login RUNNING\n", f"-c {conf} status\n")
    assert reported["argv"][1:] == ["-c", conf, "status"] and reported["error"] is None
    assert answer["http"]["web"]["body"] == "hello!" and answer["http"]["web"]["status"] == 200
    assert (
        web.received[0].startswith(b"GET /healthz/ HTTP/1.1\r\n")
        and b"\r\nHost: paas.x\r\n" in web.received[0]
    )
    assert answer["tcp"]["db"]["data"] == "NS43LjQwAA==" and answer["tcp"]["db"]["error"] is None
    assert (
        "127.0.0.1" in answer["resolve"]["localhost"]["addresses"]
        and ["127.0.0.1", "lo"] in answer["addresses"]
    )
    first = next(one for one in answer["processes"] if one["pid"] == 1)
    assert first["argv"] and first["start"] > 0 and first["uid"] == 0
    assert answer["disks"][0]["bytes"] > 0 and answer["disks"][1]["error"] == "No such file or directory"
    assert set(answer["system"]) >= {
        "hostname",
        "kernel",
        "boot_time",
        "time",
        "utc_offset",
        "zone",
        "localtime",
    }
    assert set(answer["time_daemon"]) == {"chronyd", "chronyc", "ntpd", "ntpq"}


def test_certificates_are_verified(python: str) -> None:
    with authority() as (pem, url):
        answer = collect(
            {
                "http": [
                    {"name": "known", "url": url, "seconds": 9, "ca_pem": pem},
                    {"name": "unknown", "url": url, "seconds": 9, "ca_pem": None},
                ]
            },
            python,
        )["http"]
    assert (answer["known"]["status"], answer["known"]["error"]) == (200, None)
    assert answer["unknown"]["status"] is None and answer["unknown"]["error"]["kind"] == "tls"


def test_clock_lines_are_answered_before_and_between_plans(python: str) -> None:
    plan = program.plan_lines({"disks": ["/"]})
    events: list[Any] = converse(b"clock 0\nclock 1\n" + plan + b"clock 2\n" + plan, python)
    assert [word for word, _ in events] == ["ready", "clock", "clock", "answer", "clock", "answer"]
    clocks = [value for word, value in events if word == "clock"]
    assert [key for key, _ in clocks] == ["0", "1", "2"]
    assert clocks[0][1] < clocks[1][1] < clocks[2][1]


def test_plan_as_argument(python: str) -> None:
    result = subprocess.run(
        [python, "-E", "-s", "-S", "-B", "-c", program.boot({"disks": ["/"]})],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=240,
    )
    events = list(program.AnswerParser(1_000_000).feed(result.stdout))
    assert [word for word, _ in events] == ["ready", "clock", "answer", "clock"]
    assert events[2][1]["disks"][0]["bytes"] > 0


def test_pinned_it_runs_this_program_and_no_other(python: str) -> None:
    line = [python, "-E", "-s", "-S", "-B", "-c", program.boot(pinned=True)]
    for sent, words in (
        (program.packed(), [b"ready", b"answer", b"end"]),
        (program.packed()[:-1] + b"x", []),
    ):
        stdin = sent + program.plan_lines({"disks": ["/"]})
        done = subprocess.run(line, input=stdin, capture_output=True, timeout=240)
        reported = [row.split()[1] for row in done.stdout.splitlines() if row.startswith(b"@@bkpaas ")]
        assert (reported, done.stderr) == (words, b"")


def test_syntax_and_modules_are_of_python_2_6() -> None:
    vermin = str(Path(sys.executable).with_name("vermin"))
    command = [vermin, "-t=2.6-", "-t=3.0-", "--violations", "--no-tips", collector.__file__]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
