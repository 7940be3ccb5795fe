"""The containers of a host: over docker's socket with two GETs only, else from the files of the daemon."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import collector

ID = "d0f2b464c7663e161e5ff7343281e2318b191518b99edf21aa2e2456c44a8465"
OTHER = "ba98ae9d4c337f9675b186ab3bc2bfeb92634522692bd2b7acb74a2c052ad370"
STATE = {"Running": False, "Pid": 0, "ExitCode": 137, "OOMKilled": True, "StartedAt": "2026-11-28T19:51:35Z"}
CONFIG = {"Image": "bk-paas-login:2.14.68", "User": "", "Env": ["BK_PAAS_APP_SECRET=Pl4nted"]}
HOST = {"Memory": 100663296, "NetworkMode": "host", "RestartPolicy": {"Name": "no"}}


def collect_docker(visit: Any, root: Path) -> dict[str, Any]:
    query = {"prefixes": ["bk-paas-"], "roots": [str(root)], "seconds": 5}
    answer: dict[str, Any] = visit({"docker": query})["docker"]["shown"]
    return answer


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Answer like dockerd; gives the first lines of the requests."""
    path, lines = tmp_path / "docker.sock", list[str]()
    monkeypatch.setattr(collector, "DOCKER_SOCKET", str(path))
    mounts = [{"Type": "bind", "Source": str(tmp_path), "Destination": "/data/bkce/etc"}]
    one = {"Id": ID, "Name": "/bk-paas-login", "Image": "sha256:54", "RestartCount": 0, "State": STATE}
    known = {
        "list": [{"Id": ID, "Names": ["/bk-paas-login"]}, {"Id": OTHER, "Names": ["/my-bk-paas-x"]}],
        ID: {**one, "Config": CONFIG, "HostConfig": HOST, "Mounts": mounts},
    }

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            line = connection.recv(65536).decode().splitlines()[0]
            lines.append(line)
            body = json.dumps(known[ID if ID in line else "list"]).encode()
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            connection.sendall(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            connection.close()

    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    threading.Thread(target=serve, daemon=True).start()
    yield lines
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def written(root: Path, identity: str, name: str, state: dict[str, Any]) -> None:
    folder = root / "containers" / identity
    folder.mkdir(parents=True)
    mounts = {
        "/data/bkce/etc/x.ini": {"Source": str(root), "Destination": "/data/bkce/etc/x.ini", "Type": "bind"}
    }
    config = {"ID": identity, "Name": "/" + name, "Image": "sha256:54", "State": state, "Config": CONFIG}
    (folder / "config.v2.json").write_text(json.dumps({**config, "MountPoints": mounts}))
    (folder / "hostconfig.json").write_text(json.dumps(HOST))


def test_two_kinds_of_requests_exist(visit: Any, daemon: list[str], tmp_path: Path) -> None:
    answer = collect_docker(visit, tmp_path)
    assert answer["source"] == "socket" and answer["error"] is None
    assert daemon == [
        "GET /containers/json?all=1&filters=%7B%22name%22%3A%5B%22bk-%22%5D%7D HTTP/1.1",
        f"GET /containers/{ID}/json HTTP/1.1",
    ]
    assert set(collector.DOCKER_REQUESTS) == {"list", "inspect"}


def test_what_is_read_of_a_container(visit: Any, daemon: list[str], tmp_path: Path) -> None:
    answer = collect_docker(visit, tmp_path)
    (one,) = answer["containers"]
    assert (one["name"], one["image"], one["memory"], one["policy"]) == (
        "bk-paas-login",
        "bk-paas-login:2.14.68",
        100663296,
        "no",
    )
    assert one["state"]["ExitCode"] == 137 and one["state"]["OOMKilled"] is True
    assert one["binds"] == [[str(tmp_path), "/data/bkce/etc", "dir"]]
    assert "Pl4nted" not in json.dumps(answer)


def test_without_a_socket_the_files_are_read(
    visit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "DOCKER_SOCKET", str(tmp_path / "gone.sock"))
    written(tmp_path, ID, "bk-paas-login", STATE)
    written(tmp_path, OTHER, "other-product", STATE)
    answer = collect_docker(visit, tmp_path)
    assert answer["source"] == "files" and [one["name"] for one in answer["containers"]] == ["bk-paas-login"]
    assert answer["reasons"] == [["socket", "gone", "No such file or directory"]]
    assert answer["containers"][0]["binds"] == [[str(tmp_path), "/data/bkce/etc/x.ini", "dir"]]


def test_the_data_root_of_the_daemon_comes_first(
    visit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "DOCKER_SOCKET", str(tmp_path / "gone.sock"))
    settings = tmp_path / "daemon.json"
    settings.write_text(json.dumps({"data-root": str(tmp_path / "own")}))
    monkeypatch.setattr(collector, "DOCKER_SETTINGS", str(settings).encode())
    written(tmp_path / "own", ID, "bk-paas-esb", STATE)
    written(tmp_path / "usual", OTHER, "bk-paas-login", STATE)
    assert [one["name"] for one in collect_docker(visit, tmp_path / "usual")["containers"]] == ["bk-paas-esb"]


def test_a_host_without_docker(visit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "DOCKER_SOCKET", str(tmp_path / "gone.sock"))
    answer = collect_docker(visit, tmp_path)
    assert answer["source"] is None and answer["containers"] == []
    assert [kind for _, kind, _ in answer["reasons"]] == ["gone", "other"]


def test_a_socket_that_answers_something_else(
    visit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are read then; what the socket answered is the reason."""
    path = tmp_path / "docker.sock"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.close()
    monkeypatch.setattr(collector, "DOCKER_SOCKET", str(path))
    written(tmp_path, ID, "bk-paas-login", STATE)
    answer = collect_docker(visit, tmp_path)
    assert answer["source"] == "files" and answer["reasons"][0][1] == "refused"


def test_a_daemon_that_a_connection_would_start(
    visit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spawn: Any
) -> None:
    """docker.socket of systemd starts a stopped docker.service at the first connection."""
    path = tmp_path / "docker.sock"
    code = (
        "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print(1, flush=True)\n"
        "s.accept(); print('started', flush=True)"
    )
    init = spawn(sys.executable, "-c", code, str(path), stdout=subprocess.PIPE)
    init.stdout.readline()
    monkeypatch.setattr(collector, "DOCKER_SOCKET", str(path))
    monkeypatch.setattr(collector, "INIT", init.pid)
    written(tmp_path, ID, "bk-paas-login", STATE)
    answer = collect_docker(visit, tmp_path)
    assert answer["source"] == "files" and "would start it" in answer["reasons"][0][2]
    assert select.select([init.stdout], [], [], 0)[0] == []
    monkeypatch.setattr(collector, "INIT", 1)  # a daemon that listens itself is asked
    collect_docker(visit, tmp_path)
    assert init.stdout.readline() == b"started\n"


def test_the_kernel_counts_what_it_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"/sys/fs/cgroup/docker/x/memory.events": b"low 0\noom 3\noom_kill 2\n"}

    def read(path: str, limit: int) -> bytes:
        if path in texts:
            return texts[path]
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(collector, "read_start", read)
    assert (collector.oom_kills("x"), collector.oom_kills("y")) == (2, None)
