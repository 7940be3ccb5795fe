"""The next start works: what the programs need is there, and pid files name the masters."""

from collections.abc import Iterable, Iterator

from bkpaas.checks import (
    EXECUTE,
    OPEN_PAAS_SERVICES,
    READ,
    WRITE,
    CaseMessage,
    ConfProgram,
    Deployment,
    Finding,
    HostView,
    Message,
    Missing,
    Need,
    NoData,
    NotApplicable,
    Process,
    Startup,
    Supervisor,
    Supervisors,
    accounts,
    case,
    clauses,
    condition,
    directories,
    edit_of,
    labelled,
    may_use,
    msg,
    needs,
    other_socket,
    process_of_program,
    program_lines,
    require_no_problems,
    start_edits,
    unread_nouns,
)

DELETED = " (deleted)"


@condition("next-start")
def test_programs_can_be_started_again(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """What each program needs at its start exists and is accessible to its account, and is what runs now."""
    startup = host.startup
    wrong: dict[str, list[CaseMessage]] = {}
    unread: list[Message | str] = []
    needed = [need for need in needs(host.facts) if not _is_optional(host, need)]
    uids, daemon_uids = _uids(host), _daemon_uids(host)
    for need in needed:
        by_program = daemon_uids if need.kind == "output-directory" else uids
        problem = _problem(need, startup, by_program.get(need.program), unread)
        if problem is not None and need.application:
            problem = case("application", problem.evidence)
        elif problem is not None and problem.case == "missing" and need.program == "nginx":
            problem = case("nginx-file", problem.evidence)
        if problem is not None:
            wrong.setdefault(need.program, []).append(problem)
    for name, problems in (*_running(host, startup), *_without_account(host)):
        if problems:
            wrong.setdefault(name, []).extend(problems)
    finding.add_evidence(msg("{count} paths", count=len(needed)))
    finding.set_remedy_values(edit=edit_of(start_edits(host, wrong, uids), host.name))
    require_no_problems(wrong, finding)
    if missing := unread_nouns(
        host, deployment, "supervisors", "services", "nginx", "saas", "names", "sockets"
    ):
        raise NoData(clauses(missing))
    if not needed:
        raise NotApplicable(msg("nothing is started here by supervisor, systemd or nginx"))
    if unread:
        raise NoData(msg("not read: {paths}", paths=clauses(unread[:3])))


def _without_account(host: HostView) -> Iterator[tuple[str, list[CaseMessage]]]:
    """Yield the programs that change to an account that does not exist."""
    known = {} if isinstance(host.facts.names, Missing) else host.facts.names.accounts
    for program, account, path in accounts(host.facts):
        if account in known and known[account] is None:
            text = msg(
                "{program} changes to the account {account}, which does not exist ({path})",
                program=program,
                account=account,
                path=path,
            )
            yield program, [case("no-account", text)]


def _is_optional(host: HostView, need: Need) -> bool:
    """Return whether a program is one that supervisor does not start by itself."""
    supervisors = host.facts.supervisors
    if isinstance(supervisors, Missing):
        return False
    programs = [one for each in supervisors.by_module.values() for one in each.programs_in_conf]
    return any(one.name == need.program and not one.autostart for one in programs)


def _uids(host: HostView) -> dict[str, int]:
    """Return the account under which each program is started, where it is known."""
    by_name: dict[str, int] = {}
    for master in host.processes.nginx_masters()[:1]:
        by_name |= {} if master.uid is None else {"nginx": master.uid}
    masters = host.processes.uwsgi_masters() if host.services.manager == "systemd" else ()
    by_name |= {one.service: one.uid for one in masters if one.service is not None and one.uid is not None}
    for module, supervisor in _supervisors(host).items():
        for daemon in _daemons(host, supervisor):
            if daemon.uid is None:
                continue
            by_name |= {f"supervisord ({module})": daemon.uid, f"supervisorctl ({module})": daemon.uid}
            for program in supervisor.programs_in_conf:
                process = process_of_program(host.facts, supervisor, program)
                uid = _uid_at_start(host, program, daemon.uid)
                if uid is not None:
                    by_name[program.name] = uid
                elif process is not None and process.uid is not None:
                    by_name[program.name] = process.uid
    applications = () if isinstance(host.facts.saas, Missing) else host.facts.saas.items
    for saas in applications:
        process = host.processes.get(saas.pid) if saas.pid is not None else None
        if process is not None and process.uid is not None:
            by_name.setdefault(saas.app, process.uid)
    return by_name


def _uid_at_start(host: HostView, program: ConfProgram, of_daemon: int) -> int | None:
    """Return the account that a program gets by its file, also if it still runs as another one; None: not known."""
    if program.user in (None, "root"):
        return of_daemon
    if program.user.isdecimal():
        return int(program.user)
    return None if isinstance(host.facts.names, Missing) else host.facts.names.accounts.get(program.user)


def _daemon_uids(host: HostView) -> dict[str, int]:
    """Return by program the account of its supervisord, which opens the file for its output."""
    return {
        program.name: daemon.uid
        for supervisor in _supervisors(host).values()
        for daemon in _daemons(host, supervisor)
        for program in supervisor.programs_in_conf
        if daemon.uid is not None
    }


def _supervisors(host: HostView) -> dict[str, Supervisor]:
    facts = host.facts.supervisors
    return facts.by_module if isinstance(facts, Supervisors) else {}


def _daemons(host: HostView, supervisor: Supervisor) -> tuple[Process, ...]:
    return host.processes.supervisords(supervisor.conf.path.rpartition("/")[2])


def _problem(
    need: Need, startup: Startup, uid: int | None, unread: list[Message | str]
) -> CaseMessage | None:
    """Return why a path cannot be used at the next start, with the first directory that is to blame."""
    for path in (*directories(need.path), need.path):
        fact = startup.paths.get(path)
        if fact is None or (fact.error is not None and fact.mode is None and fact.type != "symlink"):
            unread.append(path if fact is None or fact.error is None else labelled(path, fact.error))
            return None
        if fact.type in ("missing", "symlink"):
            return case(
                "missing",
                "{program} needs {path}: {place} does not exist ({named_by})",
                program=need.program,
                path=need.path,
                place=path,
                named_by=need.named_by,
            )
        wanted = EXECUTE if path != need.path else _wanted(need)
        if not may_use(fact, uid, wanted):
            return case(
                "no-access",
                "{program} needs {path}: {place} is {permissions} of uid {owner}, not accessible to uid {uid}",
                program=need.program,
                path=need.path,
                place=path,
                permissions=fact.permissions,
                owner=fact.uid,
                uid=uid,
            )
    return _wrong_kind(need, startup)


def _wanted(need: Need) -> int:
    return {
        "command": EXECUTE,
        "file": READ,
        "directory": EXECUTE,
        "log-directory": WRITE | EXECUTE,
        "output-directory": WRITE | EXECUTE,
    }[need.kind]


def _wrong_kind(need: Need, startup: Startup) -> CaseMessage | None:
    fact = startup.paths[need.path]
    is_directory = need.kind in ("directory", "log-directory", "output-directory")
    if (fact.type == "dir") != is_directory:
        return case(
            "wrong-kind",
            "{program} needs {path}, which is a {type} ({named_by})",
            program=need.program,
            path=need.path,
            type=fact.type,
            named_by=need.named_by,
        )
    interpreter = startup.interpreters.get(need.path)
    path = startup.paths.get(interpreter) if interpreter else None
    if path is not None and path.type in ("missing", "symlink"):
        return case(
            "missing",
            "{program} needs {path}: its interpreter {place} does not exist ({named_by})",
            program=need.program,
            path=need.path,
            place=path.path,
            named_by=need.named_by,
        )
    return None


def _running(host: HostView, startup: Startup) -> Iterator[tuple[str, list[CaseMessage]]]:
    """Yield what runs and is not what would be started."""
    for master in host.processes.nginx_masters():
        yield "nginx", list(_deleted("nginx", master))
    if host.services.manager in ("systemd", "docker"):
        masters = host.processes.uwsgi_masters() if host.services.manager == "systemd" else ()
        for master in masters:
            yield master.service or "uwsgi", list(_deleted(master.service or "uwsgi", master))
        return
    for module, supervisor in _supervisors(host).items():
        if not supervisor.conf.exists:
            continue
        daemons = _daemons(host, supervisor)
        for daemon in daemons:
            yield f"supervisord ({module})", list(_deleted("supervisord", daemon))
        for program in supervisor.programs_in_conf:
            process = process_of_program(host.facts, supervisor, program)
            if process is not None:
                messages = [*_deleted(program.name, process), *_other(program.command, process, startup)]
                messages += _moved(program, process, host)
                if not program.autostart and module == "open_paas" and program.name in OPEN_PAAS_SERVICES:
                    messages.append(_by_hand(program, process))
                yield program.name, messages
        yield from _not_in_file(host, supervisor, daemons)
        if daemons:
            problems = list(_control(supervisor))
            if module != "open_paas":  # its socket is that of supervisor-sock
                problems += _old_socket(host, supervisor, daemons)
            yield f"supervisorctl ({module})", problems


def _deleted(name: str, process: Process) -> Iterator[CaseMessage]:
    for path in (process.exe or "", process.cwd or ""):
        if path.endswith(DELETED):
            yield case(
                "deleted",
                "{program} (pid {pid}) runs from {path}, which was deleted or replaced",
                program=name,
                pid=process.pid,
                path=path.removesuffix(DELETED),
            )


def _other(command: str, process: Process, startup: Startup) -> Iterator[CaseMessage]:
    """Yield that a command leads to another program than the one that runs; a script shows its interpreter."""
    word = command.partition(" ")[0]
    fact = startup.paths.get(word)
    if fact is None or fact.type != "file" or word in startup.interpreters or process.exe is None:
        return
    real = fact.target or fact.path
    if process.argv[:1] == (word,) and process.exe not in (real, f"{real}{DELETED}"):
        yield case(
            "other-program",
            "pid {pid} runs {exe}, {path} now leads to {real}",
            pid=process.pid,
            exe=process.exe,
            path=word,
            real=real,
        )


def _moved(program: ConfProgram, process: Process, host: HostView) -> Iterator[CaseMessage]:
    """Yield that a program runs in another directory than its file names, one that was renamed or copied."""
    services = host.facts.services
    service = None if isinstance(services, Missing) else services.by_name.get(program.name)
    named = service.chdir if service is not None and service.by_uwsgi else program.directory
    cwd = process.cwd or ""
    if not named or not cwd.startswith("/") or cwd.endswith(DELETED):
        return
    path = named.rstrip("/") or "/"
    facts = [host.startup.paths.get(one) for one in (*directories(path), path)]
    if any(fact is None or fact.target is not None or fact.type != "dir" for fact in facts):
        return  # a link leads elsewhere than its name says
    same_place = cwd.rpartition("/")[0] == path.rpartition("/")[0]
    if cwd != path and (same_place or path.rpartition("/")[2] in cwd.rpartition("/")[2]):
        yield case(
            "moved",
            "{program} (pid {pid}) runs in {cwd}; its file says {path}, which is another directory now",
            program=program.name,
            pid=process.pid,
            cwd=cwd,
            path=path,
        )


def _by_hand(program: ConfProgram, process: Process) -> CaseMessage:
    return case(
        "not-by-itself",
        "{program} (pid {pid}) runs, and {path} has autostart=false for it",
        program=program.name,
        pid=process.pid,
        path=program.file,
    )


def _not_in_file(
    host: HostView, supervisor: Supervisor, daemons: Iterable[Process]
) -> Iterator[tuple[str, list[CaseMessage]]]:
    """Yield the running programs that the file does not have: a restart of supervisord does not start them."""
    programs = supervisor.programs_in_conf
    if supervisor.conf_error is not None:
        return
    shown = {line.pid for line in supervisor.status or () if line.pid}
    lost = [
        (line.name, line.pid)
        for line in supervisor.status or ()
        if line.pid and not any(program_lines([line], one.name) for one in programs)
    ]
    for daemon in daemons:
        for child in host.processes.children(daemon.pid):
            first = {one.command.partition(" ")[0] for one in programs}
            if not shown and programs and not first & set(child.argv[:2]):
                lost.append((child.command[:80], child.pid))
    for name, pid in lost:
        message = case(
            "not-in-file",
            "{program} (pid {pid}) runs and is not in {path}",
            program=name,
            pid=pid,
            path=supervisor.conf.path,
        )
        yield name, [message]


def _control(supervisor: Supervisor) -> Iterator[CaseMessage]:
    """Yield why supervisorctl does not reach this supervisord."""
    url = (supervisor.server_url or "").strip()
    if url.startswith("unix://") and supervisor.socket_path and "%(" not in url:
        path = url.removeprefix("unix://")
        if path != supervisor.socket_path:
            yield case(
                "control",
                "{path}: supervisorctl connects to {url}, supervisord listens on {socket}",
                path=supervisor.conf.path,
                url=url,
                socket=supervisor.socket_path,
            )
    if not supervisor.has_interface and supervisor.conf_error is None:
        yield case(
            "control",
            "{path}: there is no [rpcinterface:supervisor]: supervisorctl gets no answer",
            path=supervisor.conf.path,
        )


def _old_socket(host: HostView, supervisor: Supervisor, daemons: Iterable[Process]) -> Iterator[CaseMessage]:
    """Yield that the running supervisord listens on another socket than its file names."""
    path = supervisor.socket_path
    other = other_socket(host, path, daemons) if path else None
    if other is not None:
        yield case(
            "control",
            "{path} names the socket {socket}, and the running supervisord listens on {other}",
            path=supervisor.conf.path,
            socket=path,
            other=other,
        )
