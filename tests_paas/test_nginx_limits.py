"""FAQ: login answers 502 Bad Gateway: nginx itself has what each request needs, and accepts the uploads of users."""

import re
from shlex import quote

from bkpaas.checks import (
    Deployment,
    Finding,
    HostLookup,
    HostView,
    HttpName,
    LogHit,
    Message,
    Missing,
    NoData,
    NotApplicable,
    about,
    case,
    clauses,
    clock_slack,
    condition,
    load_time,
    log_time,
    msg,
    nginx_edit_of,
    nginx_route,
    platform_servers,
    serving_servers,
    set_in_effect,
    unread_nouns,
    unusable_directories,
)

NO_CONNECTION = "worker_connections are not enough"
NO_FILE = "(24: Too many open files)"
NO_PORT = "(99: Cannot assign requested address)"
"""What nginx writes when a limit is reached. Source: nginx, ngx_connection.c, ngx_event_accept.c, ngx_event_connect.c."""
CONNECT = "connect() "
UNREACHABLE = "113"
DENIED = re.compile(r"connect\(\) (?:to \S+ )?failed \((?P<code>1|13|113): ")
"""EPERM and EACCES come from SELinux or a seccomp filter, EHOSTUNREACH from a firewall that rejects."""
NOW_SECONDS = 60.0
OVER_SECONDS = 20.0
FEWEST_PORTS = 1024
"""For the connections of nginx to one server: each holds its port for a minute after its end."""
MANY_LINES = 3
"""A single line is a short peak, which nginx-error-log reports."""
PORTAL = "/"
"""The path below which paas receives packages."""
MEGABYTE = 1024**2
SHIPPED_BODY = 512 * MEGABYTE
"""Bytes: client_max_body_size in the paas.conf of 5.x, and in the server block of 6.x."""
_BODY = re.compile(
    r"client intended to send too large (?:chunked )?body: (?:\d+\+)?(?P<bytes>\d{1,15}) bytes"
)


@condition("nginx-limits")
def test_nginx_has_connections_ports_and_files(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """nginx has recently not run out of connections, local ports or open files, and may connect to the services."""
    recent = _lines_since_load(host, deployment, host_facts, finding)
    connections, files, ports = (
        _not_over([hit for hit in recent if text in hit.text], recent)
        for text in (NO_CONNECTION, NO_FILE, NO_PORT)
    )
    denied = [hit for hit in recent if _is_denied(hit, host)]
    minutes = deployment.thresholds.log_window_minutes
    shown = f"{minutes:.0f}"
    main = None if isinstance(host.facts.nginx, Missing) else host.nginx.main
    finding.set_remedy_values(main=quote(main or "nginx.conf"))
    assert len(connections) < MANY_LINES, case(
        "connections-used-up", _evidence(connections, minutes), number=len(connections), minutes=shown
    )
    assert len(files) < MANY_LINES, case(
        "files-used-up", _evidence(files, minutes), number=len(files), minutes=shown
    )
    assert len(ports) < MANY_LINES, case(
        "ports-used-up", _evidence(ports, minutes), number=len(ports), minutes=shown
    )
    assert not denied, case("connect-denied", _evidence(denied, minutes), server=denied[-1].upstream)
    unusable = unusable_directories(host, ("body", "proxy"))
    finding.set_remedy_values(list=" ".join(quote(path) for path, _ in unusable))
    assert not unusable, case("temporary-directory", unusable[0][1], path=unusable[0][0])
    if unread := unread_nouns(host, deployment, "answers"):
        raise NoData(clauses(unread))
    if host.system.local_ports is None:
        raise NoData(msg("net.ipv4.ip_local_port_range was not read"))
    first, last = host.system.local_ports
    finding.add_evidence(f"ip_local_port_range {first} {last}")
    assert last - first + 1 >= FEWEST_PORTS, case(
        "few-ports",
        "net.ipv4.ip_local_port_range is {first} {last}: {number} ports (limit {limit}; usual 28232)",
        first=first,
        last=last,
        number=max(0, last - first + 1),
        limit=FEWEST_PORTS,
    )


def _not_over(hits: list[LogHit], recent: list[LogHit]) -> list[LogHit]:
    """Return the lines about a limit; none if nginx has tried to connect after them, and failed for another reason."""
    others = [
        hit.time or 0.0
        for hit in recent
        if CONNECT in hit.text and NO_PORT not in hit.text and NO_FILE not in hit.text
    ]
    return [] if hits and max(others, default=0.0) > (hits[-1].time or 0.0) + OVER_SECONDS else hits


def _is_denied(hit: LogHit, host: HostView) -> bool:
    """Return whether nginx may not connect to a server now to which another account of the host may."""
    match = DENIED.search(hit.text)
    address, _, port = (hit.upstream or "").rpartition(":")
    if match is None or not port.isdecimal() or address.startswith("unix"):
        return False
    if match["code"] == UNREACHABLE and (hit.time or 0.0) < log_time(host, hit.file) - NOW_SECONDS:
        return False  # the network may have been down for a moment
    try:
        return host.answers.get(HttpName.UPSTREAM, address, port).ok
    except NoData:
        return False


def _evidence(hits: list[LogHit], minutes: float) -> Message:
    return msg(
        "{number} lines within {minutes:.0f} minutes, the last in {file}: {line}",
        number=len(hits),
        minutes=minutes,
        file=hits[-1].file,
        line=hits[-1].text,
    )


@condition("nginx-upload-size")
def test_nginx_accepts_uploads(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """nginx has recently refused no upload that the shipped file allows, and its limit leaves room for packages."""
    recent = _lines_since_load(host, deployment, host_facts, finding)
    refused = [(int(match["bytes"]), hit) for hit in recent if (match := _BODY.search(hit.text))]
    too_low = [(size, hit) for size, hit in refused if size <= SHIPPED_BODY]
    _set_upload_edit(host, deployment, finding)
    if too_low:
        size, hit = too_low[-1]
        raise AssertionError(
            case(
                "refused",
                "{number} within {minutes:.0f} minutes, the last of {megabytes} MB (shipped limit {limit} MB) in {file}: {line}",
                number=len(too_low),
                minutes=deployment.thresholds.log_window_minutes,
                megabytes=f"{size / MEGABYTE:.3g}",
                limit=SHIPPED_BODY // MEGABYTE,
                file=hit.file,
                line=hit.text,
            )
        )
    needed = deployment.thresholds.upload_megabytes
    for server in serving_servers(host.nginx, deployment):
        route = nginx_route(server.locations, PORTAL)
        size = route.location.passing.body_bytes if route else 0
        files = {
            file for file in (host.nginx.main, server.file, route.location.file if route else "") if file
        }
        message = case(
            "too-small",
            "{location}: the client_max_body_size in effect is {megabytes} MB (limit {limit} MB; shipped 512 MB; 1 MB where none is written)",
            location=f"{server.file}:{server.line}",
            megabytes=f"{size / MEGABYTE:.3g}",
            limit=needed,
        )
        assert not 0 < size < needed * MEGABYTE, about(message, *(f"path:{file}" for file in sorted(files)))


def _set_upload_edit(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """Give the remedy the commands that set the shipped limit where a smaller one is in effect."""
    edits = [
        edit
        for server in serving_servers(host.nginx, deployment)
        if (route := nginx_route(server.locations, PORTAL))
        and 0 < route.location.passing.body_bytes < SHIPPED_BODY
        for edit in set_in_effect(route.location, server, "client_max_body_size", "512m")
    ]
    finding.set_remedy_values(edit=nginx_edit_of(edits, host))


def _lines_since_load(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> list[LogHit]:
    """Return the recent lines about the platform's requests that the nginx that runs now has written."""
    window = deployment.thresholds.log_window_minutes
    masters = host.processes.nginx_masters()
    if not masters:
        raise NotApplicable(msg("nginx does not run"))
    if not host.logs.nginx_logs:
        raise NoData(
            clauses(host.logs.problems[:3]) if host.logs.problems else msg("no error log of nginx was read")
        )
    loaded = min((load_time(host, master) or 0.0) for master in masters)
    since = loaded - clock_slack(host, deployment, host_facts)
    own = {name for server in platform_servers(host.nginx, deployment) for name in server.names}
    finding.add_evidence(msg("none within {minutes:.0f} minutes", minutes=window))
    return [
        hit
        for hit in host.logs.nginx_errors
        if hit.time is not None
        and hit.time >= max(since, log_time(host, hit.file) - window * 60)
        and (hit.server is None or hit.server in own)
    ]
