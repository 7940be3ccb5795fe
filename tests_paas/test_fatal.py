"""FAQ: starting PaaS ends in "FATAL Exited too quickly": supervisor, its socket, and what it lost sight of."""

import re
from collections.abc import Iterable

from bkpaas.checks import (
    OPEN_PAAS_SERVICES,
    Deployment,
    Finding,
    HostView,
    Missing,
    NoData,
    NotApplicable,
    Process,
    Program,
    Service,
    Supervisor,
    UnixSocket,
    condition,
    say,
    sorted_uids,
)

PRIVATE = 0o700
STEADY_SECONDS = 2
"""What was being started at the first look has run for so long at the second, some seconds later."""


SICK = re.compile(r"no such file|refused|reset|timeout|spawn error|ProtocolError", re.IGNORECASE)
"""What supervisorctl says of a supervisord that is not well; else it could not be asked."""


def _own_supervisor(host: HostView) -> Supervisor:
    """The supervisor of open_paas; NoData when another one, of another configuration, runs its services."""
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
                say(
                    en=f"open_paas runs under another supervisord: pid {others[0].pid} ({others[0].command})",
                    zh=f"open_paas 由另一个 supervisord 管理：pid {others[0].pid}（{others[0].command}）",
                )
            )
    return supervisor


def _pids(processes: Iterable[Process]) -> str:
    return ", ".join(str(process.pid) for process in processes)


@condition("supervisor-proc")
def test_one_supervisord_runs_open_paas(host: HostView, finding: Finding) -> None:
    """One supervisord with open_paas's configuration is alive, and the pid file names it."""
    supervisor = _own_supervisor(host)
    daemons = host.processes.supervisords(supervisor.conf.path.rpartition("/")[2])
    left = host.processes.uwsgi_masters()
    finding.set_remedy_values(pids=" ".join(str(process.pid) for process in (*daemons, *left)) or "PIDS")
    assert daemons, (
        say(
            en=f"no supervisord, while these uwsgi still serve: {_pids(left)}",
            zh=f"没有 supervisord，但这些 uwsgi 仍在服务：{_pids(left)}",
        )
        if left
        else say(
            en="no supervisord and no uwsgi: open_paas is not started",
            zh="没有 supervisord 和 uwsgi：open_paas 未启动",
        )
    )
    assert len(daemons) == 1, say(
        en=f"{len(daemons)} supervisord run the same configuration: {_pids(daemons)}; the newest does not know of "
        "the programs of the others",
        zh=f"有 {len(daemons)} 个 supervisord 使用同一配置：{_pids(daemons)}；最新的不知道其他的程序",
    )
    pidfile = supervisor.pidfile
    if pidfile is None:
        raise NoData(say(en="the pid file was not looked at", zh="未查看 pid 文件"))
    assert pidfile.exists, say(
        en=f"{pidfile.path} is gone, while supervisord {daemons[0].pid} lives",
        zh=f"supervisord {daemons[0].pid} 存活，但 {pidfile.path} 不存在",
    )
    assert supervisor.pidfile_pid == daemons[0].pid, say(
        en=f"{pidfile.path} says {supervisor.pidfile_pid}, the supervisord is {daemons[0].pid}",
        zh=f"{pidfile.path} 中为 {supervisor.pidfile_pid}，实际 supervisord 为 {daemons[0].pid}",
    )
    finding.add_evidence(f"supervisord {daemons[0].pid}")


@condition("supervisor-sock")
def test_supervisor_socket_is_private(host: HostView, finding: Finding) -> None:
    """supervisor.sock is a socket, mode srwx------, owned and listened on by the living supervisord."""
    supervisor = _own_supervisor(host)
    sock = supervisor.socket
    if sock is None:
        raise NoData(say(en="the socket was not looked at", zh="未查看套接字"))
    finding.set_remedy_values(sock=sock.path)
    assert sock.exists, say(en=f"{sock.path} does not exist", zh=f"{sock.path} 不存在")
    assert sock.type == "socket", say(
        en=f"{sock.path} is a {sock.type}, not a socket", zh=f"{sock.path} 不是套接字，而是 {sock.type}"
    )
    assert sock.mode == PRIVATE, say(
        en=f"{sock.path} is {sock.permissions}, must be srwx------",
        zh=f"{sock.path} 权限为 {sock.permissions}，应为 srwx------",
    )
    daemons = host.processes.supervisords(supervisor.conf.path.rpartition("/")[2])
    listening = _listening_at(host, sock.path)
    assert listening, say(
        en=f"{sock.path} is left over: no process listens on it", zh=f"{sock.path} 是遗留文件：没有进程监听"
    )
    owners = {process.uid for process in daemons}
    assert not owners or sock.uid in owners, say(
        en=f"{sock.path} belongs to uid {sock.uid}, supervisord runs as {sorted_uids(owners)}",
        zh=f"{sock.path} 属主 uid 为 {sock.uid}，supervisord 运行用户为 {sorted_uids(owners)}",
    )
    holders = {pid for found in listening for pid in found.pids or ()}
    assert not holders or not daemons or holders & {process.pid for process in daemons}, say(
        en=f"{sock.path} is listened on by {sorted(holders)}, not by supervisord {_pids(daemons)}",
        zh=f"{sock.path} 由 {sorted(holders)} 监听，而不是 supervisord {_pids(daemons)}",
    )
    finding.add_evidence(f"{sock.path} {sock.permissions}")


def _listening_at(host: HostView, path: str) -> list[UnixSocket]:
    """supervisord binds PATH.PID, with the pid it had before it went to the background, then links that to PATH."""
    name = re.compile(re.escape(path) + r"(\.[0-9]+)?")
    return [found for found in host.sockets.unix if found.listening and name.fullmatch(found.path)]


def _some_uwsgi(host: HostView) -> None:
    """NotApplicable where every service is run by something else: it has no uwsgi master to look for."""
    services = {} if isinstance(host.facts.services, Missing) else host.services.by_name
    if services and not any(service.by_uwsgi for service in services.values()):
        raise NotApplicable(say(en="gunicorn runs the services here", zh="此处由 gunicorn 运行各服务"))


@condition("uwsgi-single-master")
def test_each_service_has_one_master(host: HostView, finding: Finding) -> None:
    """No service of open_paas runs twice."""
    _some_uwsgi(host)
    masters = {service: host.processes.uwsgi_masters(service) for service in OPEN_PAAS_SERVICES}
    double = {service: found for service, found in masters.items() if len(found) > 1}
    finding.affects_services(double)
    finding.set_remedy_values(
        pids=" ".join(str(process.pid) for found in masters.values() for process in found) or "PIDS"
    )
    assert not double, say(en="more than one master: ", zh="多于一个主进程：") + "; ".join(
        f"{service} {_pids(found)}" for service, found in double.items()
    )


@condition("uwsgi-orphans")
def test_every_uwsgi_belongs_to_supervisord(host: HostView, finding: Finding) -> None:
    """The parent of every open_paas uwsgi master is supervisord; PPID 1 means that its supervisord died."""
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
    assert not orphans, say(en="not under supervisord: ", zh="不在 supervisord 管理之下：") + "; ".join(
        f"{master.service} pid {master.pid}, ppid {master.ppid}" for master in orphans
    )


@condition("port-owner")
def test_ports_are_held_by_their_services(host: HostView, finding: Finding) -> None:
    """Whoever listens on the port of a service is this service's uwsgi (or gunicorn), nobody else."""
    processes, sockets = host.processes, host.sockets
    if not sockets.owners_known:
        raise NoData(
            say(en="the owners of sockets are seen by root only", zh="只有 root 能看到套接字的持有者")
        )
    foreign = {}
    for service, known in host.services.by_name.items():
        for listener in sockets.on(known.bind_port or 0):
            if known.bind_address and listener.covers(known.bind_address) is False:
                continue  # the same port on another address
            strangers = [
                process
                for pid in listener.pids or ()
                if (process := processes.get(pid)) and not _serves(host, process, known)
            ]
            if strangers and len(strangers) == len(listener.pids or ()):
                foreign[service] = (known.bind_port, strangers[0])
    finding.affects_services(foreign)
    finding.set_remedy_values(
        ports="|".join(str(port) for port, _ in foreign.values()) or "PORT",
        service=" ".join(sorted(foreign)),
    )
    assert not foreign, "\n".join(
        say(
            en=f"port {port} of {service} is held by pid {process.pid}: {process.command}",
            zh=f"{service} 的端口 {port} 被 pid {process.pid} 占用：{process.command}",
        )
        for service, (port, process) in sorted(foreign.items())
    )


def _serves(host: HostView, process: Process, known: Service) -> bool:
    """The service's uwsgi, its gunicorn where it has one, or whatever supervisor runs under its name."""
    if process.service == known.name:
        return True
    supervisors = host.facts.supervisors
    supervisor = None if isinstance(supervisors, Missing) else supervisors.by_module.get("open_paas")
    if supervisor is None:
        return False
    if "gunicorn" in process.command and known.ini.path == supervisor.conf.path:
        return True
    own = _shown(supervisor.status or (), known.name)
    return any(program.pid and host.processes.descends(process.pid, program.pid) for program in own)


@condition("supervisor-status")
def test_all_programs_are_running(host: HostView, finding: Finding) -> None:
    """supervisorctl shows every configured program RUNNING, and none has another pid a moment later."""
    supervisor = _own_supervisor(host)
    if supervisor.status is None:
        text = supervisor.status_error or say(en="no answer", zh="无应答")
        if not SICK.search(text):
            raise NoData(f"supervisorctl: {text}")
        raise AssertionError(f"supervisorctl: {text}")
    wrong = {}
    for name in _expected(supervisor):
        found = _shown(supervisor.status, name)
        if not found:
            wrong[name] = say(en="unknown to supervisor", zh="supervisor 中没有")
        problems = [problem for program in found if (problem := _problem(supervisor, program))]
        if problems:
            wrong[name] = "; ".join(problems) + _start_error(host, name)
    finding.affects_services(wrong)
    finding.set_remedy_values(service=" ".join(sorted(wrong)) or "SERVICE")
    finding.add_evidence(
        ", ".join(sorted(f"{program.name} {program.state}" for program in supervisor.status))
    )
    assert not wrong, "\n".join(f"{name}: {text}" for name, text in sorted(wrong.items()))
    if supervisor.later is None and supervisor.later_error:
        raise NoData(
            say(
                en=f"all are RUNNING, but not seen again a moment later: {supervisor.later_error}",
                zh=f"全部为 RUNNING，但未能在稍后再次确认：{supervisor.later_error}",
            )
        )


def _expected(supervisor: Supervisor) -> list[str]:
    """The services, and what else the configuration starts by itself; the rest is started when it is wanted."""
    own = [program.name for program in supervisor.programs_in_conf if program.autostart]
    return list(dict.fromkeys((*own, *OPEN_PAAS_SERVICES)))


def _shown(status: Iterable[Program], name: str) -> list[Program]:
    """The lines of a program: its name, GROUP:NAME in a group, NAME:NAME_00 and so on with several processes."""
    line = re.compile(rf"([^:]+:)?{re.escape(name)}(_\d+)?|{re.escape(name)}:.+")
    return [program for program in status if line.fullmatch(program.name)]


def _problem(supervisor: Supervisor, program: Program) -> str | None:
    later = next((other for other in supervisor.later or () if other.name == program.name), None)
    if program.state == "STARTING" and later and later.state == "RUNNING":
        if (later.uptime_seconds or 0) >= STEADY_SECONDS:
            return None  # it was just being started, and has run since
        return say(
            en="STARTING, and RUNNING for less than a moment later: it does not stay up",
            zh="STARTING，随后 RUNNING 时间过短：无法保持运行",
        )
    if program.state != "RUNNING":
        return f"{program.state} {program.description}".strip()
    if later and later.pid != program.pid:
        pid = later.pid if later.state == "RUNNING" else later.state
        return say(
            en=f"RUNNING, but its pid changed from {program.pid} to {pid}: it crashes and is started again",
            zh=f"RUNNING，但 pid 从 {program.pid} 变为 {pid}：正在反复崩溃重启",
        )
    return None


def _start_error(host: HostView, service: str) -> str:
    error = host.logs.start_errors.get(service)
    return f" ({error.text[:200]})" if error else ""


@condition("rabbit-orphan")
def test_rabbitmq_left_nothing_behind(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """One broker runs and listens for AMQP; a beam process that does not serve is a left-over, epmd alone is not."""
    brokers = [process for process in host.processes.items if _is_broker(process)]
    port = deployment.service_port("rabbitmq")
    listeners = host.sockets.on(port)
    finding.set_remedy_values(pids=" ".join(str(process.pid) for process in brokers) or "PIDS")
    assert brokers, say(
        en="RabbitMQ does not run: there is no beam process", zh="RabbitMQ 未运行：没有 beam 进程"
    )
    assert listeners, say(
        en=f"beam {_pids(brokers)} is alive, but nothing listens on {port}",
        zh=f"beam {_pids(brokers)} 存活，但没有监听 {port}",
    )
    frozen = [process for process in brokers if process.state in ("T", "t")]
    assert not frozen, say(
        en=f"beam {_pids(frozen)} is stopped (state T): it takes connections and never answers",
        zh=f"beam {_pids(frozen)} 处于停止状态（T）：接受连接但从不应答",
    )
    owners = {pid for listener in listeners for pid in listener.pids or ()}
    spare = [
        process
        for process in brokers
        if owners and not any(host.processes.descends(process.pid, owner) for owner in owners)
    ]  # a broker starts short-lived machines of its own
    if spare:
        finding.set_remedy_values(pids=" ".join(str(process.pid) for process in spare))
    assert not spare, say(
        en=f"beam {_pids(spare)} is alive beside the broker and serves nothing",
        zh=f"除 RabbitMQ 外还有遗留的 beam 进程 {_pids(spare)}",
    )
    finding.add_evidence(f"beam {_pids(brokers)}, {port}")


def _is_broker(process: Process) -> bool:
    """An Erlang machine that was started to be the broker; rabbitmqctl is one too, for a moment."""
    words = " ".join(process.argv)
    return process.name.startswith("beam") and "rabbit" in words and "escript" not in words
