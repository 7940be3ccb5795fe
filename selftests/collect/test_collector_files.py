"""Files, globs and logs: only regular files are opened, and an unusual entry does not stop the rest."""

from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import collector
from collect.running import SYSTEM, UNPRIVILEGED, collect, needs_root


def collect_file(visit: Any, path: object, read: int = 100, **more: Any) -> list[dict[str, Any]]:
    answer = visit({"files": [{"name": "it", "path": str(path), "read": read, **more}]})
    entries: list[dict[str, Any]] = answer["files"]["it"]
    return entries


def test_everything_but_files_is_reported_and_never_opened(
    visit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-dir").mkdir()
    os.mkfifo(tmp_path / "b-fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "c-sock"))
    os.chmod(tmp_path / "c-sock", 0o700)
    (tmp_path / "d-dangling").symlink_to("nowhere")
    (tmp_path / "e-null").symlink_to("/dev/zero")
    (tmp_path / "f-text").write_text("here")
    (tmp_path / "g-link").symlink_to("f-text")
    (tmp_path / "h-loop").symlink_to("h-loop")
    opened, real = [], os.open

    def watched(path: Any, *rest: Any, **options: Any) -> int:
        opened.append(os.fsdecode(path))
        return real(path, *rest, **options)

    monkeypatch.setattr(os, "open", watched)
    entries = collect_file(visit, tmp_path / "*")
    kinds = [(Path(e["path"]).name, e["type"], e.get("text")) for e in entries]
    assert kinds == [
        ("a-dir", "dir", None),
        ("b-fifo", "other", None),
        ("c-sock", "socket", None),
        ("d-dangling", "symlink", None),
        ("e-null", "other", None),
        ("f-text", "file", "here"),
        ("g-link", "file", "here"),
        ("h-loop", "symlink", None),
    ]
    assert entries[2]["mode"] == 0o700 and stat.S_ISSOCK(os.stat(tmp_path / "c-sock").st_mode)
    assert entries[3]["error"] == "No such file or directory"
    assert entries[6]["target"] == str(tmp_path / "f-text") and "target" not in entries[5]
    assert {path for path in opened if path.startswith(str(tmp_path))} == {str(tmp_path / "f-text")}


def test_binary_garbage(visit: Any, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)))
    os.rename(tmp_path / "x", os.fsencode(tmp_path) + b"/\xff\xfe name")
    (entry,) = collect_file(visit, tmp_path / "*", read=1000)
    assert entry["path"].endswith("/\ufffd\ufffd name") and entry["size"] == 256
    assert entry["text"].startswith("\0\x01") and entry["text"].endswith("\ufffd")


def test_long_files_are_cut(visit: Any, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("0123456789")
    (entry,) = collect_file(visit, tmp_path / "x", read=4)
    assert (entry["text"], entry["truncated"], entry["size"]) == ("0123", True, 10)
    assert "truncated" not in collect_file(visit, tmp_path / "x", read=10)[0]
    assert "text" not in collect_file(visit, tmp_path / "x", read=0)[0]


def test_files_of_the_kernel_are_not_read(visit: Any, tmp_path: Path) -> None:
    """Reading /proc/kmsg or trace_pipe takes out what it returns; a link in a directory of logs can name them."""
    (tmp_path / "x.log").symlink_to("/proc/sys/kernel/ostype")
    for path in ("/proc/sys/kernel/ostype", tmp_path / "x.log"):
        (entry,) = collect_file(visit, path)
        assert entry["type"] == "file" and "text" not in entry and "kernel" in entry["error"]


@needs_root
def test_root_reads_nothing_for_another_account(visit: Any, public: Path) -> None:
    """A link in a directory of logs must not make a file readable that its owner may not read."""
    (public / "secret").mkdir()
    for name, mode, owner in (("shadow", 0o600, 0), ("open", 0o644, 0), ("own", 0o600, 65534)):
        (public / "secret" / name).write_text(name)
        os.chmod(public / "secret" / name, mode)
        os.chown(public / "secret" / name, owner, owner)
        (public / f"{name}.log").symlink_to(f"secret/../secret/{name}")

    def texts(pattern: str) -> list[str | None]:
        return [entry.get("text") for entry in collect_file(visit, public / pattern)]

    assert texts("*.log") == ["open", "own", "shadow"]
    for link in ("shadow.log", "open.log", "own.log"):
        os.chown(public / link, 65534, 65534, follow_symlinks=False)
    assert texts("*.log") == ["open", "own", None]
    assert "65534" in collect_file(visit, public / "shadow.log")[0]["error"]
    (public / "second.log").symlink_to(public / "shadow.log")
    assert texts("second.log") == [None]


@needs_root
def test_root_reads_what_the_links_of_an_installation_name(visit: Any, public: Path) -> None:
    """After `chown -R` the links belong to an account; uwsgi of root writes logs with mode 0640."""
    home, disk = public / "home", public / "disk/open_paas"
    (home / "etc").mkdir(parents=True)
    disk.mkdir(parents=True)
    for path in (disk / "login_uwsgi.log", disk / "grouped", home / "etc/agent.yaml"):
        path.write_text(path.name)
        path.chmod(0o640)
    links = [(home / "logs", public / "disk"), (home / "agent.yaml", "etc/agent.yaml")]
    links += [(disk / "grouped.log", disk / "grouped")]
    for link, target in links:
        link.symlink_to(target)
        os.chown(link, 65534, 65534, follow_symlinks=False)

    def texts(pattern: str) -> list[str | None]:
        query = {"name": "it", "path": f"{{home}}/{pattern}", "read": 1000}
        answer = visit({"homes": [str(home)], "files": [query]})
        return [entry.get("text") for entry in answer["files"]["it"]]

    assert texts("logs/open_paas/login*.log") == ["login_uwsgi.log"] and texts("agent.yaml") == ["agent.yaml"]
    assert texts("logs/open_paas/grouped.log") == [None]
    os.chown(disk / "grouped", 0, 65534)  # the group of the account 65534
    assert texts("logs/open_paas/grouped.log") == ["grouped"]


@needs_root
def test_root_reads_no_file_that_the_nginx_of_another_account_names(
    visit: Any, public: Path, spawn: Any
) -> None:
    (public / "shadow").write_text("shadow")
    (public / "shadow").chmod(0o600)
    (public / "evil.conf").write_text("include shadow;")
    os.chown(public / "evil.conf", 65534, 65534)
    for conf in ("evil.conf", "shadow"):
        title = f"nginx: master process /usr/sbin/nginx -c {public}/{conf}"
        spawn(title, "60", executable="/bin/sleep", user=65534)
    files = visit({"nginx": {"confs": [], "bytes": 1000}})["nginx"]["files"]
    entries = {Path(entry["path"]).name: entry.get("text") for entry in files if str(public) in entry["path"]}
    assert entries == {"evil.conf": "include shadow;", "shadow": None}


def test_a_directory_that_is_replaced_while_it_is_read(
    visit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("logs", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.log").write_text(name)
    real = collector.check_file

    def replaced(*arguments: Any) -> None:
        real(*arguments)
        (tmp_path / "logs").rename(tmp_path / "gone")
        (tmp_path / "logs").symlink_to("other")

    monkeypatch.setattr(collector, "check_file", replaced)
    (entry,) = collect_file(visit, tmp_path / "logs/a.log")
    assert "text" not in entry and "replaced" in entry["error"]


def test_what_is_not_there(visit: Any, tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path / "no*", tmp_path / "none/*/x", "/etc/passwd/x"):
        assert collect_file(visit, path) == [{"path": str(path), "type": "missing"}]
    (entry,) = collect_file(visit, str(tmp_path) + "/nul\0byte")
    assert entry["type"] == "other" and "null" in entry["error"]


def test_a_missing_home_is_reported(visit: Any) -> None:
    answer = visit(
        {"homes": ["/nowhere"], "files": [{"name": "it", "path": "{home}/etc/x"}], "disks": ["{home}"]}
    )
    assert answer["home"] is None and answer["disks"] == []
    assert answer["files"]["it"][0]["error"] == "no home of BlueKing on this host"
    assert answer["errors"] == {"files:it": "no home of BlueKing on this host"}


def test_more_matches_than_the_limit_are_reported(visit: Any, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    answer = visit({"files": [{"name": "it", "path": f"{tmp_path}/*", "most": 2}]})
    assert len(answer["files"]["it"]) == 2
    assert answer["errors"] == {"files:it": "3 match, 2 taken"}


def test_hidden_files_match_only_when_meant(visit: Any, tmp_path: Path) -> None:
    (tmp_path / ".swp").touch()
    (tmp_path / "conf").touch()
    assert [Path(e["path"]).name for e in collect_file(visit, tmp_path / "*")] == ["conf"]
    assert [Path(e["path"]).name for e in collect_file(visit, tmp_path / ".*")] == [".swp"]


@needs_root
def test_what_may_not_be_read_is_an_error_not_a_lack(public: Path) -> None:
    (public / "secret").write_text("x")
    (public / "secret").chmod(0o600)
    (public / "closed").mkdir(mode=0o700)
    (public / "closed/x.conf").touch()
    asks = [
        {"name": n, "path": f"{public}/{p}", "read": 9}
        for n, p in (("file", "secret"), ("glob", "closed/*.conf"))
    ]
    asks.append({"name": "inside", "path": f"{public}/closed/x.conf", "read": 9})
    answer = collect({"files": asks}, SYSTEM, **UNPRIVILEGED)
    (file,), (glob,), (inside,) = (answer["files"][name] for name in ("file", "glob", "inside"))
    assert (file["type"], file["error"], "text" in file) == ("file", "Permission denied", False)
    assert glob["error"] == f"{public}/closed: Permission denied" == answer["errors"]["files:glob"]
    assert (inside["type"], inside["error"]) == ("other", "Permission denied")


def test_ends_of_the_newest_logs(visit: Any, tmp_path: Path) -> None:
    for age, name in enumerate(["login.log", "login.log.1", "login.log.2"]):
        (tmp_path / name).write_text(f"{name}\n" * 10)
        os.utime(tmp_path / name, (1_600_000_000 - age, 1_600_000_000 - age))
    answer = visit({"tails": [{"name": "log", "path": f"{tmp_path}/*log*", "bytes": 10, "most": 2}]})
    entries = [(Path(e["path"]).name, e["text"], e["offset"]) for e in answer["tails"]["log"]]
    assert entries == [("login.log", "login.log\n", 90), ("login.log.1", "gin.log.1\n", 110)]
    assert answer["errors"] == {}


def test_log_of_ten_gigabytes(visit: Any, tmp_path: Path) -> None:
    with open(tmp_path / "big.log", "wb") as file:
        file.truncate(10 << 30)
        file.seek(0, os.SEEK_END)
        file.write(b"the end\n")
    answer = visit({"tails": [{"name": "log", "path": f"{tmp_path}/big.log", "bytes": 8, "most": 1}]})
    (entry,) = answer["tails"]["log"]
    assert (entry["text"], entry["offset"]) == ("the end\n", 10 << 30)


def test_bytes_of_a_visit_are_limited(visit: Any, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name * 100)
    answer = visit({"bytes": 150, "files": [{"name": "it", "path": f"{tmp_path}/*", "read": 100}]})
    a, b, c = answer["files"]["it"]
    assert a["text"] == "a" * 100 and "error" not in a
    assert b["text"] == "b" * 50 and b["truncated"]
    assert c["text"] == "" and c["error"] == b["error"] == "the limit of bytes for one visit is reached"


def test_access_times_stay(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    os.utime(tmp_path / "x", (1_500_000_000, 1_600_000_000))
    assert (
        collect({"files": [{"name": "it", "path": f"{tmp_path}/x", "read": 9}]})["files"]["it"][0]["text"]
        == "x"
    )
    assert os.stat(tmp_path / "x").st_atime == 1_500_000_000


def test_nginx_follows_includes(visit: Any, tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "nginx.conf").write_text(
        "include mime.types;\n# include commented.conf;\nhttp{include 'conf.d/*.conf';}\ninclude nginx.conf;"
    )
    (tmp_path / "mime.types").write_text("types {}")
    (tmp_path / "conf.d/a.conf").write_text("include conf.d/deep; include gone.conf;")
    (tmp_path / "conf.d/deep").write_text("server {}")
    answer = visit({"nginx": {"confs": ["/nowhere/nginx.conf", f"{tmp_path}/nginx.conf"], "bytes": 1000}})[
        "nginx"
    ]
    assert answer["main"] == [f"{tmp_path}/nginx.conf"] and answer["error"] is None
    entries = [(os.path.relpath(e["path"], tmp_path), e["type"]) for e in answer["files"]]
    assert entries == [
        ("nginx.conf", "file"),
        ("mime.types", "file"),
        ("conf.d/a.conf", "file"),
        ("conf.d/deep", "file"),
        ("gone.conf", "missing"),
    ]


def test_running_nginx_gives_its_own_file(visit: Any, tmp_path: Path, spawn: Any) -> None:
    (tmp_path / "own.conf").write_text("events {}")
    (tmp_path / "other.conf").write_text("events {}")
    title = f"nginx: master process /usr/sbin/nginx -c {tmp_path}/own.conf"
    spawn(title, "60", executable="/bin/sleep")
    answer = visit({"nginx": {"confs": [f"{tmp_path}/other.conf"], "bytes": 1000}})["nginx"]
    assert [Path(path).name for path in answer["main"]][-2:] == ["own.conf", "other.conf"]


def test_a_file_system_that_hangs_costs_only_its_own_parts(
    visit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nfs").mkdir()
    (tmp_path / "x").write_text("here")
    over, real = threading.Event(), os.lstat

    def hanging(path: Any, **options: Any) -> os.stat_result:
        if os.fsencode(path).startswith(os.fsencode(tmp_path / "nfs")):
            over.wait()
        return real(path, **options)

    monkeypatch.setattr(os, "lstat", hanging)
    monkeypatch.setattr(collector, "FILE_TIMEOUT", 0.2)
    asks = [{"name": n, "path": f"{tmp_path}/{p}", "read": 9} for n, p in (("dead", "nfs/x"), ("alive", "x"))]
    tails = [
        {"name": "dead", "path": f"{tmp_path}/nfs/log"},
        {"name": "alive", "path": f"{tmp_path}/x", "bytes": 9},
    ]
    try:
        answer = visit({"seconds": 2, "files": asks, "tails": tails, "disks": ["/"]})
    finally:
        over.set()
    assert answer["files"]["alive"][0]["text"] == answer["tails"]["alive"][0]["text"] == "here"
    assert answer["files"]["dead"] == [] == answer["tails"]["dead"] and answer["disks"][0]["bytes"]
    late = "did not answer in time"
    assert answer["errors"] == {"files:dead": late, "tails:dead": late}


def test_many_that_hang_do_not_use_up_the_visit(
    visit: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, real, hung = threading.Event(), os.lstat, os.fsencode(tmp_path / "nfs")

    def hanging(path: Any, **options: Any) -> os.stat_result:
        if os.fsencode(path).startswith(hung):
            over.wait()
        return real(path, **options)

    monkeypatch.setattr(os, "lstat", hanging)
    monkeypatch.setattr(collector, "FILE_TIMEOUT", 0.5)
    asks = [{"name": f"dead-{at}", "path": f"{tmp_path}/nfs/{at}"} for at in range(20)]
    try:
        answer = visit({"seconds": 6, "files": [*asks, {"name": "alive", "path": "/etc/hosts", "read": 9}]})
    finally:
        over.set()
    assert answer["files"]["alive"][0]["text"] and len(answer["errors"]) == 20


def test_a_name_may_have_several_paths(visit: Any) -> None:
    asks = [{"name": "it", "path": path, "read": 9} for path in ("/etc/hosts", "/nowhere", "/etc/passwd")]
    entries = visit({"files": asks})["files"]["it"]
    assert [(e["path"], e["type"]) for e in entries] == [
        ("/etc/hosts", "file"),
        ("/nowhere", "missing"),
        ("/etc/passwd", "file"),
    ]


def test_a_visit_may_begin_later(visit: Any, tmp_path: Path) -> None:
    """`after` delays what is read, not what is asked of others."""
    timer = threading.Timer(0.2, (tmp_path / "late").touch)
    timer.start()
    answer = visit({"after": 1.0, "files": [{"name": "it", "path": str(tmp_path / "late")}]})
    timer.join()
    assert answer["files"]["it"][0]["type"] == "file"


def test_home_of_a_running_process_comes_first(visit: Any, tmp_path: Path, spawn: Any) -> None:
    for name in ("bkce", "bkee"):
        (tmp_path / name / "etc").mkdir(parents=True)
    plan = {"homes": [f"{tmp_path}/bkce", f"{tmp_path}/bkee"], "files": [{"name": "it", "path": "{home}"}]}
    ini = tmp_path / "bkee/etc/uwsgi-open_paas-login.ini"
    ini.touch()
    spawn("vi", "-f", str(ini), executable="/usr/bin/tail")
    assert visit(plan)["home"] == f"{tmp_path}/bkce"
    spawn("uwsgi", "-f", str(ini), executable="/usr/bin/tail")
    assert visit(plan)["home"] == f"{tmp_path}/bkee"
