"""Read the states of services from the managers: supervisord, systemd, docker, and what was started by hand.

A manager is one function in `MANAGERS`: it returns the services that it manages, or raises NoData if it could not be
asked. Services that no manager claims and that run are managed by hand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from bkpaas.errors import NoData
from bkpaas.facts.containers import Container, Containers, container_of
from bkpaas.facts.missing import Missing, Record
from bkpaas.facts.process import Process
from bkpaas.facts.ranges import HostTime
from bkpaas.facts.supervisor import Program, Supervisor
from bkpaas.facts.supervisor_conf import ConfProgram
from bkpaas.facts.systemd import Unit, Units
from bkpaas.inventory.platform import OPEN_PAAS_UNITS, unit_of_service
from bkpaas.messages import Message, msg

if TYPE_CHECKING:
    from bkpaas.facts.host import HostFacts

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
            yield _run(program, supervisor, "absent", msg("not in the running supervisord"))
        for line in shown:
            later = next((one for one in supervisor.later or () if one.name == line.name), None)
            yield _shown(program, supervisor, line, later, facts)


def _shown(
    program: ConfProgram, supervisor: Supervisor, line: Program, later: Program | None, facts: HostFacts
) -> ServiceRun:
    state = _STATES.get(line.state, "unknown")
    restarts = None if line.pid is None or later is None else int(later.pid != line.pid)
    if restarts is None and line.pid is not None:
        restarts = restarts_between_rounds(line.pid, facts)
    if (
        state == "running"
        and restarts
        and not facts.far_apart
        and (later is None or later.state == "RUNNING")
    ):
        state = "restarting"
    detail = f"{line.state} {line.description}".strip()
    return _run(program, supervisor, state, detail, line.pid, restarts, _start(line.pid, facts))


def _unmanaged_or_unknown(program: ConfProgram, supervisor: Supervisor, facts: HostFacts) -> ServiceRun:
    """Return a program of a supervisor that did not answer: its processes are all that is known."""
    detail = supervisor.status_error or ""
    main = process_of_program(facts, supervisor, program) or next(
        iter(main_processes_of(program.name, facts)), None
    )
    if main is None:
        state: ServiceState = "unknown" if isinstance(facts.processes, Missing) else "stopped"
        return _run(program, supervisor, state, detail)
    return _run(
        program, supervisor, "running", detail, main.pid, restarts_between_rounds(main.pid, facts), main.start
    )


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
PAAS_UNITS = frozenset(OPEN_PAAS_UNITS.values())
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
    now, restarted = units.now(unit), units.restarted(unit, facts.far_apart)
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


# ---- docker (6.2 and later) ----------------------------------------------------------------------------------

_SERVICE_OF_CONTAINER = re.compile(r"bk-paas-(?P<service>[a-z]+)|bk-(?P<module>usermgr)-.+")
_CONTAINER_STATES: dict[str, ServiceState] = {
    "running": "running",
    "paused": "paused",
    "restarting": "restarting",
    "created": "stopped",
    "exited": "stopped",
    "dead": "failed",
}


def service_of_container(name: str) -> str:
    """Return the name of the service that a container runs."""
    match = _SERVICE_OF_CONTAINER.fullmatch(name)
    return (match["service"] or match["module"]) if match else name


def in_containers(facts: HostFacts) -> Iterator[ServiceRun]:
    """Return the services that are containers. Raises NoData if services run in some that could not be read."""
    containers = facts.containers
    if isinstance(containers, Missing):
        return  # another manager's host, or a host whose answer is older than this query
    if containers.source is None and containers.error and manager_of(facts) == "docker":
        raise NoData(containers.error)
    for container in containers.by_name.values():
        yield _of_container(container, containers, facts)


def _of_container(container: Container, containers: Containers, facts: HostFacts) -> ServiceRun:
    now, restarted = containers.now(container), containers.restarted(container, facts.far_apart)
    texts = [now.shown, "OOMKilled" if now.oom_killed else "", now.error]
    return ServiceRun(
        name=service_of_container(container.name),
        manager="docker",
        state="restarting" if restarted else _CONTAINER_STATES[now.state],
        detail=" ".join(word for word in texts if word),
        pid=container.pid or None,
        since=_start(container.pid or None, facts),
        restarts=int(restarted) if container.name in containers.later else None,
        starts_at_boot=now.policy in ("always", "unless-stopped"),
        defined_in=f"{container.name} ({container.image})",
    )


def managers_of(facts: HostFacts) -> tuple[Manager, ...]:
    """Return what runs masters of open_paas, the one of most first; without any, what is there to start them."""
    counts = Counter(manager_of_master(master, facts) for master in _all_masters(facts))
    del counts["by-hand"]
    if counts:
        return tuple(manager for manager, _ in counts.most_common())
    containers, units = facts.containers, facts.units
    if not isinstance(containers, Missing) and any(n.startswith("bk-paas-") for n in containers.by_name):
        return ("docker",)
    if not isinstance(units, Missing) and any(unit.name in PAAS_UNITS for unit in units.present):
        return ("systemd",)
    if not isinstance(facts.processes, Missing) and facts.processes.supervisords():
        return ("supervisord",)
    return ()


def manager_of(facts: HostFacts) -> Manager | None:
    """Return the manager of most masters, else the one that is there to start them."""
    return next(iter(managers_of(facts)), None)


def manager_of_master(master: Process, facts: HostFacts) -> Manager:
    """Return what runs a master of uwsgi: by its control group, else by its parents."""
    group = None if isinstance(facts.units, Missing) else facts.units.group(master.pid)
    if container_of(group):
        return "docker"
    if f"/{unit_of_service(master.service or '')}.service" in (group or ""):
        return "systemd"
    if isinstance(facts.processes, Missing):
        return "by-hand"
    daemons = {daemon.pid for daemon in facts.processes.any_supervisords()}
    return "supervisord" if facts.processes.descends_from_any(master.pid, daemons) else "by-hand"


def _all_masters(facts: HostFacts) -> tuple[Process, ...]:
    return () if isinstance(facts.processes, Missing) else facts.processes.uwsgi_masters()


# ---- by hand, and what all managers share --------------------------------------------------------------------


def by_hand(facts: HostFacts) -> Iterator[ServiceRun]:
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
            restarts=restarts_between_rounds(master.pid, facts),
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


def main_processes_of(name: str, facts: HostFacts) -> tuple[Process, ...]:
    if isinstance(facts.processes, Missing):
        return ()
    masters = facts.processes.uwsgi_masters(name)
    return masters or facts.processes.named(name[:15])


def _start(pid: int | None, facts: HostFacts) -> float | None:
    if pid is None or isinstance(facts.processes, Missing):
        return None
    process = facts.processes.get(pid)
    return process.start if process else None


def restarts_between_rounds(pid: int, facts: HostFacts) -> int | None:
    """Return 1 if the process of round 1 has ended in round 2, 0 if it still runs, None if it is not known."""
    if isinstance(facts.later, Missing) or str(pid) not in facts.later.starts:
        return None
    first, then = _start(pid, facts), facts.later.starts[str(pid)]
    return int(then is None or first is None or abs(then - first) > _SAME_SECONDS)


_SAME_SECONDS = 2.0
"""A start is counted from the boot time, which each round may compute anew."""

MANAGERS: tuple[Callable[[HostFacts], Iterable[ServiceRun]], ...] = (supervised, in_units, in_containers)
"""All managers; each returns nothing where it is not in use."""
