"""Processes and sockets as the collector reports them."""

from __future__ import annotations

import errno
import os
import resource
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import collector
from collect.running import SYSTEM, UNPRIVILEGED, collect, needs_root

PLAN = {"processes": {"environ": ["http_proxy", "TZ"], "cmdline_bytes": 1000}, "sockets": True}
LISTEN = """
import socket, sys, time
tcp = socket.create_server(("127.0.0.1", 0), backlog=5)
unix = socket.socket(socket.AF_UNIX); unix.bind(sys.argv[1]); unix.listen(5)
print(tcp.getsockname()[1], flush=True)
time.sleep(60)
"""


def one(answer: dict[str, Any], pid: int) -> dict[str, Any]:
    return next(process for process in answer["processes"] if process["pid"] == pid)


def listener(answer: dict[str, Any], port: int) -> dict[str, Any]:
    return next(entry for entry in answer["listeners"] if entry["port"] == port)


def test_argv_environ_and_parent(spawn: Any) -> None:
    environ = {"http_proxy": "http://u:p@10.0.0.1:3128", "XTZ": "no", "TZ": "Asia/上海", "SECRET": "s3cret"}
    child = spawn("sleep", "60", env=environ)
    answer = collect(PLAN)
    reported = one(answer, child.pid)
    assert (reported["argv"], reported["name"], reported["ppid"], reported["uid"]) == (
        ["sleep", "60"],
        "sleep",
        os.getpid(),
        os.getuid(),
    )
    assert reported["environ"] == {"http_proxy": "http://u:p@10.0.0.1:3128", "TZ": "Asia/上海"}
    assert "s3cret" not in str(answer)
    assert reported["exe"].endswith("/sleep")
    assert reported["start"] >= one(answer, os.getpid())["start"]


def test_binary_garbage_in_command_lines(spawn: Any) -> None:
    child = spawn(b"\xff\x01(x) y", b"60", executable=b"/bin/sleep", env={b"TZ": b"\xff\xfe"})
    reported = one(collect(PLAN), child.pid)
    assert (reported["argv"], reported["environ"]) == (["\ufffd\x01(x) y", "60"], {"TZ": "\ufffd\ufffd"})


def test_variables_behind_the_first_page_of_an_environment(spawn: Any) -> None:
    environ = {"A": "x" * 4085, "TZ": "UTC-8", "B": "x" * 60000, "http_proxy": "http://p", "ZTZ": "no"}
    child = spawn("sleep", "60", env=environ)
    assert one(collect(PLAN), child.pid)["environ"] == {"TZ": "UTC-8", "http_proxy": "http://p"}


@pytest.mark.parametrize("limit", ["100", "unlimited"])
def test_limit_of_open_files_with_and_without_prlimit(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """Old Pythons have no prlimit, and a container may refuse it; then the file of the kernel says the same."""
    infinity = resource.RLIM_INFINITY
    soft = infinity if limit == "unlimited" else int(limit)
    monkeypatch.setattr(collector, "PRLIMIT", lambda pid, which: (soft, infinity))
    called = collector.read_limit(os.getpid())

    def refused(pid: int, which: int) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    monkeypatch.setattr(
        collector, "read_start", lambda path, size: f"Max open files   {limit}   9\n".encode()
    )
    read = []
    for way in (None, refused):
        monkeypatch.setattr(collector, "PRLIMIT", way)
        read.append(collector.read_limit(os.getpid()))
    assert [called, *read] == [None if limit == "unlimited" else 100] * 3


def test_limit_of_open_files_of_another_process(spawn: Any) -> None:
    child = spawn("sleep", "60", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (77, 99)))
    reported = one(collect(PLAN), child.pid)
    assert (reported["open_files"], reported["open_files_limit"]) == (3, 77)


def test_names_with_blanks_and_brackets(spawn: Any, public: Path) -> None:
    program = public / ") S 1 (x"
    program.symlink_to("/bin/sleep")
    child = spawn(str(program), "60")
    assert one(collect(PLAN), child.pid)["name"] == ") S 1 (x"


def test_command_lines_are_cut(spawn: Any) -> None:
    child = spawn(sys.executable, "-c", "import time; time.sleep(60)", "x" * 5000)
    plan = {"processes": {"environ": [], "cmdline_bytes": 100}}
    assert len("\0".join(one(collect(plan), child.pid)["argv"])) == 100


def test_this_program_and_its_shell_are_left_out(tmp_path: Path) -> None:
    answer = collect(PLAN, around=("/bin/sh", "-c", f'"$@"; : {collector.MARK} {tmp_path}', "sh"))
    assert str(tmp_path) not in str([process["argv"] for process in answer["processes"]])
    assert one(answer, os.getpid())  # who started the shell is not ours to hide


def test_owners_of_sockets(spawn: Any, public: Path) -> None:
    path = str(public / "supervisor.sock")
    child = spawn(sys.executable, "-c", LISTEN, path, stdout=subprocess.PIPE)
    port = int(child.stdout.readline())
    waiting = socket.create_connection(("127.0.0.1", port))
    answer = collect(PLAN)
    waiting.close()
    reported = listener(answer, port)
    assert (reported["address"], reported["family"], reported["queue"], reported["pids"]) == (
        "127.0.0.1",
        4,
        1,
        [child.pid],
    )
    (unix,) = [entry for entry in answer["unix"] if entry["path"] == path]
    assert (unix["listening"], unix["pids"]) == (True, [child.pid])


def test_listener_on_ipv6() -> None:
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with server:
        reported = listener(collect(PLAN), server.getsockname()[1])
    assert (reported["address"], reported["family"], reported["pids"]) == ("::1", 6, [os.getpid()])


def test_all_listeners_are_reported_next_to_connections() -> None:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [server.getsockname()[1] for server in servers]
    clients = [socket.create_connection(("127.0.0.1", port)) for port in ports]
    answer, own = collect(PLAN), clients[0].getsockname()[1]
    for end in servers + clients:
        end.close()
    assert [listener(answer, port)["queue"] for port in ports] == [1, 1, 1]
    assert own not in [entry["port"] for entry in answer["listeners"]]


@needs_root
def test_without_root_owners_and_environ_are_unknown_not_empty(spawn: Any, public: Path) -> None:
    child = spawn(sys.executable, "-c", LISTEN, str(public / "sock"), stdout=subprocess.PIPE)
    port = int(child.stdout.readline())
    answer = collect(PLAN, SYSTEM, **UNPRIVILEGED)
    assert answer["uid"] == 65534
    assert listener(answer, port)["pids"] is None
    reported = one(answer, child.pid)
    assert (reported["environ"], reported["environ_error"], reported["exe"]) == (
        None,
        "Permission denied",
        None,
    )
    assert reported["argv"][0] == sys.executable and reported["uid"] == 0


@needs_root
def test_hidden_processes_are_reported() -> None:
    inside = 'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"'
    around = ("unshare", "-m", "sh", "-c", inside, "sh")
    if subprocess.run([*around, "true"], capture_output=True).returncode:
        pytest.skip("proc cannot be mounted on this machine")
    answer = collect(PLAN, SYSTEM, around=around)
    assert answer["errors"]["processes"] == "the processes of others are hidden (hidepid)"


def test_processes_that_vanish_while_being_read(visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, gone = collector.read_start, []

    def vanishing(path: str, most: int) -> bytes:
        mine = f"/{os.getppid()}/" in path  # the process that is searched for below, even if it is the first
        if path.endswith(("/cmdline", "/environ")) and len(gone) < 3 and not mine:
            gone.append(path)
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        return real(path, most)

    monkeypatch.setattr(collector, "read_start", vanishing)
    answer = visit(PLAN)
    assert answer["errors"] == {} and len(gone) == 3
    assert one(answer, os.getppid())


def test_processes_come_and_go(visit: Any) -> None:
    over = threading.Event()

    def churn() -> None:
        while not over.is_set():
            subprocess.run(["true"])

    threads = [threading.Thread(target=churn) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        answers = [visit(PLAN) for _ in range(5)]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert all(answer["errors"] == {} and one(answer, 1) for answer in answers)


def test_proc_that_hangs_costs_what_comes_after_it(visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, over, mine = collector.read_start, threading.Event(), f"/proc/{os.getpid()}/environ"

    def hanging(path: str, most: int) -> bytes:
        if path == mine:
            over.wait()
        return real(path, most)

    monkeypatch.setattr(collector, "read_start", hanging)
    monkeypatch.setattr(collector, "PROC_TIMEOUT", 0.5)
    try:
        answer = visit({**PLAN, "files": [{"name": "hosts", "path": "/etc/hosts", "read": 100}]})
    finally:
        over.set()
    assert "processes are missing" in answer["errors"]["processes"]
    assert one(answer, 1) and answer["listeners"] is not None
    assert answer["files"]["hosts"][0]["text"]
    assert {entry["pids"] is None or bool(entry["pids"]) for entry in answer["listeners"]} <= {True}


def test_where_the_connections_of_a_process_lead(visit: Any) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as one,
    ):
        port, own = server.getsockname()[1], one.getsockname()[1]
        accepted, _ = server.accept()
        with accepted:
            peers = visit({"peers": [os.getpid(), 1 << 22]})["peers"]
    assert list(peers) == [str(os.getpid())], "what is gone is left out"
    assert {f"127.0.0.1:{port}", f"127.0.0.1:{own}"} <= set(peers[str(os.getpid())])


def test_connections_of_ipv6(visit: Any) -> None:
    listening = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    with listening as server, socket.create_connection(("127.0.0.1", server.getsockname()[1])) as one:
        accepted, _ = server.accept()
        with accepted:
            peers = visit({"peers": [os.getpid()]})["peers"][str(os.getpid())]
        assert f"::ffff:127.0.0.1:{one.getsockname()[1]}" in peers


WRITER = """
import os, sys, time
logs = [open(sys.argv[1] + name, mode) for name, mode in (("/a.log", "a"), ("/b.log", "w"), ("/read.log", "r"))]
null = open(os.devnull, "w")
os.rename(sys.argv[1] + "/a.log", sys.argv[1] + "/a.log.1")
os.remove(sys.argv[1] + "/b.log")
logs[0].write("line\\n"); logs[0].flush()
print("ready", flush=True)
time.sleep(60)
"""


def test_files_that_processes_below_a_directory_write_to(spawn: Any, tmp_path: Path) -> None:
    (tmp_path / "read.log").write_text("x")
    child = spawn(sys.executable, "-c", WRITER, str(tmp_path), stdout=subprocess.PIPE)
    assert child.stdout.readline()
    plan = {"processes": {}, "homes": [str(tmp_path)], "writers": f"{tmp_path}"}
    written = {entry["path"]: entry for entry in collect(plan)["writers"] if child.pid in entry["pids"]}
    written = {path: entry for path, entry in written.items() if path.startswith(str(tmp_path))}
    assert set(written) == {f"{tmp_path}/a.log.1", f"{tmp_path}/b.log (deleted)"}
    renamed, removed = written[f"{tmp_path}/a.log.1"], written[f"{tmp_path}/b.log (deleted)"]
    assert renamed["size"] == 5 and renamed["mtime"] == renamed["ctime"]
    assert removed["size"] == 0 and removed["ctime"] >= removed["mtime"]
    assert collect(plan | {"writers": "/nowhere/at/all"})["writers"] == []


def test_removed_files_that_a_process_has_open(spawn: Any, tmp_path: Path) -> None:
    script = WRITER.replace('"line\\n"', '"x" * 100000')
    (tmp_path / "read.log").write_text("x")
    child = spawn(
        sys.executable,
        "-c",
        script.replace("logs[0].write", 'logs[1].write("x" * 100000); logs[1].flush(); logs[0].write'),
        str(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # that of the tests is a removed file too
    )
    assert child.stdout.readline()
    answer = collect({"deleted": [str(tmp_path)]})
    (entry,) = [one for one in answer["deleted"] if one["pid"] == child.pid]
    assert entry["path"] == str(tmp_path) and entry["files"] == 1 and entry["bytes"] >= 100000
    assert collect({"deleted": ["/proc"]})["deleted"] == []


def test_shared_objects_that_are_no_longer_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = (
        b"7f0000000000-7f0000001000 r-xp 00000000 fe:00 12 /data/envs/a b/x.so (deleted)\n"
        b"7f0000001000-7f0000002000 r--p 00001000 fe:00 12 /data/envs/a b/x.so (deleted)\n"
        b"7f0000002000-7f0000003000 r-xp 00000000 fe:00 13 /usr/lib/libc.so.6\n"
        b"7f0000003000-7f0000004000 rw-s 00000000 00:01 14 /dev/zero (deleted)\n"
        b"7f0000004000-7f0000005000 r-xp 00000000 fe:00 15 /data/envs/libz.so.1.2 (deleted)\n"
    )
    assert sorted(set(collector.LIBRARY.findall(maps))) == [b"/data/envs/a b/x.so", b"/data/envs/libz.so.1.2"]
    found = collector.find_libraries([os.getpid(), 2**22 + 5])
    assert list(found) == [str(os.getpid())]
