"""Recent log lines: tokens refused because of their time, upstreams that failed."""

from bkpaas.checks import (
    TOO_LARGE_BODY,
    Deployment,
    Finding,
    HostLookup,
    HostView,
    LogHit,
    Missing,
    NoData,
    NotApplicable,
    WorkerDeath,
    case,
    clauses,
    condition,
    idle_placeholders,
    lines,
    log_time,
    msg,
    platform_servers,
    series,
    upstream_component,
)


def _recent(host: HostView, hits: tuple[LogHit, ...], minutes: float) -> list[LogHit]:
    """Return the lines of the last minutes, without those whose time cannot be read."""
    recent = [
        hit for hit in hits if hit.time is not None and log_time(host, hit.file) - hit.time <= minutes * 60
    ]
    if not recent and host.logs.problems:
        raise NoData(clauses(host.logs.problems[:3]))
    return recent


@condition("login-illegal-in-logs")
def test_no_token_was_refused_for_its_time(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """No log of the last minutes says "Login validity is illegal", in either language."""
    window = deployment.thresholds.log_window_minutes
    recent = _recent(host, host.logs.refusals, window)
    if not recent and not host.logs.application_logs:
        reason = msg("no log of login, paas, esb or a SaaS was read")
        if deployment.host(host.name).has_role("paas"):
            raise NoData(reason)
        raise NotApplicable(reason)
    finding.add_evidence(msg("none within {minutes:.0f} minutes", minutes=window))
    assert not recent, case(
        "token-refused",
        "{number} within {minutes:.0f} minutes, the last in {file}: {line}",
        number=len(recent),
        minutes=window,
        file=recent[-1].file,
        line=recent[-1].text,
    )


@condition("nginx-error-log")
def test_nginx_log_has_no_recent_errors(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No line of the last minutes in nginx's error log reports a failed upstream or a serious error of nginx."""
    window = deployment.thresholds.log_window_minutes
    idle = _idle_places(host, deployment, host_facts)
    own = _platform_names(host, deployment)
    hits = tuple(
        hit
        for hit in host.logs.nginx_errors
        if (own is None or hit.server is None or hit.server in own) and TOO_LARGE_BODY not in hit.text
    )
    recent = [hit for hit in _recent(host, hits, window) if hit.upstream not in idle]
    failed = [
        hit for hit in recent if hit.upstream or (hit.level in ("", "error") and "limiting" not in hit.text)
    ]
    serious = [hit for hit in recent if hit not in failed]
    if not host.logs.nginx_logs:
        raise NoData(msg("no error log of nginx was read"))
    finding.depends_on_hosts(
        entry.name for entry in deployment.hosts_with("paas", "mysql", "appo", "appt", "cmdb", "job")
    )
    finding.add_evidence(msg("none within {minutes:.0f} minutes", minutes=window))
    assert not serious, case(
        "serious",
        "{number} within {minutes:.0f} minutes, the last about: {problem}; line: {line}",
        number=len(serious),
        minutes=window,
        line=serious[-1].text,
        problem=serious[-1].text.partition("] ")[2].partition(", client")[0][:80],
    )
    upstreams = sorted({hit.upstream for hit in failed if hit.upstream})
    if not isinstance(host.facts.nginx, Missing):
        nginx = host.facts.nginx
        behind = [upstream_component(server, nginx, deployment) for server in upstreams if ":" in server]
        finding.names_components("service", [name.partition(":")[2] for name in behind])
    assert not failed, case(
        "upstream-failed",
        "{number} within {minutes:.0f} minutes, about {upstreams}; last: {line}",
        number=len(failed),
        minutes=window,
        upstreams=", ".join(upstreams) or msg("unknown", context="upstreams"),
        line=failed[-1].text,
    )


def _platform_names(host: HostView, deployment: Deployment) -> set[str] | None:
    """Return the names under which nginx logs the platform's server blocks, None if its files are not known."""
    try:
        servers = platform_servers(host.nginx, deployment)
    except NoData:
        return None
    return {name for server in servers for name in server.names}


@condition("worker-deaths")
def test_workers_do_not_die(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """No service lost several workers within the last minutes to a signal or a time-out."""
    window, limit = deployment.thresholds.log_window_minutes, deployment.thresholds.worker_deaths
    if not host.logs.service_logs:
        raise NoData(
            clauses(host.logs.problems[:3]) if host.logs.problems else msg("no log of a service was read")
        )
    recent: dict[str, list[WorkerDeath]] = {}
    for death in host.logs.worker_deaths:
        if death.time is not None and log_time(host, death.file) - death.time <= window * 60:
            recent.setdefault(death.service, []).append(death)
    wrong = {service: deaths for service, deaths in recent.items() if len(deaths) >= limit}
    finding.affects_services(wrong)
    finding.set_remedy_values(service=" ".join(sorted(wrong)))
    finding.add_evidence(msg("logs read: {services}", services=series(host.logs.service_logs)))
    assert not wrong, case(
        "died",
        lines(
            msg(
                "{service}: {number} workers died within {minutes:.0f} minutes (limit {limit}), signals: {signals}; {file}",
                service=service,
                number=len(deaths),
                minutes=window,
                limit=limit,
                signals=series(dict.fromkeys(str(death.signal or "-") for death in deaths)),
                file=deaths[-1].file,
            )
            for service, deaths in wrong.items()
        ),
        services=series(sorted(wrong)),
    )


def _idle_places(host: HostView, deployment: Deployment, host_facts: HostLookup) -> set[str]:
    """Return the paths that nginx's files name for modules that the deployment does not have."""
    if isinstance(host.facts.nginx, Missing):
        return set()
    idle = idle_placeholders(host.nginx, deployment, host_facts)
    upstreams = [upstream for upstream in host.nginx.upstreams if upstream.name in idle]
    return {f"{server.address}:{server.port}" for upstream in upstreams for server in upstream.servers}
