"""FAQ: login answers 502 Bad Gateway: the services, and every path from the domain to them."""

import re
from collections.abc import Mapping

from bkpaas.checks import (
    BEHIND_THE_DOMAIN,
    OPEN_PAAS_SERVICES,
    SERVICE_OF_PATH,
    CaseMessage,
    ControllerView,
    Deployment,
    Edit,
    Finding,
    FullQueue,
    Host,
    HostLookup,
    HostView,
    HttpName,
    Listener,
    Message,
    Missing,
    NoData,
    as_paas_hosts,
    case,
    clauses,
    combined,
    condition,
    connection_case,
    domain_paths,
    edit_of,
    expected_port,
    has_project,
    is_loopback,
    is_placeholder,
    labelled,
    lines,
    log_time,
    msg,
    no_answer,
    port_of_service,
    port_of_uwsgi,
    series,
    several,
    unread_nouns,
)

APPS = {"/o/": ("appo",), "/t/": ("appt",)}
"""The roles of the hosts of applications, by path."""


@condition("bind-address-consistent")
def test_services_bind_the_address_that_nginx_uses(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """The address and port in each uwsgi file are those that nginx, the settings and the inventory use for this host."""
    entry = deployment.host(host.name)
    wrong: dict[str, CaseMessage] = {}
    edits: list[Edit | None] = []
    for service, facts in host.services.by_name.items():
        if facts.bind_port is None:
            continue
        port = expected_port(service, host.name, facts.bind_port, deployment, host_facts)
        place = f"{facts.bind_address or '*'}:{facts.bind_port} ({facts.ini.path})"
        if port != facts.bind_port:
            text = msg("{place} is the port; those that request it use {port}", place=place, port=port)
            wrong[service] = case("other-port", text, port=port)
            edits.append(port_of_uwsgi(facts.ini.path, facts.bind_port, port) if facts.by_uwsgi else None)
        if facts.bind_address in (None, "0.0.0.0", "::") or re.search("[g-zG-Z]", facts.bind_address):
            continue  # every address, or a name: paas-ports-local and the checks of its clients cover it
        used = _upstream_addresses(host, port, deployment, host_facts) or {entry.address}
        if facts.bind_address not in used:
            text = msg(
                "{place} is the configured address; nginx uses {used}",
                place=place,
                used=", ".join(sorted(used)),
            )
            found = [*filter(None, [wrong.get(service)]), case("other-address", text)]
            wrong[service] = combined(found, lines(one.evidence for one in found))
    finding.affects_services(wrong)
    finding.set_remedy_values(service=" ".join(sorted(wrong)) or "SERVICE", edit=edit_of(edits, host.name))
    assert not wrong, several(wrong, "services")
    unread = unread_nouns(host, deployment, "settings")
    for nginx_host in deployment.selected("nginx"):
        unread += unread_nouns(host_facts(nginx_host.name), deployment, "nginx")
    if unread:
        raise NoData(clauses(unread))


def _upstream_addresses(
    host: HostView, port: int, deployment: Deployment, host_facts: HostLookup
) -> set[str]:
    """Return the addresses of this host that nginx's upstreams name with this port."""
    own = set(host.addresses.items)
    used = set()
    for nginx_host in deployment.selected("nginx"):
        facts = host_facts(nginx_host.name).facts
        if isinstance(facts.nginx, Missing):
            continue
        loopback_is_us = nginx_host.name == host.name
        upstreams = (
            server
            for upstream in facts.nginx.upstreams
            if deployment.generation == "5.x" or not is_placeholder(upstream)
            for server in upstream.servers
        )
        targets = {(server.address, server.port) for server in upstreams} | facts.nginx.passed_to()
        resolved = {
            address
            for target, its_port in targets
            if its_port == port
            for address in host_facts(nginx_host.name).names.of(target)
        }
        used |= {address for address in resolved & own if loopback_is_us or not is_loopback(address)}
    return used


@condition("paas-ports-local")
def test_services_listen_where_configured(host: HostView, finding: Finding) -> None:
    """Each service listens on the address and port of its own configuration."""
    services = {
        name: service_facts
        for name, service_facts in host.services.by_name.items()
        if service_facts.bind_port
    }
    unread = {
        name: service_facts.problems
        for name, service_facts in host.services.by_name.items()
        if service_facts.problems and not service_facts.bind_port
    }
    if not services:
        raise NoData(clauses([msg("no uwsgi file has an address"), *_problems(unread)]))
    silent: dict[str, Message] = {}
    for service, service_facts in services.items():
        listeners = host.sockets.on(service_facts.bind_port or 0)
        address = service_facts.bind_address  # None: any will do
        if not any(address is None or listener.covers(address) is not False for listener in listeners):
            elsewhere = ", ".join(f"{listener.address}:{listener.port}" for listener in listeners)
            endpoint = f"{address or '*'}:{service_facts.bind_port}"
            silent[service] = (
                msg("{endpoint} (but {elsewhere})", endpoint=endpoint, elsewhere=elsewhere)
                if elsewhere
                else lines([endpoint])
            )
    finding.affects_services(silent)
    finding.set_remedy_values(service=" ".join(sorted(silent)) or "SERVICE")
    finding.add_evidence(
        ", ".join(
            f"{name} {service_facts.bind_address or '*'}:{service_facts.bind_port}"
            for name, service_facts in services.items()
        )
    )
    assert not silent, case(
        "not-listening",
        msg(
            "nothing listens on {endpoints}",
            endpoints=clauses(
                msg("{endpoint} ({service})", endpoint=endpoint, service=service)
                for service, endpoint in sorted(silent.items())
            ),
        ),
        services=series(sorted(silent)),
    )
    if unread:
        raise NoData(clauses(_problems(unread)))


def _problems(unread: Mapping[str, tuple[Message | str, ...]]) -> list[Message]:
    """Return a text for each service whose address is not known, with the first reason."""
    return [
        msg("no address of {service}: {reason}", service=service, reason=problems[0])
        for service, problems in sorted(unread.items())
    ]


@condition("listen-queue")
def test_no_connection_waits_to_be_accepted(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """The accept backlog of each service is far from full."""
    thresholds = deployment.thresholds
    most = thresholds.listen_queue_length * thresholds.listen_queue_percent / 100
    queues = {
        service: max(
            map(_waiting, host.sockets.on(port_of_service(service, service_facts, deployment))), default=0
        )
        for service, service_facts in host.services.by_name.items()
    }
    full = {service: waiting for service, waiting in queues.items() if waiting >= most}
    finding.affects_services(full)
    finding.set_remedy_values(service=" ".join(sorted(full)))
    finding.add_evidence(", ".join(f"{service} {waiting}" for service, waiting in sorted(queues.items())))
    assert not full, case(
        "full",
        msg(
            "connections waiting: {queues}",
            queues=", ".join(f"{service} {waiting}" for service, waiting in sorted(full.items())),
        ),
        services=series(sorted(full)),
    )
    lines_of = _recently_full(host, deployment)
    finding.affects_services(lines_of)
    finding.set_remedy_values(service=" ".join(sorted(lines_of)))
    assert not lines_of, case(
        "was-full",
        lines(
            msg(
                "{service}: {number} lines within {minutes:.0f} minutes, the last: {used} of {size} connections; {file}",
                service=service,
                number=len(of_service),
                minutes=thresholds.log_window_minutes,
                used=of_service[-1].used,
                size=of_service[-1].size,
                file=of_service[-1].file,
            )
            for service, of_service in sorted(lines_of.items())
        ),
        services=series(sorted(lines_of)),
    )


def _recently_full(host: HostView, deployment: Deployment) -> dict[str, list[FullQueue]]:
    """Return the recent lines about a listen queue without room, by service."""
    window = deployment.thresholds.log_window_minutes * 60
    by_service: dict[str, list[FullQueue]] = {}
    for line in host.logs.full_queues:
        if line.time is not None and line.time >= log_time(host, line.file) - window:
            by_service.setdefault(line.service, []).append(line)
    return by_service


def _waiting(listener: Listener) -> int:
    if listener.queue is None:
        raise NoData(msg("the queue of port {port} is not known", port=listener.port))
    return listener.queue


@condition("paas-ports-from-nginx")
def test_nginx_host_reaches_the_services(source: HostView, target: Host, finding: Finding) -> None:
    """From the nginx host, each service of the paas host gives an HTTP answer, whatever its status."""
    wrong: dict[str, CaseMessage] = {}
    for service in (name for name in OPEN_PAAS_SERVICES if has_project(target, name)):
        answer = source.answers.get(HttpName.SERVICE_OF_HOST, service, target.name)
        if not answer.ok:
            problem = no_answer(answer.error_kind)
            wrong[service] = connection_case(answer.error_kind, labelled(answer.url, problem))
    finding.affects_services(wrong)
    finding.set_remedy_values(
        urls=" ".join(
            source.answers.get(HttpName.SERVICE_OF_HOST, service, target.name).url
            for service in sorted(wrong)
        )
    )
    assert not wrong, several(dict(sorted(wrong.items())), "services")


@condition("domain-502")
def test_no_path_of_the_domain_is_a_bad_gateway(
    controller: ControllerView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Through the domain, every path that leads to an upstream is answered by it: no 502, 503 or 504."""
    wrong: dict[str, CaseMessage] = {}
    there = domain_paths(as_paas_hosts(deployment, host_facts))
    paths = [path for path in domain_paths(deployment) if path in there]
    for path in paths:
        answer = controller.answers.get(HttpName.DOMAIN_PATH, path)
        if not answer.ok:
            wrong[path] = connection_case(answer.error_kind, lines([no_answer(answer.error_kind)]))
        elif answer.status in (502, 503, 504):
            wrong[path] = case("bad-gateway", "HTTP {status}", status=answer.status)
    finding.affects_services(SERVICE_OF_PATH.get(path, "agent") for path in wrong)
    roles = {"nginx"}.union(*(APPS.get(path, BEHIND_THE_DOMAIN) for path in wrong))
    finding.depends_on_hosts(entry.name for entry in deployment.hosts_with(*roles))
    finding.add_evidence(", ".join(paths))
    parts = {path: f"service:{SERVICE_OF_PATH.get(path, 'agent')}" for path in wrong}
    assert not wrong, several(wrong, "paths", components=parts)
