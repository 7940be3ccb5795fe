"""The scope of a condition: which hosts, pairs, connections or addresses get a verdict."""

from __future__ import annotations

from msgspec import Struct, field

from bkpaas.inventory.deployment import Deployment


class Subject(Struct, frozen=True):
    """What one verdict is about: a host, a connection or pair, the controller, the deployment."""

    id: str
    hosts: tuple[str, ...] = ()
    """In order: for a connection from, to."""


CONTROLLER = Subject("controller")
DEPLOYMENT = Subject("deployment")


class PerHost(Struct, frozen=True, tag_field="per", tag="host", forbid_unknown_fields=True):
    """Every selected host with any of these roles; every selected host when there are none."""

    roles: tuple[str, ...] = ()

    def subjects(self, deployment: Deployment) -> list[Subject]:
        return [Subject(entry.name, (entry.name,)) for entry in deployment.selected(*self.roles)]


class PerPair(Struct, frozen=True, tag_field="per", tag="pair", forbid_unknown_fields=True):
    """Every pair of selected hosts with this role, each pair once."""

    role: str

    def subjects(self, deployment: Deployment) -> list[Subject]:
        hosts = [entry.name for entry in deployment.selected(self.role)]
        return [Subject(f"{a}+{b}", (a, b)) for i, a in enumerate(hosts) for b in hosts[i + 1 :]]


class PerLink(Struct, frozen=True, tag_field="per", tag="link", forbid_unknown_fields=True):
    """Every connection from a selected host to a host of the inventory, by their roles."""

    sources: tuple[str, ...] = field(name="from")
    targets: tuple[str, ...] = field(name="to")
    target_selected: bool = False
    """True if the facts of the target are needed: then it must be selected as well."""

    def subjects(self, deployment: Deployment) -> list[Subject]:
        targets = deployment.selected if self.target_selected else deployment.hosts_with
        return [
            Subject(f"{source.name}+{target.name}", (source.name, target.name))
            for source in deployment.selected(*self.sources)
            for target in targets(*self.targets)
        ]


class OnController(Struct, frozen=True, tag_field="per", tag="controller", forbid_unknown_fields=True):
    """The machine that runs the suite and reaches the deployment through its domain."""

    def subjects(self, deployment: Deployment) -> list[Subject]:
        return [CONTROLLER]


class PerVirtualAddress(
    Struct, frozen=True, tag_field="per", tag="virtual-address", forbid_unknown_fields=True
):
    """Every address in front of the nginx hosts, unless one of those hosts is not selected."""

    def subjects(self, deployment: Deployment) -> list[Subject]:
        nginx = deployment.hosts_with("nginx")
        if not nginx or not all(entry.selected for entry in nginx):
            return []
        names = tuple(entry.name for entry in nginx)
        return [Subject(address, names) for address in dict.fromkeys(deployment.virtual_addresses)]


Scope = PerHost | PerPair | PerLink | OnController | PerVirtualAddress


def roles_of(scope: Scope) -> tuple[str, ...]:
    """Return every role that a scope names."""
    if isinstance(scope, PerHost):
        return scope.roles
    if isinstance(scope, PerPair):
        return (scope.role,)
    if isinstance(scope, PerLink):
        return (*scope.sources, *scope.targets)
    return ()
