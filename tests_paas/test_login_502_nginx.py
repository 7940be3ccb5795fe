"""FAQ: login answers 502 Bad Gateway: nginx, its server block for the domain, and its upstreams."""

from collections.abc import Iterable

from msgspec import structs

from bkpaas.checks import (
    APP_UPSTREAMS,
    HOSTS_OF_DOMAIN,
    INTERNAL_NAME,
    INTERNAL_PORT,
    UPSTREAM_SERVICES,
    CaseMessage,
    Deployment,
    Edit,
    Finding,
    HostLookup,
    HostView,
    HttpName,
    Listener,
    Nginx,
    NginxServer,
    NginxUpstream,
    NoData,
    NotApplicable,
    addresses_of,
    allow,
    body_text,
    case,
    combined,
    complete_upstreams,
    condition,
    connection_case,
    expected_port,
    has_project,
    hosts_at,
    idle_placeholders,
    is_loopback,
    is_placeholder,
    lead_to,
    left_out,
    lines,
    listen_again,
    listen_on,
    move_server,
    msg,
    nginx_edit_of,
    nginx_route,
    no_answer,
    open_paas_servers,
    own_answer,
    platform_upstreams,
    refused_hosts,
    selected_server,
    series,
    servers_of_domain,
    servers_of_name,
    service_endpoint,
    serving_servers,
    several,
    shadowing_server,
    stopped_nginx,
    upstream_component,
    valid_addresses,
    without_name,
    without_return,
)

SERVED_AT = {"/login/": "login", "/api/": "esb", "/v1/": "appengine"}
"""The service of open_paas that answers a path of the domain."""

LOGIN_PATH = "/login/accounts/is_login/"


def _needs_nginx(host: HostView) -> Nginx:
    if host.nginx.main is None:
        raise NoData(msg("no nginx configuration was found"))
    return host.nginx


@condition("nginx-conf-port80")
def test_nginx_serves_the_domain(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """nginx is alive, a server block names the PaaS domain, and the port of that block is listened on by nginx."""
    nginx = _needs_nginx(host)
    masters = host.processes.nginx_masters()
    assert masters, case("not-running", "nginx does not run")
    servers = servers_of_domain(nginx, deployment)
    assert servers, case(
        "no-server-block",
        "no server block in {main} and its includes has server_name {domain}",
        main=nginx.main,
        domain=deployment.domain,
    )
    internal = deployment.generation == "5.x" or servers_of_name(nginx, INTERNAL_NAME, INTERNAL_PORT)
    assert internal, case(
        "no-internal-server",
        "no server block in {main} and its includes has server_name {name}",
        main=nginx.main,
        name=INTERNAL_NAME,
    )
    ports = {listen.port for server in servers for listen in server.listens if not listen.unix}
    listening = [
        port for port in ports if any(_nginx_holds(host, listener) for listener in host.sockets.on(port))
    ]
    ports_text = ", ".join(map(str, sorted(ports)))
    still = any(_nginx_holds(host, listener) for listener in host.sockets.on(deployment.port))
    lost = not listening and still and deployment.port not in ports
    if lost:
        finding.set_remedy_values(
            edit=nginx_edit_of([listen_again(server, deployment.port) for server in servers], host)
        )
    assert not lost, case(
        "lost-at-reload",
        "nginx (pid {pid}) still has port {port}, but the server block of {domain} has {ports}: {places}",
        pid=masters[0].pid,
        port=deployment.port,
        domain=deployment.domain,
        ports=ports_text,
        places=", ".join(f"{server.file}:{server.line}" for server in servers),
    )
    assert listening, case(
        "not-listening",
        "nginx runs (pid {pid}) but does not listen on {ports}: reload it",
        pid=masters[0].pid,
        ports=ports_text,
    )
    stopped = stopped_nginx(host)
    assert not stopped, case("frozen", "nginx processes that a signal has stopped: {pids}", pids=stopped)
    finding.add_evidence(f"nginx {masters[0].pid}: {', '.join(map(str, sorted(listening)))}")


def _nginx_holds(host: HostView, listener: Listener) -> bool:
    if listener.pids is None:
        return True
    masters = host.processes.nginx_masters()
    return any(host.processes.descends(pid, master.pid) for pid in listener.pids for master in masters)


@condition("nginx-listen-vs-domain")
def test_domain_arrives_at_its_server_block(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """The address that the domain resolves to is one nginx listens on, and its block leads the hosts to open_paas."""
    nginx = _needs_nginx(host)
    servers = servers_of_domain(nginx, deployment)
    if not servers:
        raise NotApplicable(msg("nginx here does not serve the PaaS domain"))
    addresses = _domain_addresses_here(host, deployment)
    for address in addresses:
        ports = {listen.port for server in servers for listen in server.listens if not listen.unix}
        open_ports = {
            port
            for port in ports
            if any(listener.covers(address) is not False for listener in host.sockets.on(port))
        }
        listening = ", ".join(
            f"{listener.address}:{port}" for port in sorted(ports) for listener in host.sockets.on(port)
        )
        finding.set_remedy_values(edit=nginx_edit_of([listen_on(servers[0], address, deployment.port)], host))
        assert open_ports, case(
            "not-listening",
            "the domain resolves to {address}, but nginx listens on {listening}",
            address=address,
            listening=listening or msg("nothing"),
        )
        for port in sorted(open_ports):
            shadow = shadowing_server(nginx, servers, address, port)
            assert shadow is None, case(
                "other-server",
                "requests to {address}:{port} reach another server block ({location}, server_name {names}): no server block of the domain has a listen that matches this address as well",
                address=address,
                port=port,
                location=f"{shadow.file}:{shadow.line}",
                names=" ".join(shadow.names) or msg("none"),
            )
        if deployment.port in open_ports:
            selected = selected_server(nginx, deployment.domain, address, deployment.port)
            _check_selected(selected, servers, host, deployment, finding)
    finding.add_evidence(", ".join(addresses))


def _check_selected(
    selected: NginxServer | None,
    servers: list[NginxServer],
    host: HostView,
    deployment: Deployment,
    finding: Finding,
) -> None:
    """Check that the server block of the requests for the domain leads to open_paas, and refuses no host."""
    if selected is None:
        return
    where = f"{selected.file}:{selected.line}"
    serving = serving_servers(host.nginx, deployment)
    finding.set_remedy_values(edit=nginx_edit_of([without_name(selected, deployment.domain)], host))
    assert selected in serving or selected not in servers, case(
        "hidden",
        "requests for {domain} reach {location}: nginx ignores the block of the same name at {other}",
        domain=deployment.domain,
        location=where,
        other=series(f"{one.file}:{one.line}" for one in serving),
    )
    refusal = own_answer(selected)
    finding.set_remedy_values(edit=nginx_edit_of([without_return(selected)], host))
    assert refusal is None, case("answers-itself", "{location}: {answer}", location=where, answer=refusal)
    refused = refused_hosts(selected, deployment)
    route = nginx_route(selected.locations, LOGIN_PATH)
    if not refused or route is None:
        return
    rules = [" ".join(rule) for rule in route.location.passing.access]
    rules += [f"if ($remote_addr {' '.join(one)})" for one in route.location.refusal.clients]
    users = deployment.hosts_with("nginx", *HOSTS_OF_DOMAIN)
    finding.set_remedy_values(edit=nginx_edit_of([allow(selected, [entry.address for entry in users])], host))
    raise AssertionError(
        case(
            "refuses-hosts",
            "{location} refuses {hosts}: {rules}",
            hosts=series(refused),
            location=f"{route.location.file}:{route.location.line}",
            rules="; ".join(rules),
        )
    )


def _domain_addresses_here(host: HostView, deployment: Deployment) -> list[str]:
    """Return the addresses of the domain that belong to this host; its inventory address behind a VIP."""
    resolved = host.names.get(deployment.domain)
    own = set(host.addresses.items)
    here = [address for address in (resolved.addresses if resolved else ()) if address in own]
    if not here and resolved and set(resolved.addresses) & set(deployment.virtual_addresses):
        here = [deployment.host(host.name).address]
    return here or [deployment.host(host.name).address]


@condition("nginx-conf-upstreams")
def test_upstreams_name_paas_hosts(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Every server of open_paas's upstreams is a paas host of the inventory, with the port of that service."""
    nginx = _needs_nginx(host)
    servers = open_paas_servers(nginx)
    if not servers:
        raise NoData(msg("no upstream OPEN_PAAS in nginx's files"))
    owners = {
        address: paas
        for paas in deployment.hosts_with("paas")
        for address in addresses_of(paas, deployment, host_facts)
        if paas.name == host.name or not is_loopback(address)
    }
    wrong: dict[str, tuple[str, CaseMessage]] = {}
    edits: list[Edit | None] = []
    idle = idle_placeholders(nginx, deployment, host_facts)
    left = {name: iter(ends) for name, ends in left_out(host, deployment, host_facts).items()}
    for upstream, service, server in servers:
        if upstream.name in idle or "down" in server.parameters:
            continue
        address = f"{server.address}:{server.port}"
        where = f"{upstream.file}:{upstream.line} {upstream.name}: {address}"
        addresses = host.names.of(server.address)
        paas = next((owners[address] for address in addresses if address in owners), None)
        if _placeholder(upstream, deployment):
            wrong[where] = service, case("placeholder", "consul-template saw no passing instance in consul")
            continue
        resolved = host.names.get(server.address)
        if resolved is not None and not resolved.addresses:
            wrong[where] = service, case("unresolved", "{name} does not resolve here", name=server.address)
            continue
        if paas is None:
            text = msg("is not a paas host of the inventory")
            wrong[where] = service, case("unknown-host", text, server=address)
            edits.append(move_server(upstream, server, next(left[upstream.name], None)))
            continue
        facts = host_facts(paas.name).facts if paas.selected else None
        _, configured = service_endpoint(service, paas, deployment, facts)
        port = expected_port(service, paas.name, configured, deployment, host_facts)
        if server.port != port:
            text = msg("{service} listens on {port}", service=service, port=port)
            wrong[where] = service, case("wrong-port", text, server=address, port=port)
            edits.append(move_server(upstream, server, f"{server.address}:{port}"))
    wrong |= _misdirected(nginx, deployment, edits)
    finding.set_remedy_values(edit=nginx_edit_of(edits, host))
    finding.affects_services(service for service, _ in wrong.values())
    finding.add_evidence(", ".join(f"{one.name} {each.address}:{each.port}" for one, _, each in servers))
    first = next((problem for _, problem in wrong.values()), None)
    assert first is None, combined(
        [first],
        lines(
            msg("{location} {problem}", location=where, problem=problem.evidence)
            for where, (_, problem) in wrong.items()
        ),
        services=series(
            sorted({service for service, problem in wrong.values() if problem.case == first.case})
        ),
    )


def _misdirected(
    nginx: Nginx, deployment: Deployment, edits: list[Edit | None]
) -> dict[str, tuple[str, CaseMessage]]:
    """Return the paths of the domain whose location leads to the upstream of another service of open_paas.

    edits: gets those that correct them.
    """
    right = {
        UPSTREAM_SERVICES[one.name]: one.name for one in nginx.upstreams if one.name in UPSTREAM_SERVICES
    }
    wrong: dict[str, tuple[str, CaseMessage]] = {}
    for server in servers_of_domain(nginx, deployment):
        for path, service in SERVED_AT.items():
            route = nginx_route(server.locations, path)
            served_by = UPSTREAM_SERVICES.get(route.location.upstream or "") if route else None
            if route is None or served_by in (None, service):
                continue
            location = route.location
            problem = case(
                "other-service", "leads to {target}, to {service}", target=route.target, service=served_by
            )
            wrong[f"{location.file}:{location.line} {path}"] = service, problem
            known = service in right and location.upstream is not None
            edits.append(lead_to(location, location.upstream or "", right[service]) if known else None)
    return wrong


@condition("nginx-upstreams-complete")
def test_upstreams_name_every_paas_host(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No paas host of the inventory is missing in an upstream of open_paas."""
    servers = open_paas_servers(_needs_nginx(host))
    missing: dict[str, list[str]] = {}
    idle = idle_placeholders(host.nginx, deployment, host_facts)
    servers = [one for one in servers if one[0].name not in idle and not _placeholder(one[0], deployment)]
    for service in sorted({service for _, service, _ in servers}):
        configured = {
            address
            for _, used, server in servers
            if used == service and "down" not in server.parameters
            for address in host.names.of(server.address)
        }
        for paas in deployment.hosts_with("paas"):
            if has_project(paas, service) and not configured & addresses_of(paas, deployment, host_facts):
                missing.setdefault(service, []).append(paas.name)
    finding.affects_services(missing)
    finding.set_remedy_values(edit=nginx_edit_of(complete_upstreams(host, deployment, host_facts), host))
    assert not missing, case(
        "missing",
        msg(
            "without {hosts}",
            hosts="; ".join(f"{', '.join(names)} ({service})" for service, names in missing.items()),
        ),
        hosts=series(sorted({name for names in missing.values() for name in names})),
    )


def _placeholder(upstream: NginxUpstream, deployment: Deployment) -> bool:
    return deployment.generation == "6.x" and is_placeholder(upstream)


@condition("upstream-answers")
def test_each_upstream_answers_by_itself(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Asked one by one from the nginx host, every upstream server answers, and not with a server error."""
    nginx = _needs_nginx(host)
    spare = [name for name, role in APP_UPSTREAMS.items() if not deployment.hosts_with(role)]
    spare += idle_placeholders(nginx, deployment, host_facts)
    own = platform_upstreams(nginx, deployment)
    used = [one for one in nginx.upstreams if one.name in own and one.name not in spare]
    servers = structs.replace(nginx, upstreams=tuple(used)).http_servers()
    if not servers:
        raise NotApplicable(msg("nginx here has no upstream"))
    wrong: dict[str, CaseMessage] = {}
    for address, port in servers:
        answer = host.answers.get(HttpName.UPSTREAM, address, port)
        if not answer.ok:
            wrong[f"{address}:{port}"] = connection_case(
                answer.error_kind, lines([no_answer(answer.error_kind)])
            )
        elif answer.status is not None and answer.status >= 500:
            status = msg("HTTP {status}, {body}", status=answer.status, body=body_text(answer, 80))
            wrong[f"{address}:{port}"] = case("5xx", lines([status]))
    finding.set_remedy_values(urls=" ".join(f"http://{server}/" for server in sorted(wrong)))
    finding.depends_on_hosts(_hosts_behind(wrong, deployment, host_facts))
    finding.add_evidence(", ".join(f"{address}:{port}" for address, port in servers))
    parts = {target: upstream_component(target, nginx, deployment) for target in wrong}
    assert not wrong, several(dict(sorted(wrong.items())), "servers", components=parts)


def _hosts_behind(endpoints: Iterable[str], deployment: Deployment, host_facts: HostLookup) -> list[str]:
    """Return the hosts that have these addresses, and those of the database behind them."""
    valid = valid_addresses([endpoint.rpartition(":")[0] for endpoint in endpoints])
    return [
        *hosts_at(valid, deployment, host_facts),
        *(entry.name for entry in deployment.hosts_with("mysql")),
    ]
