"""The finding of a check: evidence, services, hosts and remedy values that it adds to its verdict."""

from __future__ import annotations

from collections.abc import Iterable

from bkpaas.catalogue.model import Component
from bkpaas.former_names import warn_former_name
from bkpaas.messages import Message


class Finding:
    """What a check adds to its verdict, in addition to passing or failing."""

    def __init__(self) -> None:
        self.services: set[str] = set()
        self.components: set[str] = set()
        self.hosts: set[str] = set()
        self.remedy_values: dict[str, Message | str] = {}
        self.evidence: list[Message | str] = []
        self.unreachable_hosts: set[str] = set()
        """Names of hosts whose facts the check asked for and that could not be collected."""

    def affects_services(self, services: Iterable[str]) -> None:
        """Add the services that a failure is about; causes about other services do not explain it."""
        self.services |= set(services)

    def names_components(self, type_: Component, names: Iterable[str]) -> None:
        """Add what the evidence names: causes that are about something else of that type do not explain it.

        Services that affects_services adds are components already.
        """
        self.components |= {f"{type_}:{name}" for name in names}

    def depends_on_hosts(self, hosts: Iterable[str]) -> None:
        """Add the names of other hosts that the condition depends on; failures there may explain this one."""
        self.hosts |= set(hosts)

    def set_remedy_values(self, **values: object) -> None:
        """Set variables of the remedy by name."""
        texts = {name: value if isinstance(value, Message) else str(value) for name, value in values.items()}
        self.remedy_values.update(texts)

    def add_evidence(self, evidence: Message | str) -> None:
        """Add what the check read; it is the evidence of the verdict when the condition holds."""
        self.evidence.append(evidence)

    # The names before 0.2: they work for one minor version. Tests of a site use them.

    def concerns(self, services: Iterable[str]) -> None:
        """Call affects_services."""
        warn_former_name("finding.concerns is now finding.affects_services")
        self.affects_services(services)

    def needs(self, hosts: Iterable[str]) -> None:
        """Call depends_on_hosts."""
        warn_former_name("finding.needs is now finding.depends_on_hosts")
        self.depends_on_hosts(hosts)

    def fill(self, **values: object) -> None:
        """Call set_remedy_values."""
        warn_former_name("finding.fill is now finding.set_remedy_values")
        self.set_remedy_values(**values)

    def saw(self, evidence: Message | str) -> None:
        """Call add_evidence."""
        warn_former_name("finding.saw is now finding.add_evidence")
        self.add_evidence(evidence)

    @property
    def seen(self) -> list[Message | str]:
        """Return evidence."""
        warn_former_name("finding.seen is now finding.evidence")
        return self.evidence

    @property
    def missed(self) -> set[str]:
        """Return unreachable_hosts."""
        warn_former_name("finding.missed is now finding.unreachable_hosts")
        return self.unreachable_hosts

    @property
    def slots(self) -> dict[str, Message | str]:
        """Return remedy_values."""
        warn_former_name("finding.slots is now finding.remedy_values")
        return self.remedy_values
