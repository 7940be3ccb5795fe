"""List all files of this host on standard output: {path: [type, mode, uid, gid, size, mtime, hash or target]}.

argv: the epoch time in seconds since which files are hashed (0: all of them). The kernel sets a file's ctime, and
nothing can set it back.
"""

import contextlib
import hashlib
import json
import os
import stat
import sys

SKIPPED = ("/proc", "/sys", "/dev/pts")


def entry(path: str, since: float) -> list[object]:
    status = os.lstat(path)
    kind = stat.S_IFMT(status.st_mode)
    more = ""
    if kind == stat.S_IFLNK:
        more = os.readlink(path)
    elif kind == stat.S_IFREG and status.st_ctime >= since:
        with open(os.open(path, os.O_RDONLY | os.O_NOATIME), "rb") as stream:
            more = hashlib.blake2b(stream.read(), digest_size=12).hexdigest()
    return [
        kind,
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
        status.st_size if kind != stat.S_IFDIR else 0,
        status.st_mtime_ns,
        more,
    ]


def is_skipped(path: str) -> bool:
    """Return whether a directory is left out: it is of the kernel, or mounted read-only and cannot change."""
    if path in SKIPPED:
        return True
    return os.path.ismount(path) and bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def listed(root: str, since: float) -> dict[str, list[object]]:
    found = {root: entry(root, since)}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not is_skipped(os.path.join(folder, name))]
        for name in folders + names:
            path = os.path.join(folder, name)
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile: the other listing shows it
                found[path] = entry(path, since)
    return found


if __name__ == "__main__":
    json.dump(listed("/", float(sys.argv[1])), sys.stdout)
