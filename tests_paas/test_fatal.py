"""FAQ: starting PaaS ends in "FATAL Exited too quickly": supervisor, its socket, and what it lost sight of."""

import re
from collections.abc import Iterable

from bkpaas.checks import (
    OPEN_PAAS_SERVICES,
    CaseMessage,
    Deployment,
    Finding,
    HostView,
    Message,
    Missing,
    NoData,
    NotApplicable,
    Process,
    Program,
    Service,
    Supervisor,
    UnixSocket,
    case,
    clauses,
    combined,
    condition,
    ended_between_rounds,
    lines,
    missing_program,
    msg,
    other_socket,
    port_of_service,
    require_supervisord,
    series,
    several,
    sorted_uids,
)

PRIVATE = 0o700
STEADY_SECONDS = 2
"""What was being started at the first look has run for so long at the second, some seconds later."""


SUPERVISOR_FAULTS = re.compile(r"no such file|refused|reset|timeout|spawn error|ProtocolError", re.IGNORECASE)
"""Errors of supervisorctl that show a fault of supervisord; with other errors the status is not known."""

NOT_STARTED = ("No such file or directory", "Permission denied", "Exec format error")
"""Errors with which supervisorctl itself cannot be started: they are not about supervisord."""


def _own_supervisor(host: HostView) -> Supervisor:
    """Return the supervisor of open_paas. NoData: one with another configuration runs its services."""
    supervisor, processes = host.supervisor, host.processes
    masters = processes.uwsgi_masters()
    if masters and not processes.supervisords(supervisor.conf.path.rpartition("/")[2]):
        others = [
            daemon
            for daemon in processes.any_supervisords()
            if all(processes.descends(master.pid, daemon.pid) for master in masters)
        ]
        if others:
            raise NoData(
                msg(
                    "open_paas runs under another supervisord: pid {pid} ({command})",
                    pid=others[0].pid,
                    command=others[0].command,
                )
            )
    return supervisor


def _pids(processes: Iterable[Process]) -> str:
    return ", ".join(str(process.pid) for process in processes)


@condition("supervisor-proc")
def test_one_supervisord_runs_open_paas(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """One supervisord with open_paas's configuration is alive, and the pid file names it."""
    require_supervisord(host, deployment)
    supervisor = _own_supervisor(host)
    daemons = host.processes.supervisords(supervisor.conf.path.rpartition("/")[2])
    left = host.processes.uwsgi_masters()
    finding.set_remedy_values(pids=" ".join(str(process.pid) for process in (*daemons, *left)) or "PIDS")
    assert daemons, (
        case("orphans-left", "no supervisord, while these uwsgi still serve: {pids}", pids=_pids(left))
        if left
        else case("not-started", "no supervisord and no uwsgi: open_paas is not started")
    )
    assert len(daemons) == 1, case(
        "several",
        "{number} supervisord run the same configuration: {pids}; the newest does not manage the programs of the others",
        number=len(daemons),
        pids=_pids(daemons),
    )
    pidfile = supervisor.pidfile
    if pidfile is None:
        raise NoData(msg("the pid file was not collected"))
    assert pidfile.exists, case(
        "pidfile-gone",
        "{path} does not exist, while supervisord {pid} runs",
        path=pidfile.path,
        pid=daemons[0].pid,
    )
    if supervisor.pidfile_pid != daemons[0].pid and ended_between_rounds(host, daemons[0].pid):
        raise NoData(msg("{program} was restarted between the two rounds", program="supervisord"))
    assert supervisor.pidfile_pid == daemons[0].pid, case(
        "pidfile-wrong",
        "{path} contains {written}, the pid of supervisord is {pid}",
        path=pidfile.path,
        written=supervisor.pidfile_pid,
        pid=daemons[0].pid,
    )
    finding.add_evidence(f"supervisord {daemons[0].pid}")


@condition("supervisor-sock")
def test_supervisor_socket_is_private(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """supervisor.sock is a socket, mode srwx------, owned and listened on by the living supervisord."""
    require_supervisord(host, deployment)
    supervisor = _own_supervisor(host)
    sock = supervisor.socket
    if sock is None:
        raise NoData(msg("the socket was not collected"))
    finding.set_remedy_values(sock=sock.path)
    daemons = host.processes.supervisords(supervisor.conf.path.rpartition("/")[2])
    other = other_socket(host, sock.path, daemons)
    if other is not None:
        finding.set_remedy_values(other=other)
    assert other is None, case(
        "other-path",
        "{conf} names {path}, and supervisord {pids} listens on {other}: the file was edited and not loaded",
        conf=supervisor.conf.path,
        path=sock.path,
        pids=_pids(daemons),
        other=other,
    )
    assert sock.exists, case("gone", "{path} does not exist", path=sock.path)
    assert sock.type == "socket", case(
        "not-a-socket", "{path} is a {type}, not a socket", path=sock.path, type=sock.type
    )
    assert sock.mode == PRIVATE, case(
        "wrong-mode",
        "{path} is {permissions}, must be srwx------",
        path=sock.path,
        permissions=sock.permissions,
    )
    listening = _listening_at(host, sock.path)
    assert listening, case("not-listening", "{path} is left over: no process listens on it", path=sock.path)
    owners = {process.uid for process in daemons}
    assert not owners or sock.uid in owners, case(
        "wrong-owner",
        "{path} belongs to uid {uid}, supervisord runs as {uids}",
        path=sock.path,
        uid=sock.uid,
        uids=sorted_uids(owners),
    )
    holders = {pid for listener in listening for pid in listener.pids or ()}
    assert not holders or not daemons or holders & {process.pid for process in daemons}, case(
        "other-listener",
        "{path} is listened on by {holders}, not by supervisord {pids}",
        path=sock.path,
        holders=sorted(holders),
        pids=_pids(daemons),
    )
    if any(listener.pids is None for listener in listening):
        raise NoData(msg("only root can see the owners of sockets"))
    finding.add_evidence(f"{sock.path} {sock.permissions}")


def _listening_at(host: HostView, path: str) -> list[UnixSocket]:
    """Return the listening sockets of a path; supervisord binds PATH.PID before the fork, then links it to PATH."""
    name = re.compile(re.escape(path) + r"(\.[0-9]+)?")
    return [socket for socket in host.sockets.unix if socket.listening and name.fullmatch(socket.path)]


def _some_uwsgi(host: HostView) -> None:
    """Raise NotApplicable where no service is run by uwsgi, so that there is no master to look for."""
    services = {} if isinstance(host.facts.services, Missing) else host.services.by_name
    named = host.processes.uwsgi_masters()
    if services and not named and not any(service.by_uwsgi for service in services.values()):
        raise NotApplicable(msg("gunicorn runs the services here"))


@condition("uwsgi-single-master")
def test_each_service_has_one_master(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """No service of open_paas runs twice."""
    require_supervisord(host, deployment)
    _some_uwsgi(host)
    masters = {service: host.processes.uwsgi_masters(service) for service in OPEN_PAAS_SERVICES}
    double = {service: processes for service, processes in masters.items() if len(processes) > 1}
    finding.affects_services(double)
    finding.set_remedy_values(
        pids=" ".join(str(process.pid) for processes in masters.values() for process in processes) or "PIDS"
    )
    assert not double, case(
        "several-masters",
        "more than one master: {masters}",
        masters="; ".join(f"{service} {_pids(processes)}" for service, processes in double.items()),
    )


@condition("uwsgi-orphans")
def test_every_uwsgi_belongs_to_supervisord(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """The parent of every open_paas uwsgi master is supervisord; PPID 1 means that its supervisord died."""
    require_supervisord(host, deployment)
    _some_uwsgi(host)
    processes = host.processes
    daemons = processes.supervisords(_own_supervisor(host).conf.path.rpartition("/")[2])
    orphans = [
        master
        for master in processes.uwsgi_masters()
        if not any(processes.descends(master.pid, daemon.pid) for daemon in daemons)
    ]
    finding.affects_services({master.service for master in orphans if master.service})
    finding.set_remedy_values(pids=" ".join(str(master.pid) for master in orphans) or "PIDS")
    assert not orphans, case(
        "orphans",
        "not under supervisord: {masters}",
        masters="; ".join(f"{master.service} pid {master.pid}, ppid {master.ppid}" for master in orphans),
    )


@condition("port-owner")
def test_ports_are_held_by_their_services(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Only the uwsgi (or gunicorn) of a service listens on the port of the service."""
    processes, sockets = host.processes, host.sockets
    if not sockets.owners_known or any(listener.pids is None for listener in sockets.listeners):
        raise NoData(msg("only root can see the owners of sockets"))
    foreign = {}
    for service, service_facts in host.services.by_name.items():
        port = port_of_service(service, service_facts, deployment)
        for listener in sockets.on(port):
            if service_facts.bind_address and listener.covers(service_facts.bind_address) is False:
                continue  # the same port on another address
            strangers = [
                process
                for pid in listener.pids or ()
                if (process := processes.get(pid)) and not _serves(host, process, service_facts)
            ]
            if strangers and len(strangers) == len(listener.pids or ()):
                foreign[service] = (port, strangers[0])
    finding.affects_services(foreign)
    finding.set_remedy_values(
        ports="|".join(str(port) for port, _ in foreign.values()) or "PORT",
        service=" ".join(sorted(foreign)),
        pids=" ".join(str(process.pid) for _, process in foreign.values()),
    )
    assert not foreign, case(
        "taken",
        lines(
            msg(
                "port {port} of {service} is held by pid {pid}: {command}",
                port=port,
                service=service,
                pid=process.pid,
                command=process.command,
            )
            for service, (port, process) in sorted(foreign.items())
        ),
        services=series(sorted(foreign)),
    )


def _serves(host: HostView, process: Process, service: Service) -> bool:
    """Return whether it is the service's uwsgi or gunicorn, or a program that supervisor runs under its name."""
    if process.service == service.name:
        return True
    supervisors = host.facts.supervisors
    supervisor = None if isinstance(supervisors, Missing) else supervisors.by_module.get("open_paas")
    if supervisor is None:
        return False
    if "gunicorn" in process.command and service.ini.path == supervisor.conf.path:
        return True
    own = _shown(supervisor.status or (), service.name)
    return any(program.pid and host.processes.descends(process.pid, program.pid) for program in own)


@condition("supervisor-status")
def test_all_programs_are_running(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """supervisorctl shows every configured program RUNNING, and none has another pid a moment later."""
    require_supervisord(host, deployment)
    supervisor = _own_supervisor(host)
    if supervisor.status is None:
        finding.set_remedy_values(service=" ".join(OPEN_PAAS_SERVICES))
        error = supervisor.status_error
        if not error or not SUPERVISOR_FAULTS.search(str(error)):
            raise NoData(msg("supervisorctl: {error}", error=error or msg("no answer")))
        if str(error).strip() in NOT_STARTED:
            raise NoData(msg("supervisorctl cannot be started: {error}", error=error))
        raise AssertionError(case("no-answer", "supervisorctl: {error}", error=error))
    wrong: dict[str, CaseMessage] = {}
    for name in _expected(supervisor):
        programs = _shown(supervisor.status, name)
        if not programs:
            wrong[name] = case("unknown", "unknown to supervisor")
        problems = [problem for program in programs if (problem := _problem(host, supervisor, program))]
        if problems:
            texts = clauses(problem.evidence for problem in problems)
            wrong[name] = combined(problems, _with_start_error(texts, host, name))
    finding.affects_services(wrong)
    finding.set_remedy_values(service=" ".join(sorted(wrong)) or "SERVICE")
    finding.add_evidence(
        ", ".join(sorted(f"{program.name} {program.state}" for program in supervisor.status))
    )
    assert not wrong, several(dict(sorted(wrong.items())), "programs")
    if supervisor.later is None and supervisor.later_error:
        raise NoData(
            msg(
                "all are RUNNING, but were not read again a moment later: {later_error}",
                later_error=supervisor.later_error,
            )
        )


def _expected(supervisor: Supervisor) -> list[str]:
    """Return the services and the other programs that start by themselves; the rest is started when needed."""
    own = [program.name for program in supervisor.programs_in_conf if program.autostart]
    return list(dict.fromkeys((*own, *OPEN_PAAS_SERVICES)))


def _shown(status: Iterable[Program], name: str) -> list[Program]:
    """Return the lines of a program: NAME, GROUP:NAME in a group, NAME:NAME_00 ... with several processes."""
    line = re.compile(rf"([^:]+:)?{re.escape(name)}(_\d+)?|{re.escape(name)}:.+")
    return [program for program in status if line.fullmatch(program.name)]


def _problem(host: HostView, supervisor: Supervisor, program: Program) -> CaseMessage | None:
    later = next((other for other in supervisor.later or () if other.name == program.name), None)
    if program.state == "STARTING" and later and later.state == "RUNNING":
        if (later.uptime_seconds or 0) >= STEADY_SECONDS:
            return None  # it was just being started, and has run since
        return case("unstable", "STARTING, and RUNNING only briefly a moment later: it does not stay up")
    if program.state != "RUNNING":
        state = f"{program.state} {program.description}".strip()
        path = missing_program(host, program.name)
        if path is not None:
            return case("not-installed", "{state}: {path} does not exist", state=state, path=path)
        return case("not-running", lines([state]))
    if later and later.pid != program.pid:
        if (
            host.facts.far_apart
            and later.state == "RUNNING"
            and (later.uptime_seconds or 0) >= STEADY_SECONDS
        ):
            return None  # one restart within a long time
        pid = later.pid if later.state == "RUNNING" else later.state
        return case(
            "unstable",
            "RUNNING, but its pid changed from {pid} to {new}: it crashes and is started again",
            pid=program.pid,
            new=pid,
        )
    return None


def _with_start_error(problem: Message, host: HostView, service: str) -> Message:
    """Return a problem with the start error in the log of the service."""
    error = host.logs.start_errors.get(service)
    return msg("{problem} ({error})", problem=problem, error=error.text[:200]) if error else problem


@condition("rabbit-orphan")
def test_rabbitmq_left_nothing_behind(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """One broker runs and listens for AMQP; a beam process that does not serve is a left-over, epmd alone is not."""
    brokers = [process for process in host.processes.items if _is_broker(process)]
    port = deployment.service_port("rabbitmq")
    listeners = host.sockets.on(port)
    finding.set_remedy_values(pids=" ".join(str(process.pid) for process in brokers) or "")
    assert brokers, case("not-running", "RabbitMQ does not run: there is no beam process")
    assert listeners, case(
        "not-listening", "beam {pids} is alive, but nothing listens on {port}", pids=_pids(brokers), port=port
    )
    frozen = [process for process in brokers if process.state in ("T", "t")]
    assert not frozen, case(
        "frozen",
        "beam {pids} is stopped (state T): it accepts connections and does not answer",
        pids=_pids(frozen),
    )
    owners = {pid for listener in listeners for pid in listener.pids or ()}
    spare = [
        process
        for process in brokers
        if owners and not any(host.processes.descends(process.pid, owner) for owner in owners)
    ]  # a broker starts short-lived machines of its own
    if spare:
        finding.set_remedy_values(pids=" ".join(str(process.pid) for process in spare))
    assert not spare, case(
        "left-over", "beam {pids} runs in addition to the broker and serves nothing", pids=_pids(spare)
    )
    finding.add_evidence(f"beam {_pids(brokers)}, {port}")


def _is_broker(process: Process) -> bool:
    """Return whether this is the broker's Erlang machine; rabbitmqctl runs one too, for a moment."""
    command_line = " ".join(process.argv)
    return process.name.startswith("beam") and "rabbit" in command_line and "escript" not in command_line
