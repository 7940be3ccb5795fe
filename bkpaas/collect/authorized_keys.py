"""Print lines of authorized_keys that restrict a key to the collector.

`python -m bkpaas.collect.authorized_keys PATH KEY.pub`: PATH is an inventory, KEY.pub the public key of the suite. The
forced command contains the digest of the collector, so that a line is valid for this version only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bkpaas import inventory
from bkpaas.collect import program
from bkpaas.errors import InventoryError, SuiteError
from bkpaas.files import read_bounded
from bkpaas.inventory.deployment import Deployment
from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg

MAX_KEY_BYTES = 16384
"""Limit of the file with the public key."""


class NoKey(Exception):
    """Signal a file that is not a public key, or an inventory without hosts on ssh."""


def lines(deployment: Deployment, public_key: str) -> str:
    """Return the lines, each after a comment with its hosts. Raises NoKey.

    Args:
        public_key: one line as in KEY.pub, without options.
    """
    homes = (deployment.install_root,) if deployment.install_root else ()
    hosts: dict[str, list[str]] = {}
    for host in deployment.selected():
        if host.connection.spec.startswith("ssh://"):
            command = program.command(host.connection, homes, pinned=True)
            hosts.setdefault(command, []).append(host.name)
    if not hosts:
        raise NoKey(msg("no host of {source} is collected over ssh://", source=deployment.source))
    found = [f"# bkpaas-acceptance, collector {program.digest()}"]
    for command, names in hosts.items():
        found += [f"# {' '.join(names)}", f'restrict,command="{escaped(command)}" {public_key}']
    return "\n".join(found) + "\n"


def escaped(command: str) -> str:
    """Escape a command for an option of authorized_keys: sshd(8) removes the backslash before a quotation mark."""
    return command.replace('"', '\\"')


def read_key(path: Path) -> str:
    """Return the public key in a file. Raises NoKey."""
    try:
        text = read_bounded(path, MAX_KEY_BYTES).decode("utf-8", "replace")
    except SuiteError:
        text = ""
    found = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(found) != 1 or not found[0].startswith(("ssh-", "ecdsa-", "sk-")):
        raise NoKey(msg("{path} cannot be read as a public key: name the file that ends in .pub", path=path))
    return found[0]


def main(arguments: list[str]) -> int:
    set_language(language_of_locale())
    if len(arguments) != 2:
        print("python -m bkpaas.collect.authorized_keys PATH KEY.pub", file=sys.stderr)
        return 2
    try:
        print(lines(inventory.load(Path(arguments[0])), read_key(Path(arguments[1]))), end="")
    except (NoKey, InventoryError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
