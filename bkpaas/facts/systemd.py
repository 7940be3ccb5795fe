"""Parse the states of the units of systemd, in both rounds, and the control groups of their processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from msgspec import field

from bkpaas.facts import raw
from bkpaas.facts.missing import Fact, Record
from bkpaas.facts.query import Earlier, Query, Section
from bkpaas.facts.ranges import Pid
from bkpaas.facts.secrets import Secrets
from bkpaas.inventory.deployment import Deployment, Host
from bkpaas.inventory.platform import CONTAINER_ROLES, DOCKER_UNIT, units_of
from bkpaas.messages import Message, msg

PROCESS_NAMES = ("uwsgi", "gunicorn")
"""The processes whose control group is read."""
_KILLED = 2
"""ExecMainCode of a process that a signal ended."""
_UNIT_LENGTH = 120
_COMMAND_LENGTH = 4000
_INI_OF_COMMAND = re.compile(r"--ini[ =](?P<path>/[^\s'\";]{1,300}\.ini)\b")
_OWN_INI = re.compile(r"/uwsgi-open_paas-(?P<service>[A-Za-z0-9_]+)\.ini$")
_STEPS = {200: "CHDIR", 203: "EXEC", 209: "STDOUT", 216: "GROUP", 217: "USER", 226: "NAMESPACE"}
"""What systemd could not do before it ran the program, by exit code (systemd.exec(5))."""
_INI = "uwsgi file of ExecStart"
_NOT_BOOTED = msg("systemd is not the first process of this host")


class Unit(Record, frozen=True):
    """Represent one unit as `systemctl show` gives it; a property that an older systemd lacks is empty or None."""

    name: str
    load: str = ""
    """loaded, not-found, masked, error ..."""
    active: str = ""
    """active, activating, inactive, failed ..."""
    sub: str = ""
    result: str = ""
    pid: int = 0
    """Of the main process; 0: none."""
    exec_pid: int = 0
    """Of the last main process, also when it has ended."""
    exec_code: int = 0
    """CLD_EXITED (1), CLD_KILLED (2) ... of the last main process; 0: it runs."""
    exec_status: int = 0
    """Exit code or number of the signal."""
    restarts: int | None = None
    """NRestarts, since systemd 235."""
    enabled: str = ""
    """UnitFileState."""
    path: str = ""
    drop_ins: tuple[str, ...] = ()
    needs_reload: bool = False
    group: str = ""
    """The control group: /system.slice/NAME."""
    ini: str = ""
    """The uwsgi file that its command names; the rest of the command is not kept."""
    restart: str = ""
    """Restart: on-failure, always, no ..."""

    @property
    def service_of_ini(self) -> str | None:
        """Return the service that the uwsgi file of the command belongs to; None for another file or none."""
        match = _OWN_INI.search(self.ini)
        return match["service"] if match else None

    @property
    def exists(self) -> bool:
        return self.load not in ("", "not-found")

    @property
    def looping(self) -> bool:
        """Return whether it waits for its next automatic start."""
        return self.sub == "auto-restart"

    @property
    def state(self) -> str:
        """Return the state in the words of systemctl status."""
        return f"{self.active} ({self.sub})"

    @property
    def end(self) -> str:
        """Return how the last main process ended, in the words of systemctl status; empty while it runs."""
        if not self.exec_code:
            return ""
        if self.exec_code == _KILLED:
            return f"code=killed, status={self.exec_status}"
        word = _STEPS.get(self.exec_status)
        return f"code=exited, status={self.exec_status}{f'/{word}' if word else ''}"


class Units(Fact, frozen=True):
    """Hold the units that were queried."""

    booted: bool
    """Whether systemd is the first process of the host."""
    by_name: dict[str, Unit]
    later: dict[str, Unit]
    """The same in round 2; empty if it was not queried then."""
    error: Message | str | None = None
    """Why systemctl gave no answer."""
    groups: dict[str, str] = field(default_factory=dict)
    """Control group by pid, of the processes named in PROCESS_NAMES."""

    def group(self, pid: Pid) -> str | None:
        """Return the control group of a process, None if it was not read."""
        return self.groups.get(str(pid))

    @property
    def present(self) -> tuple[Unit, ...]:
        """Return the units that exist on this host."""
        return tuple(unit for unit in self.by_name.values() if unit.exists)

    def restarted(self, unit: Unit, far_apart: bool = False) -> bool:
        """Return whether its main process ended between the rounds, or waits for its next start in one of them.

        far_apart: the rounds are too far apart to count what happened in between.
        """
        then = self.later.get(unit.name)
        if then is None:
            return unit.looping
        if unit.looping or then.looping:
            return True
        if far_apart:
            return False
        counted = unit.restarts is not None and then.restarts is not None and then.restarts > unit.restarts
        return counted or (unit.pid > 0 and then.pid > 0 and unit.pid != then.pid)

    def now(self, unit: Unit) -> Unit:
        """Return the state of a unit in the last round in which it was read."""
        return self.later.get(unit.name, unit)


def units(first: dict[str, Any], second: dict[str, Any] | None, secrets: Secrets) -> Units:
    """Parse the answers of both rounds."""
    by_name, error = _shown(first, secrets)
    later, _ = _shown(second, secrets) if second else ({}, None)
    groups = {pid: secrets.truncate(_group(text), 300) for pid, text in first["cgroups"].items()}
    return Units(booted=first["booted"], by_name=by_name, later=later, error=error, groups=groups)


def _shown(section: dict[str, Any], secrets: Secrets) -> tuple[dict[str, Unit], Message | str | None]:
    """Parse the blocks of systemctl show; its order is not the order of the question."""
    if not section["booted"]:
        return {}, _NOT_BOOTED
    answer = raw.record(section["show"])
    units = {}
    for block in (raw.text(answer.get("out"), 200_000) or "").split("\n\n"):
        pairs = (line.partition("=") for line in block.splitlines())
        values = dict(_property(name, value, secrets) for name, equals, value in pairs if equals)
        if name := values.get("Id", "")[:_UNIT_LENGTH]:
            units[name] = _unit(name, values)
    if units:
        return units, None
    lines = (raw.text(answer.get("err"), 10_000) or "").strip().splitlines()
    error = raw.reason(answer.get("error")) or (secrets.truncate(lines[0], 300) if lines else None)
    return {}, error or msg("systemctl show has no output")


def _property(name: str, value: str, secrets: Secrets) -> tuple[str, str]:
    """Return a property; of a command only the uwsgi file that it names, since its words can hold secrets."""
    if name != "ExecStart":
        return name, secrets.truncate(value, 500)
    file = _INI_OF_COMMAND.search(value[:_COMMAND_LENGTH])
    return _INI, secrets.truncate(file["path"], 300) if file else ""


def _unit(name: str, values: dict[str, str]) -> Unit:
    def number(key: str) -> int:
        text = values.get(key, "")
        return int(text) if text.isdecimal() and len(text) < 10 else 0

    return Unit(
        name=name,
        load=values.get("LoadState", ""),
        active=values.get("ActiveState", ""),
        sub=values.get("SubState", ""),
        result=values.get("Result", ""),
        pid=number("MainPID"),
        exec_pid=number("ExecMainPID"),
        exec_code=number("ExecMainCode"),
        exec_status=number("ExecMainStatus"),
        restarts=number("NRestarts") if "NRestarts" in values else None,
        enabled=values.get("UnitFileState", ""),
        path=values.get("FragmentPath", ""),
        drop_ins=tuple(values.get("DropInPaths", "").split()),
        needs_reload=values.get("NeedDaemonReload") == "yes",
        group=values.get("ControlGroup", ""),
        ini=values.get(_INI, ""),
        restart=values.get("Restart", ""),
    )


@lru_cache(maxsize=1024)
def _group(text: str) -> str:
    """Return the control group in systemd's own hierarchy: name=systemd of version 1, else that of version 2."""
    lines = [line.split(":", 2) for line in text.splitlines() if line.count(":") >= 2]
    own = [path for _, controller, path in lines if controller == "name=systemd" and path != "/"]
    unified = [path for number, controller, path in lines if number == "0" and not controller]
    return next(iter([*own, *unified]), "")


def queries(entry: Host, deployment: Deployment, earlier: Earlier | None) -> Iterator[Query]:
    """Ask for the units of the roles of a host, in both rounds."""
    names = units_of(entry.roles)
    if not names:
        return
    if deployment.generation == "6.x" and entry.has_role(*CONTAINER_ROLES):
        names = (*names, DOCKER_UNIT)
    value = {
        "units": names,
        "names": PROCESS_NAMES if earlier is None else (),
        "seconds": deployment.limits.command_seconds,
    }
    if earlier is None:
        yield Section("systemd", value)
        return
    facts = earlier.hosts[entry.name].units
    if isinstance(facts, Units) and facts.present:
        yield Section("systemd", value)
        if any(unit.looping or unit.active == "activating" for unit in facts.present):
            yield Section("after", _STEADY_SECONDS)


_STEADY_SECONDS = 4.0
"""How much later round 2 looks when a unit is being started: more than the RestartSec of the shipped units."""
