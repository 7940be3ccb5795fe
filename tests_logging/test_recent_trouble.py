"""Recent log lines: tokens refused because of their time, upstreams that failed."""

from bkpaas.checks import (
    Deployment,
    Finding,
    HostLookup,
    HostView,
    LogHit,
    Missing,
    NoData,
    case,
    clauses,
    condition,
    host_time,
    idle_placeholders,
    msg,
)


def _recent(host: HostView, hits: tuple[LogHit, ...], minutes: float) -> list[LogHit]:
    """Return the lines of the last minutes, without those whose time cannot be read."""
    recent = [hit for hit in hits if hit.time is not None and host_time(host) - hit.time <= minutes * 60]
    if not recent and host.logs.problems:
        raise NoData(clauses(host.logs.problems[:3]))
    return recent


@condition("login-illegal-in-logs")
def test_no_token_was_refused_for_its_time(host: HostView, deployment: Deployment, finding: Finding) -> None:
    """No log of the last minutes says "Login validity is illegal", in either language."""
    window = deployment.thresholds.log_window_minutes
    recent = _recent(host, host.logs.refusals, window)
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
def test_nginx_log_has_no_upstream_errors(
    host: HostView, deployment: Deployment, host_facts: HostLookup, finding: Finding
) -> None:
    """No line of the last minutes in nginx's error log reports a failed upstream."""
    window = deployment.thresholds.log_window_minutes
    idle = _idle_places(host, deployment, host_facts)
    recent = [hit for hit in _recent(host, host.logs.nginx_errors, window) if hit.upstream not in idle]
    upstreams = sorted({hit.upstream for hit in recent if hit.upstream})
    finding.depends_on_hosts(
        entry.name for entry in deployment.hosts_with("paas", "mysql", "appo", "appt", "cmdb", "job")
    )
    finding.add_evidence(msg("none within {minutes:.0f} minutes", minutes=window))
    assert not recent, case(
        "upstream-failed",
        "{number} within {minutes:.0f} minutes, about {upstreams}; last: {line}",
        number=len(recent),
        minutes=window,
        upstreams=", ".join(upstreams) or msg("unknown", context="upstreams"),
        line=recent[-1].text,
    )


def _idle_places(host: HostView, deployment: Deployment, host_facts: HostLookup) -> set[str]:
    """The places that nginx's files name for modules that the deployment does not have."""
    if isinstance(host.facts.nginx, Missing):
        return set()
    idle = idle_placeholders(host.nginx, deployment, host_facts)
    upstreams = [upstream for upstream in host.nginx.upstreams if upstream.name in idle]
    return {f"{server.address}:{server.port}" for upstream in upstreams for server in upstream.servers}
