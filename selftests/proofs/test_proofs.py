"""The proofs' own parts: what a net takes for a violation, what the search finds, what a figure says."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import layouts
from selftests.proofs import allowed, deeds
from selftests.proofs.canaries import ALL_SHAPES, PLACES, Canaries, spelled
from selftests.proofs.engines import differences
from selftests.proofs.figures import Figures
from selftests.proofs.on_host import listing
from selftests.proofs.programs import Trace

TRACE = r"""
100 clone(child_stack=NULL, flags=SIGCHLD) = 7 /* 101 in strace's PID NS */
101 execve("/usr/bin/python3", ["python3", "-E", "-s", "-S", "-B", "-c", "code"], 0x1 /* 9 vars */) = 0
101 openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
101 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
102 execve("/usr/bin/true", ["true", "now"], 0x1 /* 9 vars */ <unfinished ...>
101 <... clone resumed>) = 8 /* 102 in strace's PID NS */
102 <... execve resumed>) = 0
102 openat(AT_FDCWD, "/tmp/x", O_WRONLY|O_CREAT, 0666) = 4
101 kill(-8 /* 102 in strace's PID NS */, SIGKILL) = 0
101 kill(-9 /* 555 in strace's PID NS */, SIGKILL) = 0
100 openat(AT_FDCWD, "/var/log/wtmp", O_WRONLY|O_APPEND) = 5
"""


def test_a_trace_is_read_with_the_tree_of_processes() -> None:
    trace = Trace.of(iter(TRACE.splitlines()))
    assert trace.collectors == {101} and trace.below({101}) == {101, 102}
    assert trace.started() == [["/usr/bin/true", "now"]]
    assert [call.split("(")[0] for call in trace.changes()] == ["openat", "kill"]
    assert "/tmp/x" in trace.changes()[0] and "555" in trace.changes()[1]


def request(
    line: str, sender: str, to: str, port: int, agent: str = "bkpaas-acceptance", **headers: str
) -> dict[str, object]:
    method, path = line.split(" ")
    names = {"host": f"{to}:{port}", "user-agent": agent} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return {"method": method, "path": path, "from": sender, "to": to, "port": port, "headers": names}


def test_requests_are_compared_with_the_list_and_its_senders() -> None:
    layout = layouts.load("a")
    listed = [
        request("GET /healthz/", "10.66.0.11", "10.66.0.11", 8003),
        request("GET /", "10.66.0.30", "10.66.0.12", 8000),
        request("GET /login/accounts/is_login/", "10.66.0.62", "10.66.0.30", 80, host="paas.bklab.test"),
    ]
    assert list(allowed.not_listed(listed, layout, "paas.bklab.test")) == []
    other = [
        request("POST /healthz/", "10.66.0.11", "10.66.0.11", 8003),
        request("GET /healthz/", "10.66.0.62", "10.66.0.11", 8003),
        request("GET /logout/", "10.66.0.11", "10.66.0.11", 8003),
    ]
    assert len(list(allowed.not_listed(other, layout, "paas.bklab.test"))) == 3
    assert allowed.is_proxied(
        request("GET /", "10.66.0.30", "10.66.0.11", 8001, x_real_ip="10.66.0.1"), layout
    )
    assert not allowed.is_proxied(
        request("GET /", "10.66.0.62", "10.66.0.11", 8001, x_real_ip="10.66.0.1"), layout
    )
    services = [request("GET /v1/app/healthz", "10.66.0.11", "10.66.0.41", 4245, "python-requests/2.28.1")]
    assert list(allowed.unexpected_of_others(services)) == []
    services += [request("POST /v1/app/healthz", "10.66.0.11", "10.66.0.41", 4245, "python-requests/2.28.1"),
                 request("GET /v1/app/healthz", "10.66.0.11", "10.66.0.41", 4245, "")]  # fmt: skip
    assert len(list(allowed.unexpected_of_others(services))) == 2


def test_commands_and_statements_are_compared_with_the_lists() -> None:
    commands = [
        ("a", "PING"),
        ("a", "CONFIG GET maxmemory"),
        ("a", "COMMAND INFO rpush"),
        ("b", "RPUSH paas_app_log x"),
        ("c", "SET x 1"),
        ("c", "CONFIG SET x 1"),
        ("c", "ACL SETUSER x"),
    ]
    assert allowed.redis_commands(commands) == (3, ["c: SET x 1", "c: CONFIG SET x 1", "c: ACL SETUSER x"])
    own = [
        "Connect open_paas@10.66.0.11",
        *(f"Query {line.strip(' -`')}" for line in allowed.safety.statements("en") if line[0] == " "),
    ]
    found = {"1": [*own, "Quit"], "2": ["Connect open_paas@10.66.0.12", "Query SELECT id FROM x", "Query DELETE FROM x"],
             "3": ["Connect root@localhost", "Query SET GLOBAL general_log=OFF"]}  # fmt: skip
    assert allowed.database_statements(found) == (1, ["Connect open_paas@10.66.0.12: Query DELETE FROM x"])


def test_programs_are_compared_with_the_list() -> None:
    listed = [
        ["/x/python", "/x/supervisorctl", "-c", "/x.conf", "status"],
        ["/usr/bin/chronyc", "-h", "127.0.0.1", "-n", "tracking"],
    ]
    assert allowed.other_programs(
        [*listed, ["/usr/bin/true"], ["/x/supervisorctl", "-c", "/x.conf", "restart", "all"]]
    ) == [
        "/usr/bin/true",
        "/x/supervisorctl -c /x.conf restart all",
    ]


@pytest.mark.parametrize("name", deeds.DEEDS)
def test_every_deed_is_a_program(name: str) -> None:
    compile(deeds.changed(name).split(b"\f")[0], name, "exec")
    assert deeds.changed(name).endswith(deeds.original())


def test_every_net_has_a_deed() -> None:
    assert {net for net, _, _ in deeds.SIGNS} >= {
        "files",
        "calls",
        "programs",
        "left",
        "others",
        "redis",
        "database",
    }
    compile(deeds.changed(deeds.ALL).split(b"\f")[0], "all", "exec")


def test_canaries_are_found_in_every_spelling() -> None:
    canaries = Canaries(None)  # type: ignore[arg-type]
    secret = canaries.new()
    for text in spelled(secret):
        assert canaries.found_in(text.encode()) == {secret}, text
    assert canaries.found_in(b"nothing") == set()
    assert len(ALL_SHAPES) * len(PLACES) > 150


def test_figures_are_written_as_they_are_measured(tmp_path: Path) -> None:
    lines: list[str] = []
    figures = Figures(lines.append)
    assert not figures.ok
    figures.none("files", [])
    figures.caught("a file", ["x"])
    assert figures.ok
    figures.none("others", ["x"])
    figures.write(tmp_path / "report/proof.json", commit="abc")
    record = json.loads((tmp_path / "report/proof.json").read_text())
    assert record["figures"][0] == {"n": 1, "what": "files", "value": 0, "goal": "0", "ok": True}
    assert [figure["ok"] for figure in record["figures"]] == [True, True, False] and record["commit"] == "abc"
    assert not figures.ok and any("FAIL others" in line for line in lines)


def test_verdicts_through_an_engine_are_compared_with_those_over_ssh() -> None:
    ssh = {"clock-all@a": "pass", "disk-space@a": "pass", "disk-space@b": "pass", "resolver-slow@a": "pass"}
    assert differences(ssh, ssh, ()) == {}
    words = {**dict.fromkeys(ssh, "no_data"), "resolver-slow@a": "warn"}
    found = {
        "clock-all@a": "clock",
        "disk-space@a": "",
        "disk-space@b": "no answer",
        "resolver-slow@a": "duration",
    }
    assert differences(words, ssh, ["b"]) == found
    assert set(differences({**ssh, "clock-all@a": "fail", "disk-space@b": "pass"}, ssh, ["b"]).values()) == {
        ""
    }
    assert differences({}, ssh, ["a", "b"]) == dict.fromkeys(ssh, "")


def test_read_only_mounts_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing.os.path, "ismount", lambda path: path != "/opt")
    monkeypatch.setattr(
        listing.os,
        "statvfs",
        lambda path: SimpleNamespace(f_flag=listing.os.ST_RDONLY if path == "/ro" else 0),
    )
    assert [listing.is_skipped(path) for path in ("/proc", "/ro", "/rw", "/opt")] == [
        True,
        True,
        False,
        False,
    ]
