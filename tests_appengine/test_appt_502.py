"""FAQ: a SaaS on appt (or appo) answers 502: nginx on 8010, the way to it, paas_agent, the SaaS itself."""

from shlex import quote

from bkpaas.checks import (
    APP_UPSTREAMS,
    Answer,
    CaseMessage,
    Deployment,
    Edit,
    Finding,
    Host,
    HostLookup,
    HostView,
    HttpName,
    Listener,
    Message,
    Missing,
    Nginx,
    NginxRoute,
    NginxServer,
    NginxUpstream,
    NoData,
    NotApplicable,
    Process,
    addresses,
    body_text,
    case,
    clauses,
    combined,
    condition,
    connection_case,
    labelled,
    lead_to,
    lines,
    listen_again,
    missing_program,
    move_server,
    msg,
    nginx_edit_of,
    nginx_route,
    no_answer,
    server_name_fits,
    stopped_nginx,
    unusable_directories,
)

AGENTS = {"paas_agent", "paasagent"}
"""What its program is called, as installed and as built from source."""
APP_PATHS = {"appt": "/t/", "appo": "/o/"}
SOME_APPLICATION = "bk_framework"
"""Stands for any application: locations do not differ by its name."""


@condition("agent-nginx-8010")
def test_nginx_of_the_app_host_answers(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """nginx of the app host listens on 8010 and gives an HTTP answer, whatever its status."""
    port = deployment.service_port("agent_nginx")
    masters = host.processes.nginx_masters()
    listeners = host.sockets.on(port)
    assert listeners, _not_listening(host, masters, port)
    address = deployment.host(host.name).address
    assert any(listener.covers(address) is not False for listener in listeners), _other_address(
        host, port, listeners, address
    )
    stopped = stopped_nginx(host)
    assert not stopped, case("frozen", "nginx processes that a signal has stopped: {pids}", pids=stopped)
    answer = host.answers.get(HttpName.AGENT_NGINX)
    assert answer.ok, _unanswered(answer)
    assert answer.status not in (502, 503, 504), case(
        "5xx", "{url}: HTTP {status}", url=answer.url, status=answer.status
    )
    stranger = _stranger(host, masters, listeners, answer)
    assert stranger is None, case(
        "taken",
        "port {port} is held by pid {pid}, not by nginx: {command}",
        port=port,
        pid=stranger.pid,
        command=stranger.command,
    )
    lost = _lost_at_reload(host, masters, listeners, port)
    if lost:
        finding.set_remedy_values(
            edit=nginx_edit_of([listen_again(lost[0], port) if len(lost) == 1 else None], host)
        )
    assert not lost, case(
        "lost-at-reload",
        "nginx still has port {port}, but no file has `listen {port}`: {places}",
        port=port,
        places=", ".join(f"{server.file}:{server.line}" for server in lost),
    )
    unusable = unusable_directories(host, ("body", "uwsgi"))
    finding.set_remedy_values(list=" ".join(quote(path) for path, _ in unusable))
    assert not unusable, case("temporary-directory", unusable[0][1], path=unusable[0][0])
    finding.add_evidence(f"{answer.url}: HTTP {answer.status}")


def _stranger(
    host: HostView, masters: tuple[Process, ...], listeners: tuple[Listener, ...], answer: Answer
) -> Process | None:
    """Return the process that has the port and is not nginx; None if nginx answers, here or elsewhere."""
    if "nginx" in answer.headers.get("server", "") or "openresty" in answer.headers.get("server", ""):
        return None
    pids = [pid for listener in listeners for pid in listener.pids or ()]
    if any(host.processes.descends(pid, master.pid) for pid in pids for master in masters):
        return None
    return next((process for pid in pids if (process := host.processes.get(pid))), None)


def _lost_at_reload(
    host: HostView, masters: tuple[Process, ...], listeners: tuple[Listener, ...], port: int
) -> list[NginxServer]:
    """Return the server blocks on disk if nginx has the port and none of them has it: the next reload ends it."""
    nginx = host.facts.nginx
    if not isinstance(nginx, Nginx) or nginx.problems or any(_has_port(one, port) for one in nginx.servers):
        return []
    pids = [pid for listener in listeners for pid in listener.pids or ()]
    own = any(host.processes.descends(pid, master.pid) for pid in pids for master in masters)
    return list(nginx.servers) if own else []


def _has_port(server: NginxServer, port: int) -> bool:
    return any(listen.port == port and not listen.unix for listen in server.listens)


def _unanswered(answer: Answer, evidence: Message | None = None) -> CaseMessage:
    """Return the case of a request that got no HTTP answer."""
    evidence = evidence or labelled(answer.url, no_answer(answer.error_kind))
    return connection_case(answer.error_kind, evidence, url=answer.url)


def _not_listening(host: HostView, masters: tuple[Process, ...], port: int) -> CaseMessage:
    if not masters:
        return case("not-running", "nothing listens on {port}: nginx does not run", port=port)
    master = masters[0]
    servers = [
        server for server in host.nginx.servers if any(listen.port == port for listen in server.listens)
    ]
    if servers:
        return case(
            "stale",
            "nginx runs (pid {pid}, {exe}) but does not listen on {port}, which is set in {file}:{line}: it was started before that change, reload it",
            pid=master.pid,
            exe=master.exe,
            port=port,
            file=servers[0].file,
            line=servers[0].line,
        )
    listens = (listen for server in host.nginx.servers for listen in server.listens if not listen.unix)
    ports = ", ".join(map(str, sorted({listen.port for listen in listens}))) or "-"
    return case(
        "missing",
        "nginx runs (pid {pid}), but no file of its configuration has `listen {port}` (they have {ports}; if another port is intended, set ports: agent_nginx in the inventory)",
        pid=master.pid,
        port=port,
        ports=ports,
    )


def _other_address(host: HostView, port: int, listeners: tuple[Listener, ...], address: str) -> CaseMessage:
    """Return the case of nginx that listens on addresses to which no other host connects, such as loopback."""
    servers = host.nginx.servers if isinstance(host.facts.nginx, Nginx) else ()
    places = [
        f"{server.file}:{server.line}"
        for server in servers
        if any(listen.port == port and not listen.unix for listen in server.listens)
    ]
    addresses = ", ".join(f"{listener.address}:{port}" for listener in listeners)
    return case(
        "other-address",
        "only {addresses} is listened on, not {address}:{port}; the listen of {places}",
        addresses=addresses,
        address=address,
        port=port,
        places=", ".join(places) or "?",
    )


@condition("agent-8010-from-nginx")
def test_app_host_is_reached(source: HostView, target: Host) -> None:
    """From the nginx and paas hosts, port 8010 of the app host gives an HTTP answer, whatever its status."""
    answer = source.answers.get(HttpName.AGENT_NGINX_OF_HOST, target.name)
    assert answer.ok, _unanswered(answer)


@condition("agent-upstream-map")
def test_upstreams_lead_to_the_right_app_hosts(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """/t/ and PAAS_AGENT_TEST lead to appt hosts only, /o/ and PAAS_AGENT_PROD to appo hosts only."""
    nginx = host.nginx
    if nginx.main is None:
        raise NoData(msg("no nginx configuration was found"))
    if deployment.generation == "6.x":
        _check_application_upstreams(nginx, host, deployment, host_facts, finding)
        return
    wrong: list[CaseMessage] = []
    edits: list[Edit | None] = []
    absent: list[str] = []
    for name, role in APP_UPSTREAMS.items():
        if not deployment.hosts_with(role):
            continue
        right = _right_addresses(host, role, deployment, host_facts)
        for upstream in nginx.upstreams:
            if upstream.name == name:
                wrong += _wrong_servers(host, upstream, role, right, finding)
                edits += _right_servers(host, upstream, role, right, deployment)
        path = f"{APP_PATHS[role]}{SOME_APPLICATION}/"
        leads = _domain_route(host, path, deployment)
        if leads is not None and _can_be_followed(host, leads, deployment):
            misled = _wrong_route(host, leads, path, role, right, finding)
            wrong += misled
            edits += [lead_to(leads.location, _target_name(leads), name)] if misled else []
        elif name not in {upstream.name for upstream in nginx.upstreams}:
            absent.append(name)
    distinct = list({str(one.evidence): one for one in wrong}.values())
    finding.set_remedy_values(edit=nginx_edit_of(edits, host))
    assert not distinct, combined(distinct, lines(one.evidence for one in distinct))
    if absent:
        raise NoData(msg("no upstream {upstreams} in nginx's files", upstreams=", ".join(absent)))


def _right_addresses(host: HostView, role: str, deployment: Deployment, host_facts: HostLookup) -> set[str]:
    right: set[str] = set()
    for app in deployment.hosts_with(role):
        right |= _addresses(app, host_facts, loopback=app.name == host.name)
    return right


def _wrong_servers(
    host: HostView, upstream: NginxUpstream, role: str, right: set[str], finding: Finding
) -> list[CaseMessage]:
    """Return a case for each server of an upstream that is not one of the hosts of the role."""
    wrong = []
    for server in upstream.servers:
        finding.add_evidence(f"{upstream.name} {server.address}:{server.port}")
        if not right.intersection(host.names.of(server.address)):
            wrong.append(
                case(
                    "other-host",
                    "{file}:{line} {upstream}: {address} does not have the role {role}",
                    file=upstream.file,
                    line=upstream.line,
                    upstream=upstream.name,
                    address=server.address,
                    role=role,
                )
            )
    return wrong


def _right_servers(
    host: HostView, upstream: NginxUpstream, role: str, right: set[str], deployment: Deployment
) -> list[Edit | None]:
    """Return the edits that give the wrong servers of an upstream the address of a host of the role."""
    named = {address for server in upstream.servers for address in host.names.of(server.address)}
    free = [one.address for one in deployment.hosts_with(role) if one.address not in named]
    edits: list[Edit | None] = []
    for server in upstream.servers:
        if not right.intersection(host.names.of(server.address)):
            edits.append(move_server(upstream, server, f"{free.pop()}:{server.port}" if free else None))
    return edits


def _domain_route(host: HostView, path: str, deployment: Deployment) -> NginxRoute | None:
    """Return where the server block of the domain sends a path, None if that cannot be told from the files."""
    servers = [
        server
        for server in host.nginx.servers
        if any(server_name_fits(name, deployment.domain) for name in server.names)
        and any(listen.port == deployment.port and not listen.unix for listen in server.listens)
    ]
    return nginx_route(servers[0].locations, path) if len(servers) == 1 else None


def _target_name(leads: NginxRoute) -> str:
    """Return the upstream or endpoint of a proxy_pass."""
    return (leads.target.partition("://")[2] or leads.target).partition("/")[0]


def _can_be_followed(host: HostView, leads: NginxRoute, deployment: Deployment) -> bool:
    """Return whether the files or the resolver say which servers a route leads to."""
    name = _target_name(leads)
    if any(one.name == name for one in host.nginx.upstreams):
        return True
    return "$" not in name and addresses(host, name.rpartition(":")[0] or name, deployment) is not None


def _wrong_route(
    host: HostView, leads: NginxRoute, path: str, role: str, right: set[str], finding: Finding
) -> list[CaseMessage]:
    """Return the case of a path that leads to a host of another role."""
    name = _target_name(leads)
    upstream = next((one for one in host.nginx.upstreams if one.name == name), None)
    if upstream is not None and APP_UPSTREAMS.get(name) == role:
        return []
    servers = (
        [server.address for server in upstream.servers] if upstream else [name.rpartition(":")[0] or name]
    )
    finding.add_evidence(f"{path} {name}")
    strangers = [address for address in servers if not right.intersection(host.names.of(address))]
    if not strangers:
        return []
    location = f"{leads.location.file}:{leads.location.line}"
    return [
        case(
            "other-role",
            "{place}: {path} is sent to {target} ({addresses}), which does not have the role {role}",
            place=location,
            path=APP_PATHS[role],
            target=name,
            addresses=", ".join(strangers),
            role=role,
        )
    ]


def _check_application_upstreams(
    nginx: Nginx, host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Check that each application has an upstream of its own: t.NAME in the test environment, NAME in production."""
    upstreams = [one for one in nginx.upstreams if one.file.endswith("/app_upstream.conf")]
    if not upstreams:
        raise NotApplicable(msg("no application has an upstream"))
    wrong: list[CaseMessage] = []
    for upstream in upstreams:
        role = "appt" if upstream.name.startswith("t.") else "appo"
        right = _right_addresses(host, role, deployment, host_facts)
        if not upstream.servers:
            wrong.append(
                case(
                    "empty",
                    "{file}:{line} {upstream} has no server",
                    file=upstream.file,
                    line=upstream.line,
                    upstream=upstream.name,
                )
            )
        wrong += _wrong_servers(host, upstream, role, right, finding)
    assert not wrong, combined(wrong, lines(one.evidence for one in wrong))


def _addresses(app: Host, host_facts: HostLookup, loopback: bool) -> set[str]:
    """Return the addresses of an app host; loopback: those of the host itself, too."""
    own = {app.address}
    facts = host_facts(app.name).facts if app.selected else None
    if facts is not None and not isinstance(facts.addresses, Missing):
        own |= {address for address in facts.addresses.items if loopback or not address.startswith("127.")}
    return own


@condition("agent-process")
def test_paas_agent_is_alive(host: HostView, finding: Finding) -> None:
    """The paas_agent process runs and its healthz reports that it is alive."""
    agents = [
        process
        for process in host.processes.items
        if AGENTS & {process.name, process.argv[0].rpartition("/")[2] if process.argv else ""}
    ]
    answer = host.answers.get(HttpName.AGENT_HEALTHZ)
    finding.set_remedy_values(url=answer.url)
    if not answer.ok:
        state = msg("process {pid} runs", pid=agents[0].pid) if agents else msg("no paas_agent process")
        problem = labelled(answer.url, no_answer(answer.error_kind))
        evidence = clauses([problem, state, *_supervised(host)])
        path = None if agents else missing_program(host, "paas_agent")
        assert path is None, case(
            "not-installed", "{evidence}; {path} does not exist", evidence=evidence, path=path
        )
        raise AssertionError(_unanswered(answer, evidence) if agents else case("not-running", evidence))
    health = answer.json() or {}
    alive = answer.status == 200 and ("alive" in answer.body or health.get("ok") is True)
    assert alive, case(
        "wrong-body",
        "{url}: HTTP {status}: {body}",
        url=answer.url,
        status=answer.status,
        body=body_text(answer, 120),
    )
    finding.add_evidence(f"{answer.url}: {answer.body.strip()[:60]}")


def _supervised(host: HostView) -> list[str]:
    """Return the status of its program in supervisor, if there is one."""
    if isinstance(host.facts.supervisors, Missing):
        return []
    supervisor = host.facts.supervisors.by_module.get("paas_agent")
    programs = supervisor.status if supervisor else None
    return [f"supervisor: {program.state} {program.description}" for program in programs or ()]


@condition("agent-from-paas")
def test_paas_host_reaches_the_agent(source: HostView, target: Host) -> None:
    """From the paas host, paas_agent's port gives an HTTP answer."""
    answer = source.answers.get(HttpName.AGENT_HEALTHZ_OF_HOST, target.name)
    assert answer.ok, _unanswered(answer)
