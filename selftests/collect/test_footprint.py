"""Read-only, provably: what the kernel sees of a whole visit, and what is left after it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bkpaas.collect import program
from collect.running import FLAGS, collect
from collect.servers import answering, serving, silent

CHANGING = (
    "creat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,rmdir,rename,renameat,renameat2,link,linkat,symlink,symlinkat,"
    "chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,truncate,ftruncate,fallocate,utime,utimes,utimensat,futimesat,"
    "setxattr,lsetxattr,fsetxattr,removexattr,mount,umount2,kill,tgkill,bind,listen,setsockopt,sethostname,settimeofday,"
    "adjtimex,clock_settime,ptrace,init_module,reboot"
)
"""System calls that change something; writing is seen in how files are opened."""


def whole_plan(home: Path, port: int) -> dict[str, Any]:
    return {
        "homes": [str(home)],
        "processes": {"environ": ["http_proxy"], "cmdline_bytes": 1000},
        "sockets": True,
        "addresses": True,
        "disks": ["/", "{home}"],
        "files": [{"name": "etc", "path": "/etc/*", "read": 65536, "most": 500}],
        "tails": [{"name": "log", "path": "/var/log/*", "bytes": 65536, "most": 9}],
        "nginx": {"confs": ["/etc/nginx/nginx.conf"]},
        "supervisor": [{"name": "it", "conf": "{home}/etc/supervisor-open_paas.conf", "seconds": 8}],
        "resolve": [{"name": "localhost", "seconds": 5}],
        "http": [{"name": "web", "url": f"http://127.0.0.1:{port}/", "seconds": 9}],
        "tcp": [
            {
                "name": "web",
                "host": "127.0.0.1",
                "port": port,
                "seconds": 9,
                "read": 9,
                "send": "x\r\n",
                "lines": 1,
                "again": {"when": ".", "seconds": 0.01},
            }
        ],
        "peers": [1],
        "starts": [1],
        "systemd": {"units": ["ssh.service"], "names": ["python3"], "seconds": 5},
    }


@pytest.fixture
def home(public: Path) -> Path:
    (public / "etc").mkdir()
    (public / "etc/supervisor-open_paas.conf").touch()
    (public / ".envs/x/bin").mkdir(parents=True)
    (public / ".envs/x/bin/supervisorctl").write_text("#!/bin/true\n")
    (public / ".envs/x/bin/supervisorctl").chmod(0o755)
    return public


def test_no_system_call_of_a_visit_changes_anything(home: Path, tmp_path: Path) -> None:
    if not shutil.which("strace"):
        pytest.skip("no strace on this machine")
    trace = tmp_path / "trace"
    around = ("strace", "-f", "-qq", "-o", str(trace), "-e", f"trace=open,openat,execve,execveat,{CHANGING}")
    if subprocess.run([*around, "true"], capture_output=True).returncode:
        pytest.skip("strace may not trace on this machine")
    with serving(answering(b"HTTP/1.1 200 OK\r\n\r\n")) as web:
        answer = collect(whole_plan(home, web.port), around=around)
    assert answer["supervisor"]["it"]["rc"] == 0 and answer["files"]["etc"]
    lines = trace.read_text(errors="replace").splitlines()
    opens = [line for line in lines if re.search(r"\bopen(at)?\(", line)]
    assert len(opens) > 100
    assert [line for line in opens if re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)", line)] == []
    runs = re.findall(r'execve(?:at)?\("([^"]*)", \[([^]]*)\]', "\n".join(lines))
    assert [path for path, _ in runs] == [sys.executable, f"{home}/.envs/x/bin/supervisorctl"]
    assert [line for line in lines if re.search(rf"\b({CHANGING.replace(',', '|')})\(", line)] == []


def test_no_process_is_left(home: Path) -> None:
    """Not even of a visit whose threads hang when it ends."""
    (home / ".envs/x/bin/supervisorctl").write_text(f"#!/bin/sh\necho $$ > {home}/pid; sleep 1000\n")
    with serving(silent) as hole:
        plan = whole_plan(home, hole.port) | {"seconds": 1, "visit": 7}
        answer = collect(plan)
    assert answer["visit"] == 7 and answer["http"]["web"]["error"]["kind"] == "silent"
    left = [entry for entry in os.listdir("/proc") if entry.isdigit() and has_words(entry, str(home))]
    assert left == []


def has_words(pid: str, words: str) -> bool:
    try:
        return words in Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return False


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *FLAGS, program.boot()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )


def test_end_of_input_ends_it_even_while_something_hangs() -> None:
    with serving(silent) as hole:
        plan = {"seconds": 1, "http": [{"name": "it", "url": hole.url, "seconds": 60}]}
        child = start()
        out, _ = child.communicate(program.packed() + program.plan_lines(plan), timeout=240)
    assert child.returncode == 0 and out.endswith(b"@@bkpaas end\n")


def test_an_alarm_of_the_kernel_ends_it_in_any_case() -> None:
    """Between plans and while it waits for the first one; here with the waiting made short."""
    child = start()
    assert child.stdin and child.stdout
    child.stdin.write(program.packed() + program.plan_lines({"disks": ["/"], "wait": 1}))
    assert child.wait(240) == -signal.SIGALRM
    assert b"@@bkpaas end\n" in child.stdout.read()
    child.stdin.close()
    child.stdout.close()


def test_without_a_listener_it_ends_immediately() -> None:
    with serving(silent) as hole:
        plan = {"seconds": 60, "http": [{"name": "it", "url": hole.url, "seconds": 60}]}
        child = start()
        assert child.stdin and child.stdout
        child.stdin.write(program.packed() + program.plan_lines(plan))
        assert child.stdout.readline().startswith(b"@@bkpaas ready")
        child.stdout.close()
        assert child.wait(240) == 3
        child.stdin.close()


def test_no_core_dump_of_what_it_runs(home: Path) -> None:
    """A supervisorctl that crashes would write one, into / or through the program of core_pattern."""
    script = home / ".envs/x/bin/supervisorctl"
    script.write_text("#!/bin/sh\ngrep 'core file' /proc/self/limits\n")
    plan = {"homes": [str(home)], "supervisor": whole_plan(home, 0)["supervisor"]}
    answer = collect(plan, around=("sh", "-c", 'ulimit -Sc "$(ulimit -Hc)"; exec "$@"', "sh"))
    soft, hard = answer["supervisor"]["it"]["out"].split()[4:6]
    assert soft in ("0", "1") and hard in ("0", "1")
