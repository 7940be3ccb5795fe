"""What runs is what is on disk: files that were edited after the processes had loaded them."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bkpaas.checks import (
    CaseMessage,
    Compiled,
    Deployment,
    FileFact,
    Finding,
    HostLookup,
    HostView,
    LogPlugin,
    Message,
    Missing,
    Nginx,
    NoData,
    NotApplicable,
    Process,
    Supervisor,
    about,
    case,
    changes,
    clauses,
    clock_slack,
    combined,
    command_words,
    condition,
    control_of,
    edits_since,
    is_loopback,
    lines,
    load_time,
    msg,
    platform_servers,
    process_of_program,
    program_lines,
    require_no_problems,
    require_supervisord,
    series,
    settings_changes,
    unread_nouns,
)

TIME_OUTS = ("EVENT_STATE_EXPIRE_SECONDS", "HISTORY_EVENT_STATE_EXPIRE_SECONDS")
DRAIN_SECONDS = 5.0
"""How long workers of the old configuration of nginx may log after a reload."""
RELOADS_ITSELF = ("-r", "--config.reload.automatic")
"""logstash reads its files again when they change."""
PROVED = "values"
"""The case that is reported first: it decides the severity."""


@condition("services-loaded")
def test_services_run_with_the_files_on_disk(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Each service has loaded its settings, its uwsgi file and its start files as they are on disk now."""
    slack = clock_slack(host, deployment, host_facts)
    stale: dict[str, list[CaseMessage]] = {}
    unknown: list[Message | str] = []
    for name, service in host.services.by_name.items():
        run = host.services.run(name)
        process = None if run.pid is None else host.processes.get(run.pid)
        if process is None:
            continue  # it does not run: another condition
        loaded = load_time(host, process)
        if loaded is None:
            raise NoData(msg("the start of pid {pid} is not known", pid=process.pid))
        settings, compiled = _settings(host, name)
        ini = [service.ini] if service.by_uwsgi else []
        messages = [
            *_of_others(name, settings_changes(settings, process, loaded, slack, compiled)),
            *edits_since(ini, process, loaded, slack),
            *_replaced_libraries(host, name, unknown),
        ]
        messages = [about(one, *(_settings_of(one) or [f"service:{name}"])) for one in messages]
        finding.add_evidence(f"{name} {process.pid}: {len(settings) + len(ini)} files (±{slack:.1f} s)")
        if messages:
            stale[name] = messages
    require_no_problems(stale, finding, PROVED)
    if unknown:
        raise NoData(clauses(unknown[:3]))


def _settings_of(message: CaseMessage) -> list[str]:
    """Return the settings that a message names, as components."""
    names = str(message.parameters["names"]).split(", ") if message.case == "values" else []
    return [f"setting:{name}" for name in names]


OF_THE_SYSTEM = ("/usr/", "/lib", "/tmp/", "/var/", "/dev/", "/run/", "/memfd:", "/SYSV")
"""Where an update of the system, or a program at run time, replaces or removes shared objects."""


def _replaced_libraries(host: HostView, service: str, unknown: list[Message | str]) -> Iterator[CaseMessage]:
    """Yield the shared objects of the virtual environment that were replaced or removed while a service runs.

    unknown: receives the reasons for which those of a process were not read.
    """
    later = host.facts.later
    if isinstance(later, Missing):
        unknown.append(later.reason)
        return
    for process in host.processes.uwsgi_masters(service):
        gone = later.libraries.get(str(process.pid))
        if gone is None:
            if later.starts.get(str(process.pid)) is not None:
                unknown.extend(later.problems or [msg("/proc/{pid}/maps cannot be read", pid=process.pid)])
            continue
        own = [path for path in gone if not path.startswith(OF_THE_SYSTEM)]
        if own:
            yield case(
                "library",
                "pid {pid} runs with shared objects that are no longer on disk ({number}), such as {path}",
                pid=process.pid,
                number=len(own),
                path=own[0],
            )


def _of_others(project: str, messages: Sequence[CaseMessage]) -> list[CaseMessage]:
    """Return the changes without those of the time-outs of paas alone, which have a condition of their own."""
    return [
        one
        for one in messages
        if project != "paas"
        or one.case != "values"
        or not set(str(one.parameters["names"]).split(", ")) <= set(TIME_OUTS)
    ]


def _settings(host: HostView, project: str) -> tuple[Sequence[FileFact], Sequence[Compiled]]:
    """Return the Python files that a project loads at its start, and their compiled forms."""
    own = host.settings.by_project.get(project)
    startup = host.facts.startup
    code = () if isinstance(startup, Missing) else startup.code.get(project, ())
    return (*(own.files if own else ()), *code), () if isinstance(startup, Missing) else startup.compiled


@condition("nginx-loaded")
def test_nginx_runs_with_the_files_on_disk(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """nginx has loaded its files as they are on disk now, at its start or its last reload."""
    if host.nginx.main is None:
        raise NotApplicable(msg("no nginx configuration was found"))
    masters = host.processes.nginx_masters()
    if not masters:
        raise NotApplicable(msg("nginx does not run"))
    slack = clock_slack(host, deployment, host_facts)
    messages: list[CaseMessage] = []
    for master in masters:
        loaded = load_time(host, master)
        if loaded is None:
            raise NoData(msg("the start of pid {pid} is not known", pid=master.pid))
        files = _files_of(master, masters, host.nginx)
        finding.add_evidence(f"nginx {master.pid}: {len(files)} files (±{slack:.1f} s)")
        messages += [
            about(one, "path:" + str(one.parameters["path"])) for one in changes(files, master, loaded, slack)
        ]
    require_no_problems({"nginx": messages} if messages else {}, finding, PROVED)


def _files_of(master: Process, masters: Sequence[Process], nginx: Nginx) -> list[FileFact]:
    """Return the files that a master has loaded: by its -c, else those that no other one's -c leads to."""
    named = {one.pid: _main_of(one, nginx) for one in masters}
    own = named[master.pid]
    mains = [own] if own else [main for main in nginx.mains if main not in named.values()]
    paths = {path for main in mains for path in nginx.files_of.get(main, ())}
    if len(masters) < 2 or not paths:
        return list(nginx.files)  # which of them are those of this master is not known
    return [file for file in nginx.files if file.path in paths]


def _main_of(master: Process, nginx: Nginx) -> str | None:
    """Return the main file that -c names on the command line of a master."""
    match = re.search(r" -c *(\S+)", master.command)
    return next((main for main in nginx.mains if match and main.endswith(match[1])), None)


@condition("nginx-old-upstream")
def test_nginx_uses_no_upstream_that_its_files_do_not_name(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Each upstream address in nginx's error log since its last reload is in its files or is what a name there resolves to."""
    nginx = host.nginx
    masters = host.processes.nginx_masters()
    if nginx.main is None or not masters:
        raise NotApplicable(msg("nginx does not run"))
    loaded = load_time(host, masters[0])
    if loaded is None:
        raise NoData(msg("the start of pid {pid} is not known", pid=masters[0].pid))
    named = {(server.address, server.port) for upstream in nginx.upstreams for server in upstream.servers}
    named |= nginx.passed_to()
    servers = {f"{address}:{port}" for name, port in named for address in _addresses(host, name)}
    by_name = {port for name, port in named if name not in _addresses(host, name)}
    slack = clock_slack(host, deployment, host_facts)
    # consul-template takes out an instance that is down and reloads: a line of just before is about the old files
    since = loaded + slack + DRAIN_SECONDS if deployment.generation == "6.x" else loaded - slack
    old: dict[str, CaseMessage] = {}
    own = {name for server in platform_servers(nginx, deployment) for name in server.names}
    of_deployment = {entry.address for entry in deployment.hosts}
    for hit in host.logs.nginx_errors:
        if hit.server is not None and hit.server not in own:
            continue  # of another system on the same nginx
        target = hit.upstream or ""
        if hit.time is None or hit.time < since or not target or target.startswith("unix:"):
            continue
        if target in servers or ":" not in target:
            continue
        address, _, port = target.rpartition(":")
        if deployment.generation == "6.x" and (is_loopback(address) or address in of_deployment):
            # While a service restarts again and again, consul-template takes its instance out and puts it back, or
            # writes a loopback address while no instance passes: see nginx-upstreams-complete.
            continue
        text = lines([hit.text[:200]])
        if port.isdecimal() and int(port) in by_name:
            old[target] = case("resolved-before", text)
        else:
            old[target] = case("not-in-files", text)
    finding.add_evidence(", ".join(sorted(servers)))
    finding.set_remedy_values(upstreams=" ".join(sorted(old)))
    first = next(iter(old.values()), None)
    assert first is None, combined(
        [first], lines(one.evidence for one in old.values()), upstreams=series(sorted(old))
    )


def _addresses(host: HostView, name: str) -> list[str]:
    """Return the addresses of a server of an upstream; the name itself where it was not resolved."""
    resolved = host.names.get(name)
    return list(resolved.addresses) if resolved and resolved.addresses else [name]


@condition("supervisor-loaded")
def test_supervisord_runs_with_the_files_on_disk(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Each supervisord has loaded its configuration, and its programs run with the commands and variables of it."""
    require_supervisord(host, deployment)
    slack = clock_slack(host, deployment, host_facts)
    stale: dict[str, list[CaseMessage]] = {}
    read = 0
    for module, supervisor in host.supervisors.by_module.items():
        daemons = host.processes.supervisords(supervisor.conf.path.rpartition("/")[2])
        if not supervisor.conf.exists or len(daemons) != 1 or daemons[0].start is None:
            continue  # not in use, or another condition
        read += 1
        daemon = daemons[0]
        messages = list(_programs(host, supervisor, daemon))
        updated, by_hand = _newest_program(host, daemon), _by_hand_only(supervisor)
        for change in edits_since(supervisor.files, daemon, daemon.start or 0, slack, in_place=False):
            newest = max((file.mtime or 0) for file in supervisor.files)
            if not messages and (updated > newest - slack or by_hand):
                # supervisorctl update has started them anew, or has read a program that it does not start
                finding.add_evidence(msg("{module}: its file was read after the change", module=module))
                continue
            messages.append(change)
        finding.add_evidence(f"supervisord {module} {daemon.pid}")
        if messages:
            stale[module] = messages
    if not read:
        raise NotApplicable(msg("no supervisord of these modules runs here"))
    first = next((one for module, one in host.supervisors.by_module.items() if module in stale), None)
    if first is not None and (control := control_of(host, first.conf.path)):
        finding.set_remedy_values(supervisorctl=control)
    require_no_problems(stale, finding, PROVED)


def _by_hand_only(supervisor: Supervisor) -> bool:
    """Return whether supervisord knows a program that only a person starts: then none shows when its file was read."""
    shown = supervisor.status or ()
    return any(
        not program.autostart and program_lines(shown, program.name)
        for program in supervisor.programs_in_conf
    )


def _newest_program(host: HostView, daemon: Process) -> float:
    return max((child.start or 0 for child in host.processes.children(daemon.pid)), default=0.0)


def _programs(host: HostView, supervisor: Supervisor, daemon: Process) -> Iterator[CaseMessage]:
    """Yield the programs that run with another command, directory or variable than the configuration has."""
    for program in supervisor.programs_in_conf:
        process = process_of_program(host.facts, supervisor, program)
        if process is None:
            continue
        command, argv = command_words(program), list(process.argv)
        if (
            _is_plain(command)
            and command[1:]
            and argv[-len(command) :] != command
            and _same_program(command, argv)
        ):
            yield case(
                "command",
                "{program} (pid {pid}) runs as {command}, {path} has {configured}",
                program=program.name,
                pid=process.pid,
                command=" ".join(argv)[:200],
                path=program.file,
                configured=program.command[:200],
            )
        wanted = supervisor.environment | program.environment
        for name, value in wanted.items():
            if process.environ is not None and process.environ.get(name) != value:
                yield case(
                    "environment",
                    "{program} (pid {pid}) runs with {name}={value}, {path} has {configured}",
                    program=program.name,
                    pid=process.pid,
                    name=name,
                    value=process.environ.get(name, ""),
                    path=program.file,
                    configured=value,
                )


def _is_plain(command: Sequence[str]) -> bool:
    """Return whether a command is one that the process shows unchanged: no secrets, no expansion."""
    return bool(command) and not any("%(" in word or "secret:" in word for word in command)


def _same_program(command: Sequence[str], argv: Sequence[str]) -> bool:
    """Return whether both begin with the same program: a wrapper replaces its command line."""
    return any(word.rpartition("/")[2] == command[0].rpartition("/")[2] for word in argv[:2])


@condition("agents-loaded")
def test_agents_run_with_the_files_on_disk(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """paas_agent, log_agent and log_parser have loaded their configuration as it is on disk now."""
    slack = clock_slack(host, deployment, host_facts)
    stale: dict[str, list[CaseMessage]] = {}
    readers = list(_readers(host))
    for name, process, files in readers:
        if process.start is None:
            raise NoData(msg("the start of pid {pid} is not known", pid=process.pid))
        finding.add_evidence(f"{name} {process.pid}: {len(files)} files (±{slack:.1f} s)")
        if not set(RELOADS_ITSELF) & set(process.argv) and (
            messages := changes(files, process, process.start, slack)
        ):
            stale.setdefault(name, []).extend(messages)
    _set_control(host, stale, finding)
    require_no_problems(stale, finding, PROVED)
    if unread := unread_nouns(host, deployment, "agent", "log_plugins"):
        raise NoData(clauses(unread))
    if not readers:
        raise NotApplicable(msg("no agent runs here"))


def _set_control(host: HostView, stale: Mapping[str, object], finding: Finding) -> None:
    """Name the supervisorctl of the first program that has to be restarted."""
    module = "paas_agent" if "paas_agent" in stale else "paas_plugins"
    known = {} if isinstance(host.facts.supervisors, Missing) else host.supervisors.by_module
    if module in known and (control := control_of(host, known[module].conf.path)):
        finding.set_remedy_values(agent_supervisorctl=control)


def _readers(host: HostView) -> Iterator[tuple[str, Process, Sequence[FileFact]]]:
    agent = host.facts.agent
    if not isinstance(agent, Missing) and agent.config is not None:
        for process in host.processes.items:
            if process.is_agent:
                yield "paas_agent", process, agent.config.files
    plugins = host.facts.log_plugins
    if not isinstance(plugins, Missing):
        for name, plugin in (("log_agent", plugins.agent), ("log_parser", plugins.parser)):
            for process in _running(host, plugin):
                yield name, process, plugin.file_facts


def _running(host: HostView, plugin: LogPlugin) -> list[Process]:
    return [process for pid in plugin.pids or () if (process := host.processes.get(pid))]
