"""The files and directories of the command line, looked at before any host is: refused with a reason and a fix."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from bkpaas.errors import SuiteError
from bkpaas.files import MIB, read_bounded
from bkpaas.lang import say

LOCK_FILE = ".lock"
"""In a report directory, empty; stays there. It is locked with flock while a run writes its reports."""
KEY_BYTES = 32
"""A key of fewer bytes could be guessed."""


def to_write(option: str, given: str, report: str) -> Path:
    """A file that can be written, there or not yet. UsageError when not. report: a directory that the run makes."""
    path = Path(given)
    if path.parent.absolute() == Path(report).absolute() and not path.parent.exists():
        return path
    if path.is_dir():
        raise refused(
            option,
            path,
            say(en="is a directory", zh="是一个目录"),
            say(en="name a file in it", zh="请写出其中的文件名"),
        )
    if not path.parent.is_dir():
        raise refused(
            option,
            path,
            say(en=f"{path.parent} is no directory", zh=f"{path.parent} 不是目录"),
            say(en="create it first", zh="请先创建"),
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise refused(
            option,
            path,
            say(en=f"{path.parent} cannot be written to", zh=f"{path.parent} 不可写"),
            say(en="choose another place, or another account", zh="请换一个位置或账号"),
        )
    return path


def to_fill(option: str, given: str) -> Path:
    """A directory that can be written to, or made. UsageError when not."""
    path = Path(given)
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise refused(
            option,
            path,
            say(en=f"{there} is no directory", zh=f"{there} 不是目录"),
            say(en="name a directory", zh="请写一个目录"),
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise refused(
            option,
            path,
            say(en=f"{there} cannot be written to", zh=f"{there} 不可写"),
            say(en="choose another place, or another account", zh="请换一个位置或账号"),
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
            say(en="another run writes its report there", zh="另一次运行正在向该目录写报告"),
            say(
                en="wait until it has ended, or give --report another directory",
                zh="请等待其结束，或用 --report 指定其他目录",
            ),
        ) from None
    except OSError as error:
        raise refused(
            option,
            directory,
            f"{LOCK_FILE}: {error.strerror}",
            say(en="choose a directory on another file system", zh="请换一个其他文件系统上的目录"),
        ) from None
    return descriptor


def private(option: str, given: str) -> bytes:
    """What is in a file that holds a secret. UsageError: it cannot be read, or others could read it too."""
    path = Path(given)
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
            say(en="check the path and who may read it", zh="请检查路径和读取权限"),
        ) from None
    if mode & 0o077:
        raise refused(
            option,
            path,
            say(
                en=f"others may read or write it (mode {mode & 0o777:o})",
                zh=f"其他用户可以读写（权限 {mode & 0o777:o}）",
            ),
            f"chmod 600 {path}",
        )
    return content


def secret_key(given: str) -> bytes:
    """The key of --secret-key-file. UsageError as above, and when it is short."""
    option = "--secret-key-file"
    key = private(option, given).strip(b"\r\n")
    if len(key) < KEY_BYTES:
        raise refused(
            option,
            Path(given),
            say(
                en=f"holds {len(key)} bytes, a key has at least {KEY_BYTES}",
                zh=f"只有 {len(key)} 字节，密钥至少需要 {KEY_BYTES} 字节",
            ),
            f"(umask 077; head -c 32 /dev/urandom | base64 > {given})",
        )
    return key


def refused(option: str, path: Path, reason: str, fix: str) -> pytest.UsageError:
    return pytest.UsageError(f"{option} {path}: {reason}\n  {say(en='fix: ', zh='解决办法：')}{fix}")
