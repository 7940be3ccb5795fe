"""Load the ssh files of the controller: private keys and known hosts."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bkpaas.collect.libraries import asyncssh
from bkpaas.messages import msg


def prefer(name: bytes, names: Sequence[bytes]) -> list[str]:
    """Return the names, those that start with `name` first; asyncssh would match patterns again for every host."""
    return [
        candidate.decode()
        for candidate in sorted(names, key=lambda candidate: not candidate.startswith(name))
    ]


def identity(key: str) -> dict[str, Any]:
    """Return the options for a key file: that key only, or the agent for a key with a passphrase."""
    try:
        return {"client_keys": [private_key(key)], "agent_path": None}
    except asyncssh.KeyImportError as error:
        if "passphrase" not in str(error).lower():
            raise
        if not os.environ.get("SSH_AUTH_SOCK"):
            raise ValueError(msg("{key} has a passphrase: load it with ssh-add", key=key)) from None
        return {"client_keys": [], "agent_identities": [f"{key}.pub"]}


@functools.cache
def private_key(path: str) -> asyncssh.SSHKey:
    return asyncssh.read_private_key(os.path.expanduser(path))


@functools.cache
def known_hosts(paths: tuple[str, ...]) -> asyncssh.SSHKnownHosts:
    """Return the parsed known_hosts files, cached for the run; missing files are skipped."""
    existing = [path for name in paths if (path := Path(name).expanduser()).is_file()]
    return asyncssh.import_known_hosts("\n".join(path.read_text("utf-8", "replace") for path in existing))
