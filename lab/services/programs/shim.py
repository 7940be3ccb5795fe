"""The parent of one container: it makes the namespaces and the control group, starts the command, notes its end.

`containerd-shim-runc-v2 start -namespace moby -id ID -root DATA_ROOT`. The container has mount, pid, uts
and ipc namespaces of its own. It has the network of the host, or with another mode an empty one. Memory is limited by counting: this program ends the
youngest process of a container that has more than its limit. The kernel ends one that it chooses by size; here the
first process comes last, so that both states can be shown.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import argument

RUN = Path("/run/docker/containerd")
CGROUPS = Path("/sys/fs/cgroup/docker")
NEW_MOUNTS, NEW_NAMES, NEW_IPC, NEW_PIDS, NEW_NETWORK = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000
POLL_SECONDS = 0.2
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
LIBC = ctypes.CDLL(None, use_errno=True)


def call(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, flags: int) -> None:
    call(LIBC.mount(source.encode(), target.encode(), None, flags, None), f"mount {target}")


def enter(one: dict[str, Any], group: Path, log: Path) -> None:
    """Become the first process of the container; does not return."""
    (group / "cgroup.procs").write_text("0", "ascii")
    network = 0 if one["HostConfig"]["NetworkMode"] == "host" else NEW_NETWORK
    call(LIBC.unshare(NEW_MOUNTS | NEW_NAMES | NEW_IPC | network), "unshare")
    mount("none", "/", PRIVATE | RECURSIVE)
    for target, source in one["Files"].items():
        mount(source, target, BIND)
    for bind in one["MountPoints"].values():
        if os.path.lexists(bind["Destination"]):
            mount(bind["Source"], bind["Destination"], BIND)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    for fd in (1, 2):
        os.dup2(output, fd)
    os.setsid()
    os.chdir(one["Config"]["WorkingDir"])
    if one["Config"]["User"]:
        user, _, group_id = one["Config"]["User"].partition(":")
        os.setgroups([])
        os.setgid(int(group_id or user))
        os.setuid(int(user))
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    environment |= {"HOSTNAME": os.uname().nodename}
    environment |= dict(pair.split("=", 1) for pair in one["Config"]["Env"])
    os.execve(one["Path"], [one["Path"], *one["Args"]], environment)


def pids(group: Path) -> list[int]:
    with suppress(OSError):
        return [int(line) for line in (group / "cgroup.procs").read_text("ascii").split()]
    return []


def resident(pid: int) -> int:
    """Return the memory of a process that no other one shares, in bytes."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/statm").read_text("ascii").split()
        return (int(fields[1]) - int(fields[2])) * PAGE_BYTES
    return 0


def end_youngest(group: Path, limit: int) -> bool:
    """Kill the youngest process of a container that has more than its limit; return whether there was one."""
    sizes = {pid: resident(pid) for pid in pids(group)}
    if not sizes or sum(sizes.values()) <= limit:
        return False
    with suppress(ProcessLookupError):
        os.kill(max(sizes), signal.SIGKILL)
    return True


def main() -> None:
    identity, root = argument("-id").name, argument("-root")
    folder, group = root / "containers" / identity, CGROUPS / identity
    one = json.loads((folder / "config.v2.json").read_text("utf-8"))
    one["HostConfig"] = json.loads((folder / "hostconfig.json").read_text("utf-8"))
    limit: int = one["HostConfig"]["Memory"]
    group.mkdir(parents=True, exist_ok=True)
    call(LIBC.unshare(NEW_PIDS), "unshare")
    child = os.fork()
    if child == 0:
        try:
            enter(one, group, folder / f"{identity}-json.log")
        finally:
            os._exit(127)
    (RUN / f".{identity}.pid").write_text(str(child), "ascii")
    (RUN / f".{identity}.pid").rename(RUN / f"{identity}.pid")
    killed = False
    while True:
        pid, code = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        if limit > 0 and end_youngest(group, limit):
            killed = True
        time.sleep(POLL_SECONDS)
    status = os.waitstatus_to_exitcode(code)
    text = json.dumps([status if status >= 0 else 128 - status, killed and status == -signal.SIGKILL])
    (RUN / f".{identity}.exit").write_text(text, "ascii")
    (RUN / f".{identity}.exit").rename(RUN / f"{identity}.exit")
    with suppress(OSError):
        group.rmdir()
