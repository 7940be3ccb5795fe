"""The three commands that the collector may run: how they are found, called, limited and ended."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import collector
from collect.running import SYSTEM, ended, needs_root

PLAN = {"supervisor": [{"name": "it", "conf": "{home}/etc/supervisor-open_paas.conf", "seconds": 8}]}


@pytest.fixture
def home(public: Path) -> Path:
    (public / "etc").mkdir()
    (public / "etc/supervisor-open_paas.conf").touch()
    (public / ".envs/open_paas/bin").mkdir(parents=True)
    return public


def put(home: Path, script: str, name: str = "supervisorctl") -> Path:
    path = home / ".envs/open_paas/bin" / name
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return path


def ask(visit: Any, home: Path, **more: Any) -> dict[str, Any]:
    plan = {"homes": [str(home)], "supervisor": [{**PLAN["supervisor"][0], **more}]}
    reported: dict[str, Any] = visit(plan)["supervisor"]["it"]
    return reported


def test_only_four_commands_exist() -> None:
    assert collector.COMMANDS == {
        "supervisorctl": ["-c", "CONF", "status"],
        "chronyc": ["-h", "127.0.0.1", "-n", "tracking"],
        "ntpq": ["-pn"],
        "systemctl": ["--no-pager", "show", "-p", "PROPERTIES", "UNITS"],
    }
    assert Path(collector.__file__).read_text().count("Popen(") == 1


def test_output_code_and_surroundings(visit: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    monkeypatch.setenv("PYTHONSTARTUP", "/x")
    put(home, 'env | sort; pwd; cat; printf "\\377" >&2; exit 4')
    reported = ask(visit, home)
    assert reported["rc"] == 4 and reported["error"] is None and reported["err"] == "\ufffd"
    assert set(reported["out"].splitlines()) - {"_=/usr/bin/env", "PWD=/", "SHLVL=0"} == {
        "HOME=/",
        "LC_ALL=C",
        f"PATH={collector.PATH}",
        "PYTHONDONTWRITEBYTECODE=1",
        "/",
    }


def test_what_hangs_is_killed_with_its_children(visit: Any, home: Path) -> None:
    put(home, f"sleep 100 & echo $! $$ > {home}/pids; echo started; wait")
    reported = ask(visit, home, seconds=2)
    assert (reported["error"], reported["rc"], reported["out"]) == ("timeout", None, "started\n")
    assert all(ended(int(pid)) for pid in (home / "pids").read_text().split())


def test_what_closes_its_output_and_stays_is_killed_too(visit: Any, home: Path) -> None:
    put(home, f"echo $$ > {home}/pids; exec >&- 2>&-; sleep 100")
    assert ask(visit, home, seconds=2)["error"] == "timeout"
    assert ended(int((home / "pids").read_text()))


def test_output_without_end_is_cut(visit: Any, home: Path) -> None:
    put(home, "exec yes")
    reported = ask(visit, home)
    assert reported["error"] == "more than 65536 bytes" and len(reported["out"]) < 200_000


def test_no_conf_no_program(visit: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "PATH", "/nowhere")
    assert ask(visit, home)["error"] == "no supervisorctl"
    (home / "etc/supervisor-open_paas.conf").unlink()
    reported = ask(visit, home)
    assert (reported["error"], reported["argv"]) == ("No such file or directory", [])


def test_program_of_the_running_supervisord_comes_first(
    visit: Any, home: Path, spawn: Any, public: Path
) -> None:
    put(home, "echo of the home")
    own = public / "own/bin"
    own.mkdir(parents=True)
    (own / "supervisord").write_text("import sys; print('up', flush=True); sys.stdin.read()")
    (own / "supervisorctl").write_text("import sys; print(sys.argv[1:])")
    conf = str(home / "etc/supervisor-open_paas.conf")
    daemon = spawn(sys.executable, str(own / "supervisord"), "-c", conf, stdin=-1, stdout=-1)
    daemon.stdout.readline()
    reported = ask(visit, home)
    assert reported["argv"] == [sys.executable, str(own / "supervisorctl"), "-c", conf, "status"]
    assert reported["out"] == f"['-c', '{conf}', 'status']\n"


@needs_root
def test_root_runs_it_as_the_owner_of_the_program(visit: Any, home: Path) -> None:
    os.chown(put(home, "id -u; id -g; id -G"), 65534, 65533)
    assert ask(visit, home)["out"] == "65534\n65533\n65533\n"


@needs_root
@pytest.mark.parametrize(
    "place", ["", "etc", "etc/supervisor-open_paas.conf", ".envs", ".envs/open_paas/bin"]
)
def test_what_no_supervisord_uses_runs_as_the_owner_of_the_file(visit: Any, home: Path, place: str) -> None:
    put(home, "id -u")
    os.chown(home / place, 65534, 65533)
    assert ask(visit, home)["out"] == "65534\n"


@needs_root
def test_a_link_to_a_program_of_root_runs_as_the_owner_of_the_link(visit: Any, home: Path) -> None:
    link = home / ".envs/open_paas/bin/supervisorctl"
    link.symlink_to("/bin/sh")
    os.chown(link, 65534, 65533, follow_symlinks=False)
    conf = home / "etc/supervisor-open_paas.conf"
    conf.write_text("#!/bin/sh\nid -u\n")
    conf.chmod(0o755)
    assert ask(visit, home)["out"] == "65534\n"


@needs_root
def test_what_a_supervisord_of_root_uses_is_asked_as_root(
    visit: Any, home: Path, spawn: Any, public: Path
) -> None:
    """The socket belongs to root only, for every owner of the folders of an installation."""
    (public / "own").mkdir()
    (public / "own/supervisord").write_text("import sys; print('up', flush=True); sys.stdin.read()")
    (public / "own/supervisorctl").write_text("import os; print(os.getuid())")
    os.chown(home, 65534, 65533)
    os.chown(home / "etc/supervisor-open_paas.conf", 65534, 65533)
    conf = str(home / "etc/supervisor-open_paas.conf")
    daemon = spawn(sys.executable, str(public / "own/supervisord"), "-c", conf, stdin=-1, stdout=-1)
    daemon.stdout.readline()
    assert ask(visit, home)["out"] == "0\n"


STATUS = """<?xml version='1.0'?><methodResponse><params><param><value><array><data><value><struct>
<member><name>name</name><value><string>login</string></value></member>
<member><name>group</name><value><string>login</string></value></member>
<member><name>pid</name><value><int>82</int></value></member>
<member><name>statename</name><value><string>RUNNING</string></value></member>
<member><name>description</name><value><string>pid 82, uptime 0:01:02</string></value></member>
</struct></value><value><struct>
<member><name>name</name><value><string>w</string></value></member>
<member><name>group</name><value><string>job</string></value></member>
<member><name>statename</name><value><string>FATAL</string></value></member>
<member><name>description</name><value><string>can't find command '&lt;x&gt;'</string></value></member>
</struct></value></data></array></value></param></params></methodResponse>"""
SUPERVISORD = """
import os, socket, sys
path, status = sys.argv[3], sys.argv[4]
s = socket.socket(socket.AF_UNIX); s.bind("%s.%d" % (path, os.getpid())); s.listen()
os.link("%s.%d" % (path, os.getpid()), path); os.chmod(path, 0o700); print("up", flush=True)
while True:
    c, _ = s.accept(); data = c.recv(65536)
    print(repr(data.decode()), flush=True)
    c.sendall(b"HTTP/1.0 " + status.encode()); c.close()
"""


@needs_root
@pytest.mark.parametrize("how", ["answers", "refuses", "of another process"])
def test_a_supervisord_of_root_below_the_directory_of_an_account(
    visit: Any, home: Path, spawn: Any, public: Path, how: str
) -> None:
    """After `chown -R` on an installation root does not run supervisorctl, and no account reaches the socket."""
    own, sock = public / "own", public / "s"
    own.mkdir()
    (own / "supervisord").write_text(SUPERVISORD)
    (own / "supervisorctl").write_text("import os; print(os.getuid())")
    for path in (own / "supervisorctl", own, home):
        os.chown(path, 65534, 65533)
    conf = home / "etc/supervisor-open_paas.conf"
    conf.write_text(
        f"[unix_http_server]\nfile = {sock} ; comment\nusername=u\npassword=p\n[supervisord]\nfile=x\n"
    )
    answer = "401 x\r\n\r\n" if how == "refuses" else f"200 OK\r\n\r\n{STATUS}"
    words = [SYSTEM, str(own / "supervisord"), "-c", str(conf)]
    if how == "of another process":
        (public / "other").write_text(SUPERVISORD)
        spawn(sys.executable, str(public / "other"), "-", "-", str(sock), answer, stdout=-1).stdout.readline()
        spawn(*words, str(public / "unused"), answer, stdout=-1).stdout.readline()
    else:
        daemon = spawn(*words, str(sock), answer, stdout=-1)
        daemon.stdout.readline()
    out = ask(visit, home)["out"]
    if how != "answers":
        assert out == "65534\n"
        return
    assert [line.split(None, 2) for line in out.splitlines()] == [
        ["login", "RUNNING", "pid 82, uptime 0:01:02"],
        ["job:w", "FATAL", "can't find command '<x>'"],
    ]
    request = daemon.stdout.readline().decode()
    assert "POST /RPC2" in request and "Basic dTpw" in request and "getAllProcessInfo" in request


@needs_root
def test_what_everybody_may_write_is_not_run(visit: Any, home: Path) -> None:
    put(home, f"touch {home}/ran").chmod(0o777)
    assert "may be written by everybody: not run" in ask(visit, home)["error"]
    assert not (home / "ran").exists()


def call(home: Path, *processes: dict[str, Any]) -> list[str]:
    """The argv that these processes lead to."""
    conf = str(home / "etc/supervisor-open_paas.conf")
    answer: dict[str, Any] = {}
    job = collector.Job(8, answer, collector.supervisorctl, conf, str(home), processes)
    argv: list[str] = job.outcome(job.until, False)["argv"]
    assert argv[-3:] == ["-c", conf, "status"]
    return argv[:-3]


def daemon(home: Path, *argv: str, uid: int = 0) -> dict[str, Any]:
    conf = str(home / "etc/supervisor-open_paas.conf")
    return {"argv": [*argv, "-c", conf], "uid": uid, "exe": sys.executable, "pid": 1}


def test_whose_supervisord_is_believed(home: Path, public: Path) -> None:
    ours = str(put(home, "exit"))
    (public / "own").mkdir()
    shutil.copy(ours, public / "own/supervisorctl")
    own = f"{public}/own/supervisord"
    assert call(home) == [ours]
    assert call(home, daemon(home, own)) == [f"{public}/own/supervisorctl"]
    assert call(home, daemon(home, "python", own)) == [sys.executable, f"{public}/own/supervisorctl"]
    assert call(home, daemon(home, own, uid=os.stat(home).st_uid)) == [f"{public}/own/supervisorctl"]
    assert call(home, daemon(home, own, uid=4711)) == [ours]
    assert call(home, daemon(home, "bin/supervisord")) == [ours]
    assert call(home, {"argv": [own, "-c", "/etc/supervisord.conf"], "uid": 0, "exe": None, "pid": 1}) == [
        ours
    ]


def test_time_daemon(visit: Any, public: Path, spawn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "PATH", str(public))
    for name in ("chronyc", "ntpq"):
        (public / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (public / name).chmod(0o755)
    shutil.copy("/bin/sleep", public / "ntpd")
    daemon = spawn(str(public / "ntpd"), "60")
    reported = visit({"time_daemon": {"seconds": 5}, "processes": {}})
    running = {one["pid"] for one in reported["processes"] if one["name"] == "ntpd"}
    assert daemon.pid in running and reported["time_daemon"]["ntpd"] in running
    assert reported["time_daemon"]["ntpq"]["out"] == "ntpq -pn\n"
    if reported["time_daemon"]["chronyd"] is None:
        assert reported["time_daemon"]["chronyc"] is None


def test_a_command_ends_with_the_visit(visit: Any, home: Path) -> None:
    put(home, f"echo $$ > {home}/pids; while :; do sleep 1; done")
    reported = visit({"homes": [str(home)], "seconds": 1, **PLAN})["supervisor"]["it"]
    assert reported["error"] == "timeout" and ended(int((home / "pids").read_text()))
