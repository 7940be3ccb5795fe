"""FAQ: the login page loops: nginx passes requests and answers of login on as they are."""

import re
from collections.abc import Iterator

from msgspec import structs

from bkpaas.checks import (
    USER_PATHS,
    CaseMessage,
    Deployment,
    Edit,
    Finding,
    HostLookup,
    HostView,
    LogHit,
    Missing,
    NginxLocation,
    NginxServer,
    NoData,
    NotApplicable,
    case,
    clauses,
    client_of,
    clock_slack,
    combined,
    condition,
    keeps_host,
    limit_text,
    limits_in_line,
    lines,
    load_time,
    log_time,
    misled,
    msg,
    nginx_edit_of,
    nginx_route,
    refusal_of_users,
    refused_hosts,
    repairs,
    series,
    serving_location,
    serving_servers,
    unread_nouns,
)

PATHS = {
    "/login/accounts/is_login/": "login",
    "/platform/": "paas",
    "/api/c/compapi/v2/bk_login/is_login/": "esb",
    "/v1/healthz/": "appengine",
}
"""A path of each service of open_paas behind the domain."""
WITH_A_LOGIN = ("login", "paas")
"""Services that set or read the cookies of a login, and build addresses of the Host."""
LEAST_HEADER = 4096
"""Bytes: a browser sends the cookies of all applications of a domain in one header, which may have some kilobytes."""
OWN_HOST = ("$http_host", "$host", "$server_name")
NAMES = {"agent": "SaaS"}
"""Of services in a headline."""
_QUERY = re.compile(r"\$\{?(?:args|is_args|query_string|request_uri|arg_)")
_VARIABLE = re.compile(r"\$\{?(\w+)")


@condition("nginx-passes-requests")
def test_nginx_passes_requests_on(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """nginx gives each service the query, Host, cookies, method and body of a request, and passes its answer back."""
    nginx = host.nginx
    if nginx.main is None:
        raise NoData(msg("no nginx configuration was found"))
    servers = serving_servers(nginx, deployment)
    if not servers:
        raise NotApplicable(msg("nginx here does not serve the PaaS domain"))
    wrong: dict[tuple[str, str | None], tuple[str, CaseMessage]] = {}
    edits: list[tuple[str, Edit | None]] = []
    seen = []

    def add(service: str, location: NginxLocation, server: NginxServer, problem: CaseMessage) -> None:
        wrong.setdefault((_where(location), problem.case), (service, problem))
        lost = _loses_cookies(location, deployment.domain)
        name = problem.case or ""
        edits.extend((name, edit) for edit in repairs(name, location, server, lost))

    for server in servers:
        for path, service in PATHS.items():
            route = nginx_route(server.locations, path)
            if route is None or not route.location.proxy_pass:
                continue
            seen.append(f"{path} {_where(route.location)}")
            least = deployment.thresholds.answer_seconds
            for problem in _problems(route.location, server, service, deployment.domain, least):
                add(service, route.location, server, problem)
        for service, location, problem in (
            *_misled(server),
            *_refusals(host, server, deployment, host_facts),
        ):
            add(service, location, server, problem)
    finding.add_evidence(", ".join(seen))
    if not wrong:
        if unread := unread_nouns(host, deployment, "logs", "processes"):
            raise NoData(clauses(unread))
        return
    finding.affects_services(service for service, _ in wrong.values())
    # a Host that is replaced shows in redirects as well: the others of the same edit follow it
    first = min((problem for _, problem in wrong.values()), key=lambda one: one.case != "host-replaced")
    known = (edit for name, edit in edits if edit is not None or name == first.case)
    finding.set_remedy_values(edit=nginx_edit_of(known, host))
    raise AssertionError(
        combined(
            [first],
            lines(
                msg("{location} {problem}", location=where, problem=problem.evidence)
                for (where, _), (_, problem) in wrong.items()
            ),
            services=series(
                sorted({NAMES.get(one, one) for one, problem in wrong.values() if problem.case == first.case})
            ),
        )
    )


def _where(location: NginxLocation) -> str:
    return f"{location.file}:{location.line}"


def _misled(server: NginxServer) -> Iterator[tuple[str, NginxLocation, CaseMessage]]:
    """Yield service, location and case of each path that a rewrite of the server block takes away from its service."""
    for path, service in USER_PATHS.items():
        location, other = serving_location(server.locations, path), misled(server, path)
        if location is not None and other is not None:
            new, by = other
            yield (
                service,
                location,
                case(
                    "path-rewritten",
                    "({path}): rewrite {pattern} in {file}:{line} makes it {new}, which another location serves",
                    path=path,
                    pattern=by.pattern,
                    file=by.file,
                    line=by.line,
                    new=new,
                ),
            )


def _refusals(
    host: HostView, server: NginxServer, deployment: Deployment, host_facts: HostLookup
) -> Iterator[tuple[str, NginxLocation, CaseMessage]]:
    """Yield service, location and case of what a server block refuses by itself on the paths that users need.

    What it answers to every request, and the hosts that it refuses on the path of login, nginx-listen-vs-domain reports.
    """
    if re.match(r"[45]\d\d\b", server.returns or ""):
        return
    recent = _limited_lines(host, deployment, host_facts)
    for path, service in USER_PATHS.items():
        location = serving_location(server.locations, path)
        if location is None:
            continue
        if refused_hosts(server, deployment):
            location = structs.replace(location, passing=structs.replace(location.passing, access=()))
        reason = refusal_of_users(location, deployment)
        if reason is not None:
            yield (
                service,
                location,
                case("users-refused", "({path}): {directive}", path=path, directive=reason),
            )
            continue
        hits = [
            (hit, limit)
            for hit in recent
            for named, limit in limits_in_line(hit.text, server.locations)
            if named == location
        ]
        clients = {client_of(hit.text) for hit, _ in hits}
        if hits and (len(clients) > 1 or clients & {entry.address for entry in deployment.hosts}):
            yield (
                service,
                location,
                case(
                    "users-limited",
                    "({path}): {directive}; {number} requests of {count} clients refused, the last: {line}",
                    path=path,
                    directive=limit_text(hits[-1][1]),
                    number=len(hits),
                    count=len(clients),
                    line=hits[-1][0].text,
                ),
            )


def _limited_lines(host: HostView, deployment: Deployment, host_facts: HostLookup) -> list[LogHit]:
    """Return the recent lines about a limit that the nginx that runs now has written; none if they are not known."""
    if isinstance(host.facts.logs, Missing) or isinstance(host.facts.processes, Missing):
        return []
    masters = host.processes.nginx_masters()
    if not masters:
        return []
    loaded = min((load_time(host, master) or 0.0) for master in masters)
    since = loaded - clock_slack(host, deployment, host_facts)
    window = deployment.thresholds.log_window_minutes * 60
    return [
        hit
        for hit in host.logs.nginx_errors
        if "limiting" in hit.text
        and hit.time is not None
        and hit.time >= max(since, log_time(host, hit.file) - window)
    ]


def _problems(
    location: NginxLocation, server: NginxServer, service: str, domain: str, least_seconds: float
) -> Iterator[CaseMessage]:
    """Yield what a location changes that its service needs as it is."""
    passing, target = location.passing, location.proxy_pass or ""
    if _loses_query(location, target):
        yield case(
            "query-lost", "proxy_pass {target} passes no query on: $is_args$args is missing", target=target
        )
    if service in WITH_A_LOGIN:
        if reason := _loses_cookies(location, domain):
            yield case("cookie-lost", "{directive}: the cookies of a login are lost", directive=reason)
        if not keeps_host(passing.host, server, domain):
            yield case(
                "host-replaced",
                "the Host that {service} gets is {host}, not that of the request",
                service=service,
                host=passing.host or "$proxy_host",
            )
    programs = [one for one in passing.refused_programs if not one.startswith("Mozilla/")]
    if programs:
        yield case(
            "program-refused",
            "an if refuses requests by their User-Agent: {programs}",
            programs=", ".join(programs),
        )
    if passing.refuses_post or passing.method.upper() not in ("", "POST", "$REQUEST_METHOD"):
        yield case("post-refused", "a POST is refused or sent with another method")
    if service in WITH_A_LOGIN and passing.cache:
        yield case(
            "answer-stored",
            "proxy_cache {zone} with proxy_cache_valid: one user gets the answer for another",
            zone=passing.cache,
        )
    if 0 < passing.read_seconds < least_seconds:
        yield case(
            "answer-cut",
            "proxy_read_timeout is {seconds} s (limit {limit} s; shipped 600 s)",
            seconds=f"{passing.read_seconds:g}",
            limit=f"{least_seconds:g}",
        )
    if 0 < passing.header_bytes < LEAST_HEADER:
        yield case(
            "headers-refused",
            "a header of more than {bytes} bytes, such as the cookies of a user, is refused: large_client_header_buffers (limit {limit}; 8192 where none is written)",
            bytes=passing.header_bytes,
            limit=LEAST_HEADER,
        )
    if 0 < passing.answer_header_bytes < LEAST_HEADER:
        yield case(
            "headers-refused",
            "an answer whose headers, such as cookies, have more than {bytes} bytes becomes a 502: proxy_buffer_size (limit {limit})",
            bytes=passing.answer_header_bytes,
            limit=LEAST_HEADER,
        )
    if not passing.passes_body:
        yield case("body-lost", "proxy_pass_request_body off: the body of requests is lost")


def _loses_query(location: NginxLocation, target: str) -> bool:
    """Return whether a proxy_pass has a path made of the location's captures only: nginx then adds no query by itself.

    Source: nginx, proxy_pass: with variables, the URI is sent as it is written.
    """
    path = target.partition("://")[2].partition("/")[2]
    names = _VARIABLE.findall(path)
    if not names or _QUERY.search(path):
        return False
    captures = set(re.findall(r"\(\?P?<(\w+)>", location.pattern)) | {"uri", "document_uri"}
    return all(name.isdecimal() or name in captures for name in names)


def _loses_cookies(location: NginxLocation, domain: str) -> str:
    """Return the directive that removes or changes the cookies of a login, or an empty text."""
    passing = location.passing
    if passing.hides_cookies:
        return "proxy_hide_header Set-Cookie"
    if not passing.passes_headers:
        return "proxy_pass_request_headers off"
    if "$" not in passing.cookie:
        return f'proxy_set_header Cookie "{passing.cookie}"'
    for written, replacement in passing.cookie_domains:
        suffix = written.lstrip(".")
        concerns = written.startswith("~") or domain == suffix or domain.endswith(f".{suffix}")
        name = replacement.lstrip(".")
        if concerns and "$" not in name and domain != name and not domain.endswith(f".{name}"):
            return f"proxy_cookie_domain {written} {replacement}"
    for written, replacement in passing.cookie_paths:
        if written == "/" and "$" not in replacement and re.split(r"[; ]", replacement)[0] != "/":
            return f"proxy_cookie_path {written} {replacement}"
    return ""
