"""Show how each service of a host is run: its state, its main process, its manager, what starts it after a reboot.

Every check that means "a service" reads this view, whichever manager the generation has.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from msgspec import field

from bkpaas.errors import NoData
from bkpaas.facts.managers import (
    MANAGERS,
    PAAS_UNITS,
    Manager,
    ServiceRun,
    by_hand,
    main_processes_of,
    manager_of,
    managers_of,
)
from bkpaas.facts.missing import Fact, Missing
from bkpaas.facts.process import Process, Processes
from bkpaas.facts.query import Earlier, Query, Section
from bkpaas.facts.ranges import HostTime
from bkpaas.facts.systemd import Unit
from bkpaas.facts.uwsgi import Service
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.inventory.platform import OPEN_PAAS_SERVICES, container_of_service, unit_of_service
from bkpaas.messages import Message

if TYPE_CHECKING:
    from bkpaas.facts.host import HostFacts

T = TypeVar("T", bound=Fact)


class Later(Fact, frozen=True):
    """Hold which processes of round 1 still run in round 2."""

    starts: dict[str, HostTime | None]
    """Start time by pid; None: the process has ended."""
    libraries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By pid, the shared objects that it has loaded and that are no longer on disk; absent: not known."""
    problems: tuple[Message | str, ...] = ()
    """Why the shared objects were not read although they were asked for."""


class ServicesView:
    """Give the services of one host, configured and running."""

    def __init__(self, facts: HostFacts) -> None:
        self._facts = facts

    @cached_property
    def by_name(self) -> dict[str, Service]:
        """Return the configuration of the services by name. Raises NoData."""
        configured = _present(self._facts.services).by_name
        if self.manager == "docker":
            return {name: one for name, one in configured.items() if self._has_container(name)}
        units = self._facts.units
        if isinstance(units, Missing) or not any(unit.name in PAAS_UNITS for unit in units.present):
            return {name: one for name, one in configured.items() if self._is_started(one)}
        # The installer of 6.x writes the files of all modules on each paas host; a module without a unit is not there.
        return {
            name: service
            for name, service in configured.items()
            if (unit := units.by_name.get(f"{unit_of_service(name)}.service")) is None
            or _is_in_use(name, unit)
        }

    @property
    def manager(self) -> Manager | None:
        """Return what runs open_paas on this host, by its processes; without any, by what is there to start them."""
        return manager_of(self._facts)

    @property
    def managers(self) -> tuple[Manager, ...]:
        """Return all that runs masters of open_paas on this host, the one of most first."""
        return managers_of(self._facts)

    def _has_container(self, name: str) -> bool:
        """Return whether a service has a container; the installer writes the files of all modules on each paas host."""
        containers = self._facts.containers
        if isinstance(containers, Missing) or containers.source is None:
            return bool(main_processes_of(name, self._facts))
        return container_of_service(name) in containers.by_name or bool(main_processes_of(name, self._facts))

    def _is_started(self, service: Service) -> bool:
        """Return whether the supervisor's file starts a service or it runs; true where the file was not understood.

        An ini file that was copied starts nothing.
        """
        if isinstance(self._facts.supervisors, Missing):
            return True
        supervisor = self._facts.supervisors.by_module.get("open_paas")
        if supervisor is None or supervisor.conf_error is not None or not supervisor.programs_in_conf:
            return True
        programs = supervisor.programs_in_conf
        named = any(one.name == service.name or service.ini.path in one.command for one in programs)
        return (
            named or service.name in OPEN_PAAS_SERVICES or bool(main_processes_of(service.name, self._facts))
        )

    @cached_property
    def runs(self) -> tuple[ServiceRun, ...]:
        """Return all services that a manager knows or that run. Raises NoData if a manager could not be asked."""
        managed = tuple(run for manager in MANAGERS for run in manager(self._facts))
        pids = {one.pid for one in managed}
        return (*managed, *(run for run in by_hand(self._facts) if run.pid not in pids))

    def run(self, name: str) -> ServiceRun:
        """Return how one service is run; absent if no manager knows it and it does not run. Raises NoData."""
        runs = [run for run in self.runs if run.name == name]
        usual = [run for run in runs if run.manager != "by-hand"]
        return (usual or runs or [ServiceRun(name=name, manager="by-hand", state="absent")])[0]


def _present(fact: T | Missing) -> T:
    if isinstance(fact, Missing):
        raise NoData(fact.reason)
    return fact


# ---- round 2 -------------------------------------------------------------------------------------------------

_MOST_PIDS = 60


def main_processes(processes: Processes) -> tuple[Process, ...]:
    """Return the processes whose restart between the two rounds is of interest."""
    agents = (process for name in _AGENTS for process in processes.named(name))
    return (*processes.any_supervisords(), *processes.nginx_masters(), *processes.uwsgi_masters(), *agents)


_AGENTS = ("paas_agent", "filebeat", "java")


_PATH_LENGTH = 300


def later(
    starts: dict[str, float | None],
    libraries: dict[str, list[str]] | None = None,
    problem: Message | str | None = None,
) -> Later:
    """Parse the start times and the removed shared objects of round 2. problem: why these were not read."""
    removed = {pid: tuple(path[:_PATH_LENGTH] for path in paths) for pid, paths in (libraries or {}).items()}
    return Later(starts=starts, libraries=removed, problems=() if problem is None else (problem,))


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return the queries of round 2 for the start times and the shared objects of the main processes."""
    if earlier is None or not entry.has_role("paas", "appo", "appt", "nginx"):
        return
    processes = earlier.hosts[entry.name].processes
    if not isinstance(processes, Missing):
        pids = sorted({process.pid for process in main_processes(processes)})
        if pids:
            yield Section("starts", pids[:_MOST_PIDS])
        masters = sorted({process.pid for process in processes.uwsgi_masters()})
        if masters:
            yield Section("libraries", masters[:_MOST_PIDS])


def _is_in_use(name: str, unit: Unit) -> bool:
    """Return whether a unit is there; that of a module that not every edition has must also run or start at boot."""
    left = unit.enabled in ("disabled", "masked") and unit.active in ("inactive", "")
    return unit.exists and (name in OPEN_PAAS_SERVICES or not left)
