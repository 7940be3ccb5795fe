"""From the files of an inventory to a Deployment."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from bkpaas.inventory import files, generation, hosts, install_config
from bkpaas.inventory.deployment import DEFAULT_PORTS, Deployment, Generation, Host
from bkpaas.inventory.environment import NAMES, Environment, understand
from bkpaas.inventory.limit import judge_only
from bkpaas.inventory.overlay import Overlay, read_overlay
from bkpaas.inventory.problems import Problems
from bkpaas.inventory.source import read
from bkpaas.lang import say

T = TypeVar("T", str, int)


def load(path: Path, *, limit: str | None = None) -> Deployment:
    """The deployment at path.

    path: a /data/install directory, an install.config, a deployment.yaml, or a directory with deployment.yaml
    alone or beside the others. limit: names, addresses or roles, separated by commas; other hosts stay known
    but are not judged. InventoryError: file, line, reason, way out; InventoryErrors when there are several.
    """
    found, problems = files.find(path), Problems()
    overlay = read_overlay(read(found.overlay), problems) if found.overlay else Overlay()
    if not found.config:
        _check_standalone(overlay, problems)
    problems.raise_any()
    config = read(found.config) if found.config else None
    clues = install_config.clues(config) if config else ()
    age, note = generation.decide([overlay.clues(), found.clues(), *clues])
    notes = [note]
    listed = install_config.parse(config, age, problems, notes) if config else {}
    members = hosts.merged(listed, overlay, problems)
    waivers = hosts.waivers(overlay, members, problems)
    env = found.env(age)
    environment = understand([read(file) for file in env], age, overlay.told(), problems)
    problems.raise_any()
    used = ", ".join(str(file) for file in (found.config, *env, found.overlay) if file)
    shipped = _Shipped(age, overlay, environment)
    deployment = Deployment(
        source=str(path),
        generation=age,
        hosts=members,
        domain=shipped.domain,
        scheme=shipped.scheme,
        port=shipped.port,
        home=overlay.home or environment.home or found.home(),
        cookie_domain=shipped.root,
        fqdns=shipped.fqdns(members),
        ports=shipped.ports(),
        virtual_addresses=overlay.virtual_addresses,
        ca_file=overlay.ca_file,
        limits=overlay.limits,
        thresholds=overlay.thresholds,
        waivers=waivers,
        notes=(
            say(en=f"read: {used}", zh=f"已读取：{used}"),
            *notes,
            *shipped.notes(),
            *hosts.oddities(members),
        ),
    )
    return deployment if limit is None else judge_only(deployment, limit)


def _check_standalone(overlay: Overlay, problems: Problems) -> None:
    missing = [key for key in ("generation", "domain", "hosts") if not getattr(overlay, key)]
    if missing and not problems:
        listed = " ".join(f"{key}:" for key in missing)
        problems.add(
            overlay.file,
            None,
            say(
                en=f"stands alone, without install.config, and lacks {listed}",
                zh=f"没有 install.config 而单独使用，但缺少 {listed}",
            ),
            say(en=f"add {listed}", zh=f"请补上 {listed}"),
        )


class _Shipped:
    """Domain and ports: as deployment.yaml has them, else as the env files do, else as the software is
    shipped, which the notes then tell."""

    def __init__(self, age: Generation, overlay: Overlay, environment: Environment) -> None:
        self.names, self.overlay, self.environment = NAMES[age], overlay, environment
        self._taken: list[str] = []
        self.root = overlay.cookie_domain or environment.root
        self.domain = (
            overlay.domain
            or environment.domain
            or self._take("domain", f"paas.{self.root or self.names.shipped_root}")
        )
        self.scheme = overlay.scheme or environment.scheme or self._take("scheme", "http")
        self.port = (
            overlay.port
            or environment.domain_ports.get(self.scheme)
            or self._take("port", 443 if self.scheme == "https" else 80)
        )

    def fqdns(self, members: tuple[Host, ...]) -> dict[str, str]:
        """The names of cmdb and job, where a host has that role or deployment.yaml says one."""
        told = {**self.environment.fqdns, **self.overlay.fqdns}
        parent = self.root or self.domain.partition(".")[2]
        return {
            role: told.get(role) or self._take(f"fqdns.{role}", f"{role}.{parent}")
            for role in self.names.fqdns
            if role in self.overlay.fqdns or (any(host.has(role) for host in members) and parent)
        }

    def ports(self) -> dict[str, int]:
        """What the inventory says, and what this generation ships otherwise than DEFAULT_PORTS."""
        told = {**self.environment.ports, **self.overlay.ports}
        for service in self.names.ports:
            if service not in told:
                port = self.names.shipped_ports.get(service, DEFAULT_PORTS[service])
                self._take(f"ports.{service}", port)
        return {**self.names.shipped_ports, **told}

    def _take(self, what: str, value: T) -> T:
        self._taken.append(f"{what} {value}")
        return value

    def notes(self) -> list[str]:
        if not self._taken:
            return []
        listed = ", ".join(self._taken)
        return [
            say(
                en=f"not said by the inventory, so taken as shipped (deployment.yaml can say it): {listed}",
                zh=f"清单没有说明，按出厂默认值处理（可在 deployment.yaml 中写明）：{listed}",
            )
        ]
