"""The hosts' common disk: a small Debian, built once and never written to again.

It lies in .lab/base-HASH; the hash covers everything it is made of, so that a changed recipe makes a new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from bkpaas.messages import msg, to_text
from lab import machine, namespaces
from lab.errors import LabError

PACKAGES = [
    *("openssh-server", "nginx-light", "redis-server", "rabbitmq-server", "mariadb-server", "supervisor"),
    *("uwsgi-core", "uwsgi-plugin-python3", "chrony", "dnsmasq-base", "tini", "sudo", "tzdata"),
    *("python3", "python3-redis", "python3-yaml", "python3-pymysql", "python3-requests"),
    *("procps", "psmisc", "lsof", "file", "iproute2", "net-tools", "iptables", "nftables"),
    *("curl", "iputils-ping", "netcat-openbsd"),
]
SYSTEMD_PACKAGES = ["systemd", "systemd-sysv", "dbus"]
"""In addition, for the hosts of a layout whose PID 1 is systemd: a disk of its own, so that no other layout has systemctl."""
LEFT_OUT = ("doc", "man", "locale", "info", "lintian")
"""Directories of /usr/share that no host needs."""

PARTIAL = ".partial"
"""What a base that is being built is called behind its name."""
HOST = Path(__file__).with_name("host")
SCRIPTS = [HOST / "customize.sh", HOST.with_name("services") / "bake.sh"]
"""Run one after the other as SCRIPT ROOT when the packages are installed."""
SYSTEMD_SCRIPT = HOST / "systemd.sh"
"""Run after them on the disk of hosts with systemd."""
Notify = Callable[[str], None]


def directory(home: Path, systemd: bool = False) -> Path:
    """Return where the base of today's recipe lies below home (.lab), built or not."""
    recipe = [
        os.geteuid(),  # whose ids its files have
        platform.machine(), _packages(systemd), LEFT_OUT, suite()[0],
        *(file.read_text("utf-8") for file in (HOST / "labclock.c", *_scripts(systemd))),
    ]  # fmt: skip
    return home / f"base-{hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]}"


def _packages(systemd: bool) -> list[str]:
    return PACKAGES + SYSTEMD_PACKAGES * systemd


def _scripts(systemd: bool) -> list[Path]:
    return SCRIPTS + [SYSTEMD_SCRIPT] * systemd


def suite(root: Path = Path("/")) -> tuple[str, list[str]]:
    """The Debian release of the hosts, and the apt sources it comes from: on Debian the machine's own of both."""
    release = dict(
        line.split("=", 1)
        for line in (root / "etc/os-release").read_text("utf-8").splitlines()
        if "=" in line
    )
    if release.get("ID") == "debian":
        name = release["VERSION_CODENAME"]
        apt = root / "etc/apt"
        files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
        lists = [
            str(file)
            for file in files
            if file.is_file() and file.suffix in (".list", ".sources") and _is_debian(file, name)
        ]
        if lists:
            return name, lists
    else:
        name = "bookworm"  # works on paper; only ever run on Debian
    keyring = root / "usr/share/keyrings/debian-archive-keyring.gpg"
    if not keyring.exists():
        machine.complain(["debian-archive-keyring"])
    return name, [f"deb [signed-by={keyring}] http://deb.debian.org/debian {name} main"]


def _is_debian(file: Path, release: str) -> bool:
    text = "\n".join(
        line for line in file.read_text("utf-8", "replace").splitlines() if not line.startswith("#")
    )
    return bool(re.search(r"/debian(-security)?/?\s", text)) and release in text and "main" in text.split()


def ensure(home: Path, notify: Notify, systemd: bool = False) -> Path:
    """Return the base below home, built if it is not there yet: a minute and apt's mirror.

    Raises:
        LabError: the build failed.
    """
    target = directory(home, systemd)
    lock = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            machine.need(*machine.TO_RUN, *machine.TO_BUILD)
            _build(target, notify, systemd)
    finally:
        os.close(lock)
    return target


def _build(target: Path, notify: Notify, systemd: bool) -> None:
    """Build in a temporary directory and rename at the end, so that an existing base is complete."""
    begun = time.monotonic()
    partial = target.with_suffix(PARTIAL)
    log = target.parent / "base.log"
    release, sources = suite()
    what = f"Debian {release}, {log}"
    notify(to_text(msg("building the hosts' disk, once ({what})", what=what)))
    remove(partial)
    with (
        tempfile.TemporaryDirectory(prefix="lab-base-") as directory_name,
        log.open("w", encoding="utf-8") as record,
    ):
        work = Path(directory_name)
        work.chmod(0o755)  # for the subordinate ids
        _compile_labclock(work)
        for script in _scripts(systemd):
            shutil.copy(script, work)
        status = _inside(_mmdebstrap(release, sources, partial, work, systemd), record, notify)
    if status:
        remove(partial)
        tail = "".join(log.read_text("utf-8", "replace").splitlines(keepends=True)[-15:])
        raise LabError(
            msg("the hosts' disk could not be built; the end of {log}:\n{tail}", log=log, tail=tail)
        )
    partial.rename(target)
    seconds = time.monotonic() - begun
    notify(to_text(msg("built in {seconds:.0f} s: {target}", seconds=seconds, target=target)))


def _mmdebstrap(release: str, sources: list[str], target: Path, work: Path, systemd: bool) -> list[str]:
    return [
        "mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", f"--include={','.join(_packages(systemd))}",
        '--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT),
        *(f'--customize-hook=sh {work}/{script.name} "$1"' for script in _scripts(systemd)),
        release, str(target), *sources,
    ]  # fmt: skip


def _inside(command: list[str], record: IO[str], notify: Notify) -> int:
    """Run command as root of a user namespace; its output goes to record, its headings to notify. -> exit status."""
    holder, _ = namespaces.start("build", subprocess.PIPE, *command)
    assert holder.stderr is not None
    for line in holder.stderr:
        record.write(line)
        if line.startswith("I: "):
            notify("  " + line[3:].rstrip())
    return holder.wait()


def remove(base: Path) -> None:
    """Delete a base; its files belong to ids that only its user namespace may touch."""
    if base.exists():
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            _inside(["rm", "-rf", "--one-file-system", str(base)], nowhere, lambda _: None)


def _compile_labclock(work: Path) -> None:
    options = ["-shared", "-fPIC", "-o", str(work / "labclock.so"), str(HOST / "labclock.c")]
    done = subprocess.run([machine.compiler(), *options], capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"labclock.c: {done.stderr.strip()}")
