"""The files and directories of the command line, looked at before any host is: refused with a reason and a fix."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from bkpaas.errors import SuiteError
from bkpaas.files import MIB, read_bounded
from bkpaas.messages import msg, to_text

LOCK_FILE = ".lock"
"""In a report directory, empty; stays there. It is locked with flock while a run writes its reports."""
KEY_BYTES = 32
"""A key of fewer bytes could be guessed."""


def to_write(option: str, name: str, report: str) -> Path:
    """Return a file that can be written, present or not. Raises UsageError. report: a directory that the run makes."""
    path = Path(name)
    if path.parent.absolute() == Path(report).absolute() and not path.parent.exists():
        return path
    if path.is_dir():
        raise refused(
            option,
            path,
            to_text(msg("is a directory", context="option")),
            to_text(msg("name a file in it")),
        )
    if not path.parent.is_dir():
        raise refused(
            option,
            path,
            to_text(msg("{parent} is not a directory", parent=path.parent)),
            to_text(msg("create it first")),
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise refused(
            option,
            path,
            to_text(msg("{parent} cannot be written to", parent=path.parent)),
            to_text(msg("choose another place, or another account")),
        )
    return path


def to_fill(option: str, name: str) -> Path:
    """Return a directory that can be written to, or made. Raises UsageError."""
    path = Path(name)
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise refused(
            option,
            path,
            to_text(msg("{path} is not a directory", path=there)),
            to_text(msg("name a directory")),
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise refused(
            option,
            path,
            to_text(msg("{there} cannot be written to", there=there)),
            to_text(msg("choose another place, or another account")),
        )
    return path


PRIVATE_BYTES = MIB
"""Limit of a file that holds a secret."""


def lock(directory: Path) -> int:
    """Create the report directory and lock it for this run; return the descriptor that holds the lock.

    The lock ends with the process, however it ends. UsageError: another run holds it, or there is no such directory.
    """
    option = "--report"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise refused(
            option,
            directory,
            to_text(msg("another run writes its report there")),
            to_text(msg("wait until it has ended, or give --report another directory")),
        ) from None
    except OSError as error:
        raise refused(
            option,
            directory,
            f"{LOCK_FILE}: {error.strerror}",
            to_text(msg("choose a directory on another file system")),
        ) from None
    return descriptor


def private(option: str, name: str) -> bytes:
    """Read a file that holds a secret. Raises UsageError if it cannot be read, or others could read it too."""
    path = Path(name)
    try:
        mode = path.stat().st_mode
        content = read_bounded(path, PRIVATE_BYTES)
    except SuiteError as error:
        raise pytest.UsageError(f"{option} {error}") from None
    except OSError as error:
        raise refused(
            option,
            path,
            str(error.strerror),
            to_text(msg("check the path and who may read it")),
        ) from None
    if mode & 0o077:
        raise refused(
            option,
            path,
            to_text(msg("others may read or write it (mode {mode:o})", mode=mode & 511)),
            f"chmod 600 {path}",
        )
    return content


def secret_key(path: str) -> bytes:
    """Return the key of --secret-key-file. Raises UsageError as private() does, and if the key is short."""
    option = "--secret-key-file"
    key = private(option, path).strip(b"\r\n")
    if len(key) < KEY_BYTES:
        raise refused(
            option,
            Path(path),
            to_text(
                msg(
                    "holds {key_count} bytes, a key has at least {key_bytes}",
                    key_count=len(key),
                    key_bytes=KEY_BYTES,
                )
            ),
            f"(umask 077; head -c 32 /dev/urandom | base64 > {path})",
        )
    return key


def refused(option: str, path: Path, reason: str, fix: str) -> pytest.UsageError:
    return pytest.UsageError(
        to_text(
            msg("{option} {path}: {reason}\n  fix: {fix}", option=option, path=path, reason=reason, fix=fix)
        )
    )
