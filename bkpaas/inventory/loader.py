"""Load a Deployment from the files of an inventory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TypeVar

from bkpaas.inventory import files, hosts, install_config
from bkpaas.inventory.deployment import DEFAULT_PORTS, Deployment, Generation, Host
from bkpaas.inventory.environment import NAMES, Environment, understand
from bkpaas.inventory.generation import decide
from bkpaas.inventory.limit import select_hosts
from bkpaas.inventory.overlay import Overlay, read_overlay
from bkpaas.inventory.problems import Problems
from bkpaas.inventory.source import Source, read
from bkpaas.inventory.waivers import resolve_hosts
from bkpaas.messages import Message, msg

T = TypeVar("T", str, int)


def load(
    path: Path,
    *,
    limit: str | None = None,
    conditions: Collection[str] | None = None,
    visits: bool = False,
) -> Deployment:
    """Load the deployment at path.

    path: a /data/install directory, an install.config, a deployment.yaml, or a directory with a deployment.yaml. limit: the
    selected hosts as names, addresses or roles, separated by commas. conditions: those that a waiver may name; None: any.
    visits: the files that connections need must exist. InventoryError: file, line, reason, fix; InventoryErrors: several.
    """
    files_found, problems = files.find(path), Problems(visits=visits)
    overlay = read_overlay(read(files_found.overlay), problems) if files_found.overlay else Overlay()
    if not files_found.config:
        _check_standalone(overlay, problems)
    problems.raise_any()
    config = read(files_found.config) if files_found.config else None
    clues = install_config.clues(config) if config else ()
    generation, note = decide([overlay.clues(), files_found.clues(), *clues])
    notes = list[Message]()
    listed = install_config.parse(config, generation, problems, notes) if config else {}
    members = hosts.merged(listed, overlay, problems, _projects(config, generation))
    waivers = resolve_hosts(overlay.waivers, members, problems, conditions)
    env = files_found.env(generation)
    environment = understand([read(file) for file in env], generation, overlay.own_fields(), problems)
    problems.raise_any()
    shipped = _Shipped(generation, overlay, environment, members)
    install_root = overlay.install_root or environment.install_root or files_found.install_root(notes)
    used = ", ".join(str(file) for file in (files_found.config, *env, files_found.overlay) if file)
    read_files = msg("read: {files}", files=used)
    notes = [read_files, note, *shipped.differing, *hosts.oddities(members), *notes, *shipped.notes()]
    deployment = Deployment(
        source=str(path),
        generation=generation,
        hosts=members,
        domain=shipped.domain,
        scheme=shipped.scheme,
        port=shipped.port,
        install_root=install_root,
        cookie_domain=shipped.root,
        fqdns=shipped.fqdns,
        ports=shipped.ports,
        application_paths=overlay.application_paths,
        virtual_addresses=overlay.virtual_addresses,
        ca_file=overlay.ca_file,
        limits=overlay.limits,
        thresholds=overlay.thresholds,
        waivers=waivers,
        notes=tuple(notes),
    )
    return deployment if limit is None else select_hosts(deployment, limit)


def _projects(config: Source | None, generation: Generation) -> dict[str, set[str]]:
    """Return {address: projects of paas} where install.config names them; 5.x has all on each paas host."""
    return install_config.projects(config) if config and generation == "6.x" else {}


def _check_standalone(overlay: Overlay, problems: Problems) -> None:
    missing = [key for key in ("generation", "domain", "hosts") if not getattr(overlay, key)]
    if missing and not problems:
        listed = " ".join(f"{key}:" for key in missing)
        problems.add(
            overlay.file,
            None,
            msg("is used without install.config, and lacks {keys}", keys=listed),
            msg("add {keys}", keys=listed),
        )


def _differing(overlay: Overlay, environment: Environment) -> Iterator[Message]:
    """Yield a note for each name that deployment.yaml and the env files give differently."""
    for name, other in environment.overruled.items():
        own = getattr(overlay, name)
        if own and own != other:
            yield msg(
                "{name} is {own} in deployment.yaml, but {other} in the env files: {own} is used",
                name=name,
                own=own,
                other=other,
            )


class _Shipped:
    """Return domain and ports: those of deployment.yaml, else of the env files, else as the software is
    shipped, which the notes then tell."""

    def __init__(
        self, generation: Generation, overlay: Overlay, environment: Environment, members: tuple[Host, ...]
    ) -> None:
        names = NAMES[generation]
        self._taken: list[str] = []
        self.differing = list(_differing(overlay, environment))
        self.root = overlay.cookie_domain or environment.root
        self.domain = (
            overlay.domain
            or environment.domain
            or self._take("domain", f"paas.{self.root or names.shipped_root}")
        )
        self.scheme = overlay.scheme or environment.scheme or self._take("scheme", "http")
        self.port = (
            overlay.port
            or environment.domain_ports.get(self.scheme)
            or self._take("port", 443 if self.scheme == "https" else 80)
        )
        self.fqdns = {**environment.fqdns, **overlay.fqdns}
        """Of cmdb and job, where a host has that role or deployment.yaml says one."""
        parent = self.root or (self.domain[5:] if self.domain.startswith("paas.") else "")
        for role in names.fqdns:
            if not any(host.has_role(role) for host in members) and role not in overlay.fqdns:
                self.fqdns.pop(role, None)
            elif role not in self.fqdns and parent:
                self.fqdns[role] = self._take(f"fqdns.{role}", f"{role}.{parent}")
        configured = {**environment.ports, **overlay.ports}
        self.ports = {**names.shipped_ports, **configured}
        for service in names.ports:
            if service not in configured:
                self._take(f"ports.{service}", names.shipped_ports.get(service, DEFAULT_PORTS[service]))

    def _take(self, what: str, value: T) -> T:
        self._taken.append(f"{what} {value}")
        return value

    def notes(self) -> list[Message]:
        if not self._taken:
            return []
        listed = ", ".join(self._taken)
        return [
            msg(
                "not in the inventory, so the default is used (set it in deployment.yaml): {settings}",
                settings=listed,
            )
        ]
