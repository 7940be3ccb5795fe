"""Print which files one visit over ssh changes where sshd uses PAM: `unshare -m python -m collect.login_footprint FOLDER`.

The directories in which sshd, PAM and sudo keep their records are empty and private to this mount namespace.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bkpaas.collect.rounds import collect_hosts
from collect.sshd import deployment, key, running

RECORDS = ("/run", "/var/log", "/var/lib", "/var/spool", "/var/mail")
LOGS = ("/var/log/lastlog", "/var/log/wtmp", "/var/log/btmp", "/var/log/faillog", "/run/utmp")
"""Files that sshd and PAM write only if they are there."""


def listing() -> dict[str, tuple[int, int, int]]:
    """Return (inode, size, time of change) of every file below RECORDS."""
    found = {}
    for root in RECORDS:
        for folder, _, names in os.walk(root):
            for name in names:
                status = os.lstat(Path(folder, name))
                found[f"{folder}/{name}"] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found


def changed(folder: Path) -> list[str]:
    """Visit a host through sshd with PAM; return the files that are new, gone or changed."""
    for root in filter(os.path.isdir, RECORDS):
        subprocess.run(["mount", "-t", "tmpfs", "records", root], check=True)
    for file in LOGS:
        Path(file).touch()
    key(folder / "id")
    with running(folder / "sshd", folder, "UsePAM yes") as sshd:
        before = listing()
        visit = collect_hosts(
            deployment(sshd.connection()), lambda host: {"visit": 1, "disks": ["/"]}, lambda host, all: None
        )["a"]
        assert visit.error is None, visit.error
        for _ in range(12000):
            if "Disconnected from user" in sshd.log.read_text():
                break
            time.sleep(0.01)
        else:
            raise AssertionError(sshd.log.read_text())
    after = listing()
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


if __name__ == "__main__":
    print(json.dumps(changed(Path(sys.argv[1]))))
