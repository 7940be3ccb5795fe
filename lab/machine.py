"""What the machine has to offer: tools, ids, namespaces. What is missing is told with the command that gives it."""

from __future__ import annotations

import errno
import os
import pwd
import shutil
from collections.abc import Iterable
from pathlib import Path

from bkpaas.messages import msg, to_text
from lab.errors import LabError

ENOUGH_IDS = 65536
"""Subordinate ids a host needs: Debian's own users go up to 65534."""

PACKAGE_OF = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "newuidmap": "uidmap",
    "newgidmap": "uidmap",
    "mmdebstrap": "mmdebstrap",
    "cc": "gcc",
    "debian-archive-keyring": "debian-archive-keyring",
}
"""Debian and Ubuntu package by tool."""

TO_RUN = ("ip", "nsenter", "unshare", "ssh", "ssh-keygen")
TO_BUILD = ("mmdebstrap",)
AS_PLAIN_USER = ("newuidmap", "newgidmap")
SUBUID, SUBGID = Path("/etc/subuid"), Path("/etc/subgid")
COMPILERS = ("cc", "gcc", "tcc")


def complete_path() -> None:
    """Plain users often lack the sbin directories; ip and the build need them."""
    have = os.environ.get("PATH", "").split(":")
    more = [
        directory
        for directory in ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin")
        if directory not in have
    ]
    os.environ["PATH"] = ":".join([*filter(None, have), *more])


def need(*tools: str) -> None:
    """LabError with the one line that gives what is missing: tools, and for a plain user subordinate ids."""
    wanted = (*tools, *(AS_PLAIN_USER if os.geteuid() else ()))
    complain([tool for tool in wanted if not shutil.which(tool)])
    if os.geteuid():
        for file in (SUBUID, SUBGID):
            subordinate_range(file, user())


def user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def compiler() -> str:
    """A C compiler; LabError with the line that installs one."""
    for name in COMPILERS:
        if shutil.which(name):
            return name
    complain(["cc"])
    raise AssertionError("unreachable")


def complain(missing: Iterable[str]) -> None:
    names = list(missing)
    if names:
        packages = " ".join(sorted({PACKAGE_OF[name] for name in names}))
        raise LabError(
            msg(
                "this machine lacks {tools}\n  sudo apt-get install -y --no-install-recommends {packages}",
                tools=", ".join(names),
                packages=packages,
            )
        )


def subordinate_range(file: Path, name: str) -> int:
    """The first of at least 65536 ids that file gives to the user of that name; LabError says how to get them."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    fields = [line.split(":") for line in lines if line.count(":") == 2]
    ranges = [(owner, int(first), int(count)) for owner, first, count in fields]
    for owner, first, count in ranges:
        if owner in (name, str(os.getuid())) and count >= ENOUGH_IDS:
            return first
    free = max([100_000, *(first + count for _, first, count in ranges)])
    span = f"{free}-{free + ENOUGH_IDS - 1}"
    raise LabError(
        msg(
            "{file}: no range of {number} ids for {name}, and every host has several users\n"
            "  sudo usermod --add-subuids {span} --add-subgids {span} {name}",
            file=file,
            number=ENOUGH_IDS,
            name=name,
            span=span,
        )
    )


def too_few_ids() -> str:
    return to_text(
        msg(
            "root here has fewer than {number} user ids (a user namespace with one user?): start the lab outside it",
            number=ENOUGH_IDS,
        )
    )


def refusal(step: str, number: int, root: Path = Path("/")) -> str:
    """Why the kernel refused `step` with errno `number`, and how to allow it."""
    what = to_text(
        msg("the kernel does not allow the {step} of the lab: {error}", step=step, error=os.strerror(number))
    )
    return f"{what}\n  {_fix(number, root)}"


def _fix(number: int, root: Path) -> str:
    kernel = root / "proc/sys/kernel"
    if number in (errno.ENOSPC, errno.EUSERS):
        return "sudo sysctl user.max_user_namespaces=10000 user.max_net_namespaces=10000"
    if os.geteuid():
        sudo = to_text(msg("or start the lab with sudo"))
        if _value(kernel / "apparmor_restrict_unprivileged_userns") == "1":
            return f"sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0   # {sudo}"
        if _value(kernel / "unprivileged_userns_clone") == "0":
            return f"sudo sysctl kernel.unprivileged_userns_clone=1   # {sudo}"
    if any((root / mark).exists() for mark in (".dockerenv", "run/.containerenv")):
        return to_text(
            msg(
                "this container may not make namespaces: start it with `docker run --privileged` (podman likewise)"
            )
        )
    return to_text(
        msg(
            "a security policy (seccomp, SELinux, a chroot) forbids it: use another machine, a virtual machine or a container started with --privileged"
        )
    )


def _value(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except OSError:
        return ""
