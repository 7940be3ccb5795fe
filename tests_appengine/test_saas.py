"""Each SaaS answers: on its own socket, through nginx of its host, and through the domain."""

from os.path import basename

from bkpaas.checks import (
    EXECUTE,
    MOST_APPLICATIONS,
    READ,
    Answer,
    ApplicationEndpoint,
    CaseMessage,
    Deployment,
    FileFact,
    Finding,
    HostView,
    HttpName,
    Message,
    Missing,
    NoData,
    NotApplicable,
    Process,
    Saas,
    app_route,
    application_endpoint,
    application_path,
    case,
    clauses,
    closed_path,
    condition,
    connection_case,
    directories,
    host_time,
    joined,
    labelled,
    lines,
    msg,
    no_answer,
    queried_applications,
    several,
    static_directory,
    unread_nouns,
    worker_uids,
)

WRITE_OWNER, WRITE_GROUP, WRITE_OTHERS = 0o200, 0o020, 0o002
"""Permission bits: connecting to a unix socket needs the right to write."""
ENTER_OWNER, ENTER_GROUP, ENTER_OTHERS = 0o100, 0o010, 0o001
NOT_FOUND = 404


@condition("saas-run-state")
def test_deployed_applications_answer(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Each SaaS that nginx serves here answers on its own socket, and through nginx of this host."""
    problems: dict[str, CaseMessage] = {}
    unknown: dict[str, Message | str] = {}
    for saas in host.saas.items:
        try:
            problem = _second_master(host, saas) or _problem(host, saas, deployment)
        except NoData as gap:
            unknown[saas.app] = gap.message()
            continue
        if problem is not None:
            problems[saas.app] = problem
    names = ", ".join(saas.app for saas in host.saas.items)
    finding.add_evidence(names or msg("none deployed"))
    assert not problems, several(problems, "apps", components={})
    unread: list[Message | str] = [labelled(app, reason) for app, reason in unknown.items()]
    if host.saas.items:
        unread += unread_nouns(host, deployment, "processes", "sockets", "startup")
    if unread:
        raise NoData(clauses(unread))


DEPLOYING_SECONDS = 10.0
"""A deployment starts the new process while the old one ends."""


def _second_master(host: HostView, saas: Saas) -> CaseMessage | None:
    """Return that an application is run by a uwsgi in addition to that of its pid file."""
    if isinstance(host.facts.processes, Missing) or not saas.alive or saas.pid is None:
        return None
    masters = _masters(host, saas.app)
    own = [one for one in masters if host.processes.descends(saas.pid, one.pid)]
    others = [one for one in masters if one not in own]
    newest = max((one.start or 0.0 for one in masters), default=0.0)
    if not own or not others or newest > host_time(host) - DEPLOYING_SECONDS:
        return None
    return case(
        "second-master",
        lines(
            msg(
                "pid {pid}, in addition to pid {own}: {command}",
                pid=one.pid,
                own=saas.pid,
                command=one.command,
            )
            for one in others
        ),
        pids=" ".join(str(one.pid) for one in others),
        processes=" ".join(
            str(one.pid)
            for one in host.processes.items
            if host.processes.descends_from_any(one.pid, [other.pid for other in others])
        ),
    )


def _masters(host: HostView, app: str) -> list[Process]:
    """Return the uwsgi processes of an application whose parent is not one of them."""
    place = f"/apps/projects/{app}/"
    own = [
        one
        for one in host.processes.items
        if "uwsgi" in (basename(one.argv[0] if one.argv else ""), basename(one.exe or ""))
        and (place in one.command or place in f"{one.cwd}/")
    ]
    pids = {one.pid for one in own}
    return [one for one in own if one.ppid not in pids]


def _problem(host: HostView, saas: Saas, deployment: Deployment) -> CaseMessage | None:
    """Return why an application does not answer, by the first hop that fails; None if it does."""
    own = application_endpoint(saas, host.facts, deployment)
    if saas.socket is not None and not saas.socket.exists and (own is None or own.unix == saas.socket.path):
        if saas.alive is False:
            return case(
                "not-running", "pid {pid} is gone, and {path} is missing", pid=saas.pid, path=saas.socket.path
            )
        return case("gone", "{path} is missing", path=saas.socket.path)
    if saas not in queried_applications(host.saas.items):
        if saas.alive is False:
            return case("not-running", "pid {pid} is gone", pid=saas.pid)
        raise NoData(
            msg("not requested: more than {limit} applications, or an unusual name", limit=MOST_APPLICATIONS)
        )
    answer = host.answers.find(HttpName.APPLICATION_SOCKET.of(saas.app))
    problem = _own_problem(host, saas, own, answer) if own is not None and answer is not None else None
    if problem is not None:
        return problem
    through = host.answers.get(HttpName.APPLICATION_NGINX, saas.app)
    return _nginx_problem(host, saas, answer, through, deployment) or _closed_static(host, saas)


def _closed_static(host: HostView, saas: Saas) -> CaseMessage | None:
    """Return that nginx may not read the styles and scripts of an application; one without that directory has none."""
    path = static_directory(saas)
    if not path or isinstance(host.facts.startup, Missing) or isinstance(host.facts.processes, Missing):
        return None
    folder = host.startup.paths.get(path)
    if folder is None or folder.type != "dir":
        return None
    inside = [file for file in host.startup.paths.values() if file.path.startswith(f"{path}/") and file.mode]
    for file in (folder, *inside):
        wanted = EXECUTE if file.type == "dir" else READ
        closed = closed_path(file.path, host.startup.paths, worker_uids(host), wanted)
        if closed is not None:
            return case("static-closed", closed[1], path=closed[0])
    return None


def _own_problem(host: HostView, saas: Saas, own: ApplicationEndpoint, answer: Answer) -> CaseMessage | None:
    """Return what is wrong with the answer of the socket itself, None if it is one of the application."""
    if answer.error_kind == "denied":
        return None  # this account may not connect; nginx of the host tells
    stranger = _stranger(host, saas, own)
    if stranger is not None:
        return case("taken", "{path} is served by {stranger}", path=own.text, stranger=stranger)
    if not answer.ok and saas.alive is False:
        return case(
            "not-running",
            "pid {pid} is gone, {path}: {reason}",
            pid=saas.pid,
            path=own.text,
            reason=no_answer(answer.error_kind),
        )
    if answer.error_kind in ("gone", "resolve"):
        return case("gone", "{path}: {reason}", path=own.text, reason=no_answer(answer.error_kind))
    if not answer.ok and (pids := _stopped(host, saas)):
        return case(
            "frozen",
            "{path}: {reason}; a signal has stopped (state T): {pids}",
            path=own.text,
            reason=no_answer(answer.error_kind),
            pids=pids,
        )
    if not answer.ok:
        return connection_case(
            answer.error_kind, labelled(own.text, no_answer(answer.error_kind)), path=own.text
        )
    if answer.status is not None and answer.status >= 500:
        return case("5xx", _with_exception(host, saas, own, answer), path=own.text, status=answer.status)
    return None


def _stopped(host: HostView, saas: Saas) -> str:
    """Return the pids of the processes of an application that a signal has stopped; "" if there are none."""
    if isinstance(host.facts.processes, Missing) or saas.pid is None:
        return ""
    own = (one for one in host.processes.items if host.processes.descends(one.pid, saas.pid))
    return " ".join(str(one.pid) for one in own if one.state in ("T", "t"))


def _with_exception(host: HostView, saas: Saas, own: ApplicationEndpoint, answer: Answer) -> Message:
    """Return the status, and the exception in the application's uwsgi.log if there is one."""
    status = msg("{path}: HTTP {status}", path=own.text, status=answer.status)
    hit = None if isinstance(host.facts.logs, Missing) else host.logs.saas_errors.get(saas.app)
    if hit is None:
        return status
    newest = msg("the newest exception in {file} is {exception}", file=hit.file, exception=hit.text)
    return joined("; ", [status, newest])


def _stranger(host: HostView, saas: Saas, own: ApplicationEndpoint) -> str | None:
    """Return the command of a process that has the socket and is not the application's; None: it is, or not known."""
    if (
        saas.pid is None
        or isinstance(host.facts.sockets, Missing)
        or isinstance(host.facts.processes, Missing)
    ):
        return None
    if own.unix:
        pids = [
            pid for socket in host.sockets.unix_at(own.unix) if socket.listening for pid in socket.pids or ()
        ]
    else:
        port = own.address.rpartition(":")[2]
        pids = (
            [pid for one in host.sockets.on(int(port)) for pid in one.pids or ()] if port.isdecimal() else []
        )
    owners = [process for pid in pids if (process := host.processes.get(pid))]
    for owner in owners:
        if saas.alive and host.processes.descends(owner.pid, saas.pid):
            return None
        if saas.app in owner.command or saas.app in (owner.exe or ""):
            return None
    return owners[0].command if owners else None


def _nginx_problem(
    host: HostView, saas: Saas, own: Answer | None, through: Answer, deployment: Deployment
) -> CaseMessage | None:
    """Return what is wrong with the answer through nginx of this host, given that of the socket."""
    evidence = _compared(own, through)
    if through.error_kind in ("timeout", "silent"):
        return case("nginx-silent", evidence, url=through.url)
    if not through.ok:
        return case("nginx-refused", evidence, url=through.url)
    status = through.status or 0
    if not _nginx_fails(status, own):
        return None
    if status == NOT_FOUND and not saas.pid_file and saas.socket is not None:
        path = saas.socket.path.removesuffix(".sock") + ".pid"
        text = msg(
            "{evidence}; {path} does not exist, and pid {pid} runs",
            evidence=evidence,
            path=path,
            pid=saas.pid,
        )
        return case("no-pid-file", text, path=path, url=through.url)
    folder = _closed_directory(host, saas)
    if folder is not None:
        text = msg(
            "{evidence}; {path} is {mode} of uid {owner}, the workers of nginx run as uid {uid}",
            evidence=evidence,
            path=folder.path,
            mode=folder.permissions,
            owner=folder.uid,
            uid=", ".join(map(str, sorted(worker_uids(host)))),
        )
        return case("directory-closed", text, path=folder.path)
    if status == NOT_FOUND:
        return case("nginx-404", evidence, url=through.url)
    closed = _closed_socket(host, saas)
    if closed is not None:
        uid = ", ".join(map(str, sorted(worker_uids(host))))
        text = msg(
            "{evidence}; {path} is {mode} of uid {owner}, the workers of nginx run as uid {uid}",
            evidence=evidence,
            path=closed.path,
            mode=closed.permissions,
            owner=closed.uid,
            uid=uid,
        )
        return case("nginx-denied", text, path=closed.path, url=through.url)
    there = app_route(host.facts.nginx, saas, deployment)
    if there is not None:
        location = f"{there.location.file}:{there.location.line}"
        evidence = msg(
            "{evidence}; {place} leads to {target}", evidence=evidence, place=location, target=there.target
        )
    return case("nginx-5xx", evidence, url=through.url, status=status)


def _nginx_fails(status: int, own: Answer | None) -> bool:
    """Return whether nginx answers with an error; a 404 of the application itself does not count."""
    if status == NOT_FOUND:
        return own is not None and own.ok and own.status != NOT_FOUND
    return status >= 500


def _compared(own: Answer | None, through: Answer) -> Message:
    """Return the answer through nginx, and what the socket itself answered."""
    text = labelled(through.url, f"HTTP {through.status}" if through.ok else no_answer(through.error_kind))
    if own is None or not own.ok:
        return text
    return msg("{answer}; its own socket answers HTTP {status}", answer=text, status=own.status)


def _closed_socket(host: HostView, saas: Saas) -> FileFact | None:
    """Return the socket of an application if its mode keeps the workers of nginx out."""
    file = saas.socket
    if file is None or not file.exists or file.mode is None or isinstance(host.facts.processes, Missing):
        return None
    uids = worker_uids(host)
    if not uids or 0 in uids or file.mode & WRITE_OTHERS:
        return None
    if file.uid in uids and file.mode & WRITE_OWNER:
        return None
    return file


def _closed_directory(host: HostView, saas: Saas) -> FileFact | None:
    """Return the first directory of the socket that the workers of nginx may not enter; groups are not known."""
    if (
        saas.socket is None
        or isinstance(host.facts.startup, Missing)
        or isinstance(host.facts.processes, Missing)
    ):
        return None
    uids = worker_uids(host)
    for path in directories(saas.socket.path) if uids and 0 not in uids else ():
        folder = host.startup.paths.get(path)
        if folder is None or folder.type != "dir" or folder.mode is None or folder.mode & ENTER_OTHERS:
            continue
        if not folder.mode & (ENTER_OWNER if folder.uid in uids else ENTER_GROUP):
            return folder
    return None


@condition("saas-from-domain")
def test_applications_answer_through_the_domain(
    host: HostView, deployment: Deployment, finding: Finding
) -> None:
    """Each SaaS that answers through nginx of its host answers through the domain as well."""
    problems: dict[str, CaseMessage] = {}
    unknown: dict[str, Message | str] = {}
    checked = 0
    for saas in queried_applications(host.saas.items):
        local = host.answers.get(HttpName.APPLICATION_NGINX, saas.app)
        own = host.answers.find(HttpName.APPLICATION_SOCKET.of(saas.app))
        if not local.ok or _nginx_fails(local.status or 0, own):
            continue
        answer = host.answers.find(HttpName.APPLICATION_DOMAIN.of(saas.app))
        if answer is None:
            raise NotApplicable(msg("the inventory has no nginx host"))
        checked += 1
        if answer.error_kind in ("resolve", "resolver", "tls", "withheld"):
            unknown[saas.app] = labelled(answer.url, no_answer(answer.error_kind))
            continue
        problem = _domain_problem(local, answer)
        if problem is not None:
            problems[saas.app] = problem
        else:
            finding.add_evidence(f"{application_path(saas, deployment)}: HTTP {answer.status}")
    assert not problems, several(problems, "apps", components={})
    if unknown:
        raise NoData(clauses(labelled(app, reason) for app, reason in unknown.items()))
    if not checked:
        raise NotApplicable(msg("no application answers through nginx of this host"))


def _domain_problem(local: Answer, answer: Answer) -> CaseMessage | None:
    """Return what is wrong with an answer through the domain, given that of the app host."""
    text = labelled(answer.url, f"HTTP {answer.status}" if answer.ok else no_answer(answer.error_kind))
    evidence = msg("{answer}; {url}: HTTP {status}", answer=text, url=local.url, status=local.status)
    if not answer.ok:
        return connection_case(answer.error_kind, evidence, url=answer.url)
    status = answer.status or 0
    if status >= 500:
        return case("5xx", evidence, url=answer.url, status=status)
    if status == NOT_FOUND and local.status != NOT_FOUND:
        return case("not-found", evidence, url=answer.url)
    return None
