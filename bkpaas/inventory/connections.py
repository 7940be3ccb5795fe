"""Read the connections of hosts: `connect:` of deployment.yaml, and testinfra's host specs."""

from __future__ import annotations

import os
import re
import stat
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct
from msgspec.structs import asdict

from bkpaas.inventory import schema
from bkpaas.inventory.deployment import Connection
from bkpaas.inventory.schema import Check, Node, Refused, Section
from bkpaas.messages import msg

_HOST = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_USER = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_PORT = r"[0-9]{1,5}"
_JUMP = re.compile(rf"(?:{_USER}@)?{_HOST}(?::{_PORT})?(?:,(?:{_USER}@)?{_HOST}(?::{_PORT})?)*")
_USER_ONLY = re.compile(_USER)

SPECS: dict[str, tuple[re.Pattern[str], frozenset[str], str]] = {
    # scheme: what stands behind ://, the options behind ?, an example
    "ssh": (re.compile(rf"(?:{_USER}@)?{_HOST}(?::{_PORT})?"), frozenset(), "ssh://root@10.0.1.1:22"),
    "local": (re.compile(""), frozenset(), "local://"),
    "docker": (re.compile(rf"(?:{_USER}@)?{_HOST}"), frozenset(), "docker://root@paas-1"),
    "podman": (re.compile(rf"(?:{_USER}@)?{_HOST}"), frozenset(), "podman://root@paas-1"),
    "kubectl": (
        re.compile(_HOST),
        frozenset({"namespace", "container", "context", "kubeconfig"}),
        "kubectl://paas-0?namespace=bk&container=paas",
    ),
    "salt": (re.compile(_HOST), frozenset(), "salt://paas-1"),
    "ansible": (
        re.compile(_HOST),
        frozenset({"ansible_inventory", "force_ansible"}),
        "ansible://paas-1?ansible_inventory=hosts.ini",
    ),
}
_PATH_OPTIONS = ("kubeconfig", "ansible_inventory")


class Connect(Struct, frozen=True):
    """Represent one `connect:` of deployment.yaml; None: not set."""

    spec: str | None = None
    user: str | None = None
    port: int | None = None
    key: str | None = None
    known_hosts: str | None = None
    ssh_config: str | None = None
    bastion: str | None = None
    sudo: bool | None = None
    sudo_user: str | None = None

    def over(self, other: Connect) -> Connect:
        """Return this one, with unset values taken from the other."""
        mine = {key: value for key, value in asdict(self).items() if value is not None}
        return Connect(**{**asdict(other), **mine})


_SSH_KEYS = ("user", "port", "key", "known_hosts", "ssh_config", "bastion")


def read_connect(section: Section | None, *, of_host: bool) -> Connect:
    """Read a `connect:` mapping; paths become absolute, relative to the directory of the file."""
    if section is None:
        return Connect()
    path = file_path(section.file)
    connect = Connect(
        spec=section.take("spec", _spec(section.file)) if of_host else None,
        user=section.take("user", _user),
        port=section.take("port", schema.port),
        key=section.take("key", path),
        known_hosts=section.take("known_hosts", path),
        ssh_config=section.take("ssh_config", path),
        bastion=section.take("bastion", _bastion),
        sudo=section.take("sudo", schema.flag),
        sudo_user=section.take("sudo_user", _user),
    )
    section.end()
    for key in ("key", "known_hosts", "ssh_config"):
        need_file(section, key, getattr(connect, key))
    if connect.spec is not None:
        _check_together(section, connect.spec)
    return connect


def connection(connect: Connect, address: str) -> Connection:
    """Return the connection to a host; the default spec is ssh to its address. sudo_user implies sudo."""
    spec = connect.spec or f"ssh://{address}"
    sudo = connect.sudo if connect.sudo is not None else connect.sudo_user is not None
    sudo_user = connect.sudo_user if sudo else None
    if not spec.startswith("ssh://"):
        return Connection(spec=spec, sudo=sudo, sudo_user=sudo_user)
    user, at, host_and_port = spec.removeprefix("ssh://").rpartition("@")
    host, colon, port = host_and_port.partition(":")
    user = user if at else connect.user or ""
    port = port if colon else str(connect.port or "")
    return Connection(
        spec=f"ssh://{user}{'@' if user else ''}{host}{':' if port else ''}{port}",
        key=connect.key,
        known_hosts=connect.known_hosts,
        ssh_config=connect.ssh_config,
        bastion=connect.bastion,
        sudo=sudo,
        sudo_user=sudo_user,
    )


def target(spec: str) -> str:
    """Return the target of a spec without the account: for ssh, host and port."""
    scheme, _, rest = spec.partition("://")
    host_and_port = rest.rpartition("@")[2]
    return f"{scheme}://{host_and_port.removesuffix(':22') if scheme == 'ssh' else host_and_port}"


def file_path(file: str) -> Check[str]:
    """Read a path: ~ is the home directory, relative paths start at the directory of the file."""
    here = os.path.dirname(os.path.abspath(file))

    def check(node: Node) -> str:
        return _absolute(here, schema.text(node))

    return check


def _too_open(path: str) -> int:
    """Return the mode of a private key that others may read, else 0; as in OpenSSH, only of a file of this user."""
    status = os.stat(path)
    mode = stat.S_IMODE(status.st_mode)
    return mode if status.st_uid == os.geteuid() and mode & 0o077 and not path.endswith(".pub") else 0


def need_file(section: Section, key: str, path: str | None) -> None:
    """Refuse a missing or unreadable file that a connection needs.

    It is not checked without a collection, since plans and snapshots are also read on machines without the key."""
    if path is None or not section.problems.visits:
        return
    if not os.path.exists(path):
        wrong = msg("does not exist")
    elif os.path.isdir(path):
        wrong = msg("is a directory")
    elif not os.access(path, os.R_OK):
        wrong = msg("cannot be read by this user")
    elif key == "key" and (mode := _too_open(path)):
        section.refuse(
            key,
            msg(
                "{key}: {path} is {mode:o}, so others can read the private key", key=key, path=path, mode=mode
            ),
            msg("chmod 600 {path} (OpenSSH does not use such a key either)", path=path),
        )
        return
    else:
        return
    section.refuse(
        key,
        msg("{key}: {path} {wrong}", key=key, path=path, wrong=wrong),
        msg(
            "correct the path (a relative one starts at this file), or put the file there, readable for the user of this run"
        ),
    )


def _absolute(here: str, path: str) -> str:
    return os.path.realpath(os.path.join(here, os.path.expanduser(path)))


def _spec(file: str) -> Check[str]:
    here = os.path.dirname(os.path.abspath(file))

    def check(node: Node) -> str:
        text = schema.text(node)
        scheme, separator, rest = text.partition("://")
        if not separator or scheme not in SPECS:
            listed = ", ".join(f"{name}://" for name in SPECS)
            raise Refused(
                msg("is not a supported connection"),
                msg("begin with one of {listed}", listed=listed),
            )
        pattern, options, example = SPECS[scheme]
        # What is refused is never repeated: it could hold a password.
        if ":" in rest.rpartition("@")[0]:
            raise _password()
        location, _, query = rest.partition("?")
        options_given = parse_qsl(query, keep_blank_values=True)
        if any(key not in options for key, _ in options_given):
            raise _unknown_option(scheme, options)
        if not pattern.fullmatch(location) or not _port_fits(location):
            raise Refused(
                msg("is not a {scheme}:// connection", scheme=scheme),
                msg("write it like {example}", example=example),
            )
        query = urlencode(
            [
                (key, _absolute(here, value) if key in _PATH_OPTIONS else value)
                for key, value in options_given
            ],
            safe="/",
        )
        return f"{scheme}://{location}{'?' if query else ''}{query}"

    return check


def _unknown_option(scheme: str, options: frozenset[str]) -> Refused:
    if options:
        listed = ", ".join(sorted(options))
        fix = msg("{scheme}:// takes {listed}", scheme=scheme, listed=listed)
    else:
        fix = msg("write user, key, sudo and so on as keys next to spec:")
    return Refused(msg("has an option that {scheme}:// does not take", scheme=scheme), fix)


def _user(node: Node) -> str:
    value = schema.text(node)
    if ":" in value:
        raise _password()
    if not _USER_ONLY.fullmatch(value):
        raise Refused(
            msg("is not the name of an account"),
            msg("write it like root"),
        )
    return value


def _bastion(node: Node) -> str:
    value = schema.text(node)
    if any(":" in hop.rpartition("@")[0] for hop in value.split(",")):
        raise _password()
    if not _JUMP.fullmatch(value) or not all(_port_fits(hop) for hop in value.split(",")):
        raise Refused(
            msg("is not a jump host"),
            msg("write it like ops@10.0.1.250:22"),
        )
    return value


def _port_fits(location: str) -> bool:
    port = re.search(r":([0-9]+)$", location)
    return port is None or 0 < int(port[1]) < 65536


def _password() -> Refused:
    return Refused(
        msg("holds a password"),
        msg("remove it and log in with a key: connect: {{key: PATH}}"),
    )


def _check_together(section: Section, spec: str) -> None:
    """Report keys of a host that contradict its spec."""
    _, at, host_and_port = spec.removeprefix("ssh://").rpartition("@")
    for key in _SSH_KEYS:
        if not section.has(key):
            continue
        if not spec.startswith("ssh://"):
            section.refuse(
                key,
                msg("{key}: is for ssh:// only", key=key),
                msg("remove {key}:, or use an ssh:// spec", key=key),
            )
        elif (key == "user" and at) or (key == "port" and ":" in host_and_port):
            section.refuse(
                key,
                msg("{key}: is in spec: too", key=key),
                msg("set it once"),
            )
