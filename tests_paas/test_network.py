"""What lies between the hosts: routes, nameservers; and the descriptors that connections need."""

import re
from collections.abc import Iterator

from bkpaas.checks import (
    OPEN_PAAS_SERVICES,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    LogHit,
    Message,
    NoData,
    NotApplicable,
    Process,
    Resolved,
    case,
    condition,
    edit_of,
    labelled,
    lines,
    log_time,
    msg,
    nginx_addresses,
    series,
    without_nameservers,
)

USED_UP = 0.98
"""The part of the limit from which a process has no descriptor to spare."""
TOO_MANY = re.compile(r"Too\smany\sopen\sfiles")


@condition("open-files")
def test_programs_have_descriptors_left(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """No process of the platform has used up its file descriptors, and no service has recently said so."""
    programs = list(_programs(host))
    known = [(name, one) for name, one in programs if one.open_files is not None]
    full = [(name, one) for name, one in known if _is_used_up(one)]
    names = list(dict.fromkeys(name for name, _ in full))
    logged = {} if full else _logged(host, deployment)
    affected = set(names) | set(logged)
    if affected and affected <= set(OPEN_PAAS_SERVICES):
        finding.affects_services(affected)
    pids = [one.pid for name, one in full or programs if name in affected]
    pid = pids[0] if pids else "PID"
    finding.add_evidence(msg("{number} processes", number=len(known)))
    assert not full, case(
        "used-up",
        lines(
            msg(
                "{program} (pid {pid}): {used} of {limit} file descriptors in use",
                program=name,
                pid=one.pid,
                used=one.open_files,
                limit=one.open_files_limit,
            )
            for name, one in full
        ),
        programs=series(names),
        pid=pid,
    )
    assert not logged, case(
        "logged",
        lines(labelled(hit.file, hit.text) for hit in logged.values()),
        programs=series(logged),
        pid=pid,
    )
    if not programs:
        raise NotApplicable(msg("no uwsgi of open_paas, nginx or paas_agent runs here"))
    if len(known) < len(programs):
        raise NoData(
            msg(
                "the descriptors of {number} processes were not read: only root can see those of others",
                number=len(programs) - len(known),
            )
        )


def _programs(host: HostView) -> Iterator[tuple[str, Process]]:
    """Yield the processes of the platform, with the names of their programs."""
    for one in host.processes.uwsgi():
        yield one.service or "uwsgi", one
    for master in host.processes.nginx_masters():
        yield from (("nginx", one) for one in (master, *host.processes.children(master.pid)))
    yield from (("paas_agent", one) for one in host.processes.named("paas_agent"))


def _is_used_up(one: Process) -> bool:
    return bool(one.open_files_limit) and (one.open_files or 0) >= USED_UP * (one.open_files_limit or 0)


def _logged(host: HostView, deployment: Deployment) -> dict[str, LogHit]:
    """Return the recent lines of services that ran out of descriptors since their start."""
    logs = host.logs
    found: dict[str, LogHit] = {}
    for service in OPEN_PAAS_SERVICES:
        hits = [*logs.application_exceptions.get(service, ()), *filter(None, [logs.exceptions.get(service)])]
        for hit in hits:
            if (
                TOO_MANY.search(hit.text)
                and hit.time is not None
                and _is_recent(host, deployment, service, hit)
            ):
                found[service] = hit
    return found


def _is_recent(host: HostView, deployment: Deployment, service: str, hit: LogHit) -> bool:
    since = host.services.run(service).since or 0.0
    window = deployment.thresholds.log_window_minutes * 60
    return (hit.time or 0.0) >= max(since, log_time(host, hit.file) - window)


REJECTED = {"EINVAL": "blackhole", "EACCES": "prohibit", "EHOSTUNREACH": "unreachable"}
"""The type of the route by the error of connect(). Source: Linux, fib_props."""


@condition("host-routes")
def test_no_route_rejects_packets(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """The kernel of the host would send packets to each host that it exchanges packets with."""
    routes = host.names.known_routes()
    if routes is None:
        raise NotApplicable(msg("no other host of the inventory exchanges packets with this one"))
    names = {entry.address: entry.name for entry in deployment.hosts}
    wrong = {address: REJECTED[error] for address, error in routes.items() if error in REJECTED}
    finding.add_evidence(msg("{number} addresses", number=len(routes)))
    assert not wrong, case(
        "rejected",
        lines(
            msg("the route to {address} has the type {type}", address=address, type=type_)
            for address, type_ in wrong.items()
        ),
        others=series(names.get(address, address) for address in wrong),
        other=next(iter(wrong), ""),
        routes="; ".join(
            f"ip route show type {type_} match {address} | tail -n 1 | xargs -r ip route del"
            for address, type_ in wrong.items()
        ),
    )


@condition("nameservers-agree")
def test_nameservers_have_the_same_address(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """Every nameserver of the host that answers has a right address for the PaaS domain, or all have the same."""
    names = host.names
    if len(names.listed_nameservers) < 2:
        raise NotApplicable(msg("/etc/resolv.conf has one nameserver or none"))
    if not names.nameservers:
        raise NotApplicable(msg("/etc/hosts has {domain}", domain=deployment.domain))
    answered = {
        server: one for server, one in names.nameservers.items() if one.addresses or _has_no_address(one)
    }
    shown = lines(labelled(server, _shown(one)) for server, one in answered.items())
    finding.add_evidence(shown)
    right = nginx_addresses(host, deployment, host_facts)
    wrong = {server: one for server, one in answered.items() if not _is_right(one, right)}
    if len({frozenset(one.addresses) for one in answered.values()}) < 2 or not right:
        return  # domain-resolve checks the one answer
    finding.set_remedy_values(edit=edit_of([without_nameservers(wrong)], host.name))
    for server, one in wrong.items():
        if one.addresses:
            raise AssertionError(case("stale", shown, server=server, addresses=", ".join(one.addresses)))
        raise AssertionError(case("without", shown, server=server))


def _has_no_address(one: Resolved) -> bool:
    """Return whether the nameserver answered that there is no such name (3), or no address of it (0)."""
    return str(one.error) in ("rcode 0", "rcode 3")


def _is_right(one: Resolved, right: set[str]) -> bool:
    return bool(one.addresses) and right.issuperset(one.addresses)


def _shown(one: Resolved) -> Message | str:
    return ", ".join(one.addresses) or msg("no address")
