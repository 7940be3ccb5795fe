"""FAQ: the login of PaaS does not answer: is_login asked on each of its ways, and what may stand on them."""

from typing import NamedTuple

from bkpaas.checks import (
    BEHIND_THE_DOMAIN,
    OPEN_PAAS_SERVICES,
    Answer,
    CaseMessage,
    ControllerView,
    Deployment,
    FileName,
    Finding,
    Host,
    HostLookup,
    HostView,
    HttpName,
    Message,
    Missing,
    NoData,
    NotApplicable,
    Process,
    ProxyVariable,
    Snapshot,
    Subject,
    body_text,
    case,
    check_refusal,
    clauses,
    combined,
    condition,
    configured_proxies,
    connection_case,
    cookie_problems,
    edit_of,
    excepted,
    is_login_refusal,
    java_proxies,
    joined,
    labelled,
    lines,
    login_access_log,
    msg,
    no_answer,
    proxy_exceptions,
    require_project,
    series,
    setting,
    sorted_uids,
    unread_nouns,
    unset_setting,
)

"""A name in lower case, its value, and where it is set."""


@condition("login-is-login-direct")
def test_login_answers_is_login_itself(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """login on its own port answers a request without a token with "token missing", in both versions."""
    require_project(host, "login", deployment)
    for answer in (host.answers.get(HttpName.SERVICE, "login"), host.answers.get(HttpName.IS_LOGIN_V2)):
        check_refusal(answer, finding)


@condition("login-is-login-domain")
def test_login_answers_is_login_through_the_domain(
    vantage: HostView | ControllerView, subject: Subject, deployment: Deployment, finding: Finding
) -> None:
    """A request through the domain is answered by login, not by a proxy, a portal or another server."""
    route = "nginx" if subject.hosts else "controller"  # the route that failed
    check_refusal(
        vantage.answers.get(HttpName.IS_LOGIN_DOMAIN), finding, through=route, deployment=deployment
    )


@condition("login-is-login-esb")
def test_esb_answers_is_login(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """ESB answers a request without an application's secret with "secret missing"."""
    require_project(host, "esb", deployment)
    answer = host.answers.get(HttpName.IS_LOGIN_ESB)
    finding.set_remedy_values(url=answer.url)
    finding.add_evidence(f"{answer.url}: HTTP {answer.status}")
    if is_login_refusal(answer):
        return  # an ESB that lets anybody ask passes login's own answer on
    body = answer.json()
    message = body.get("message") if body else None
    names_application = isinstance(message, str) and "app" in message.lower()
    refused = body is not None and body.get("result") is False and names_application
    assert answer.status == 200 and refused, _not_esb(answer)


def _not_esb(answer: Answer) -> CaseMessage:
    text = msg(
        "{url}: HTTP {status}, not ESB's own answer: {shown}",
        url=answer.url,
        status=answer.status,
        shown=body_text(answer, 200) if answer.ok else answer.error_text,
    )
    if not answer.ok:
        return connection_case(answer.error_kind, text, url=answer.url)
    if answer.status is not None and answer.status >= 500:
        return case("5xx", text, url=answer.url, status=answer.status)
    return case("wrong-body", text, url=answer.url)


@condition("cookie-domain")
def test_cookie_reaches_every_domain(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """BK_COOKIE_DOMAIN covers the domains of PaaS, CMDB and JOB, and the cookies of sessions are kept and last."""
    ends = list(cookie_problems(host, deployment))
    if ends:
        finding.affects_services(one.project for one in ends)
        finding.set_remedy_values(
            service=" ".join(dict.fromkeys(one.project for one in ends)),
            edit=edit_of((unset_setting(one.name, one.where) for one in ends), host.name),
        )
        finding.names_components("setting", dict.fromkeys(one.name for one in ends))
    assert not ends, combined(
        [one.case for one in ends],
        lines(one.case.evidence for one in ends),
        key=series(dict.fromkeys(one.name for one in ends)),
        projects=series(dict.fromkeys(one.project for one in ends)),
    )
    value, where = setting(host, "login", "BK_COOKIE_DOMAIN")
    if value is None:
        raise NoData(msg("BK_COOKIE_DOMAIN is not set in any settings file of login"))
    if value.kind not in ("str", "none"):
        raise NoData(f"{where}: BK_COOKIE_DOMAIN = {value.text}")
    finding.names_components("setting", ["BK_COOKIE_DOMAIN"])
    covered = (value.value or "").lstrip(".").lower()
    finding.add_evidence(f"{where}: BK_COOKIE_DOMAIN = {value.text}")
    assert not covered or "." in covered, case(
        "top-level",
        "{where}: BK_COOKIE_DOMAIN = {text}: browsers reject a cookie for a whole top-level domain",
        where=where,
        text=value.text,
    )
    names = dict.fromkeys((deployment.domain, *deployment.fqdns.values()))
    outside = [name for name in names if not _covers(covered, name, deployment.domain)]
    assert not outside, case(
        "not-covered",
        "{where}: BK_COOKIE_DOMAIN = {text} does not cover {outside}",
        where=where,
        text=value.text,
        outside=", ".join(outside),
    )


def _covers(covered: str, name: str, own: str) -> bool:
    """Return whether a cookie's domain covers a name; without a domain it covers the host that set it."""
    return name == own if not covered else name == covered or name.endswith(f".{covered}")


PROCESS = "pid "
"""What the place of a variable in the environment of a process begins with."""


class TakenBy(NamedTuple):
    """A proxy that requests go through, and where it is set."""

    location: str
    value: str
    text: Message


@condition("http-proxy-env")
def test_no_proxy_takes_requests_to_paas(
    host: HostView, subject: Subject, deployment: Deployment, finding: Finding
) -> None:
    """No proxy is set in files or running services, or its no_proxy excepts PaaS and what is asked by address."""
    needed = _needed_names(host, deployment.host(subject.id), deployment)
    finding.set_remedy_values(no_proxy=",".join(needed))
    proxies = host.proxies
    wrong = _taken([(one.name, one.value, one.location) for one in proxies.settings], needed, deployment)
    of_agent = False
    for one in configured_proxies(host):
        taken = _taken(
            [(name, value, one.location) for name, value in one.variables.items()], needed, deployment
        )
        of_agent = of_agent or bool(taken and one.program == "paas_agent")
        wrong += taken
    unknown: list[Message | str] = list(proxies.problems)
    running = host.processes.items
    root = f"{host.system.install_root}/" if host.system.install_root else "/data/bk"
    services = [process for process in running if _of_blueking(root, process)]
    for process in services:
        if process.environ is None:
            unknown.append(f"/proc/{process.pid}/environ")
        location = f"{PROCESS}{process.pid} ({process.command[:80]})"
        variables = [(name.lower(), value, location) for name, value in (process.environ or {}).items()]
        taken = _taken(variables + java_proxies(process, location), needed, deployment)
        of_agent = of_agent or bool(taken and process.is_agent)
        wrong += taken
    files = [one.location for one in wrong if not one.location.startswith(PROCESS)]
    finding.set_remedy_values(edit=edit_of(proxy_exceptions(files, proxies.settings, needed), host.name))
    places = series(dict.fromkeys(files)) if files else msg("the environment of running programs")
    texts = lines(dict.fromkeys(one.text for one in wrong))
    endpoint = series(sorted({one.value for one in wrong}))
    assert not of_agent, case("agent", texts, endpoint=endpoint, places=places)
    assert not wrong, case("taken", texts, endpoint=endpoint, places=places)
    unknown += unread_nouns(host, deployment, "services")
    if unknown:
        raise NoData(msg("could not be read: {files}", files=joined(", ", unknown[:5], context="ids")))
    finding.add_evidence(
        msg(
            "no proxy for requests to PaaS in the files of the shell and in {services_count} processes",
            services_count=len(services),
        )
    )


def _needed_names(host: HostView, entry: Host, deployment: Deployment) -> list[str]:
    """Return the names and addresses that programs on this host request over HTTP."""
    names = [deployment.domain, *deployment.fqdns.values()]
    if entry.has_role("paas"):
        names += [other.address for other in deployment.hosts_with("paas", "appo", "appt")]
        names += [name for project in host.settings.by_project.values() for name in project.consul_names]
    return list(dict.fromkeys(names))


def _taken(variables: list[ProxyVariable], needed: list[str], deployment: Deployment) -> list[TakenBy]:
    """Return what the proxies among these settings catch although they should not."""
    matters = ("http_proxy", "all_proxy", f"{deployment.scheme}_proxy")
    if not any(name in matters and value for name, value, _ in variables):
        return []
    exceptions = ",".join(value for name, value, _ in variables if name == "no_proxy")
    left = [name for name in needed if not excepted(name, exceptions)]
    return [
        TakenBy(
            location,
            value,
            msg(
                "{location}: {name}={value}, no_proxy does not exclude {needed}",
                location=location,
                name=name,
                value=value,
                needed=", ".join(left),
            ),
        )
        for name, value, location in variables
        if name in matters and value and left
    ]


def _of_blueking(root: str, process: Process) -> bool:
    """Return whether this is a service below the root, not a shell or an editor that names a file of BlueKing."""
    exe = process.exe or ""
    program = exe.rpartition("/")[2]
    if process.is_agent or exe.startswith(root) or "".join(process.argv[:1]).startswith(root):
        return True
    return program.startswith(("uwsgi", "java", "python")) and any(root in word for word in process.argv)


@condition("login-log-dir")
def test_login_writes_its_logs(host: HostView, finding: Finding) -> None:
    """The folder of logs is there, and login.log and login's access log are files that login's user may write."""
    folder = host.path_stats.get(FileName.LOGIN_LOG_DIRECTORY)[0]
    assert folder.exists and folder.type == "dir", case(
        "no-directory", "{path} is not a directory", path=folder.path
    )
    files = {
        file.path: file for file in (*host.path_stats.get(FileName.LOGIN_LOGS), *host.login_access.files)
    }
    # While login restarts again and again it may not run at that moment: its neighbours run as the same user.
    masters = host.processes.uwsgi_masters("login") or host.processes.uwsgi_masters()
    users = {process.uid for process in masters} - {0}
    writable = not users or folder.uid in users or bool((folder.mode or 0) & 0o022)
    if not writable:
        finding.affects_services(OPEN_PAAS_SERVICES)  # all of them write there
    assert writable, _not_writable(folder.path, folder.uid, users)
    login = None if isinstance(host.facts.services, Missing) else host.services.by_name.get("login")
    names = [f"{folder.path}/login.log"]
    if login is None or login.by_uwsgi:  # gunicorn writes none by default
        names.append(login_access_log(host.facts))
    for name in names:
        path = name.replace("{home}", folder.path.removesuffix("/logs/open_paas"))
        file = files.get(path)
        assert file is not None and file.exists, case("missing", "{path} does not exist", path=path)
        assert file.type == "file", case("not-a-file", "{path} is a {type}", path=path, type=file.type)
        writable = not users or file.uid in users or bool((file.mode or 0) & 0o022)
        assert writable, _not_writable(path, file.uid, users)
        finding.add_evidence(f"{path} {file.permissions}")


def _not_writable(path: str, uid: int | None, users: set[int | None]) -> CaseMessage:
    text = msg(
        "{path} belongs to uid {uid}, login runs as {sorted_uids} and cannot write it",
        path=path,
        uid=uid,
        sorted_uids=sorted_uids(users),
    )
    return case("wrong-owner", text, path=path, owner=sorted_uids(users)[-1])


@condition("login-request-arrives")
def test_request_arrives_in_one_login_log(
    controller: ControllerView,
    snapshot: Snapshot,
    deployment: Deployment,
    host_facts: HostLookup,
    finding: Finding,
) -> None:
    """The request for is_login that the controller sent through the domain is logged by a login of the inventory."""
    agent, answer = controller.facts.agent, controller.answers.get(HttpName.IS_LOGIN_DOMAIN)
    finding.depends_on_hosts(entry.name for entry in deployment.hosts_with(*BEHIND_THE_DOMAIN))
    assert answer.ok, connection_case(
        answer.error_kind,
        labelled(answer.url, no_answer(answer.error_kind)),
        url=answer.url,
    )
    if not deployment.selected("paas"):
        raise NotApplicable(msg("no paas host is checked in this run"))
    arrived: list[str] = []
    unknown: list[Message] = []
    elsewhere = [paas.name for paas in deployment.hosts_with("paas") if not paas.selected]
    for paas in deployment.selected("paas"):
        reason = _no_log_reason(paas, host_facts, snapshot)
        if (not reason or not snapshot.has_own_controller(paas.name)) and _has_request(
            host_facts(paas.name), agent
        ):
            arrived.append(paas.name)
        elif reason:
            unknown.append(labelled(paas.name, reason))
            finding.unreachable_hosts.add(paas.name)
    finding.add_evidence(msg("{agent} arrived on {arrived}", agent=agent, arrived=", ".join(arrived)))
    assert len(arrived) < 2, case(
        "several-logs", "one request is in the logs of several hosts: {arrived}", arrived=", ".join(arrived)
    )
    if not arrived and unknown:
        raise NoData(clauses(unknown))
    if not arrived and elsewhere:
        names = ", ".join(elsewhere)
        raise NotApplicable(
            msg("{names} may have received it, but this run does not include them", names=names)
        )
    assert arrived, case(
        "elsewhere",
        "{url} was answered by {peer} (HTTP {status}), but no login log of a paas host of the inventory has the request ({agent})",
        url=answer.url,
        peer=answer.peer,
        status=answer.status,
        agent=agent,
    )


def _has_request(host: HostView, agent: str) -> bool:
    access = host.facts.login_access
    return not isinstance(access, Missing) and agent in access.probes


def _earliest_time_of_request(host: HostView, snapshot: Snapshot) -> float:
    """Return when the controller sent its request, by the clock of a host, if that clock is as far behind as it may be."""
    controller = snapshot.controller.sent
    clock = host.clock
    sent = snapshot.started if controller is None else controller
    return sent + clock.offset_seconds - clock.uncertainty_seconds


def _no_log_reason(paas: Host, host_facts: HostLookup, snapshot: Snapshot) -> Message | str | None:
    """Return why the log of a host does not show whether the request arrived; None if it does."""
    host = host_facts(paas.name)
    if not snapshot.has_own_controller(paas.name):
        return msg("its log was read by another controller than the one that sent the request")
    try:
        access = host.login_access
        sent = _earliest_time_of_request(host, snapshot)
    except NoData as error:
        return error.message()
    if access.problems:
        return access.problems[0]
    if not access.later:
        return msg("its log was not read after the request")
    if access.since is not None and access.since > sent:
        return msg("its log grows too fast to find the request")
    if not access.requests and not access.probes:
        files = ", ".join(file.path for file in access.files)
        return msg("no line of {files} is a request in a format that is known", files=files)
    return None
