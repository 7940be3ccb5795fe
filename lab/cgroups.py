"""The control groups of hosts whose PID 1 is systemd: one per host, below one per lab, in the machine's cgroup2."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from bkpaas.messages import msg
from lab.errors import LabError

MOUNTS = Path("/proc/self/mountinfo")


def hierarchy(mounts: Path = MOUNTS) -> Path | None:
    """Return where the machine has mounted cgroup2, None if it has not."""
    for line in mounts.read_text("utf-8", "replace").splitlines():
        mount, _, kind = line.partition(" - ")
        if kind.split(" ", 1)[0] == "cgroup2":
            return Path(mount.split()[4])
    return None


def of(state_dir: Path) -> Path:
    """Return the control group of a lab, there or not."""
    root = hierarchy()
    assert root is not None, "need() was not called"
    digest = hashlib.sha256(str(state_dir).encode()).hexdigest()[:12]
    return root / f"bkpaas-lab-{digest}"


def need() -> None:
    """Raise LabError with the fix if this machine has no cgroup2 in which the lab may make groups."""
    root = hierarchy()
    if root is None:
        raise LabError(
            msg(
                "hosts with systemd need cgroup2, which this machine has not mounted\n"
                "  sudo mkdir -p /sys/fs/cgroup/unified && sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified"
            )
        )
    if not os.access(root, os.W_OK):
        raise LabError(
            msg(
                "hosts with systemd need a control group below {root}, which this user may not make\n"
                "  start the lab as root; in a container: docker run --privileged --cgroupns=host",
                root=root,
            )
        )


def remove(state_dir: Path) -> None:
    """Remove what the hosts of an ended lab left there: groups without processes."""
    if hierarchy() is None:
        return
    for directory, _, _ in os.walk(of(state_dir), topdown=False):
        with suppress(OSError):  # a group that still ends
            os.rmdir(directory)
