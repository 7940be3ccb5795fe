"""Show how each service of a host is run: its state, its main process, its manager, what starts it after a reboot.

Every check that means "a service" reads this view, whichever manager the generation has. A manager is one function in
`MANAGERS`: it returns the services that it manages, or raises NoData if it could not be asked. Services that no
manager claims and that run are managed by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal, TypeVar

from bkpaas.errors import NoData
from bkpaas.facts.missing import Fact, Missing, Record
from bkpaas.facts.process import Process, Processes
from bkpaas.facts.query import Earlier, Query, Section
from bkpaas.facts.ranges import HostTime
from bkpaas.facts.supervisor import Program, Supervisor
from bkpaas.facts.supervisor_conf import ConfProgram
from bkpaas.facts.systemd import Unit, Units
from bkpaas.facts.uwsgi import Service
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.inventory.platform import OPEN_PAAS_SERVICES, OPEN_PAAS_UNITS, unit_of_service
from bkpaas.messages import Message, msg

if TYPE_CHECKING:
    from bkpaas.facts.host import HostFacts

T = TypeVar("T", bound=Fact)

Manager = Literal["supervisord", "systemd", "docker", "by-hand"]
ServiceState = Literal[
    "running", "starting", "restarting", "stopping", "stopped", "failed", "paused", "absent", "unknown"
]
"""restarting: it ends and is started again. failed: the manager gave up. absent: neither configured nor running."""

_STATES: dict[str, ServiceState] = {
    "RUNNING": "running",
    "STARTING": "starting",
    "BACKOFF": "restarting",
    "STOPPING": "stopping",
    "STOPPED": "stopped",
    "EXITED": "stopped",
    "FATAL": "failed",
}


class ServiceRun(Record, frozen=True):
    """Represent one service as it is run; for the same name a second instance is an item of its own."""

    name: str
    """login, paas, esb, appengine, console, paas_agent, log_agent, log_parser ..."""
    manager: Manager
    state: ServiceState
    detail: Message | str = ""
    """The manager's own words: FATAL Exited too quickly; Result=exit-code."""
    pid: int | None = None
    """The main process: the master of uwsgi or gunicorn."""
    since: HostTime | None = None
    """Epoch seconds of the host's clock at which the main process started."""
    restarts: int | None = None
    """Between the two rounds; None: not known."""
    starts_at_boot: bool | None = None
    """Whether the manager starts the service when the manager itself starts; None: not known."""
    defined_in: str | None = None
    """The file, unit or container that defines it."""
    command: str = ""
    """As configured, without secrets; empty: not known."""


class Later(Fact, frozen=True):
    """Hold which processes of round 1 still run in round 2."""

    starts: dict[str, HostTime | None]
    """Start time by pid; None: the process has ended."""


class ServicesView:
    """Give the services of one host, configured and running."""

    def __init__(self, facts: HostFacts) -> None:
        self._facts = facts

    @property
    def by_name(self) -> dict[str, Service]:
        """Return the configuration of the services by name. Raises NoData."""
        configured = _present(self._facts.services).by_name
        units = self._facts.units
        if isinstance(units, Missing) or not any(unit.name in _PAAS_UNITS for unit in units.present):
            return {name: one for name, one in configured.items() if self._is_started(one)}
        # The installer of 6.x writes the files of all modules on each paas host; a module without a unit is not there.
        return {
            name: service
            for name, service in configured.items()
            if (unit := units.by_name.get(f"{unit_of_service(name)}.service")) is None or unit.exists
        }

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
        return named or service.name in OPEN_PAAS_SERVICES or bool(_mains(service.name, self._facts))

    @property
    def runs(self) -> tuple[ServiceRun, ...]:
        """Return all services that a manager knows or that run. Raises NoData if a manager could not be asked."""
        managed = tuple(run for manager in MANAGERS for run in manager(self._facts))
        by_hand = tuple(run for run in _by_hand(self._facts) if run.pid not in {one.pid for one in managed})
        return (*managed, *by_hand)

    def run(self, name: str) -> ServiceRun:
        """Return how one service is run; absent if no manager knows it and it does not run. Raises NoData."""
        runs = [run for run in self.runs if run.name == name]
        usual = [run for run in runs if run.manager != "by-hand"]
        return (usual or runs or [ServiceRun(name=name, manager="by-hand", state="absent")])[0]


def _present(fact: T | Missing) -> T:
    if isinstance(fact, Missing):
        raise NoData(fact.reason)
    return fact


# ---- supervisord (5.x) ---------------------------------------------------------------------------------------


def supervised(facts: HostFacts) -> Iterator[ServiceRun]:
    """Return the programs of the supervisors of this host."""
    if isinstance(facts.supervisors, Missing):
        return  # a host without a supervisor, or one whose files could not be read: see host.supervisors
    for supervisor in facts.supervisors.by_module.values():
        if supervisor.conf.exists:
            yield from _programs(supervisor, facts)


def _programs(supervisor: Supervisor, facts: HostFacts) -> Iterator[ServiceRun]:
    for program in supervisor.programs_in_conf:
        shown = lines_of(supervisor.status or (), program.name)
        if supervisor.status is None:
            yield _unmanaged_or_unknown(program, supervisor, facts)
        elif not shown:
            yield _run(program, supervisor, "absent", msg("unknown to the running supervisord"))
        for line in shown:
            later = next((one for one in supervisor.later or () if one.name == line.name), None)
            yield _shown(program, supervisor, line, later, facts)


def _shown(
    program: ConfProgram, supervisor: Supervisor, line: Program, later: Program | None, facts: HostFacts
) -> ServiceRun:
    state = _STATES.get(line.state, "unknown")
    restarts = None if line.pid is None or later is None else int(later.pid != line.pid)
    if restarts is None and line.pid is not None:
        restarts = _restarts(line.pid, facts)
    if state == "running" and restarts and (later is None or later.state == "RUNNING"):
        state = "restarting"
    detail = f"{line.state} {line.description}".strip()
    return _run(program, supervisor, state, detail, line.pid, restarts, _start(line.pid, facts))


def _unmanaged_or_unknown(program: ConfProgram, supervisor: Supervisor, facts: HostFacts) -> ServiceRun:
    """Return a program of a supervisor that did not answer: its processes are all that is known."""
    detail = supervisor.status_error or ""
    main = process_of_program(facts, supervisor, program) or next(iter(_mains(program.name, facts)), None)
    if main is None:
        state: ServiceState = "unknown" if isinstance(facts.processes, Missing) else "stopped"
        return _run(program, supervisor, state, detail)
    return _run(program, supervisor, "running", detail, main.pid, _restarts(main.pid, facts), main.start)


def _run(
    program: ConfProgram,
    supervisor: Supervisor,
    state: ServiceState,
    detail: Message | str,
    pid: int | None = None,
    restarts: int | None = None,
    since: float | None = None,
) -> ServiceRun:
    return ServiceRun(
        name=program.name,
        manager="supervisord",
        state=state,
        detail=detail,
        pid=pid,
        since=since,
        restarts=restarts,
        starts_at_boot=program.autostart,
        defined_in=supervisor.conf.path,
        command=program.command,
    )


def lines_of(status: Iterable[Program], name: str) -> list[Program]:
    """Return the lines of a program: NAME, GROUP:NAME in a group, NAME:NAME_00 with several processes."""
    line = re.compile(rf"([^:]+:)?{re.escape(name)}(_\d+)?|{re.escape(name)}:.+")
    return [program for program in status if line.fullmatch(program.name)]


# ---- systemd (6.0, 6.1) --------------------------------------------------------------------------------------

_UNIT_STATES: dict[str, ServiceState] = {
    "active": "running",
    "reloading": "running",
    "activating": "starting",
    "deactivating": "stopping",
    "inactive": "stopped",
    "failed": "failed",
}
_SERVICE_OF_UNIT = re.compile(r"bk-paas-(?P<service>[a-z]+)\.service")
_PAAS_UNITS = frozenset(OPEN_PAAS_UNITS.values())
_UNIT_NAMES = {
    "bk-paasagent.service": "paas_agent",
    "bk-filebeat@django.service": "log_agent",
    "bk-logstash-paas-app-log.service": "log_parser",
    "openresty.service": "nginx",
}


def service_of_unit(unit: str) -> str:
    """Return the name of the service that a unit runs."""
    match = _SERVICE_OF_UNIT.fullmatch(unit)
    return match["service"] if match else _UNIT_NAMES.get(unit, unit.removesuffix(".service"))


def in_units(facts: HostFacts) -> Iterator[ServiceRun]:
    """Return the services that are units of systemd. Raises NoData if systemctl gave no answer."""
    if isinstance(facts.units, Missing) or not facts.units.booted:
        return  # another manager's host, or a host whose answer is older than this query
    if facts.units.error and not any(run for run in supervised(facts)):
        raise NoData(facts.units.error)
    for unit in facts.units.present:
        if not unit.name.endswith(".target"):
            yield _of_unit(unit, facts.units, facts)


def _of_unit(unit: Unit, units: Units, facts: HostFacts) -> ServiceRun:
    now, restarted = units.now(unit), units.restarted(unit)
    state = "restarting" if restarted else _UNIT_STATES.get(now.active, "unknown")
    counts = (unit.restarts, now.restarts)
    texts = [now.state, f"Result={now.result}" if now.result not in ("", "success") else "", now.end]
    return ServiceRun(
        name=service_of_unit(unit.name),
        manager="systemd",
        state=state,
        detail=" ".join(word for word in texts if word),
        pid=unit.pid or None,
        since=_start(unit.pid or None, facts),
        restarts=max(int(restarted), (counts[1] or 0) - (counts[0] or 0))
        if unit.name in units.later
        else None,
        starts_at_boot=unit.enabled
        in ("enabled", "enabled-runtime", "static", "alias", "indirect", "generated")
        if unit.enabled
        else None,
        defined_in=unit.path or None,
    )


# ---- by hand, and what all managers share --------------------------------------------------------------------


def _by_hand(facts: HostFacts) -> Iterator[ServiceRun]:
    """Return the running masters of uwsgi; those of a manager are removed by the caller."""
    if isinstance(facts.processes, Missing):
        return
    for master in facts.processes.uwsgi_masters():
        yield ServiceRun(
            name=master.service or "",
            manager="by-hand",
            state="running",
            pid=master.pid,
            since=master.start,
            restarts=_restarts(master.pid, facts),
            starts_at_boot=False,
            command=master.command,
        )


def process_of_program(facts: HostFacts, supervisor: Supervisor, program: ConfProgram) -> Process | None:
    """Return the process of a program: the pid that supervisorctl shows, else a child with its command."""
    if isinstance(facts.processes, Missing):
        return None
    for line in lines_of(supervisor.status or (), program.name):
        if line.pid is not None:
            return facts.processes.get(line.pid)
    first = program.command.partition(" ")[0]
    for daemon in facts.processes.supervisords(supervisor.conf.path.rpartition("/")[2]):
        for child in facts.processes.children(daemon.pid):
            if first and first in child.argv[:2]:
                return child
    return None


def _mains(name: str, facts: HostFacts) -> tuple[Process, ...]:
    if isinstance(facts.processes, Missing):
        return ()
    masters = facts.processes.uwsgi_masters(name)
    return masters or facts.processes.named(name[:15])


def _start(pid: int | None, facts: HostFacts) -> float | None:
    if pid is None or isinstance(facts.processes, Missing):
        return None
    process = facts.processes.get(pid)
    return process.start if process else None


def _restarts(pid: int, facts: HostFacts) -> int | None:
    """Return 1 if the process of round 1 has ended in round 2, 0 if it still runs, None if it is not known."""
    if isinstance(facts.later, Missing) or str(pid) not in facts.later.starts:
        return None
    first, then = _start(pid, facts), facts.later.starts[str(pid)]
    return int(then is None or first is None or abs(then - first) > _SAME_SECONDS)


_SAME_SECONDS = 2.0
"""A start is counted from the boot time, which each round may compute anew."""

MANAGERS: tuple[Callable[[HostFacts], Iterable[ServiceRun]], ...] = (supervised, in_units)
"""All managers. systemd and docker add a function each; it returns nothing where the manager is not in use."""


# ---- round 2 -------------------------------------------------------------------------------------------------

_MOST_PIDS = 60


def main_processes(processes: Processes) -> tuple[Process, ...]:
    """Return the processes whose restart between the two rounds is of interest."""
    agents = (process for name in _AGENTS for process in processes.named(name))
    return (*processes.any_supervisords(), *processes.nginx_masters(), *processes.uwsgi_masters(), *agents)


_AGENTS = ("paas_agent", "filebeat", "java")


def later(starts: dict[str, float | None]) -> Later:
    """Parse the start times of round 2."""
    return Later(starts=starts)


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Return the query of round 2 for the start times of the main processes."""
    if earlier is None or not entry.has_role("paas", "appo", "appt", "nginx"):
        return
    processes = earlier.hosts[entry.name].processes
    if not isinstance(processes, Missing):
        pids = sorted({process.pid for process in main_processes(processes)})
        if pids:
            yield Section("starts", pids[:_MOST_PIDS])
