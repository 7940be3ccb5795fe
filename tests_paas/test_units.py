"""FAQ: starting PaaS fails, on generation 6.0 and 6.1: the units of systemd and their processes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from bkpaas.checks import (
    DOCKER_UNIT,
    OPEN_PAAS_SERVICES,
    CaseMessage,
    Deployment,
    Edit,
    Finding,
    HostView,
    Missing,
    NoData,
    NotApplicable,
    Unit,
    Units,
    case,
    clauses,
    condition,
    edit_of,
    msg,
    replace_first,
    required_units,
    series,
    service_of_container,
    service_of_unit,
    several,
    unit_of_service,
    unread_nouns,
)

EXITED = 1
"""ExecMainCode of a main process that ended by itself."""
NOT_LOADED = 22
"""Exit code of a uwsgi whose application does not load, with need-app."""
NO_PROGRAM, NOT_EXECUTABLE = 127, 126
"""Exit codes of a shell that does not find its command, or may not run it."""
NO_ACCOUNT = (216, 217)
"""Exit codes of systemd for a group or an account that does not exist."""
WATCHED = ("bk-usermgr.service", "bk-iam.service")
"""Units whose processes no other condition watches."""
OUT_OF_MEMORY = "oom-kill"
"""Result of a unit of which the kernel ended a process for memory."""


def _units(host: HostView) -> Units:
    """Return the units of the host. NoData: no systemd, or no answer of systemctl."""
    units = host.units
    if not units.booted or units.error:
        raise NoData(msg("systemctl: {error}", error=units.error or msg("no answer")))
    return units


def _short(names: Iterable[str]) -> str:
    return " ".join(sorted(name.removesuffix(".service") for name in names))


@condition("process-manager")
def test_the_services_have_their_process_manager(
    host: HostView, deployment: Deployment, finding: Finding
) -> None:
    """systemd runs the services of open_paas on this host, by units of their own."""
    masters = host.processes.uwsgi_masters()
    daemons = host.processes.supervisords()
    under = [
        one for one in masters if any(host.processes.descends(one.pid, daemon.pid) for daemon in daemons)
    ]
    assert not under, case(
        "supervisord",
        "supervisord {pid} runs {services}",
        pid=daemons[0].pid,
        services=series(sorted({one.service for one in under if one.service})),
    )
    if host.services.manager == "docker":
        active = [unit.removesuffix(".service") for unit in _active_units(host)]
        assert not active, case(
            "units-left", "the services run in containers, and so do {units} as units", units=series(active)
        )
        finding.add_evidence(f"docker: {' '.join(host.containers.by_name)}")
        if unread := unread_nouns(host, deployment, "units"):
            raise NoData(clauses(unread))
        return
    units = _units(host)
    present = [name for name in map(unit_of_service, OPEN_PAAS_SERVICES) if _exists(units, name)]
    assert present, case("nothing", "no bk-paas-* unit, and no container")
    finding.add_evidence(f"systemd: {' '.join(present)}")


def _active_units(host: HostView) -> list[str]:
    """Return the units of open_paas that run; none where systemctl gave no answer."""
    if isinstance(host.facts.units, Missing):
        return []
    names = [f"{unit_of_service(service)}.service" for service in OPEN_PAAS_SERVICES]
    return [name for name in names if (unit := host.units.by_name.get(name)) and unit.active == "active"]


def _exists(units: Units, name: str) -> bool:
    unit = units.by_name.get(f"{name}.service")
    return unit is not None and unit.exists


@condition("unit-state")
def test_all_units_run(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """systemctl shows every unit of the host's roles active (running), and none restarts."""
    units = _units(host)
    wrong: dict[str, CaseMessage] = {}
    contained = _contained(host)
    required = [name for name in required_units(deployment.host(host.name).roles) if name not in contained]
    optional = [unit.name for unit in units.present if unit.enabled == "enabled" and _is_own(unit, contained)]
    for name in dict.fromkeys((*required, *optional)):
        unit = units.by_name.get(name) or Unit(name=name)
        problem = _problem(host, units, unit) if name.endswith(".service") else None
        if problem:
            wrong[_short([name])] = problem
    services = {service_of_unit(f"{name}.service") for name in wrong}
    # A unit with another one's uwsgi file starts that service a second time.
    misled = [one for one in units.present if _short([one.name]) in wrong and _other_file(one)]
    services |= {one.service_of_ini for one in misled if one.service_of_ini}
    # A unit of nginx, consul or an agent concerns more than the services.
    if services <= set(OPEN_PAAS_SERVICES):
        finding.affects_services(services)
    finding.set_remedy_values(
        units=" ".join(sorted(wrong)) or "UNITS",
        service=" ".join(sorted(service_of_unit(f"{name}.service") for name in wrong)) or "SERVICE",
        edit=edit_of([edit for one in misled for edit in _own_file(one)], host.name),
    )
    finding.add_evidence(", ".join(f"{_short([unit.name])} {unit.state}" for unit in units.present))
    assert not wrong, several(dict(sorted(wrong.items())), "units", components=_components(wrong))
    watched = any(unit.name in WATCHED for unit in units.present)
    if missing := unread_nouns(host, deployment, "processes") if watched else ():
        raise NoData(clauses(missing))
    not_collected = [unit.name for unit in units.present if unit.name not in units.later]
    if not_collected:
        raise NoData(
            msg("all run, but were not read again a moment later: {units}", units=_short(not_collected))
        )


def _contained(host: HostView) -> set[str]:
    """Return the units whose services run in containers on this host."""
    containers = host.facts.containers
    names = () if isinstance(containers, Missing) else containers.by_name
    services = {service_of_container(name) for name in names}
    if host.services.manager == "docker":
        services |= set(OPEN_PAAS_SERVICES)
    return {f"{unit_of_service(name)}.service" for name in services} | (
        {"bk-usermgr.service"} if "usermgr" in services else set()
    )


def _is_own(unit: Unit, contained: set[str]) -> bool:
    """Return whether an enabled unit must run: docker only where it runs services of the platform."""
    return unit.name not in contained and (unit.name != DOCKER_UNIT or bool(contained))


def _components(wrong: Mapping[str, CaseMessage]) -> dict[str, str]:
    """Return what each unit is about: its service of open_paas, else itself; absent where it is about two."""
    names = [name for name, problem in wrong.items() if problem.case != "other-file"]
    services = {name: service_of_unit(f"{name}.service") for name in names}
    return {
        name: f"service:{service}" if service in OPEN_PAAS_SERVICES else f"unit:{name}"
        for name, service in services.items()
    }


def _problem(host: HostView, units: Units, unit: Unit) -> CaseMessage | None:
    """Return why a unit does not run well; None if it does."""
    now = units.now(unit)
    if not unit.exists and unit.load != "masked":
        return case("not-installed", "not installed ({load})", load=unit.load or "-")
    if other := _other_file(unit):
        return other
    if units.restarted(unit, host.facts.far_apart):
        return _of_loop(host, units, unit)
    if now.active == "active" and now.sub in ("running", "active"):
        return _frozen(host, now)
    if now.load == "masked":
        return case("masked", "masked, {state}", state=now.state)
    state = msg(
        "{state}, Result={result} {end}", state=now.state, result=now.result or "-", end=now.end or "-"
    )
    if now.result == OUT_OF_MEMORY:
        return case("memory", state)
    return case("failed", state) if now.active == "failed" else case("stopped", state)


def _frozen(host: HostView, unit: Unit) -> CaseMessage | None:
    """Return the case of a service whose processes a signal has stopped; others than these have conditions of their own."""
    if unit.name not in WATCHED or isinstance(host.facts.processes, Missing):
        return None
    processes = host.processes
    stopped = [
        str(one.pid)
        for one in processes.items
        if one.state in ("T", "t") and (one.pid == unit.pid or processes.descends(one.pid, unit.pid))
    ]
    if not stopped:
        return None
    pids = " ".join(stopped)
    return case("frozen", "active, and stopped by a signal: pid {pids}", pids=pids)


def _other_file(unit: Unit) -> CaseMessage | None:
    """Return the case of a unit of open_paas whose command names the uwsgi file of another service."""
    service, started = service_of_unit(unit.name), unit.service_of_ini
    if started is None or service not in OPEN_PAAS_SERVICES or started == service:
        return None
    text = msg("ExecStart has {ini}; {state}", ini=unit.ini, state=unit.state)
    return case("other-file", text, restarted=f"{unit_of_service(service)} {unit_of_service(started)}")


def _own_file(unit: Unit) -> Iterator[Edit]:
    """Yield the edits that give the command of a unit the uwsgi file of its own service."""
    own = unit.ini.replace(f"-{unit.service_of_ini}.", f"-{service_of_unit(unit.name)}.")
    for path in _files(unit):
        yield replace_first(path, 1, f"(ExecStart.*){re.escape(unit.ini)}", rf"\1{own}")


def _files(unit: Unit) -> list[str]:
    """Return the files that make up a unit."""
    return [path for path in (unit.path, *unit.drop_ins) if path]


def _of_loop(host: HostView, units: Units, unit: Unit) -> CaseMessage:
    """Name a loop by the exit code of the last main process, in the round that has it."""
    then = units.now(unit)
    ended = next((one for one in (unit, then) if one.exec_code), then)
    hit = host.logs.start_errors.get(service_of_unit(unit.name))
    text = msg(
        "{first}, then {then}; {restarts}; {end}{reason}",
        first=unit.state,
        then=then.state,
        restarts=_counted(unit, then),
        end=ended.end or "-",
        reason=f": {hit.text[:200]}" if hit else "",
    )
    if hit and "no app loaded" in hit.text:
        return case("application", text)  # also where no round saw its exit code
    if OUT_OF_MEMORY in (unit.result, then.result):
        return case("memory", "Result={result}: {text}", result=OUT_OF_MEMORY, text=text)
    if ended.exec_code != EXITED:
        return case("restarts", text)
    if ended.exec_status == NOT_LOADED:
        return case("application", text)
    if ended.exec_status == NO_PROGRAM:
        return case("no-program", text)
    if ended.exec_status == NOT_EXECUTABLE:
        return case("not-executable", text)
    if ended.exec_status in NO_ACCOUNT:
        return case("no-account", text)
    if unit.ini and _is_gone(host, unit):
        return case("no-file", "{ini} does not exist; {text}", ini=unit.ini, text=text)
    return case("exits", text)


def _is_gone(host: HostView, unit: Unit) -> bool:
    """Return whether the uwsgi file of a unit is not among those of its directory, which were all read."""
    if isinstance(host.facts.services, Missing) or unit.service_of_ini is None:
        return False
    files = [one.ini.path for one in host.facts.services.by_name.values()]
    directory = unit.ini.rpartition("/")[0]
    return unit.ini not in files and any(path.rpartition("/")[0] == directory for path in files)


def _counted(unit: Unit, then: Unit) -> str:
    """Return what shows the restart: systemd's counter, or before systemd 235 the main process."""
    if unit.restarts is None or then.restarts is None:
        return f"MainPID {unit.pid} -> {then.pid}"
    return f"NRestarts {unit.restarts} -> {then.restarts}"


@condition("unit-processes")
def test_every_uwsgi_belongs_to_its_unit(host: HostView, finding: Finding) -> None:
    """Each master of open_paas's uwsgi is in the control group of its unit, under the account of the others."""
    units = _units(host)
    if (manager := host.services.manager) in ("docker", "supervisord"):
        raise NotApplicable(msg("{manager} runs the services of this host", manager=manager))
    outside: dict[str, CaseMessage] = {}
    pids = []
    for master in host.processes.uwsgi_masters():
        group = units.group(master.pid)
        if group is None:
            raise NoData(msg("the control group of pid {pid} was not read", pid=master.pid))
        service = master.service or ""
        unit = units.by_name.get(f"{unit_of_service(service)}.service")
        if unit and unit.pid == master.pid:
            continue
        if f"/{unit_of_service(service)}.service" in group:
            continue
        pids.append(master.pid)
        outside[service] = case(
            "outside",
            "pid {pid} of uid {uid} runs in {group}",
            pid=master.pid,
            uid=master.uid,
            group=group or "/",
        )
    finding.affects_services(outside)
    finding.set_remedy_values(
        pids=" ".join(map(str, pids)) or "PIDS",
        units=" ".join(map(unit_of_service, sorted(outside))) or "UNITS",
    )
    assert not outside, several(dict(sorted(outside.items())), "services")
    other = _other_accounts(host)
    finding.affects_services(other)
    if other:
        finding.set_remedy_values(units=" ".join(map(unit_of_service, sorted(other))))
    assert not other, several(dict(sorted(other.items())), "services")


def _other_accounts(host: HostView) -> dict[str, CaseMessage]:
    """Return the services whose master has another account than most masters of open_paas on this host."""
    masters = [one for one in host.processes.uwsgi_masters() if one.service and one.uid is not None]
    [(usual, count)] = Counter(one.uid for one in masters).most_common(1) or [(None, 0)]
    if 2 * count <= len(masters):
        return {}
    return {
        one.service or "": case(
            "other-account",
            "pid {pid} runs as uid {uid}, the other services as uid {usual}",
            pid=one.pid,
            uid=one.uid,
            usual=usual,
        )
        for one in masters
        if one.uid != usual
    }


@condition("unit-definition")
def test_running_units_start_at_boot(host: HostView, finding: Finding) -> None:
    """Every unit that runs is enabled, not masked, loaded as its file now says, and started again after a crash."""
    wrong: dict[str, CaseMessage] = {}
    edits: list[Edit | None] = []
    for unit in _units(host).present:
        if unit.active != "active":
            continue
        if unit.load == "masked" or unit.enabled.startswith("masked"):
            wrong[_short([unit.name])] = case("masked", "masked: {path}", path=unit.path)
        elif unit.enabled == "disabled":
            wrong[_short([unit.name])] = case("disabled", "disabled, {state}", state=unit.state)
        elif unit.needs_reload:
            files = series([unit.path, *unit.drop_ins])
            wrong[_short([unit.name])] = case("edited", "NeedDaemonReload=yes: {files}", files=files)
        elif unit.restart == "no" and service_of_unit(unit.name) in OPEN_PAAS_SERVICES:
            files = series([unit.path, *unit.drop_ins])
            wrong[_short([unit.name])] = case("no-restart", "Restart=no: {files}", files=files)
            edits += [
                replace_first(path, 1, "^Restart *= *no *$", "Restart=on-failure") for path in _files(unit)
            ]
    finding.set_remedy_values(units=" ".join(sorted(wrong)) or "UNITS", edit=edit_of(edits, host.name))
    assert not wrong, several(dict(sorted(wrong.items())), "units")
