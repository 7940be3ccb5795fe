"""Print sudo rules that permit accounts to run the collector only: `python -m bkpaas.collect.sudoers PATH`.

PATH is an inventory. The permitted command contains the digest of the collector, so that a rule is valid for this
version only and has to be made again when the collector changes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bkpaas import inventory
from bkpaas.collect import program
from bkpaas.errors import InventoryError
from bkpaas.inventory.deployment import Connection, Deployment
from bkpaas.language import language_of_locale, set_language
from bkpaas.messages import msg

# sudoers(5): in the arguments of a command , : = # are separators, and * ? [ ] are wildcards.
_SPECIAL = re.compile(r"[,:=#*?\[\]]")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Search path of the interpreter, without directories that the account can write to."""


class NoAccount(Exception):
    """Signal an inventory without hosts that use sudo, or with an account set by ssh_config."""


def rules(deployment: Deployment) -> str:
    """Return the file for /etc/sudoers.d, equal for all hosts of the deployment. Raises NoAccount."""
    wanted = dict.fromkeys(_accounts(deployment))
    if not wanted:
        raise NoAccount(
            msg(
                "no host of {source} is collected with sudo: set sudo: true in deployment.yaml",
                source=deployment.source,
            )
        )
    lines = [f"# bkpaas-acceptance, collector {program.digest()}"]
    for number, (account, runas) in enumerate(wanted, 1):
        name = f"BKPAAS_{number}"
        lines += [
            f"Cmnd_Alias {name} = /bin/sh -c {escaped(_script(deployment))}",
            f'Defaults!{name} !requiretty, env_reset, secure_path="{PATH}"',
            f"{account} ALL=({runas}) NOPASSWD: NOSETENV: {name}",
        ]
    return "\n".join(lines) + "\n"


def escaped(argument: str) -> str:
    """Escape an argument of a command in sudoers, so that it matches literally."""
    # The grammar of the file and the comparison each remove a backslash.
    return _SPECIAL.sub(r"\\\g<0>", argument.replace("\\", "\\" * 4))


def _script(deployment: Deployment) -> str:
    homes = (deployment.install_root,) if deployment.install_root else ()
    return program.script(Connection("ssh://", sudo=True), homes)


def _accounts(deployment: Deployment) -> list[tuple[str, str]]:
    """Return (login account, target account) of every host that uses sudo. Raises NoAccount."""
    accounts = []
    for host in deployment.selected():
        if host.connection.sudo:
            account = urlsplit(host.connection.spec).username
            if account is None:
                raise NoAccount(
                    msg(
                        "{name}: which account logs in is left to ssh_config: write user: in deployment.yaml",
                        name=host.name,
                    )
                )
            accounts.append((unquote(account), host.connection.sudo_user or "root"))
    return accounts


def main(arguments: list[str]) -> int:
    set_language(language_of_locale())
    if len(arguments) != 1:
        print("python -m bkpaas.collect.sudoers PATH", file=sys.stderr)
        return 2
    try:
        print(rules(inventory.load(Path(arguments[0]))), end="")
    except (NoAccount, InventoryError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
